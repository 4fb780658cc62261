/* sums_narrow_simd.c - sums with the dot product that adds two products to 16 bits: a group's in 16 bits, then widened.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "sums.h"

#if WISP_RELAXED

/* Vectors of four pixels. Two channels by 16 pixels: 8 sums of 16 bits, 2 weights, the pixels at hand and a product
 * are in the 15 registers that V8 has on x64, the wide sums in memory. One channel by 24: 6 wide sums are in registers
 * too. */
enum { BOTH = 4, ALONE = 6 };

/* Products of a block that both channels have: the first channel's, then the second's. */
WISP_INLINE void block_both(const int32_t *word, const uint8_t *in, int vectors,
                            wisp_v128 *products) {
  const uint8_t *p = in + word[0];
  const wisp_v128 a = wasm_v128_load32_splat(word + 1), b = wasm_v128_load32_splat(word + 2);
  for (int v = 0; v < vectors; v++) {
    const wisp_v128 pixels = wasm_v128_load(p + v * 16);
    products[v] = wisp_dot(pixels, a);
    products[vectors + v] = wisp_dot(pixels, b);
  }
}

/* Products of a block that one channel has alone. */
WISP_INLINE void block_alone(const int32_t *word, const uint8_t *in, int vectors,
                             wisp_v128 *products) {
  const uint8_t *p = in + word[0];
  const wisp_v128 w = wasm_v128_load32_splat(word + 1);
  for (int v = 0; v < vectors; v++) products[v] = wisp_dot(wasm_v128_load(p + v * 16), w);
}

typedef void block_products(const int32_t *word, const uint8_t *in, int vectors,
                            wisp_v128 *products);

/* The 16-bit sums of a group of blocks of `channels` channels. Returns the word after it. */
WISP_INLINE const int32_t *sum_group(const int32_t *word, const uint8_t *in, int channels,
                                     int vectors, block_products *block, wisp_v128 *sums) {
  int blocks = *word++;
  block(word, in, vectors, sums);
  while (word += 1 + channels, --blocks > 0) {
    wisp_v128 products[2 * BOTH];
    block(word, in, vectors, products);
    for (int v = 0; v < channels * vectors; v++) sums[v] = wasm_i16x8_add(sums[v], products[v]);
  }
  return word;
}

/* The list of blocks that both have, at least one. The sums begin in the first group: stored before, they would be
 * loaded there. */
WISP_INLINE const int32_t *sum_both(const int32_t *word, const uint8_t *in, wisp_v128 ones,
                                    const int32_t *start, wisp_v128 *a, wisp_v128 *b) {
  const wisp_v128 start_a = wasm_v128_load32_splat(start),
                  start_b = wasm_v128_load32_splat(start + 1);
  wisp_v128 s[2 * BOTH];
  int groups = *word++;
  word = sum_group(word, in, 2, BOTH, block_both, s);
  for (int v = 0; v < BOTH; v++) {
    a[v] = wisp_widen_add(start_a, s[v], ones);
    b[v] = wisp_widen_add(start_b, s[BOTH + v], ones);
  }
  while (--groups > 0) {
    word = sum_group(word, in, 2, BOTH, block_both, s);
    for (int v = 0; v < BOTH; v++) {
      a[v] = wisp_widen_add(a[v], s[v], ones);
      b[v] = wisp_widen_add(b[v], s[BOTH + v], ones);
    }
  }
  return word;
}

/* Adds the list of blocks that one has alone. */
WISP_INLINE const int32_t *add_alone(const int32_t *word, const uint8_t *in, wisp_v128 ones,
                                     int vectors, wisp_v128 *sums) {
  for (int groups = *word++; groups > 0; groups--) {
    wisp_v128 s[ALONE];
    word = sum_group(word, in, 1, vectors, block_alone, s);
    for (int v = 0; v < vectors; v++) sums[v] = wisp_widen_add(sums[v], s[v], ones);
  }
  return word;
}

/* A channel whose blocks are all in the list `list`. Returns the word after it. */
static const int32_t *sum_channel(const int32_t *list, const wisp_quad *quad, int c,
                                  const uint8_t *in, int n, int as_real, wisp_v128 ones,
                                  wisp_sums *out) {
  const int32_t *word = list;
  for (int at = 0; at < n; at += ALONE * 4, in += ALONE * 4 * WISP_LANES) {
    const wisp_v128 start = wasm_v128_load32_splat(&quad->start[c]);
    wisp_v128 sums[ALONE];
    for (int v = 0; v < ALONE; v++) sums[v] = start;
    word = add_alone(list, in, ones, ALONE, sums);
    wisp_put_sums(sums, ALONE, quad, c, at, as_real, out);
  }
  return word;
}

/* Channels `c` and `c` + 1, from `stream` on. Returns the word after the pair. */
static const int32_t *sum_pair(const int32_t *stream, const wisp_quad *quad, int c,
                               const uint8_t *in, int n, int as_real, wisp_v128 ones,
                               wisp_sums *out) {
  const int32_t *word = stream;
  if (*stream == 0) {
    word = sum_channel(stream + 1, quad, c, in, n, as_real, ones, out);
    return sum_channel(word, quad, c + 1, in, n, as_real, ones, out);
  }
  for (int at = 0; at < n; at += BOTH * 4, in += BOTH * 4 * WISP_LANES) {
    wisp_v128 a[BOTH], b[BOTH];
    word = sum_both(stream, in, ones, &quad->start[c], a, b);
    word = add_alone(word, in, ones, BOTH, a);
    word = add_alone(word, in, ones, BOTH, b);
    wisp_put_sums(a, BOTH, quad, c, at, as_real, out);
    wisp_put_sums(b, BOTH, quad, c + 1, at, as_real, out);
  }
  return word;
}

void wisp_sum_narrow(const wisp_quad *quad, uint8_t flip, const uint8_t *in, int n, int as_real,
                     wisp_sums *out) {
  (void)flip; /* the plan keeps to what this engine reads */
  const wisp_v128 ones = wisp_hidden_splat(1);
  const int32_t *word = sum_pair(quad->stream, quad, 0, in, n, as_real, ones, out);
  sum_pair(word, quad, 2, in, n, as_real, ones, out);
}

#endif
