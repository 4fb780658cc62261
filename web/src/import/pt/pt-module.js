// A module of torch.nn as a checkpoint has it: its parts, its tensors, its settings, each asked for by name.

import { malformed, unsupported } from '../../graph/graph-error.js';
import { Made, Tensor } from './pickled.js';

/** @typedef {import('./pickled.js').Pickled} Pickled */

/** Modules within modules: YOLOv5 has eight. */
const DEEPEST = 24;

/** Parts that do nothing when a network looks at pictures, wherever they stand. */
const IDLE = /^(Identity|Dropout|Dropout2d|DropPath)$/;

export class PtModule {
  /** @type {Map<string, Pickled>} */
  #attributes;
  /** @type {Map<string, Pickled>} */
  #parts;
  /** @type {Map<string, Pickled>} */
  #tensors;
  /** @type {Set<string>} */
  #asked = new Set();
  #made;

  /**
   * @param {Made} made
   * @param {string} path e.g. model.2.cv1; '' is the whole model
   */
  constructor(made, path) {
    this.#made = made;
    this.path = path;
    this.#attributes = attributesOf(made);
    this.#parts = mapOf(this.#attributes.get('_modules'));
    this.#tensors = new Map([
      ...mapOf(this.#attributes.get('_parameters')),
      ...mapOf(this.#attributes.get('_buffers')),
    ]);
    if (!this.#attributes.has('_modules'))
      malformed(`"${path}" is a ${this.type}, which is no module of PyTorch.`);
    if (path.split('.').length > DEEPEST)
      malformed(`"${path}" lies in more modules than any YOLOv5.`);
  }

  /** Its class without the Python module it is in: code that was moved or copied keeps its classes' names. */
  get kind() {
    return this.#made.type.name;
  }

  get type() {
    return String(this.#made.type);
  }

  /** @param {string} why @returns {never} */
  refuse(why) {
    return unsupported(`"${this.path}" (${this.type}) ${why}, which wisp does not know.`);
  }

  /** @param {string} name @returns {PtModule | null} */
  maybe(name) {
    this.#asked.add(name);
    const part = this.#parts.get(name) ?? null;
    if (part === null) return null;
    const path = this.path ? `${this.path}.${name}` : name;
    if (part instanceof Made) return new PtModule(part, path);
    return malformed(`"${path}" is no module of PyTorch.`);
  }

  /** @param {string} name */
  part(name) {
    return this.maybe(name) ?? this.refuse(`has no part "${name}"`);
  }

  /** All its parts, in their order. */
  parts() {
    return [...this.#parts.keys()].map((name) => this.part(String(name)));
  }

  /** A parameter, a buffer or another of its tensors. @param {string} name @returns {Tensor | null} */
  tensor(name) {
    this.#asked.add(name);
    const value = this.#tensors.get(name) ?? this.#attributes.get(name);
    return value instanceof Tensor ? value : null;
  }

  /** @param {string} name @returns {Pickled | undefined} */
  setting(name) {
    return this.#attributes.get(name);
  }

  /** @param {string} name @param {number} otherwise */
  number(name, otherwise) {
    const value = this.setting(name) ?? otherwise;
    return typeof value === 'number' ? value : this.refuse(`has a "${name}" that is no number`);
  }

  /** Of the picture's height and width. @param {string} name @param {number} otherwise @returns {[number, number]} */
  pair(name, otherwise) {
    const value = this.setting(name) ?? otherwise;
    const both = Array.isArray(value) ? value : [value, value];
    const [y, x] = both;
    if (both.length === 2 && typeof y === 'number' && typeof x === 'number') return [y, x];
    return this.refuse(`has a "${name}" that is not one number or two`);
  }

  /** Parts and tensors that nobody asked for mean another network than the name says. */
  requireWhole() {
    const idle = (/** @type {Pickled} */ part) => part instanceof Made && IDLE.test(part.type.name);
    for (const [name, value] of [...this.#parts, ...this.#tensors]) {
      if (this.#asked.has(name) || value === null || idle(value)) continue;
      this.refuse(`has "${name}"`);
    }
  }
}

/** @param {Pickled | undefined} value @returns {Map<string, Pickled>} */
const mapOf = (value) => (value instanceof Map ? value : new Map());

/** What `vars()` of an object would be. @param {Pickled | undefined} value @returns {Map<string, Pickled>} */
export function attributesOf(value) {
  return mapOf(value instanceof Made ? value.state : value);
}
