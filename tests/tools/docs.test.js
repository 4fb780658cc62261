// The documents as pages: every link leads somewhere, every heading has its anchor, nothing is left out.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { anchorOf, CHAPTERS, pageOf, writePages } from '../../tools/docs/pages.mjs';
import { root } from '../../tools/places.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'wisp-docs-'));
const documents = Object.values(CHAPTERS).flatMap((chapter) => Object.keys(chapter));
/** @type {Map<string, string>} page → its HTML */
const pages = new Map();

before(async () => {
  await writePages(folder);
  for (const name of readdirSync(folder).filter((one) => one.endsWith('.html')))
    pages.set(name, readFileSync(path.join(folder, name), 'utf8'));
});
after(() => rmSync(folder, { recursive: true }));

test('every document is among the pages', () => {
  const all = readdirSync(path.join(root, 'docs')).filter((name) => name.endsWith('.md'));
  for (const name of all) assert.ok(documents.includes(`docs/${name}`), name);
  assert.equal(pages.size, documents.length);
  assert.equal(new Set(documents.map(pageOf)).size, documents.length, 'pages of their own');
});

test('anchors are as GitHub makes them', () => {
  assert.equal(anchorOf('The press with pruning'), 'the-press-with-pruning');
  assert.equal(anchorOf('Use `rect`, or not?'), 'use-rect-or-not');
  assert.equal(anchorOf('From the system'), 'from-the-system');
});

test('every link of a page leads to a page, an anchor on it, or a file', () => {
  for (const [name, html] of pages) {
    for (const [, href] of html.matchAll(/(?:href|src)="([^"]+)"/g)) {
      if (/^(https:|\.\.\/web\/demo\/|api\/)/.test(href)) continue;
      const [file, anchor] = href.split('#');
      const target = pages.get(file || name);
      assert.ok(target ?? existsSync(path.join(folder, file)), `${name}: ${href}`);
      if (anchor) assert.ok(target?.includes(`id="${anchor}"`), `${name}: ${href}`);
    }
  }
});

test('a page has its title, one first heading, and shows where one is', () => {
  for (const [name, html] of pages) {
    assert.match(html, /<title>[^<]+<\/title>/, name);
    assert.equal(html.match(/<h1 /g)?.length, 1, name);
    assert.equal(html.match(/aria-current="page"/g)?.length, 1, name);
  }
});

const API = path.join(root, 'dist', 'docs', 'api');

test('the reference has every entry of the package, and the words that stand at its options', {
  skip: !existsSync(API) && 'node tools/build.mjs docs makes it',
}, () => {
  const { exports } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
  for (const [name, { types }] of Object.entries(exports)) {
    const module = path.posix.join('wisp-yolo', name).replaceAll('/', '_');
    if (types) assert.ok(existsSync(path.join(API, 'modules', `${module}.html`)), name);
  }
  const options = readFileSync(path.join(API, 'interfaces', 'wisp-yolo.OpenOptions.html'), 'utf8');
  assert.match(options, /all cores but one, at most eight/);
  assert.match(options, /integrity/);
});

const python = spawnSync('python3', ['--version']).status === 0;
test('the Python of the documents is Python', { skip: !python && 'no python3 here' }, () => {
  for (const name of documents) {
    const text = readFileSync(path.join(root, name), 'utf8');
    for (const [, code] of text.matchAll(/^```python\n(.*?)^```$/gms)) {
      const words = ['-c', 'import ast, sys; ast.parse(sys.stdin.read())'];
      const { status, stderr } = spawnSync('python3', words, { input: code, encoding: 'utf8' });
      assert.equal(status, 0, `${name}: ${stderr}`);
    }
  }
});
