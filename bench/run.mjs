// npm run bench: sets up and builds what is missing, then `wisp bench` with the same arguments.

import { spawn } from 'node:child_process';
import path from 'node:path';
import { build } from '../tools/build.mjs';
import { root } from '../tools/places.mjs';
import { setUp } from '../tools/setup.mjs';
import { fail } from '../tools/step.mjs';

const words = process.argv.slice(2);
try {
  await setUp('web', 'browser');
  if (!words.includes('--help')) await build('web');
} catch (error) {
  fail(error);
}
const command = [path.join(root, 'cli', 'wisp.js'), 'bench', ...words];
spawn(process.execPath, command, { stdio: 'inherit' }).on('exit', (code, signal) => {
  process.exitCode = signal ? 1 : (code ?? 1);
});
