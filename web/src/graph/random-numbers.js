// Random numbers that are the same everywhere for the same seed.

const WORD = 2 ** 32;

export class RandomNumbers {
  /** Of the xorshift by Marsaglia (2003) on 32 bits; never 0. */
  #state;

  /** @param {number} seed a whole number */
  constructor(seed) {
    this.#state = Math.imul(seed + 1, 0x9e3779b1) >>> 0 || 1; // spreads small seeds over all bits
    for (let i = 0; i < 8; i++) this.uniform();
  }

  /** At least 0 and less than 1. */
  uniform() {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    return this.#state / WORD;
  }

  /** Of the normal distribution with mean 0 and deviation 1 (Box and Muller's transform). */
  normal() {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }
}
