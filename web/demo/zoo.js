// zoo.js - finds the model that comes with the page, if one does.

/** @typedef {import('./session.js').Model} Model */

const ZOO = new URL('../../models/zoo.json', import.meta.url);

/**
 * The first model of models/zoo.json whose file is next to it; null if there is none.
 * @returns {Promise<Model | null>}
 */
export async function embeddedModel() {
  const response = await fetch(ZOO).catch(() => null);
  if (!response?.ok) return null;
  /** @type {{models?: {name: string, file?: string}[]}} */
  const zoo = await response.json().catch(() => ({}));
  const embedded = zoo.models?.find(({ file }) => file);
  if (!embedded?.file) return null;
  return { source: new URL(embedded.file, ZOO).href, name: embedded.name, bytes: 0 };
}
