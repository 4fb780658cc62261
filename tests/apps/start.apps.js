// docs/START.md walked through by the letter: a fresh app of Vite, the package, the page, its first boxes.

import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { root } from '../../tools/places.mjs';
import { App } from './app.js';
import { openBrowser } from './look.js';

const text = readFileSync(path.join(root, 'docs', 'START.md'), 'utf8');
const blocks = [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, code]) => ({
  language,
  code,
}));
const ofLanguage = (/** @type {string} */ name) =>
  blocks.filter(({ language }) => language === name).map(({ code }) => code);

test('First picture in an app', async () => {
  const [commands] = ofLanguage('sh');
  const [config, main] = ofLanguage('js');
  const [body] = ofLanguage('html');
  const [, scaffold = ''] = /^npm create (.*)$/m.exec(commands) ?? [];
  const [, picture, copy] = /^cp \.\.\/wisp\/(\S+) (\S+)$/m.exec(commands) ?? [];
  assert.match(commands, /^npm install \.\.\/wisp\/release\/wisp-yolo-[\d.]+tgz$/m);
  const app = new App();
  const browser = await openBrowser();
  try {
    const [tool, ...words] = scaffold.replace(' -- ', ' ').split(' ');
    await app.run(`npx -y create-${tool} ${words.join(' ').replace(/^app/, '.')} --no-interactive`);
    await app.install(['wisp-yolo']);
    const page = readFileSync(path.join(app.folder, 'index.html'), 'utf8');
    const index = page.replace(/<body>[^]*<\/body>/, `<body>\n${body}</body>`);
    app.write({ 'vite.config.js': config, 'index.html': index, 'src/main.js': main });
    mkdirSync(path.join(app.folder, path.dirname(copy)), { recursive: true });
    copyFileSync(path.join(root, picture), path.join(app.folder, copy));
    const { url, stop } = await app.start('vite --port $PORT --strictPort');
    try {
      const visit = await browser.newPage();
      /** @type {string[]} */
      const said = [];
      visit.on('console', (message) => said.push(message.text()));
      await visit.goto(url);
      await visit.waitForFunction(() => document.querySelector('canvas')?.width === 1200);
      const names = said
        .filter((line) => /^\w+ 0\.\d/.test(line))
        .map((line) => line.split(' ')[0]);
      assert.deepEqual(names, ['qr_code', 'aztec', 'pdf417']); // "shows three boxes"
      assert.match(text, /shows three boxes/);
    } finally {
      stop();
    }
  } finally {
    await browser.close();
    app.remove();
  }
});
