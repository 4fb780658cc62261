// Who may include whom: the ranks of the C core, and the directions of imports in JavaScript.
import path from 'node:path';
import { isC, isScript } from './files.mjs';

/** @typedef {import('./files.mjs').SourceFile} SourceFile */

/** A file includes only what stands on a lower line. A .c file stands with the header of its name. */
const RANKS = [
  ['core/wisp.h', 'core/src/format.h'],
  ['core/src/base.h', 'core/wisp_testing.h'],
  [
    'core/src/error.h',
    'core/src/section.h',
    'core/src/predict.h',
    'core/src/kernel.h',
    'core/src/pool.h',
    'core/src/kernels/simd.h',
  ],
  ['core/src/unpack.h', 'core/src/group.h', 'core/src/steps.h'],
  ['core/src/network.h', 'core/src/strides.h', 'core/src/stages.h'],
  ['core/src/payload.h'],
  [
    'core/src/header.h',
    ...['layout', 'place', 'finish', 'lower', 'filter'].map((name) => `core/src/${name}.c`),
    ...['check', 'prep', 'run', 'decode', 'nms'].map((name) => `core/src/${name}.c`),
  ],
  ['core/src/model.c', 'core/src/plan.h'],
  ['core/src/wisp.c'],
];
const KERNEL = 3;

/** What of the core others may include besides their own headers. */
const DOORS = {
  wasm: ['core/wisp.h', 'core/wisp_testing.h'],
  models: [
    'core/wisp.h',
    'core/src/format.h',
    'core/src/base.h',
    'core/src/error.h',
    'core/src/section.h',
    'core/src/predict.h',
    'core/src/pool.h',
    'core/src/stages.h',
  ],
};

/** @param {string} name */
function rankOf(name) {
  const own = RANKS.findIndex(
    (line) => line.includes(name) || line.includes(name.replace(/\.c$/, '.h')),
  );
  if (own >= 0) return own;
  if (name === 'core/src/kernels/sums.h') return KERNEL - 0.25; // on top of finish_simd.h
  if (name.startsWith('core/src/kernels/')) return KERNEL - (name.endsWith('.h') ? 0.5 : 0);
  return -1; // it may include nothing until it stands in the list
}

/**
 * @param {SourceFile[]} files
 * @returns {string[]} findings
 */
export function includes(files) {
  const sources = files.filter(isC);
  const names = new Set(sources.map(({ name }) => name));
  return sources.flatMap((file) => {
    const quoted = [...file.text.matchAll(/^#include "(.+)"/gm)].map((match) => match[1]);
    return quoted.flatMap((target) => {
      const beside = path.posix.join(path.posix.dirname(file.name), target);
      const found = [
        beside,
        target,
        `models/press/${target}`,
        `core/${target}`,
        `core/src/${target}`,
        `tests/support/${target}`,
      ].find((name) => names.has(name));
      const why = found ? forbidden(file.name, found) : 'which is not there';
      return why ? [`${file.name} includes "${target}", ${why}`] : [];
    });
  });
}

/**
 * @param {string} from
 * @param {string} to
 * @returns {string} '' if `from` may include `to`
 */
function forbidden(from, to) {
  if (to.endsWith('.c')) return 'a .c file';
  const room = from.split('/')[0];
  if (!to.startsWith('core/')) return room === 'core' ? 'which is outside the core' : '';
  if (room === 'tests') return '';
  if (room !== 'core') {
    const open = DOORS[/** @type {keyof typeof DOORS} */ (room)] ?? [];
    return open.includes(to) ? '' : 'which is none of the doors of the core';
  }
  const isOwnHeader = from.replace(/\.c$/, '.h') === to;
  return isOwnHeader || rankOf(to) < rankOf(from) ? '' : 'which is not below it';
}

/** What a room of JavaScript may import from other rooms. */
const ROOMS = [
  { from: /^web\/src\/graph\//, may: /^web\/src\/(graph\/|error\.js$)/ },
  { from: /^web\/src\/import\//, may: /^web\/src\/(import\/|graph\/|error\.js$)/ },
  { from: /^web\/src\/export\//, may: /^web\/src\/(export\/|import\/|graph\/|error\.js$)/ },
  { from: /^web\/src\//, may: /^web\/src\// },
  { from: /^web\/demo\//, may: /^web\/(demo\/|src\/(index|press|pressing\/random-press)\.js$)/ },
  { from: /^cli\//, may: /^(cli\/|web\/src\/)/ },
  { from: /^tools\//, may: /^tools\// },
];
/** The engine is reached by messages only: these two never load it themselves. */
const MESSENGERS = /^web\/src\/(index|press)\.js$/;
const ENGINE = /^web\/src\/detect\/engine\.js$/;

/**
 * @param {SourceFile[]} files
 * @returns {string[]} findings
 */
export function imports(files) {
  const graph = new Map(files.filter(isScript).map((file) => [file.name, importsOf(file)]));
  const findings = /** @type {string[]} */ ([]);
  for (const [from, targets] of graph) {
    const room = ROOMS.find((candidate) => candidate.from.test(from));
    for (const to of targets.filter(
      (target) => target.includes('/') && !target.startsWith('node:'),
    )) {
      if (room && graph.has(to) && !room.may.test(to))
        findings.push(`${from} imports ${to}, a room it must not know`);
      if (MESSENGERS.test(from) && ENGINE.test(to))
        findings.push(`${from} imports ${to}, which belongs in the worker`);
    }
  }
  return [...findings, ...cycles(graph), ...browserGraph(graph)];
}

/** Static imports: project files by their name from the root, others as written. @param {SourceFile} file */
function importsOf({ name, text }) {
  const code = text.replaceAll(/\/\*[^]*?\*\//g, '');
  const statements = code.matchAll(
    /^(?:import|export|\})\s*(?:[^'"();]*?\sfrom\s+)?['"]([^'"]+)['"]/gm,
  );
  return [...statements].map(([, target]) =>
    target.startsWith('.') ? path.posix.join(path.posix.dirname(name), target) : target,
  );
}

/** @param {Map<string, string[]>} graph */
function cycles(graph) {
  const done = new Set();
  const findings = /** @type {string[]} */ ([]);
  /** @param {string} name @param {string[]} way */
  const walk = (name, way) => {
    if (way.includes(name))
      findings.push(`${[...way.slice(way.indexOf(name)), name].join(' → ')} is a cycle`);
    if (done.has(name)) return;
    done.add(name);
    for (const next of graph.get(name) ?? []) walk(next, [...way, name]);
  };
  for (const name of graph.keys()) walk(name, []);
  return findings;
}

/** What a browser loads knows no Node module, or bundlers and servers stumble. @param {Map<string, string[]>} graph */
function browserGraph(graph) {
  const roots = [...graph.keys()].filter((name) =>
    /^web\/(src\/(index|press|detect\/worker)\.js|demo\/)/.test(name),
  );
  const seen = new Set(roots);
  for (const name of seen) for (const next of graph.get(name) ?? []) seen.add(next);
  return [...seen]
    .filter((name) => name.startsWith('node:'))
    .map((name) => `the browser's modules import ${name}`);
}
