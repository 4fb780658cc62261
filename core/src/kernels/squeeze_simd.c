/* squeeze_simd.c - the mean of a plane and a factor for each channel, four pixels at a time. Bit-equal to
 * squeeze_scalar.c.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "finish_simd.h"

enum { MOST = 128 /* vectors, whose lanes' sums have 16 bits */ };

/* Adds up to MOST vectors of four pixels: u32x4, a sum for each lane. */
static wisp_v128 sum_some(const uint8_t *in, int vectors, wisp_v128 flips) {
  wisp_v128 sums = wasm_i16x8_const_splat(0);
  for (int i = 0; i < vectors; i++) {
    const wisp_v128 pixels = wasm_v128_xor(wasm_v128_load(in + i * 16), flips);
    sums = wasm_i16x8_add(sums, wasm_i16x8_add(wasm_u16x8_extend_low_u8x16(pixels),
                                               wasm_u16x8_extend_high_u8x16(pixels)));
  }
  return wasm_i32x4_add(wasm_u32x4_extend_low_u16x8(sums), wasm_u32x4_extend_high_u16x8(sums));
}

/* Adds a row's pixels to the sum of each lane. */
static void add_row(const uint8_t *in, int width, uint8_t flip, int64_t sums[WISP_LANES]) {
  const wisp_v128 flips = wasm_u8x16_splat(flip);
  wisp_v128 row = wasm_i32x4_const_splat(0);
  int x = 0;
  for (; x + 4 <= width;) {
    const int vectors = wisp_min((width - x) / 4, MOST);
    row = wasm_i32x4_add(row, sum_some(in + x * WISP_LANES, vectors, flips));
    x += vectors * 4;
  }
  uint32_t of_lane[WISP_LANES];
  wasm_v128_store(of_lane, row);
  for (int lane = 0; lane < WISP_LANES; lane++) {
    sums[lane] += of_lane[lane];
    for (int rest = x; rest < width; rest++) sums[lane] += in[rest * WISP_LANES + lane] ^ flip;
  }
}

void wisp_k_average__simd(const wisp_average *a, const uint8_t *in, uint8_t out[WISP_LANES]) {
  const int64_t n = (int64_t)a->height * a->width;
  int64_t sums[WISP_LANES];
  for (int lane = 0; lane < WISP_LANES; lane++) sums[lane] = -n * a->in_zero;
  for (int y = 0; y < a->height; y++)
    add_row(in + y * a->pitch * WISP_LANES, a->width, a->flip, sums);
  for (int lane = 0; lane < WISP_LANES; lane++)
    out[lane] =
        (uint8_t)(wisp_clamp(wisp_mean(sums[lane], n, a->ratio) + a->out_zero, 0, 255) ^ a->flip);
}

void wisp_k_scale__simd(const wisp_finish *finish, const int16_t factors[WISP_LANES],
                        const uint8_t *in, uint8_t *out, int n) {
  const wisp_v128 zero = wasm_i16x8_const_splat(0);
  wisp_finish_vectors f = wisp_finish_spread(finish);
  f.residual_scale = wasm_v128_load64_splat(factors);
  for (; n >= 4; n -= 4, in += 16, out += 16) wisp_finish_store(&f, zero, zero, in, out);
  uint8_t last[16];
  if (n > 0) wisp_finish_store(&f, zero, zero, in, last);
  if (n > 0) memcpy(out, last, (size_t)n * WISP_LANES);
}
