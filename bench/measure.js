// The bench: opens the engines where they run, measures them in turn, reports.

import { VERSION } from '../web/src/version.js';
import { Hall } from './hall.js';
import { describeMachine } from './machine.js';
import { peerFolder, resolveImports } from './peers/peers.js';
import { engines, planLanes } from './plan.js';
import { reportLanes } from './report/report.js';
import { reportStarts } from './report/starts.js';
import { runRounds } from './rounds.js';
import { BenchServer } from './serving.js';

/**
 * @typedef {import('./plan.js').Lane} Lane
 *
 * @typedef {object} BenchOptions
 * @property {string[]} [presets]
 * @property {string[]} [engines]
 * @property {string[]} [models]
 * @property {number[]} threads
 * @property {import('./plan.js').PlaceName[]} browsers
 * @property {{width: number, height: number}} size
 * @property {boolean} rect whether wisp computes only what the picture needs of the input
 * @property {number} batch images a call
 * @property {number} streams calls under way at once
 * @property {import('./rounds.js').Course} course
 * @property {import('../web/src/picture/scene.js').Frame} frame
 * @property {string} picture its name
 * @property {Record<string, string | undefined>} files of peers: onnx, onnxInt8, tfliteInt8, tfliteFp16
 * @property {'layers' | 'starts'} [view] instead of side by side: what wisp's layers take, or its opening
 * @property {string[]} v8Flags of Chromium and Node
 * @property {string} command as typed
 * @property {(line: string) => void} say
 * @property {(round: number, total: number) => void} onRound
 */

/** @param {BenchOptions} options @returns {Promise<import('./report/report.js').Report>} */
export async function bench(options) {
  const lanes = planLanes(options);
  const server = new BenchServer(peerFolder, resolveImports);
  await server.listen();
  const hall = new Hall(server, options);
  try {
    const opened = await hall.openAll(lanes);
    const measured = await views[options.view ?? 'sideBySide'](hall, opened, options);
    return {
      ...{ wisp: VERSION, command: options.command, date: new Date().toISOString() },
      machine: describeMachine(),
      places: hall.places.map(({ name, version, flags }) => ({ name, version, flags })),
      settings: settingsOf(options),
      ...measured,
      missing: [...hall.missing].map(([{ id, engine, model }, why]) => ({
        ...{ id, title: engines[engine].title, model, why },
      })),
    };
  } finally {
    await hall.close();
    server.close();
  }
}

/** @param {Hall} hall @param {Lane[]} lanes @param {BenchOptions} options */
async function sideBySide(hall, lanes, { batch, streams, course, onRound }) {
  const turn = (/** @type {Lane} */ lane) => hall.call(lane, 'turn', lane.id, { batch, streams });
  const { results, failures } = await runRounds(lanes, turn, course, onRound);
  for (const [lane, why] of failures) hall.missing.set(lane, why);
  return { lanes: reportLanes(results, hall.infos) };
}

/** @param {Hall} hall @param {Lane[]} lanes */
async function layersOf(hall, lanes) {
  const layers = [];
  for (const lane of lanes) layers.push(await hall.layersOf(lane));
  return { lanes: [], layers };
}

/** @param {Hall} hall @param {Lane[]} lanes */
async function startsOf(hall, lanes) {
  const starts = [];
  for (const lane of lanes) starts.push(reportStarts(lane, await hall.measurements(lane)));
  return { lanes: [], starts };
}

const views = { sideBySide, layers: layersOf, starts: startsOf };

/** @param {BenchOptions} options */
function settingsOf({ size, rect, batch, streams, course, picture, frame }) {
  return {
    input: `${size.width}×${size.height}${rect ? ' (wisp: what the picture needs of it)' : ''}`,
    picture: `${picture} ${frame.width}×${frame.height}`,
    ...{ batch, streams, warmup: course.warmup },
    ...(course.seconds ? { seconds: course.seconds } : { iterations: course.iterations }),
  };
}
