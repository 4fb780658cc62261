// The check of layers, on small made-up trees: each of its rules can fail, and says what to do.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { imports, includes } from '../../tools/check/layers.mjs';

const ROOMS = `# Made up

| room | files | what it does | may include |
|---|---|---|---|
| base | \`core/base.h\` | numbers | |
| plan | \`core/plan.*\`, \`layout.c\` | steps | base |
| press | \`press/\` | files | base |
| press-round | \`press/round_*.c\` | integers | base, plan |
| tests | \`tests/\` | proofs | any |

| room | files | what it does | may import |
|---|---|---|---|
| low | \`web/low/\`, \`web/src/low.js\` | lowest | |
| worker | \`web/src/worker/\` | behind the door | low |
| start | \`web/src/start.js\` | where the worker is | worker |
| api | \`web/src/index.js\` | the door | low, start |
| tests | \`tests/\` | proofs | any |
`;

/** What stands in each room, so that no row is without a file. @type {Record<string, string>} */
const TREE = {
  'core/base.h': '',
  'core/plan.h': '#include "base.h"',
  'core/plan.c': '#include "plan.h"',
  'core/layout.c': '#include "plan.h"',
  'press/press.h': '#include "core/base.h"',
  'press/round_a.c': '#include "core/plan.h"',
  'tests/test_plan.c': '#include "core/plan.h"\n#include "press/press.h"',
  'web/low/a.js': "import 'pbf';",
  'web/src/index.js': "import { a } from '../low/a.js';\nimport { b } from 'node-forge';",
  'web/src/low.js': '',
  'web/src/worker/main.js': "import '../../low/a.js';",
  'web/src/start.js':
    "export const start = () => new Worker(new URL('./worker/main.js', import.meta.url));",
  'tests/a.test.js': "import '../web/src/index.js';\nconst page = '/web/src/start.js';",
};

/** @param {Record<string, string>} changes file → text @param {string} [rooms] */
function findings(changes, rooms = ROOMS) {
  const tree = { 'docs/ARCHITECTURE.md': rooms, ...TREE, ...changes };
  const files = Object.entries(tree).map(([name, text]) => ({
    name,
    text,
    lines: text.split('\n'),
  }));
  return [...includes(files), ...imports(files)];
}

test('a tree that keeps to its rooms is let through', () => {
  assert.deepEqual(findings({}), []);
});

