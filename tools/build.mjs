// Builds what is out of date: browser modules and scripts, the WASI command, types, documents; by name what tests need.
//   node tools/build.mjs [web] [wasi] [types] [docs] [reactor] [wasm-tests] [native] [asan]      default: web wasi docs
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './command.mjs';
import { withLock } from './lock.mjs';
import { emscriptenFolder, modules, root } from './places.mjs';
import { fail, Refusal, step } from './step.mjs';

/** @typedef {{name: string, make: () => Promise<string>}} Job */

/** @type {Record<string, Job[]>} what the command line can ask for */
const jobs = {
  web: [
    { name: 'runtime, four variants', make: () => product('wasm', 'runtime') },
    { name: 'press, two variants', make: () => product('wasm', 'press') },
    { name: 'pictures', make: () => product('wasm', 'pictures') },
    { name: 'scripts of pages', make: scripts },
  ],
  wasi: [{ name: 'WASI command', make: () => product('wasi', 'wasi') }],
  types: [{ name: 'types', make: types }],
  docs: [
    { name: 'types', make: types }, // of which the reference is made
    { name: 'documents', make: documents },
  ],
  reactor: [{ name: "Python's module", make: () => product('wasi', 'reactor') }],
  'wasm-tests': [{ name: 'C tests, wasm', make: () => cmake('wasm', 'tests') }],
  native: [{ name: 'C tests, native', make: () => cmake('native', 'tests') }],
  asan: [{ name: 'C tests, sanitizers', make: () => cmake('native-asan', 'tests') }],
};

/**
 * @param {...string} names keys of `jobs`
 * @returns {Promise<void>}
 */
export async function build(...names) {
  const unknown = names.find((name) => !Object.hasOwn(jobs, name));
  if (unknown)
    throw new Refusal(
      `There is no "${unknown}" to build; there is ${Object.keys(jobs).join(', ')}.`,
    );
  await withLock(path.join(root, 'build'), async () => {
    for (const { name, make } of names.flatMap((key) => jobs[key])) await step(name, make);
  });
}

/**
 * @param {string} preset a tree of CMakePresets.json
 * @param {string} target
 * @returns {Promise<string>}
 */
async function cmake(preset, target) {
  const env = environment(preset);
  await configure(preset, env);
  const command = ['--build', path.join('build', preset), '--target', target];
  const output = await run('cmake', command, { cwd: root, env }).catch((error) => {
    error.output = error.output.replaceAll(/^\[\d+\/\d+\] .*\n/gm, ''); // what went well
    throw error;
  });
  return output.includes('no work to do') ? 'up to date' : 'built';
}

/**
 * Builds a component of a tree and puts its files where they belong, such as dist/, where only whole ones arrive.
 * @param {string} preset
 * @param {string} component
 */
async function product(preset, component) {
  const words = await cmake(preset, component);
  await run('cmake', ['--install', `build/${preset}`, '--prefix', root, '--component', component], {
    cwd: root,
  });
  return words;
}

/**
 * Configures a tree when it is new, or when what it was configured from has changed.
 * @param {string} preset
 * @param {NodeJS.ProcessEnv} env
 */
async function configure(preset, env) {
  const folder = path.join(root, 'build', preset);
  const stampFile = path.join(folder, '.configured');
  const presets = readFileSync(path.join(root, 'CMakePresets.json'));
  const origin = [root, emscriptenFolder(), process.env.WASI_SDK_PATH].join('\n');
  const stamp = createHash('sha256').update(presets).update(origin).digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  rmSync(folder, { recursive: true, force: true });
  const command = ['cmake', '--preset', preset];
  if (preset === 'wasm') command.unshift('emcmake');
  await run(command[0], command.slice(1), { cwd: root, env });
  mkdirSync(folder, { recursive: true });
  writeFileSync(stampFile, stamp);
}

/** @param {string} preset */
function environment(preset) {
  if (preset !== 'wasm') return process.env;
  const folder = emscriptenFolder();
  if (!folder) throw new Refusal('Emscripten is missing: run "npm run setup" first.');
  return { ...process.env, PATH: folder + path.delimiter + process.env.PATH };
}

/** esbuild is there once npm's packages are. */
async function scripts() {
  const { bundle } = await import('./bundle.mjs');
  return bundle();
}

async function types() {
  await run(path.join(modules, '.bin', 'tsc'), ['-p', 'tsconfig.types.json'], { cwd: root });
  return '';
}

/** For npm start to serve. */
async function documents() {
  const { writeDocuments } = await import('./docs/documents.mjs');
  return writeDocuments(path.join(root, 'dist', 'docs'));
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const names = process.argv.slice(2);
  await build(...(names.length > 0 ? names : ['web', 'wasi', 'docs'])).catch(fail);
}
