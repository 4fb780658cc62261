// Every test: sets up and builds what is missing, then C natively, under sanitizers and as wasm,
// then JavaScript, then the checks.
//   npm test                 everything
//   npm test -- c js check   only these
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { build } from '../tools/build.mjs';
import { check } from '../tools/check.mjs';
import { run } from '../tools/command.mjs';
import { relaxedNode, root } from '../tools/places.mjs';
import { setUp } from '../tools/setup.mjs';
import { elapsed, fail, Refusal, step } from '../tools/step.mjs';

/** @typedef {{passed: number, failed: number, skipped: number}} Tally */
/** @typedef {{needs: string[], products: string[], test: () => Promise<Tally[]>}} Suite */

const TEST_TIMEOUT_MS = 300_000;
const ALL_TESTS_TIMEOUT_MS = 2_400_000; // a file that never ends must not hide what the others found

/** @type {Record<string, Suite>} */
const suites = {
  c: {
    needs: ['build', 'native'],
    products: ['native', 'asan', 'wasm-tests'],
    test: async () => [
      await testTree('native', 'C tests, native'),
      await testTree('native-asan', 'C tests, sanitizers'),
      await testTree('wasm', 'C tests, wasm'),
    ],
  },
  js: {
    needs: ['build', 'browser', 'wasmedge', 'arm64', 'python', 'train', 'film'],
    products: ['web', 'docs', 'wasi', 'reactor'],
    test: async () => [await testJavaScript()],
  },
  check: {
    needs: ['web', 'native', 'check'],
    products: ['web', 'native', 'types'],
    test: async () => [await testChecks()],
  },
};

/**
 * The tests of one CMake tree.
 * @param {string} tree
 * @param {string} name
 * @returns {Promise<Tally>}
 */
async function testTree(tree, name) {
  const folder = path.join(root, 'build', tree);
  const report = path.join(folder, 'tests.xml');
  rmSync(report, { force: true });
  const how = [
    '--output-on-failure',
    '--no-tests=error',
    '--parallel',
    '2',
    '--output-junit',
    report,
  ];
  let output = '';
  const tally = await step(name, async () => {
    await run('ctest', ['--test-dir', folder, ...how]).catch((error) => {
      output = error.output;
    });
    return inWords(readReport(readFileSync(report, 'utf8')));
  });
  if (output) console.error(output);
  return tally;
}

/** @param {string} xml JUnit's */
function readReport(xml) {
  const suite = /<testsuite\b[^>]*>/.exec(xml)?.[0] ?? '';
  const [all, failed, skipped] = ['tests', 'failures', 'skipped'].map((key) =>
    Number(new RegExp(`\\b${key}="(\\d+)"`).exec(suite)?.[1] ?? 0),
  );
  return { passed: all - failed - skipped, failed, skipped };
}

/** Every test of every room under a Node that has relaxed SIMD; their own report goes to the terminal. */
async function testJavaScript() {
  const names = readdirSync(path.join(root, 'tests'), { encoding: 'utf8', recursive: true });
  const files = names.filter((name) => name.endsWith('.test.js')).sort();
  const report = path.join(root, 'build', 'tests.tap');
  const reporters = ['spec', 'stdout', 'tap', report].map((value, i) =>
    i % 2 === 0 ? `--test-reporter=${value}` : `--test-reporter-destination=${value}`,
  );
  const command = [
    '--test',
    `--test-timeout=${TEST_TIMEOUT_MS}`,
    ...reporters,
    ...files.map((name) => `tests/${name}`),
  ];
  const node = relaxedNode() ?? process.execPath;
  // a failure shows in the report; a runner that can't start leaves none
  const how = { cwd: root, show: true, timeoutMs: ALL_TESTS_TIMEOUT_MS };
  await run(node, command, how).catch(() => {});
  const tap = readFileSync(report, 'utf8');
  const count = (/** @type {string} */ key) =>
    Number(new RegExp(`^# ${key} (\\d+)`, 'm').exec(tap)?.[1] ?? 0);
  const isWhole = /^# pass \d+/m.test(tap);
  if (!isWhole) console.error('The run of JavaScript ended before its report did.');
  return {
    passed: count('pass'),
    failed: count('fail') + count('cancelled') + Number(!isWhole),
    skipped: count('skipped') + count('todo'),
  };
}

/** Each finding counts as a failure. */
async function testChecks() {
  const { passed, findings } = await check();
  for (const finding of findings) console.error(finding);
  return { passed, failed: findings.length, skipped: 0 };
}

/** @param {Tally} tally */
const inWords = (tally) => ({ ...tally, words: sentence(tally) });

/** @param {Tally} tally */
const sentence = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed, ${skipped} skipped`;

/** @param {string[]} names of suites */
async function main(names) {
  const start = performance.now();
  const unknown = names.find((name) => !Object.hasOwn(suites, name));
  if (unknown)
    throw new Refusal(
      `There is no suite "${unknown}"; there is ${Object.keys(suites).join(', ')}.`,
    );
  const chosen = names.map((name) => suites[name]);
  await setUp(...new Set(chosen.flatMap(({ needs }) => needs)));
  await build(...new Set(chosen.flatMap(({ products }) => products)));
  const tallies = /** @type {Tally[]} */ ([]);
  for (const { test } of chosen) tallies.push(...(await test()));
  const add = (/** @type {keyof Tally} */ key) =>
    tallies.reduce((sum, tally) => sum + tally[key], 0);
  const total = { passed: add('passed'), failed: add('failed'), skipped: add('skipped') };
  console.log(`\n${elapsed(start).trim()}\n${sentence(total)}`);
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
}

const names = process.argv.slice(2);
await main(names.length > 0 ? names : Object.keys(suites)).catch(fail);
