/* sums_fused_simd.c - sums with the dot product that adds four products to 32 bits: one instruction on processors with
 * VNNI or Arm's dot products, several on others.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sums.h"

#if WISP_RELAXED

/* Two channels by 24 pixels: 12 sums, 2 weights and the pixels at hand fill the 15 registers that V8 has on x64. */
enum { VECTORS = 6, TILE = VECTORS * 4 };

/* The blocks that both channels have. Returns the word after the list. */
WISP_INLINE const int32_t *add_both(const int32_t *word, const uint8_t *in, wisp_v128 *a,
                                    wisp_v128 *b) {
  for (int groups = *word++; groups > 0; groups--) {
    int blocks = *word++;
    do {
      const uint8_t *p = in + word[0];
      const wisp_v128 wa = wasm_v128_load32_splat(word + 1), wb = wasm_v128_load32_splat(word + 2);
      for (int v = 0; v < VECTORS; v++) {
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
WISP_INLINE const int32_t *add_alone(const int32_t *word, const uint8_t *in, wisp_v128 *sums) {
  for (int groups = *word++; groups > 0; groups--) {
    int blocks = *word++;
    do {
      const uint8_t *p = in + word[0];
      const wisp_v128 w = wasm_v128_load32_splat(word + 1);
      for (int v = 0; v < VECTORS; v++)
        sums[v] = wisp_dot_add32(sums[v], wasm_v128_load(p + v * 16), w);
      word += 2;
    } while (--blocks > 0);
  }
  return word;
}

/* Channels `c` and `c` + 1 at 24 pixels, from `word` of the stream on. Returns the word after the pair. */
WISP_INLINE const int32_t *sum_pair(const int32_t *word, const wisp_quad *quad, int c,
                                    const uint8_t *in, int at, int as_real, wisp_sums *out) {
  wisp_v128 a[VECTORS], b[VECTORS];
  for (int v = 0; v < VECTORS; v++) {
    a[v] = wasm_v128_load32_splat(&quad->start[c]);
    b[v] = wasm_v128_load32_splat(&quad->start[c + 1]);
  }
  word = add_both(word, in, a, b);
  word = add_alone(word, in, a);
  word = add_alone(word, in, b);
  wisp_put_sums(a, VECTORS, quad, c, at, as_real, out);
  wisp_put_sums(b, VECTORS, quad, c + 1, at, as_real, out);
  return word;
}

void wisp_sum_fused(const wisp_quad *quad, uint8_t flip, const uint8_t *in, int n, int as_real,
                    wisp_sums *out) {
  (void)flip; /* the plan keeps to what this engine reads */
  for (int at = 0; at < n; at += TILE, in += TILE * WISP_LANES) {
    const int32_t *word = sum_pair(quad->stream, quad, 0, in, at, as_real, out);
    sum_pair(word, quad, 2, in, at, as_real, out);
  }
}

#endif
