// Everything that can be judged without running wisp: layers, shape, words, format, lint, types, sizes.
//   node tools/check.mjs            says what is wrong; status 1 if anything is
//   node tools/check.mjs --fix      formats first
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';
import { isC, ownFiles } from './check/files.mjs';
import { imports, includes } from './check/layers.mjs';
import { shape } from './check/shape.mjs';
import { sizes } from './check/sizes.mjs';
import { lockFile, symbols, words } from './check/words.mjs';
import { run } from './command.mjs';
import { modules, root } from './places.mjs';
import { setUp } from './setup.mjs';
import { fail, step } from './step.mjs';

/** @typedef {string[] | {words: string, findings: string[]}} Outcome */

/** @type {(name: string) => string} */
const tool = (name) => path.join(modules, '.bin', name);

/**
 * What a program complains about, nothing if it is content.
 * @param {string} program
 * @param {string[]} parameters
 * @param {(output: string) => string[]} [read] its output as findings; by default each line is one
 * @returns {Promise<string[]>}
 */
async function complaints(program, parameters, read = (output) => output.trim().split('\n')) {
  try {
    await run(program, parameters, { cwd: root, env: { ...process.env, NO_COLOR: '1' } });
    return [];
  } catch (error) {
    const { output, message } = /** @type {import('./command.mjs').CommandError} */ (error);
    const findings = read(output ?? '').filter(Boolean);
    return findings.length > 0 ? findings : [`${message}\n${output ?? ''}`];
  }
}

/** One finding a file. @param {string} output of clang-format --dry-run */
function unformatted(output) {
  const names = [...output.matchAll(/^([^:\s]+):\d+:\d+: error/gm)].map((match) => match[1]);
  return [...new Set(names)].map(
    (name) => `${name} is not formatted: "npm run check -- --fix" does it`,
  );
}

/** Without its closing summary. @param {string} output of biome --reporter=concise */
function biomeFindings(output) {
  return output.split('\n').filter((line) => /^[!×✖i] /.test(line));
}

const LINE = '--template={file}:{line} {message} [{id}]';

/** @param {string[]} sources */
function cppcheck(sources) {
  const where = [
    '-I.',
    '-Icore',
    '-Icore/src',
    '-Imodels/press',
    '-Itests/support',
    '-DWISP_SIMD=0',
    '-DWISP_RELAXED=0',
    '-DWISP_THREADS=1',
    '-DEM_JS(result,name,parameters,body)=result name parameters',
  ];
  const what = ['--enable=warning,performance,portability', '--inline-suppr'];
  const quiet = ['--quiet', '--error-exitcode=1', '--suppress=missingIncludeSystem', '-j2', LINE];
  return complaints('cppcheck', ['--std=c11', ...where, ...what, ...quiet, ...sources]);
}

/** @returns {Promise<string[]>} */
async function exports() {
  const library = path.join(root, 'build', 'native', 'libwisp.a');
  if (!existsSync(library)) return ['build/native/libwisp.a is not built'];
  return symbols(await run('nm', ['-g', '--defined-only', library]));
}

/** @param {boolean} fix */
async function checks(fix) {
  const files = await ownFiles();
  const c = files.filter(isC).map(({ name }) => name);
  const sources = c.filter((name) => name.endsWith('.c'));
  const clangFormat = fix ? ['-i'] : ['--dry-run', '--Werror'];
  const concise = ['--reporter=concise', '--max-diagnostics=none'];
  const biome = ['check', '--error-on-warnings', ...concise, ...(fix ? ['--write'] : [])];
  /** @type {[string, () => Outcome | Promise<Outcome>][]} */
  return [
    ['format of C', () => complaints('clang-format-19', [...clangFormat, ...c], unformatted)],
    ['format and lint of JavaScript', () => complaints(tool('biome'), biome, biomeFindings)],
    ['lint of C', () => cppcheck(sources)],
    ['types', () => complaints(tool('tsc'), ['-p', 'tsconfig.json'])],
    ['layers of C', () => includes(files)],
    ['layers of JavaScript', () => imports(files)],
    ['shape of files', () => shape(files)],
    [
      'words',
      () => [
        ...words(files),
        ...lockFile(readFileSync(path.join(root, 'package-lock.json'), 'utf8')),
      ],
    ],
    ['symbols', exports],
    ['sizes', sizes],
  ];
}

/**
 * @param {{fix?: boolean}} [options]
 * @returns {Promise<{passed: number, findings: string[]}>} passed: checks that found nothing
 */
export async function check({ fix = false } = {}) {
  const all = /** @type {string[][]} */ ([]);
  for (const [name, judge] of await checks(fix)) {
    await step(name, async () => {
      const outcome = await judge();
      const { words, findings } = Array.isArray(outcome)
        ? { words: 'ok', findings: outcome }
        : outcome;
      all.push(findings);
      return findings.length > 0 ? `${findings.length} to mend` : words;
    });
  }
  return { passed: all.filter((findings) => findings.length === 0).length, findings: all.flat() };
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    await setUp('web', 'native', 'check');
    await build('web', 'native');
    const { findings } = await check({ fix: process.argv.includes('--fix') });
    for (const finding of findings) console.error(finding);
    process.exitCode = findings.length > 0 ? 1 : 0;
  } catch (error) {
    fail(error);
  }
}
