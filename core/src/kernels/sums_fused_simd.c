/* sums_fused_simd.c - sums with the dot product that adds four products to 32 bits: one instruction on processors with
 * VNNI or Arm's dot products, several on others.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sums.h"

#if WISP_RELAXED

/* Two channels by 24 pixels: 12 sums, 2 weights and the pixels at hand fill the 15 registers that V8 has on x64. What
 * is left of a row is often no more than half of that, and then takes two thirds of the time. */
enum { VECTORS = 6, HALF = VECTORS / 2, TILE = VECTORS * 4 };

/* The blocks that both channels have. Returns the word after the list. */
WISP_INLINE const int32_t *add_both(const int32_t *word, const uint8_t *in, int vectors,
                                    wisp_v128 *a, wisp_v128 *b) {
  for (int groups = *word++; groups > 0; groups--) {
    int blocks = *word++;
    do {
      const uint8_t *p = in + word[0];
      const wisp_v128 wa = wasm_v128_load32_splat(word + 1), wb = wasm_v128_load32_splat(word + 2);
      for (int v = 0; v < vectors; v++) {
        const wisp_v128 pixels = wasm_v128_load(p + v * 16);
        a[v] = wisp_dot_add32(a[v], pixels, wa);
        b[v] = wisp_dot_add32(b[v], pixels, wb);
      }
      word += 3;
    } while (--blocks > 0);
  }
  return word;
}

/* The blocks that one channel has alone. */
WISP_INLINE const int32_t *add_alone(const int32_t *word, const uint8_t *in, int vectors,
                                     wisp_v128 *sums) {
  for (int groups = *word++; groups > 0; groups--) {
    int blocks = *word++;
    do {
      const uint8_t *p = in + word[0];
      const wisp_v128 w = wasm_v128_load32_splat(word + 1);
      for (int v = 0; v < vectors; v++)
        sums[v] = wisp_dot_add32(sums[v], wasm_v128_load(p + v * 16), w);
      word += 2;
    } while (--blocks > 0);
  }
  return word;
}

/* Channels `c` and `c` + 1 at `vectors` times four pixels, from `word` of the stream on. Returns the word after the
 * pair. */
WISP_INLINE const int32_t *sum_pair(const int32_t *word, const wisp_quad *quad, int c,
                                    const uint8_t *in, int vectors, int at, int as_real,
                                    wisp_sums *out) {
  wisp_v128 a[VECTORS], b[VECTORS];
  for (int v = 0; v < vectors + vectors % 2; v++) {
    a[v] = wasm_v128_load32_splat(&quad->start[c]);
    b[v] = wasm_v128_load32_splat(&quad->start[c + 1]);
  }
  word = add_both(word, in, vectors, a, b);
  word = add_alone(word, in, vectors, a);
  word = add_alone(word, in, vectors, b);
  wisp_put_sums(a, vectors, quad, c, at, as_real, out);
  wisp_put_sums(b, vectors, quad, c + 1, at, as_real, out);
  return word;
}

WISP_INLINE void sum_tile(const wisp_quad *quad, const uint8_t *in, int vectors, int at,
                          int as_real, wisp_sums *out) {
  const int32_t *word = sum_pair(quad->stream, quad, 0, in, vectors, at, as_real, out);
  sum_pair(word, quad, 2, in, vectors, at, as_real, out);
}

void wisp_sum_fused(const wisp_quad *quad, uint8_t flip, const uint8_t *in, int n, int as_real,
                    wisp_sums *out) {
  (void)flip; /* the plan keeps to what this engine reads */
  int at = 0;
  for (; n - at > HALF * 4; at += TILE)
    sum_tile(quad, in + at * WISP_LANES, VECTORS, at, as_real, out);
  if (at < n) sum_tile(quad, in + at * WISP_LANES, HALF, at, as_real, out);
}

#endif
