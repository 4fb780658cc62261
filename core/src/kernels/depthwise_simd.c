/* depthwise_simd.c - depthwise convolution on tiles of 32 pixels: two taps of a channel are one dot product of 16-bit
 * numbers. Bit-equal to depthwise_scalar.c.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "finish_simd.h"

enum { TILE = 32, SUMS = 8 /* pixels at once, a vector of four channels each */ };

typedef wisp_v128 tile_sums[TILE];

/* i32x4 [pixel], four channels each. */
WISP_INLINE void sum_pixels(const wisp_filter *filter, const uint8_t *in, int is_signed,
                            wisp_v128 sums[SUMS]) {
  wisp_v128 s[SUMS];
  for (int p = 0; p < SUMS; p++) s[p] = wasm_v128_load(filter->start);
  const int32_t *word = filter->stream;
  int pairs = *word++;
  do {
    const wisp_v128 w = wasm_i16x8_load8x8(word + 2);
    for (int p = 0; p < SUMS; p += 4) {
      const wisp_v128 a = wasm_v128_load(in + word[0] + p * WISP_LANES);
      const wisp_v128 b = wasm_v128_load(in + word[1] + p * WISP_LANES);
      const wisp_v128 low =
          wasm_i8x16_shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      const wisp_v128 high =
          wasm_i8x16_shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
      const wisp_v128 taps[4] = {
          is_signed ? wasm_i16x8_extend_low_i8x16(low) : wasm_u16x8_extend_low_u8x16(low),
          is_signed ? wasm_i16x8_extend_high_i8x16(low) : wasm_u16x8_extend_high_u8x16(low),
          is_signed ? wasm_i16x8_extend_low_i8x16(high) : wasm_u16x8_extend_low_u8x16(high),
          is_signed ? wasm_i16x8_extend_high_i8x16(high) : wasm_u16x8_extend_high_u8x16(high)};
      for (int k = 0; k < 4; k++)
        s[p + k] = wasm_i32x4_add(s[p + k], wasm_i32x4_dot_i16x8(taps[k], w));
    }
    word += 4;
  } while (--pairs > 0);
  for (int p = 0; p < SUMS; p++) sums[p] = s[p];
}

static void sum_signed(const wisp_filter *filter, const uint8_t *in, tile_sums sums) {
  for (int p = 0; p < TILE; p += SUMS) sum_pixels(filter, in + p * WISP_LANES, 1, sums + p);
}
static void sum_unsigned(const wisp_filter *filter, const uint8_t *in, tile_sums sums) {
  for (int p = 0; p < TILE; p += SUMS) sum_pixels(filter, in + p * WISP_LANES, 0, sums + p);
}

/* Two passes, each short, for the same reason as in conv_simd.c. */
WISP_INLINE void finish_tile(const wisp_filter *filter, const wisp_finish_vectors *f,
                             wisp_activation activation, tile_sums sums, const uint8_t *residual,
                             uint8_t *out) {
  const wisp_v128 scale = wasm_v128_load(filter->scale);
  wisp_v128 x[TILE / 2]; /* two pixels of four channels */
  for (int v = 0; v < TILE / 2; v++)
    x[v] = wisp_curve_x8(f, activation, wisp_finish_fixed(&sums[2 * v], scale));
  for (int v = 0; v < TILE / 2; v += 2)
    wisp_finish_store(f, x[v], x[v + 1], residual ? residual + v * 8 : NULL, out + v * 8);
}

WISP_INLINE void depthwise_loop(const wisp_filter *filter, const wisp_finish *finish,
                                wisp_activation activation, const uint8_t *in,
                                const uint8_t *residual, uint8_t *out, int n) {
  const wisp_finish_vectors f = wisp_finish_spread(finish);
  for (; n > 0; n -= TILE) {
    tile_sums sums;
    if (finish->flip) sum_signed(filter, in, sums);
    else sum_unsigned(filter, in, sums);
    if (n >= TILE) {
      finish_tile(filter, &f, activation, sums, residual, out);
    } else {
      uint8_t last[TILE * WISP_LANES];
      finish_tile(filter, &f, activation, sums, residual, last);
      memcpy(out, last, (size_t)n * WISP_LANES);
    }
    in += TILE * WISP_LANES;
    out += TILE * WISP_LANES;
    if (residual) residual += TILE * WISP_LANES;
  }
}

void wisp_k_depthwise__simd(const wisp_filter *filter, const wisp_finish *f, const uint8_t *in,
                            const uint8_t *residual, uint8_t *out, int n) {
#define LOOP(word, ...) \
  case WISP_ACT_##word: depthwise_loop(filter, f, WISP_ACT_##word, in, residual, out, n); break;
  switch (f->activation) { WISP_ACTIVATION_ROWS(LOOP) }
#undef LOOP
}
