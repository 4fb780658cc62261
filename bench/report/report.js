// Turns → the report: times of each lane and its ratios to the peers of the same run.

import { engines } from '../plan.js';
import { summary } from './statistics.js';

/**
 * @typedef {import('../plan.js').Lane} Lane
 * @typedef {import('../lanes/lanes.js').TurnResult} TurnResult
 * @typedef {import('./statistics.js').Summary} Summary
 *
 * @typedef {{mean: number, median: number, min: number}} Factor
 *
 * @typedef {object} Ratio how many times as fast, by each statistic
 * @property {string} against name of a peer, "own dense" or "own 1 thread"
 * @property {string} lane that this is
 * @property {Factor} total end to end
 * @property {Factor} alone the engine without pre and post
 *
 * @typedef {object} Line
 * @property {string} id
 * @property {string} engine
 * @property {string} title
 * @property {string} model
 * @property {number} sparsity
 * @property {number} threads
 * @property {string} place
 * @property {number} count of measurements
 * @property {Summary} total milliseconds an image, end to end
 * @property {Summary} pre
 * @property {Summary} run the engine alone
 * @property {Summary} post
 * @property {number} imagesPerSecond
 * @property {number} boxes
 * @property {Ratio[]} ratios
 * @property {object} info of the engine, once open
 *
 * @typedef {object} Report
 * @property {string} wisp version
 * @property {string} command
 * @property {string} date
 * @property {import('../machine.js').Machine} machine
 * @property {{name: string, version: string, flags: string[]}[]} places
 * @property {object} settings
 * @property {Line[]} lanes
 * @property {{id: string, title: string, model: string, why: string}[]} missing asked for and not measured
 * @property {import('./layers.js').LayerReport[]} [layers]
 * @property {import('./starts.js').StartReport[]} [starts]
 */

/**
 * @param {Map<Lane, TurnResult[]>} results
 * @param {Map<Lane, object>} infos
 * @returns {Line[]}
 */
export function reportLanes(results, infos) {
  const lines = [...results]
    .filter(([, turns]) => turns.length > 0)
    .map(([lane, turns]) => lineOf(lane, turns, infos.get(lane) ?? {}));
  for (const line of lines) line.ratios = ratiosOf(line, lines);
  return lines;
}

/** @param {Lane} lane @param {TurnResult[]} turns @param {object} info @returns {Line} */
function lineOf({ id, engine, model, network, threads, place }, turns, info) {
  const of = (/** @type {keyof TurnResult} */ key) => summary(turns.map((turn) => turn[key]));
  const total = of('total');
  const { title, kind } = engines[engine];
  const sparsity = kind === 'wisp' ? network.sparsity : 0;
  const stages = { total, pre: of('pre'), run: of('engine'), post: of('post') };
  const rest = { imagesPerSecond: 1000 / total.mean, boxes: turns[0].boxes, ratios: [], info };
  return {
    ...{ id, engine, title, model, sparsity, threads, place },
    count: turns.length,
    ...stages,
    ...rest,
  };
}

/**
 * Against each peer with the same network and as many threads, in the same place if it can run there; and of wisp
 * against itself, dense and on one thread.
 * @param {Line} line
 * @param {Line[]} lines
 * @returns {Ratio[]}
 */
function ratiosOf(line, lines) {
  const base = baseOf(line);
  const others = lines.filter((other) => other !== line && baseOf(other) === base);
  const peers = Object.keys(engines).flatMap((engine) => {
    if (engines[engine].kind === 'wisp') return [];
    const alike = others.filter(
      (other) => other.engine === engine && other.threads === line.threads,
    );
    const peer = alike.find(({ place }) => place === line.place) ?? alike[0];
    return peer ? [ratio(engine, line, peer)] : [];
  });
  if (engines[line.engine].kind !== 'wisp') return peers;
  const selves = others.filter(
    ({ engine, place }) => engine === line.engine && place === line.place,
  );
  const dense = selves.find(({ sparsity, threads }) => sparsity === 0 && threads === line.threads);
  const alone = selves.find(({ model, threads }) => model === line.model && threads === 1);
  return [
    ...peers,
    ...(dense && line.sparsity > 0 ? [ratio('own dense', line, dense)] : []),
    ...(alone && line.threads > 1 ? [ratio('own 1 thread', line, alone)] : []),
  ];
}

/** @param {string} against @param {Line} line @param {Line} other @returns {Ratio} */
function ratio(against, line, other) {
  const total = factor(other.total, line.total);
  return { against, lane: other.id, total, alone: factor(other.run, line.run) };
}

/** @param {Summary} slow @param {Summary} fast @returns {Factor} */
function factor(slow, fast) {
  const { mean, median, min } = slow;
  return { mean: mean / fast.mean, median: median / fast.median, min: min / fast.min };
}

/** The network without its zeros. @param {Line} line */
const baseOf = ({ model }) => model.replace(/@[\d.]+$/, '');
