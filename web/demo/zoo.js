// zoo.js - the list of models in models/zoo.json, and those whose files stand beside it.

/** @typedef {import('./session.js').Model} Model */

/**
 * @typedef {object} Entry of the list
 * @property {string} name
 * @property {string} [file] of one that comes with wisp, beside the list
 * @property {string} [address] where the weights of another are published
 * @property {number} [bytes] of either
 * @property {string} [about]
 * @property {string} [licence]
 */

const ZOO = new URL('../../models/zoo.json', import.meta.url);

/** @returns {Promise<{entry: Entry, model: Model | null}[]>} model: of those that come with wisp; [] without a list */
export async function zoo() {
  const response = await fetch(ZOO).catch(() => null);
  /** @type {{models?: Entry[]}} */
  const { models = [] } = response?.ok ? await response.json().catch(() => ({})) : {};
  return models.map((entry) => ({
    entry,
    model: entry.file ? modelOf(entry.name, entry.file) : null,
  }));
}

/** @param {string} name @param {string} file @returns {Model} */
const modelOf = (name, file) => ({
  source: new URL(file, ZOO).href,
  name,
  bytes: 0,
  isEmbedded: true,
});

/**
 * The first model that comes with the page, or the one of that name; null if there is none.
 * @param {string | null} [wanted]
 */
export async function embeddedModel(wanted) {
  const all = (await zoo()).map(({ model }) => model);
  return all.find((model) => model && (!wanted || wanted === model.name)) ?? null;
}