/** @type {Record<string, [Record<string, string>, RegExp]>} */
const WRONG = {
  'a C file in no room': [
    { 'core/new.c': '' },
    /^core\/new\.c is in no room: name it, or its folder/,
  ],
  'a module in no room': [{ 'web/new.js': '' }, /^web\/new\.js is in no room/],
  'an include upwards': [
    { 'core/base.h': '#include "plan.h"' },
    /^core\/base\.h includes core\/plan\.h, but base may not/,
  ],
  'an include of a room that is not named': [
    { 'press/press.h': '#include "core/plan.h"' },
    /^press\/press\.h includes core\/plan\.h, but press may not include plan/,
  ],
  'an include of a .c file': [{ 'core/layout.c': '#include "plan.c"' }, /a \.c file$/],
  'an include of nothing': [
    { 'core/layout.c': '#include "plans.h"' },
    /"plans\.h", which is not there$/,
  ],
  'headers in a circle': [
    { 'press/press.h': '#include "pack.h"', 'press/pack.h': '#include "press.h"' },
    /^press\/press\.h → press\/pack\.h → press\/press\.h is a circle$/,
  ],
  'an import of a room that is not named': [
    { 'web/src/index.js': "import { b } from './worker/main.js';" },
    /^web\/src\/index\.js imports web\/src\/worker\/main\.js, but api may not import worker/,
  ],
  'the same through import()': [
    { 'web/src/index.js': "const b = await import('./worker/main.js');" },
    /^web\/src\/index\.js imports web\/src\/worker\/main\.js/,
  ],
  'the same in a template that is served': [
    {
      'web/src/index.js':
        'const page = `<script type="module">\nimport { b } from \'/web/src/worker/main.js\';\n`;',
    },
    /^web\/src\/index\.js imports web\/src\/worker\/main\.js/,
  ],
  'the same by an address': [
    { 'web/src/index.js': "const file = new URL('worker/main.js', import.meta.url);" },
    /^web\/src\/index\.js imports web\/src\/worker\/main\.js, but api may not import worker/,
  ],
  'the same by an address that is written down': [
    { 'web/src/index.js': "const own = { inNode: './worker/main.js' };" },
    /^web\/src\/index\.js imports web\/src\/worker\/main\.js, but api may not import worker/,
  ],
  "an import of a worker's file": [
    { 'tests/a.test.js': "await import('../web/src/worker/main.js');" },
    /^tests\/a\.test\.js imports web\/src\/worker\/main\.js, which is the file of a worker$/,
  ],
  'a worker that starts workers': [
    {
      'web/src/worker/main.js': "import './own.js';",
      'web/src/worker/own.js': 'export const more = (address) => new Worker(address);',
    },
    /^web\/src\/worker\/own\.js starts a worker, but is loaded in one itself$/,
  ],
  'a worker that loads a module later': [
    {
      'web/src/worker/main.js': "export const more = () => import('./own.js');",
      'web/src/worker/own.js': '',
    },
    /^web\/src\/worker\/main\.js, loaded in a worker, loads web\/src\/worker\/own\.js by import\(\)/,
  ],
  'a circle through a worker': [
    { 'web/src/worker/main.js': "import '../start.js';" },
    /^web\/src\/worker\/main\.js → web\/src\/start\.js → web\/src\/worker\/main\.js is a circle$/,
  ],
  'modules in a circle': [
    { 'web/low/a.js': "export * from './b.js';", 'web/low/b.js': "import './a.js';" },
    /^web\/low\/a\.js → web\/low\/b\.js → web\/low\/a\.js is a circle$/,
  ],
  'a circle through import()': [
    { 'web/low/a.js': "export * from './b.js';", 'web/low/b.js': "() => import('./a.js');" },
    /is a circle$/,
  ],
  "Node's modules in a page": [
    { 'web/low/a.js': "import { readFile } from 'node:fs/promises';" },
    /^the browser's modules import node:fs\/promises$/,
  ],
  "Node's modules in a page's worker": [
    {
      'web/src/index.js': "new Worker(new URL('../low/worker.js', import.meta.url))",
      'web/low/worker.js': "import 'node:path';",
    },
    /^the browser's modules import node:path$/,
  ],
};

for (const [what, [changes, sentence]] of Object.entries(WRONG))
  test(`${what} is refused`, () => {
    const found = findings(changes);
    assert.ok(
      found.some((line) => sentence.test(line)),
      found.join('\n') || 'nothing was found',
    );
  });

/** @type {Record<string, [(rooms: string) => string, RegExp]>} */
const WRONG_ROOMS = {
  'a row for files that are gone': [
    (rooms) => rooms.replace('`layout.c`', '`layout.c`, `gone.c`'),
    /^docs\/ARCHITECTURE\.md names core\/gone\.c in plan, which is not there$/,
  ],
  'a file in two rows': [
    (rooms) => rooms.replace('`core/base.h`', '`core/base.h`, `layout.c`'),
    /^docs\/ARCHITECTURE\.md puts core\/layout\.c into two rooms: base and plan$/,
  ],
  'rooms in a circle': [
    (rooms) => rooms.replace('| numbers | |', '| numbers | plan |'),
    /^docs\/ARCHITECTURE\.md lets base include plan, which is no room above it$/,
  ],
  'a name twice': [(rooms) => rooms.replace('| worker |', '| api |'), /has the room api twice$/],
  'no table': [
    (rooms) => rooms.replace('may import', 'imports'),
    /no table of rooms that says who may import whom$/,
  ],
};

for (const [what, [change, sentence]] of Object.entries(WRONG_ROOMS))
  test(`docs/ARCHITECTURE.md with ${what} is refused`, () => {
    const found = findings({}, change(ROOMS));
    assert.ok(
      found.some((line) => sentence.test(line)),
      found.join('\n') || 'nothing was found',
    );
  });

test('types in comments are no imports', () => {
  const text =
    "/** @typedef {import('./worker/main.js').Main} Main */\n// import('./worker/main.js')\n";
  assert.deepEqual(findings({ 'web/src/index.js': `${text}import '../low/a.js';` }), []);
});
