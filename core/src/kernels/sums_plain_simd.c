/* sums_plain_simd.c - the 32-bit sums of a tile with plain SIMD: bytes widened to 16 bits, products summed in 32.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sums.h"

#if !WISP_RELAXED

#define INLINE static inline __attribute__((always_inline))

enum {
  ONE = 16,
  TWO = 8,
  VECTORS = 8
}; /* pixels at once of a run of one channel, of two; vectors of two pixels */

/* i16x8: four channels of two pixels. */
INLINE wisp_v128 load_pixels(const uint8_t *in, int is_signed) {
  return is_signed ? wasm_i16x8_load8x8(in) : wasm_u16x8_load8x8(in);
}

/* i16x8: four weights, twice. */
INLINE wisp_v128 load_weights(const int32_t *word) {
  return wasm_i16x8_extend_low_i8x16(wasm_v128_load32_splat(word));
}

/* i32x4: four pixels from two vectors that hold two numbers for each of two. */
INLINE wisp_v128 join(wisp_v128 a, wisp_v128 b, wisp_v128 start) {
  const wisp_v128 pairs =
      wasm_i32x4_add(wasm_i32x4_shuffle(a, b, 0, 2, 4, 6), wasm_i32x4_shuffle(a, b, 1, 3, 5, 7));
  return wasm_i32x4_add(pairs, start);
}

/* One channel over 16 pixels. Returns the word after the run. */
INLINE const int32_t *sum_run1(const int32_t *word, const uint8_t *in, int is_signed,
                               const int32_t *start, wisp_v128 *out) {
  wisp_v128 s[VECTORS];
  for (int v = 0; v < VECTORS; v++) s[v] = wasm_i32x4_const_splat(0);
  for (int groups = *word++; groups > 0; groups--) {
    int blocks = *word++;
    do {
      const uint8_t *p = in + word[0];
      const wisp_v128 w = load_weights(word + 1);
      for (int v = 0; v < VECTORS; v++)
        s[v] = wasm_i32x4_add(s[v], wasm_i32x4_dot_i16x8(load_pixels(p + v * 8, is_signed), w));
      word += 2;
    } while (--blocks > 0);
  }
  const wisp_v128 start_v = wasm_v128_load32_splat(start);
  for (int v = 0; v < ONE / 4; v++) out[v] = join(s[2 * v], s[2 * v + 1], start_v);
  return word;
}

/* Two channels over 8 pixels. */
INLINE const int32_t *sum_run2(const int32_t *word, const uint8_t *in, int is_signed,
                               const int32_t *start, wisp_v128 *out_a, wisp_v128 *out_b) {
  enum { EACH = VECTORS / 2 };
  wisp_v128 a[EACH], b[EACH];
  for (int v = 0; v < EACH; v++) a[v] = b[v] = wasm_i32x4_const_splat(0);
  for (int groups = *word++; groups > 0; groups--) {
    int blocks = *word++;
    do {
      const uint8_t *p = in + word[0];
      const wisp_v128 wa = load_weights(word + 1), wb = load_weights(word + 2);
      for (int v = 0; v < EACH; v++) {
        const wisp_v128 pixels = load_pixels(p + v * 8, is_signed);
        a[v] = wasm_i32x4_add(a[v], wasm_i32x4_dot_i16x8(pixels, wa));
        b[v] = wasm_i32x4_add(b[v], wasm_i32x4_dot_i16x8(pixels, wb));
      }
      word += 3;
    } while (--blocks > 0);
  }
  const wisp_v128 start_a = wasm_v128_load32_splat(start),
                  start_b = wasm_v128_load32_splat(start + 1);
  for (int v = 0; v < TWO / 4; v++) {
    out_a[v] = join(a[2 * v], a[2 * v + 1], start_a);
    out_b[v] = join(b[2 * v], b[2 * v + 1], start_b);
  }
  return word;
}

INLINE void sum_quad(const wisp_quad *quad, int is_signed, const uint8_t *in, wisp_tile_sums sums) {
  const int32_t *word = quad->stream;
  for (int c = 0; c < 4;) {
    const int channels = *word++, at_once = channels == 1 ? ONE : TWO;
    const int32_t *end = word;
    for (int p = 0; p < WISP_TILE; p += at_once) {
      const uint8_t *pixels = in + p * WISP_LANES;
      if (channels == 1) end = sum_run1(word, pixels, is_signed, &quad->start[c], &sums[c][p / 4]);
      else
        end = sum_run2(word, pixels, is_signed, &quad->start[c], &sums[c][p / 4],
                       &sums[c + 1][p / 4]);
    }
    word = end;
    c += channels;
  }
}

static void sum_signed(const wisp_quad *quad, const uint8_t *in, wisp_tile_sums sums) {
  sum_quad(quad, 1, in, sums);
}
static void sum_unsigned(const wisp_quad *quad, const uint8_t *in, wisp_tile_sums sums) {
  sum_quad(quad, 0, in, sums);
}

void wisp_sum_tile(const wisp_quad *quad, uint8_t flip, const uint8_t *in, wisp_tile_sums sums) {
  if (flip) sum_signed(quad, in, sums);
  else sum_unsigned(quad, in, sums);
}

#endif
