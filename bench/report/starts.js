// Starts → the report and its table: opening, the first detection, memory.

import { engines } from '../plan.js';
import { table } from './columns.js';
import { summary } from './statistics.js';

/**
 * @typedef {import('../lanes/start.js').Start} Start
 * @typedef {import('./statistics.js').Summary} Summary
 *
 * @typedef {object} StartReport
 * @property {string} id
 * @property {string} title of the engine
 * @property {string} model
 * @property {number} threads
 * @property {string} place
 * @property {number} count of starts
 * @property {Summary} open milliseconds
 * @property {Summary} first milliseconds of the first detection
 * @property {Summary} ratio of the first detection to the median of those after it, start by start
 * @property {number} memory bytes of the engine, the most
 */

/** @param {import('../plan.js').Lane} lane @param {Start[]} starts @returns {StartReport} */
export function reportStarts({ id, engine, model, threads, place }, starts) {
  return {
    ...{ id, title: engines[engine].title, model, threads, place, count: starts.length },
    open: summary(starts.map(({ open }) => open)),
    first: summary(starts.map(({ first }) => first)),
    ratio: summary(starts.map(({ first, later }) => first / later)),
    memory: Math.max(...starts.map(({ memory }) => memory)),
  };
}

/** @param {StartReport[]} reports */
export function showStarts(reports) {
  const head = 'engine|network|threads|where|open, median|min|first, median|to later|min|MB';
  const rows = reports.map(({ title, model, threads, place, open, first, ratio, memory }) => [
    ...[title, model, String(threads), place],
    ...[open.median, open.min, first.median].map((value) => value.toFixed(1)),
    ...[ratio.median, ratio.min].map((value) => value.toFixed(2)),
    (memory / 1e6).toFixed(1),
  ]);
  return [
    '',
    'Milliseconds to open from bytes in memory, of the first detection, and how many times a later one that is',
    ...table([head.split('|'), ...rows]),
  ];
}
