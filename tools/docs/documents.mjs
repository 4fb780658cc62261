// All documents as pages, with the reference of the API beside them; made anew when one of their sources has changed.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../places.mjs';
import { writeApi } from './api.mjs';
import { CHAPTERS, writePages } from './pages.mjs';

/** Folders and files of which everything is made. */
const SOURCES = [
  'tools/docs',
  'tools/api/package.json',
  'tools/api/typedoc.json',
  'web/demo/style.css',
];

/** Changes with any source. @param {string[]} names files and folders */
function stampOf(names) {
  const hash = createHash('sha256');
  for (const name of names) {
    const place = path.join(root, name);
    const files = existsSync(place) ? filesIn(place) : [];
    for (const file of files) hash.update(file).update(readFileSync(file));
  }
  return hash.digest('hex');
}

/** @param {string} place a folder, or a file */
function filesIn(place) {
  if (path.extname(place)) return [place];
  const all = readdirSync(place, { recursive: true, withFileTypes: true });
  return all
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}

/** @param {string} folder @returns {Promise<string>} how it went */
export async function writeDocuments(folder) {
  mkdirSync(folder, { recursive: true });
  const texts = Object.values(CHAPTERS).flatMap((chapter) => Object.keys(chapter));
  const jobs = [
    { name: 'api', sources: ['dist/types'], make: () => writeApi(path.join(folder, 'api')) },
    { name: 'pages', sources: texts, make: () => writePages(folder) },
  ];
  let isNew = false;
  for (const { name, sources, make } of jobs) {
    const stamp = stampOf([...SOURCES, ...sources]);
    const file = path.join(folder, `.${name}`);
    if (existsSync(file) && readFileSync(file, 'utf8') === stamp) continue;
    await make();
    writeFileSync(file, stamp);
    isNew = true;
  }
  return isNew ? 'built' : 'up to date';
}
