// What a model of codes finds at each confidence, where there are codes and where there are none:
//   node tests/demo/codes-sweep.js MODEL.wisp [--boxes FILE] [--square]
// WISP_DATA/codes is a folder for each class; of WISP_DATA/unlabelled and coco/val, photographs without a code, boxes
// are counted. --boxes writes the latter's as JSON Lines, to look at; --square computes all of the square, not only the
// rectangle that a picture needs.

import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Detector } from '../../web/src/index.js';
import { decodeImage } from '../../web/src/reading/read-node.js';
import { dataPath, without } from '../support/test-data.js';

const CONFIDENCES = [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5];
const NONE = 'none';
const SEVERAL = 'multi';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { boxes: { type: 'string' }, square: { type: 'boolean', default: false } },
});
const [model] = positionals;
if (!model || without('codes')) {
  console.error('node tests/demo/codes-sweep.js MODEL.wisp, with WISP_DATA naming a folder');
  process.exit(2);
}
const detector = await Detector.open(model);
if (values.boxes) writeFileSync(values.boxes, '');

/** Each picture of a folder with its boxes. @param {string} folder */
async function* looked(folder) {
  for (const file of readdirSync(folder)) {
    if (file.endsWith('.txt')) continue;
    const at = path.join(folder, file);
    const picture = await decodeImage(new Uint8Array(readFileSync(at)));
    const { boxes } = await detector.detect(picture, {
      confidence: CONFIDENCES[0],
      rect: !values.square,
    });
    yield { file: at, boxes };
  }
}

/** @type {Record<string, Record<string, number>>} */
const found = {};
for (const name of readdirSync(dataPath('codes'))) {
  if (name === NONE) continue;
  const row = /** @type {Record<string, number>} */ ({ pictures: 0 });
  for await (const { boxes } of looked(path.join(dataPath('codes'), name))) {
    row.pictures++;
    for (const least of CONFIDENCES) {
      const is = boxes.some((b) => b.score >= least && (b.name === name || name === SEVERAL));
      row[least] = (row[least] ?? 0) + Number(is);
    }
  }
  found[name] = row;
}
const all = /** @type {Record<string, number>} */ ({});
for (const row of Object.values(found)) {
  for (const key of Object.keys(row)) all[key] = (all[key] ?? 0) + row[key];
}
found.all = all;
console.log('pictures whose code is found, with its class');
console.table(found);

/** @type {Record<string, Record<string, number>>} */
const alarms = {};
for (const name of [`codes/${NONE}`, 'unlabelled', 'coco/val']) {
  const row = /** @type {Record<string, number>} */ ({ pictures: 0 });
  for await (const { file, boxes } of looked(dataPath(name))) {
    row.pictures++;
    for (const least of CONFIDENCES) {
      row[least] = (row[least] ?? 0) + boxes.filter((b) => b.score >= least).length;
    }
    if (!values.boxes) continue;
    for (const box of boxes) appendFileSync(values.boxes, `${JSON.stringify({ file, ...box })}\n`);
  }
  alarms[name] = row;
}
console.log('boxes where there is no code');
console.table(alarms);
await detector.close();
