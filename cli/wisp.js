#!/usr/bin/env node
// The `wisp` command: hands over to a sub-command and turns what goes wrong into one sentence and an exit code.

import { Command, CommanderError } from 'commander';
import { VERSION } from '../web/src/version.js';
import { annotateCommand } from './annotate-command.js';
import { copyCommand } from './copy-command.js';
import { detectCommand } from './detect-command.js';
import { infoCommand } from './info-command.js';
import { pressCommand } from './press-command.js';
import { pullCommand } from './pull-command.js';
import { serveCommand } from './serve-command.js';
import { valCommand } from './val-command.js';

const FAILED = 1;
const MISUSED = 2;

/** A reader that has seen enough, as in `wisp detect … | head -1`, is no error. */
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EPIPE') throw error;
    process.exit();
  });
}
console.info = console.error; // stdout is for results

const program = new Command('wisp')
  .description('Sparse INT8 YOLOv5: press a network small, detect with it, measure it.')
  .version(VERSION, '-V, --version')
  .exitOverride()
  .configureOutput({
    outputError: (text, write) => write(inOurWords(text)),
  })
  .addHelpText(
    'after',
    `
Examples:
  wisp press best.onnx --calib photos/
  wisp detect best.wisp street.jpg --confidence 0.4
  wisp val best.wisp --data images/ --labels instances.json
  wisp info best.wisp

Exit status: 0 done, 1 something could not be used, 2 wrong arguments.`,
  );
const bench = new Command('bench')
  .summary('measure speed, side by side with other engines')
  .usage('[options]');
for (const command of [
  pressCommand(),
  detectCommand(),
  annotateCommand(),
  valCommand(),
  infoCommand(),
  pullCommand(),
  serveCommand(),
  copyCommand(),
  bench,
  new Command('version').summary('print the version').action(() => console.log(VERSION)),
]) {
  program.addCommand(command.copyInheritedSettings(program));
}

try {
  if (process.argv.includes('bench')) (await import('../bench/command.js')).fillBench(bench);
  await program.parseAsync();
} catch (error) {
  process.exitCode = explain(error);
}

/** What commander says of wrong arguments. @param {string} text */
function inOurWords(text) {
  const ours = text
    .replace(/^error: missing required argument '(.+)'/, 'error: Name a $1: it is missing.')
    .replace(/^error: required option '(.+)' not specified/, 'error: Add $1: it is needed.')
    .replace(/^error: option '(.+)' argument missing/, 'error: Something must follow $1.')
    .replace(/^error: option '(.+)' argument (.+) is invalid\. /, "error: $1 can't be $2. ")
    .replace(
      /^error: too many arguments for .+ Expected (\d+).* but got (\d+)\./,
      'error: $1 place is named, not $2.',
    )
    .replace(/^error: unknown (option|command) '(.+)'/, 'error: There is no $1 $2.');
  const shown = ours === text || text.includes('is invalid') ? '' : ' "--help" shows how.';
  return `${ours.replace(/^error: /, 'wisp: ').trimEnd()}${shown}\n`;
}

/**
 * @param {unknown} error
 * @returns {number} the exit code
 */
function explain(error) {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : MISUSED;
  const { code, message, stack } = /** @type {NodeJS.ErrnoException} */ (error);
  const known = typeof code === 'string';
  console.error(`wisp: ${known ? `${message} [${code}]` : stack}`);
  return code === 'WISP_ERR_ARGUMENT' ? MISUSED : FAILED;
}
