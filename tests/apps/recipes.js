// The blocks of docs/RECIPES.md by their heading: files, which name themselves in their first line, and commands.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../../tools/places.mjs';

/** @typedef {{text: string, files: Record<string, string>, commands: string[]}} Recipe */

const BLOCK = /^```(\w+)\n(.*?)^```$/gms;
const OWN_NAME = /^(?:\/\/|#|<!--) (\S+)(?: -->)?\n/;

/** @returns {Map<string, Recipe>} */
export function readRecipes() {
  const [, ...parts] = readFileSync(path.join(root, 'docs', 'RECIPES.md'), 'utf8').split(/^## /m);
  return new Map(parts.map((part) => [part.slice(0, part.indexOf('\n')), recipe(part)]));
}

/** @param {string} text of a part of the page @returns {Recipe} */
function recipe(text) {
  /** @type {Recipe} */
  const made = { text, files: {}, commands: [] };
  for (const [, language, block] of text.matchAll(BLOCK)) {
    if (language === 'sh') made.commands.push(...block.trimEnd().split('\n'));
    const name = OWN_NAME.exec(block);
    if (name) made.files[name[1]] = language === 'json' ? block.slice(name[0].length) : block;
  }
  return made;
}

/**
 * Several in one app; what comes later stands in place of what came before.
 * @param {...string} headings
 * @returns {Recipe}
 */
export function takeRecipes(...headings) {
  const all = readRecipes();
  const taken = headings.map((heading) => {
    const one = all.get(heading);
    if (!one) throw new Error(`docs/RECIPES.md has no part "${heading}".`);
    return one;
  });
  return {
    text: taken.map(({ text }) => text).join(''),
    files: Object.assign({}, ...taken.map(({ files }) => files)),
    commands: taken.flatMap(({ commands }) => commands),
  };
}
