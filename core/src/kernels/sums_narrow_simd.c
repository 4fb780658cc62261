/* sums_narrow_simd.c - sums with the dot product that adds two products to 16 bits: a group's in 16 bits, then widened.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "sums.h"

#if WISP_RELAXED

/* Two channels by 16 pixels or one by 32: 8 sums, the weights, the pixels at hand and a product, in the 15 registers
 * that V8 has on x64. */
enum { VECTORS = 8, HALF = VECTORS / 2, TILE = VECTORS * 4 };

/* A block that both channels have, at half a tile: the first channel's products, then the second's. */
WISP_INLINE void block_both(const int32_t *word, const uint8_t *in, wisp_v128 products[VECTORS]) {
  const uint8_t *p = in + word[0];
  const wisp_v128 a = wasm_v128_load32_splat(word + 1), b = wasm_v128_load32_splat(word + 2);
  for (int v = 0; v < HALF; v++) {
    const wisp_v128 pixels = wasm_v128_load(p + v * 16);
    products[v] = wisp_dot(pixels, a);
    products[HALF + v] = wisp_dot(pixels, b);
  }
}

/* A block that one channel has alone, at a whole tile. */
WISP_INLINE void block_alone(const int32_t *word, const uint8_t *in, wisp_v128 products[VECTORS]) {
  const uint8_t *p = in + word[0];
  const wisp_v128 w = wasm_v128_load32_splat(word + 1);
  for (int v = 0; v < VECTORS; v++) products[v] = wisp_dot(wasm_v128_load(p + v * 16), w);
}

typedef void block_products(const int32_t *word, const uint8_t *in, wisp_v128 products[VECTORS]);

/* The 16-bit sums of a group of blocks of `length` words each. Returns the word after it. */
WISP_INLINE const int32_t *sum_group(const int32_t *word, const uint8_t *in, int length,
                                     block_products *block, wisp_v128 sums[VECTORS]) {
  int blocks = *word++;
  block(word, in, sums);
  while (word += length, --blocks > 0) {
    wisp_v128 products[VECTORS];
    block(word, in, products);
    for (int v = 0; v < VECTORS; v++) sums[v] = wasm_i16x8_add(sums[v], products[v]);
  }
  return word;
}

WISP_INLINE const int32_t *group_both(const int32_t *word, const uint8_t *in,
                                      wisp_v128 sums[VECTORS]) {
  return sum_group(word, in, 3, block_both, sums);
}

WISP_INLINE const int32_t *group_alone(const int32_t *word, const uint8_t *in,
                                       wisp_v128 sums[VECTORS]) {
  return sum_group(word, in, 2, block_alone, sums);
}

/* The list of blocks that both have, at least one, from the start of the sums on. */
WISP_INLINE const int32_t *sum_both(const int32_t *word, const uint8_t *in, wisp_v128 ones,
                                    const int32_t *start, wisp_v128 *a, wisp_v128 *b) {
  const wisp_v128 start_a = wasm_v128_load32_splat(start),
                  start_b = wasm_v128_load32_splat(start + 1);
  wisp_v128 s[VECTORS];
  int groups = *word++;
  word = group_both(word, in, s);
  for (int v = 0; v < HALF; v++) {
    a[v] = wisp_widen_add(start_a, s[v], ones);
    b[v] = wisp_widen_add(start_b, s[HALF + v], ones);
  }
  while (--groups > 0) {
    word = group_both(word, in, s);
    for (int v = 0; v < HALF; v++) {
      a[v] = wisp_widen_add(a[v], s[v], ones);
      b[v] = wisp_widen_add(b[v], s[HALF + v], ones);
    }
  }
  return word;
}

/* The list of blocks that one has alone; `start` of the sums if there are none yet, or NULL. */
WISP_INLINE const int32_t *sum_alone(const int32_t *word, const uint8_t *in, wisp_v128 ones,
                                     const int32_t *start, wisp_v128 *sums) {
  wisp_v128 s[VECTORS];
  int groups = *word++;
  if (start) {
    const wisp_v128 first = wasm_v128_load32_splat(start);
    for (int v = 0; v < VECTORS; v++) s[v] = wasm_i32x4_const_splat(0);
    if (groups > 0) word = group_alone(word, in, s);
    for (int v = 0; v < VECTORS; v++) sums[v] = wisp_widen_add(first, s[v], ones);
    groups--;
  }
  for (; groups > 0; groups--) {
    word = group_alone(word, in, s);
    for (int v = 0; v < VECTORS; v++) sums[v] = wisp_widen_add(sums[v], s[v], ones);
  }
  return word;
}

/* Channels `c` and `c` + 1 at a tile of which `n` pixels count, from `stream` on. Returns the word after the pair. */
WISP_INLINE const int32_t *sum_pair(const int32_t *stream, const wisp_quad *quad, int c,
                                    const uint8_t *in, int n, int at, int as_real, wisp_v128 ones,
                                    wisp_sums *out) {
  const int32_t *word = stream + 1, *start = &quad->start[c];
  wisp_v128 a[VECTORS], b[VECTORS];
  if (*stream > 0) {
    word = sum_both(stream, in, ones, start, a, b);
    if (n > TILE / 2) sum_both(stream, in + TILE / 2 * WISP_LANES, ones, start, a + HALF, b + HALF);
    word = sum_alone(word, in, ones, NULL, a);
    word = sum_alone(word, in, ones, NULL, b);
  } else {
    word = sum_alone(word, in, ones, start, a);
    word = sum_alone(word, in, ones, start + 1, b);
  }
  wisp_put_sums(a, VECTORS, quad, c, at, as_real, out);
  wisp_put_sums(b, VECTORS, quad, c + 1, at, as_real, out);
  return word;
}

void wisp_sum_narrow(const wisp_quad *quad, uint8_t flip, const uint8_t *in, int n, int as_real,
                     wisp_sums *out) {
  (void)flip; /* the plan keeps to what this engine reads */
  const wisp_v128 ones = wisp_hidden_splat(1);
  for (int at = 0; at < n; at += TILE, in += TILE * WISP_LANES) {
    const int32_t *word = sum_pair(quad->stream, quad, 0, in, n - at, at, as_real, ones, out);
    sum_pair(word, quad, 2, in, n - at, at, as_real, ones, out);
  }
}

#endif
