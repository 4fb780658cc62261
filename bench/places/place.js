// Where engines run: a page in a browser or a Node process, and the program that each needs.

import { accessSync, constants } from 'node:fs';
import path from 'node:path';
import { root } from '../root.js';
import { openChromium } from './chromium.js';
import { openFirefox } from './firefox.js';
import { openNode } from './node.js';

/**
 * @typedef {import('../plan.js').PlaceName} PlaceName
 *
 * @typedef {object} Setting
 * @property {string} url of the bench's server
 * @property {string} program
 * @property {string[]} v8Flags of Chromium and Node
 * @property {(line: string) => void} say
 *
 * @typedef {object} Place
 * @property {PlaceName} name
 * @property {string} version
 * @property {string[]} flags the program was started with
 * @property {(verb: string, ...values: any[]) => Promise<any>} call a method of lanes/lanes.js there
 * @property {() => Promise<void>} close
 */

/** @type {Record<PlaceName, (setting: Setting) => Promise<Place>>} */
const openers = { chromium: openChromium, firefox: openFirefox, node: openNode };

/**
 * @param {PlaceName} name
 * @param {Omit<Setting, 'program'>} setting
 * @returns {Promise<Place>}
 */
export async function openPlace(name, setting) {
  const program = programOf(name);
  if (!program) {
    const variable = `${name.toUpperCase()}_PATH`;
    throw new Error(`There is no ${name} here: install it, or set ${variable} to its program.`);
  }
  return openers[name]({ ...setting, program });
}

/** @param {PlaceName} name @returns {string | undefined} */
function programOf(name) {
  switch (name) {
    case 'chromium':
      return process.env.CHROMIUM_PATH || find('chromium', 'chromium-browser', 'google-chrome');
    case 'firefox':
      return process.env.FIREFOX_PATH || find('firefox-esr', 'firefox');
  }
  const own = path.join(root, 'node_modules', 'node', 'bin', 'node'); // npm's, which has relaxed SIMD
  return isProgram(own) ? own : process.execPath;
}

/** The first of these that PATH has. @param {...string} names */
function find(...names) {
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter(Boolean);
  return names.flatMap((name) => folders.map((folder) => path.join(folder, name))).find(isProgram);
}

/** @param {string} file */
function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
