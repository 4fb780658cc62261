// wisp where there is no page: Node in its versions, Deno, Bun, Cloudflare's workerd, WASI; and TypeScript's versions.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { which } from '../../tools/command.mjs';
import { wasmEdge } from '../../tools/places.mjs';
import { decodePicture } from '../../web/src/reading/pictures-wasm.js';
import { App } from './app.js';
import { expectedBoxes, PICTURE } from './look.js';
import { takeRecipes } from './recipes.js';

const MODULES = { 'package.json': { type: 'module', private: true } };

/**
 * @param {string} heading
 * @param {string[]} packages
 * @param {(app: App, recipe: import('./recipes.js').Recipe) => Promise<void>} use
 */
async function withApp(heading, packages, use) {
  const app = new App();
  try {
    const recipe = takeRecipes(heading);
    app.write({ ...MODULES, ...recipe.files });
    app.putPicture('.');
    await app.install(['wisp-yolo', ...packages]);
    await use(app, recipe);
  } finally {
    app.remove();
  }
}

/** Boxes of the same things: a score in a command's JSON has fewer digits. @param {string} said */
async function requireSame(said) {
  assert.deepEqual(JSON.parse(said.slice(said.indexOf('['))), await expectedBoxes());
}

for (const version of ['20', '22', '24', '26'])
  test(`Node ${version}`, (context) =>
    withApp('Node, Deno, Bun', [`node@${version}`], async (app, { commands }) => {
      context.diagnostic(await app.run('node --version'));
      await requireSame(await app.run(commands[0]));
    }));

for (const name of ['deno', 'bun'])
  test(name, (context) =>
    withApp('Node, Deno, Bun', [name], async (app, { commands }) => {
      context.diagnostic(`${name} ${app.version(name)}`);
      const line = commands.find((one) => one.startsWith(name));
      await requireSame(await app.run(`${line}`));
    }),
  );

test("Cloudflare's workerd, as wrangler starts it", (context) =>
  withApp('Cloudflare Workers', ['wrangler'], async (app) => {
    context.diagnostic(`wrangler ${app.version('wrangler')}, workerd ${app.version('workerd')}`);
    const { url, stop } = await app.start('wrangler dev --port $PORT', { isReady: () => true });
    try {
      const { data, width, height } = await decoded(readFileSync(PICTURE));
      const address = new URL(`?width=${width}&height=${height}`, url);
      const response = await fetch(address, { method: 'POST', body: new Uint8Array(data) });
      await requireSame(await response.text());
    } finally {
      stop();
    }
  }));

/** @param {Uint8Array} bytes @returns {Promise<import('../../web/src/reading/codec.js').Stored>} */
function decoded(bytes) {
  return new Promise((resolve, reject) => {
    const place = (/** @type {import('../../web/src/reading/codec.js').Stored} */ stored) =>
      resolve({ ...stored, data: stored.data.slice() });
    decodePicture(bytes, 1e8, place).catch(reject);
  });
}

/** Where each line's program is. @type {Record<string, string | undefined>} */
const wasiEngines = { wasmtime: which('wasmtime'), wasmedge: wasmEdge(), node: process.execPath };
for (const [name, program] of Object.entries(wasiEngines))
  test(`WASI: ${name}`, { skip: program ? false : `no ${name} here` }, () =>
    withApp('WASI', [], async (app, { commands }) => {
      const line = commands.find((one) => one.startsWith(`${name} `)) ?? '';
      const said = await app.run(line.replace(name, `${program}`));
      const { boxes } = JSON.parse(said.slice(said.indexOf('{')));
      const names = (/** @type {{name: string}[]} */ all) => all.map(({ name }) => name);
      assert.deepEqual(names(boxes), names(await expectedBoxes()));
    }),
  );

const skipLibCheck = {
  7: false,
  6: false,
  5.9: false,
  5.8: false,
  5.7: false,
  5.6: true,
  '5.0': true,
};
for (const [version, skip] of Object.entries(skipLibCheck))
  test(`TypeScript ${version}${skip ? ' with skipLibCheck' : ''}`, (context) =>
    withApp('TypeScript', [`typescript@${version}`], async (app) => {
      context.diagnostic(await app.run('tsc --version'));
      await app.run(`tsc --noEmit --skipLibCheck ${skip} -p .`);
    }));
