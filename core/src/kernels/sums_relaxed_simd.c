/* sums_relaxed_simd.c - the 32-bit sums of a tile with relaxed SIMD: 16-bit sums of each group, then widened.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sums.h"

#if WISP_RELAXED

#define INLINE static inline __attribute__((always_inline))

enum { VECTORS = WISP_TILE / 4, HALF = VECTORS / 2 }; /* of four pixels */

/* The 16-bit sums of one group: a channel over 32 pixels. Returns the word after it. */
INLINE const int32_t *sum_group1(const int32_t *word, const uint8_t *in, wisp_v128 sums[VECTORS]) {
  for (int v = 0; v < VECTORS; v++) sums[v] = wasm_i32x4_const_splat(0);
  int blocks = *word++;
  do {
    const uint8_t *p = in + word[0];
    const wisp_v128 w = wasm_v128_load32_splat(word + 1);
    for (int v = 0; v < VECTORS; v++)
      sums[v] = wisp_dot_add(sums[v], wasm_v128_load(p + v * 16), w);
    word += 2;
  } while (--blocks > 0);
  return word;
}

/* Two channels over 16 pixels: the first channel's sums, then the second's. */
INLINE const int32_t *sum_group2(const int32_t *word, const uint8_t *in, wisp_v128 sums[VECTORS]) {
  for (int v = 0; v < VECTORS; v++) sums[v] = wasm_i32x4_const_splat(0);
  int blocks = *word++;
  do {
    const uint8_t *p = in + word[0];
    const wisp_v128 a = wasm_v128_load32_splat(word + 1), b = wasm_v128_load32_splat(word + 2);
    for (int v = 0; v < HALF; v++) {
      const wisp_v128 pixels = wasm_v128_load(p + v * 16);
      sums[v] = wisp_dot_add(sums[v], pixels, a);
      sums[HALF + v] = wisp_dot_add(sums[HALF + v], pixels, b);
    }
    word += 3;
  } while (--blocks > 0);
  return word;
}

INLINE const int32_t *sum_run1(const int32_t *word, const uint8_t *in, const int32_t *start,
                               wisp_v128 *sums) {
  const wisp_v128 ones = wisp_hidden_splat(1), start_v = wasm_v128_load32_splat(start);
  wisp_v128 s[VECTORS];
  int groups = *word++;
  if (groups == 0)
    for (int v = 0; v < VECTORS; v++) sums[v] = start_v;
  if (groups == 0) return word;
  word = sum_group1(word, in, s);
  for (int v = 0; v < VECTORS; v++) sums[v] = wisp_widen_add(start_v, s[v], ones);
  while (--groups > 0) {
    word = sum_group1(word, in, s);
    for (int v = 0; v < VECTORS; v++) sums[v] = wisp_widen_add(sums[v], s[v], ones);
  }
  return word;
}

INLINE const int32_t *sum_run2(const int32_t *word, const uint8_t *in, const int32_t *start,
                               wisp_v128 *a, wisp_v128 *b) {
  const wisp_v128 ones = wisp_hidden_splat(1);
  const wisp_v128 start_a = wasm_v128_load32_splat(start),
                  start_b = wasm_v128_load32_splat(start + 1);
  wisp_v128 s[VECTORS];
  int groups = *word++;
  if (groups == 0)
    for (int v = 0; v < HALF; v++) a[v] = start_a, b[v] = start_b;
  if (groups == 0) return word;
  word = sum_group2(word, in, s);
  for (int v = 0; v < HALF; v++) {
    a[v] = wisp_widen_add(start_a, s[v], ones);
    b[v] = wisp_widen_add(start_b, s[HALF + v], ones);
  }
  while (--groups > 0) {
    word = sum_group2(word, in, s);
    for (int v = 0; v < HALF; v++) {
      a[v] = wisp_widen_add(a[v], s[v], ones);
      b[v] = wisp_widen_add(b[v], s[HALF + v], ones);
    }
  }
  return word;
}

void wisp_sum_tile(const wisp_quad *quad, uint8_t flip, const uint8_t *in, wisp_tile_sums sums) {
  (void)flip; /* the plan keeps to what this engine reads */
  const int32_t *word = quad->stream;
  for (int c = 0; c < 4;) {
    const int channels = *word++;
    if (channels == 1) {
      word = sum_run1(word, in, &quad->start[c], sums[c]);
    } else {
      sum_run2(word, in, &quad->start[c], sums[c], sums[c + 1]);
      word = sum_run2(word, in + HALF * 16, &quad->start[c], sums[c] + HALF, sums[c + 1] + HALF);
    }
    c += channels;
  }
}

#endif
