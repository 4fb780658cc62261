// Who knows whom: includes of C and imports of JavaScript, against the rooms of docs/ARCHITECTURE.md.

import path from 'node:path';
import { codeOf, referencesOf } from '../../bench/networks/imports.js';
import { isC, isScript } from './files.mjs';
import { assign, readRooms } from './rooms.mjs';

/**
 * @typedef {import('./files.mjs').SourceFile} SourceFile
 * @typedef {import('../../bench/networks/imports.js').Reference} Reference
 * @typedef {Map<string, string[]>} Graph file → the files that it knows
 */

const DOCUMENT = 'docs/ARCHITECTURE.md';
/** Where the compiler looks for a header that doesn't stand beside the file. */
const INCLUDE_FOLDERS = ['', 'models/press/', 'core/', 'core/src/', 'tests/support/'];
/** What a page loads; with the workers that these start. */
const PAGES = /^web\/(src\/(index|press|codes)\.js$|demo\/)/;
const PACKAGE = /^web\/src\//;
const STARTS_WORKER = /\bnew Worker\(/;

/**
 * @param {SourceFile[]} files of the whole project
 * @returns {string[]} findings
 */
export function includes(files) {
  const sources = files.filter(isC);
  const names = new Set(sources.map(({ name }) => name));
  const findings = /** @type {string[]} */ ([]);
  const graph = /** @type {Graph} */ (new Map());
  for (const { name, text } of sources) {
    const quoted = [...text.matchAll(/^#include "(.+)"/gm)].map((match) => match[1]);
    const found = quoted.map((target) => {
      const beside = path.posix.join(path.posix.dirname(name), target);
      const places = [beside, ...INCLUDE_FOLDERS.map((folder) => folder + target)];
      return places.find((place) => names.has(place)) ?? target;
    });
    for (const target of found) {
      if (!names.has(target)) findings.push(`${name} includes "${target}", which is not there`);
      if (target.endsWith('.c')) findings.push(`${name} includes "${target}", a .c file`);
    }
    graph.set(name, found);
  }
  return [...findings, ...strangers(files, graph, 'include'), ...circles(graph)];
}

/**
 * @param {SourceFile[]} files of the whole project
 * @returns {string[]} findings
 */
export function imports(files) {
  const scripts = files.filter(isScript);
  const references = new Map(scripts.map(({ name, text }) => [name, referencesOf(name, text)]));
  const own = graphOf(references, ({ to }) => references.has(to));
  return [
    ...strangers(files, own, 'import'),
    ...circles(own), // by way of a worker too: a bundler that follows it must not come back to what starts it
    ...nodeInBrowsers(references),
    ...workersApart(scripts, references),
  ];
}

/**
 * @param {Map<string, Reference[]>} references
 * @param {(reference: Reference) => boolean} counts
 * @returns {Graph}
 */
function graphOf(references, counts) {
  return new Map(
    [...references].map(([name, all]) => [name, all.filter(counts).map(({ to }) => to)]),
  );
}

/**
 * Files that know a room which theirs may not, and whatever is wrong with the rooms themselves.
 * @param {SourceFile[]} files
 * @param {Graph} graph
 * @param {'include' | 'import'} verb
 */
function strangers(files, graph, verb) {
  const text = files.find(({ name }) => name === DOCUMENT)?.text ?? '';
  const { rooms, findings } = readRooms(text, verb);
  const { roomOf, findings: homeless } = assign(rooms, [...graph.keys()]);
  const edges = [...graph].flatMap(([from, targets]) => targets.map((to) => ({ from, to })));
  const wrong = edges.flatMap(({ from, to }) => {
    const [own, other] = [roomOf.get(from), roomOf.get(to)];
    if (!own || !other || own === other || own.knows.includes(other.name)) return [];
    return [`${from} ${verb}s ${to}, but ${own.name} may not ${verb} ${other.name} (${DOCUMENT})`];
  });
  return [...findings, ...homeless, ...wrong];
}

/** @param {Graph} graph */
function circles(graph) {
  const done = new Set();
  const findings = /** @type {string[]} */ ([]);
  /** @param {string} name @param {string[]} way */
  const walk = (name, way) => {
    if (way.includes(name))
      findings.push(`${[...way.slice(way.indexOf(name)), name].join(' → ')} is a circle`);
    if (done.has(name)) return;
    done.add(name);
    for (const next of graph.get(name) ?? []) walk(next, [...way, name]);
  };
  for (const name of graph.keys()) walk(name, []);
  return findings;
}

/** Everything that is reached from these, themselves too. @param {Graph} graph @param {string[]} roots */
function reached(graph, roots) {
  const seen = new Set(roots);
  for (const name of seen) for (const next of graph.get(name) ?? []) seen.add(next);
  return seen;
}

/**
 * What a browser loads knows no Node module, or bundlers and servers stumble.
 * @param {Map<string, Reference[]>} references
 */
function nodeInBrowsers(references) {
  const pages = [...references.keys()].filter((name) => PAGES.test(name));
  const roots = [...pages, ...workersOf(references)];
  return [
    ...reached(
      graphOf(references, ({ by }) => by === 'import'),
      roots,
    ),
  ]
    .filter((name) => name.startsWith('node:'))
    .map((name) => `the browser's modules import ${name}`);
}

/**
 * A worker's file runs where it is started and nowhere else; the package's own start no workers, and
 * load nothing later: Vite before 8 packs a worker as one script and refuses to split it.
 * @param {SourceFile[]} scripts
 * @param {Map<string, Reference[]>} references
 */
function workersApart(scripts, references) {
  const workers = workersOf(references);
  const imported = graphOf(references, ({ by }) => by.startsWith('import'));
  const importers = [...imported].flatMap(([name, targets]) =>
    targets
      .filter((to) => workers.includes(to))
      .map((to) => `${name} imports ${to}, which is the file of a worker`),
  );
  const within = reached(
    imported,
    workers.filter((name) => PACKAGE.test(name)),
  );
  const starters = scripts.filter(
    ({ name, text }) => within.has(name) && STARTS_WORKER.test(codeOf(text)),
  );
  const splitters = [...references].flatMap(([name, all]) =>
    all
      .filter(({ by, to }) => by === 'import()' && within.has(name) && references.has(to))
      .map(
        ({ to }) =>
          `${name}, loaded in a worker, loads ${to} by import(), which Vite may not split`,
      ),
  );
  return [
    ...importers,
    ...starters.map(({ name }) => `${name} starts a worker, but is loaded in one itself`),
    ...splitters,
  ];
}

/** @param {Map<string, Reference[]>} references */
const workersOf = (references) =>
  [...references.values()].flatMap((all) =>
    all.filter(({ by, to }) => by === 'worker' && references.has(to)).map(({ to }) => to),
  );
