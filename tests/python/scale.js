// Many pictures on two Ray nodes, of which one is killed: `npm run test:scale -- [count]`, outside npm test.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from '../../tools/build.mjs';
import { run } from '../../tools/command.mjs';
import { root } from '../../tools/places.mjs';
import { dependencies, environment, installWheel, makeWheel } from '../../tools/python.mjs';
import { setUp } from '../../tools/setup.mjs';
import { fail } from '../../tools/step.mjs';

/** @param {string} count of pictures */
async function scale(count) {
  await setUp('python');
  await build('reactor');
  const python = await environment('python-scale', [
    ...dependencies(),
    'ray[data]==2.60.0',
    'pillow',
  ]);
  const folder = mkdtempSync(path.join(tmpdir(), 'wisp-scale-'));
  try {
    await installWheel(python, await makeWheel(folder));
    const model = path.join(root, 'models', 'codes.wisp');
    const examples = path.join(root, 'wasm', 'python', 'examples');
    const env = { ...process.env, PYTHONPATH: examples };
    await run(python, [path.join(import.meta.dirname, 'scale.py'), model, count], {
      env,
      show: true,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

await scale(process.argv[2] ?? '10000').catch(fail);
