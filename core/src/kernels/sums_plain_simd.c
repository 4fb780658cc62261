/* sums_plain_simd.c - sums with plain SIMD: four pixels' bytes as 16-bit numbers of even and of odd channels, products
 * summed in 32 bits.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sums.h"

/* Two channels by 12 pixels: with 16, V8 spills on x64. */
enum { VECTORS = 3, PIXELS = VECTORS * 4, TILE = PIXELS * 2 };

/* Four pixels' channels 0 and 2, and 1 and 3. */
typedef struct split {
  wisp_v128 even, odd;
} split;

WISP_INLINE split load_pixels(const uint8_t *in, int is_signed, wisp_v128 mask) {
  const wisp_v128 bytes = wasm_v128_load(in);
  if (is_signed)
    return (split){wasm_i16x8_shr(wasm_i16x8_shl(bytes, 8), 8), wasm_i16x8_shr(bytes, 8)};
  return (split){wasm_v128_and(bytes, mask), wasm_u16x8_shr(bytes, 8)};
}

/* A block's four weights for four pixels. */
WISP_INLINE split load_weights(const int32_t *word) {
  const wisp_v128 bytes = wasm_v128_load32_splat(word);
  return (split){wasm_i16x8_shr(wasm_i16x8_shl(bytes, 8), 8), wasm_i16x8_shr(bytes, 8)};
}

WISP_INLINE wisp_v128 dot_add(wisp_v128 sums, split pixels, split weights) {
  const wisp_v128 even = wasm_i32x4_dot_i16x8(pixels.even, weights.even);
  return wasm_i32x4_add(wasm_i32x4_add(sums, even), wasm_i32x4_dot_i16x8(pixels.odd, weights.odd));
}

/* The blocks that both channels have. Returns the word after the list. */
WISP_INLINE const int32_t *add_both(const int32_t *word, const uint8_t *in, int is_signed,
                                    wisp_v128 mask, wisp_v128 *a, wisp_v128 *b) {
  for (int groups = *word++; groups > 0; groups--) {
    int blocks = *word++;
    do {
      const uint8_t *p = in + word[0];
      const split wa = load_weights(word + 1), wb = load_weights(word + 2);
      for (int v = 0; v < VECTORS; v++) {
        const split pixels = load_pixels(p + v * 16, is_signed, mask);
        a[v] = dot_add(a[v], pixels, wa);
        b[v] = dot_add(b[v], pixels, wb);
      }
      word += 3;
    } while (--blocks > 0);
  }
  return word;
}

/* The blocks that one channel has alone. */
WISP_INLINE const int32_t *add_alone(const int32_t *word, const uint8_t *in, int is_signed,
                                     wisp_v128 mask, wisp_v128 *sums) {
  for (int groups = *word++; groups > 0; groups--) {
    int blocks = *word++;
    do {
      const uint8_t *p = in + word[0];
      const split w = load_weights(word + 1);
      for (int v = 0; v < VECTORS; v++)
        sums[v] = dot_add(sums[v], load_pixels(p + v * 16, is_signed, mask), w);
      word += 2;
    } while (--blocks > 0);
  }
  return word;
}

/* Channels `c` and `c` + 1 at a tile of which `n` pixels count, from `stream` on. Returns the word after the pair. */
WISP_INLINE const int32_t *sum_pair(const int32_t *stream, const wisp_quad *quad, int c,
                                    const uint8_t *in, int n, int is_signed, wisp_v128 mask,
                                    wisp_v128 *a, wisp_v128 *b) {
  const int32_t *word = stream;
  for (int v = 0; v < 2 * VECTORS && v * 4 < n; v += VECTORS, in += PIXELS * WISP_LANES) {
    wisp_v128 sums_a[VECTORS], sums_b[VECTORS];
    for (int i = 0; i < VECTORS; i++) {
      sums_a[i] = wasm_v128_load32_splat(&quad->start[c]);
      sums_b[i] = wasm_v128_load32_splat(&quad->start[c + 1]);
    }
    word = add_both(stream, in, is_signed, mask, sums_a, sums_b);
    word = add_alone(word, in, is_signed, mask, sums_a);
    word = add_alone(word, in, is_signed, mask, sums_b);
    for (int i = 0; i < VECTORS; i++) a[v + i] = sums_a[i], b[v + i] = sums_b[i];
  }
  return word;
}

WISP_INLINE void sum_quad(const wisp_quad *quad, int is_signed, const uint8_t *in, int n,
                          int as_real, wisp_sums *out) {
  const wisp_v128 mask = wisp_hidden_splat(0xff);
  for (int at = 0; at < n; at += TILE, in += TILE * WISP_LANES) {
    const int32_t *word = quad->stream;
    for (int c = 0; c < 4; c += 2) {
      wisp_v128 a[2 * VECTORS], b[2 * VECTORS];
      word = sum_pair(word, quad, c, in, n - at, is_signed, mask, a, b);
      wisp_put_sums(a, 2 * VECTORS, quad, c, at, as_real, out);
      wisp_put_sums(b, 2 * VECTORS, quad, c + 1, at, as_real, out);
    }
  }
}

void wisp_sum_plain(const wisp_quad *quad, uint8_t flip, const uint8_t *in, int n, int as_real,
                    wisp_sums *out) {
  if (flip) sum_quad(quad, 1, in, n, as_real, out);
  else sum_quad(quad, 0, in, n, as_real, out);
}
