/* letterbox_simd.c - bilinear resize and fold, some pixels at a time. Bit-equal to letterbox_scalar.c.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../kernel.h"
#include "simd.h"

/* i32x4: the colours of one pixel. A blend's pixels a, b are interleaved to a0 b0 a1 b1 ... and
 * dotted with its weights. */
static inline wisp_v128 blend_pixel(const uint8_t *row, const wisp_blend *blend, wisp_v128 zero) {
  const wisp_v128 both = wasm_v128_load64_zero(row + blend->at);
  const wisp_v128 pairs = wasm_i8x16_shuffle(both, wasm_i32x4_shuffle(both, both, 1, 1, 1, 1), 0,
                                             16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const wisp_v128 wide =
      wasm_i8x16_shuffle(pairs, zero, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  return wasm_i32x4_shr(wasm_i32x4_dot_i16x8(wide, wasm_v128_load32_splat(&blend->weight)), 4);
}

void wisp_k_blend_row__simd(const uint8_t *row, const wisp_blend *blends, int n, int16_t *out) {
  const wisp_v128 zero = wasm_i32x4_const_splat(0);
  int x = 0;
  for (; x + 2 <= n; x += 2)
    wasm_v128_store(out + x * 4, wasm_i16x8_narrow_i32x4(blend_pixel(row, blends + x, zero),
                                                         blend_pixel(row, blends + x + 1, zero)));
  wisp_k_blend_row__scalar(row, blends + x, n - x, out + x * 4);
}

/* u16x8: the high halves of the products; all numbers are below 32768. */
static inline wisp_v128 high_product(wisp_v128 a, wisp_v128 b) {
  const wisp_v128 low = wasm_u32x4_shr(wasm_u32x4_extmul_low_u16x8(a, b), 16);
  const wisp_v128 high = wasm_u32x4_shr(wasm_u32x4_extmul_high_u16x8(a, b), 16);
  return wasm_i16x8_narrow_i32x4(low, high);
}

void wisp_k_blend_rows__simd(const int16_t *above, const int16_t *below, int weight, int n,
                             uint8_t *out) {
  const wisp_v128 w = wasm_i16x8_splat((int16_t)weight),
                  w2 = wasm_i16x8_splat((int16_t)(WISP_BLEND_ONE - weight));
  const wisp_v128 two = wasm_i16x8_const_splat(2);
  int i = 0;
  for (; i + 16 <= n * 4; i += 16) {
    wisp_v128 sum[2];
    for (int k = 0; k < 2; k++) {
      const wisp_v128 a = high_product(wasm_v128_load(above + i + k * 8), w);
      const wisp_v128 b = high_product(wasm_v128_load(below + i + k * 8), w2);
      sum[k] = wasm_i16x8_shr(wasm_i16x8_add(wasm_i16x8_add(a, b), two), 2);
    }
    wasm_v128_store(out + i, wasm_u8x16_narrow_i16x8(sum[0], sum[1]));
  }
  wisp_k_blend_rows__scalar(above + i, below + i, weight, n - i / 4, out + i);
}

/* u8x16: (a + b + c + d + 2) / 4. The mean of two rounded means is one too high where either of them was rounded up
 * and the last rounds up again. */
static inline wisp_v128 mean_of_four(wisp_v128 a, wisp_v128 b, wisp_v128 c, wisp_v128 d) {
  const wisp_v128 ab = wasm_u8x16_avgr(a, b), cd = wasm_u8x16_avgr(c, d);
  const wisp_v128 rounded = wasm_v128_or(wasm_v128_xor(a, b), wasm_v128_xor(c, d));
  const wisp_v128 again = wasm_v128_and(wasm_v128_xor(ab, cd), wasm_i8x16_const_splat(1));
  return wasm_i8x16_sub(wasm_u8x16_avgr(ab, cd), wasm_v128_and(rounded, again));
}

void wisp_k_halve__simd(const uint8_t *upper, const uint8_t *lower, int n, uint8_t *out) {
  int x = 0;
  for (; x + 4 <= n; x += 4) {
    const wisp_v128 u0 = wasm_v128_load(upper + x * 8), u1 = wasm_v128_load(upper + x * 8 + 16);
    const wisp_v128 l0 = wasm_v128_load(lower + x * 8), l1 = wasm_v128_load(lower + x * 8 + 16);
    wasm_v128_store(out + x * 4, mean_of_four(wasm_i32x4_shuffle(u0, u1, 0, 2, 4, 6),
                                              wasm_i32x4_shuffle(u0, u1, 1, 3, 5, 7),
                                              wasm_i32x4_shuffle(l0, l1, 0, 2, 4, 6),
                                              wasm_i32x4_shuffle(l0, l1, 1, 3, 5, 7)));
  }
  wisp_k_halve__scalar(upper + x * 8, lower + x * 8, n - x, out + x * 4);
}

void wisp_k_fold__simd(const uint8_t *upper, const uint8_t *lower, int n, uint8_t flip,
                       uint8_t *const planes[3]) {
  const wisp_v128 flips = wasm_u8x16_splat(flip);
  int x = 0;
  for (; x + 4 <= n; x += 4) { /* four cells: eight pixels of each row */
    const wisp_v128 u0 = wasm_v128_load(upper + x * 8), u1 = wasm_v128_load(upper + x * 8 + 16);
    const wisp_v128 l0 = wasm_v128_load(lower + x * 8), l1 = wasm_v128_load(lower + x * 8 + 16);
    const wisp_v128 first =
        wasm_i8x16_shuffle(u0, u1, 0, 1, 2, 4, 8, 9, 10, 12, 16, 17, 18, 20, 24, 25, 26, 28);
    const wisp_v128 upper_rest =
        wasm_i8x16_shuffle(u0, u1, 5, 6, 13, 14, 21, 22, 29, 30, 5, 6, 13, 14, 21, 22, 29, 30);
    const wisp_v128 lower_rest =
        wasm_i8x16_shuffle(l0, l1, 0, 1, 8, 9, 16, 17, 24, 25, 0, 1, 8, 9, 16, 17, 24, 25);
    const wisp_v128 second = wasm_i16x8_shuffle(upper_rest, lower_rest, 0, 8, 1, 9, 2, 10, 3, 11);
    const wisp_v128 third =
        wasm_i8x16_shuffle(l0, l1, 2, 4, 5, 6, 10, 12, 13, 14, 18, 20, 21, 22, 26, 28, 29, 30);
    wasm_v128_store(planes[0] + x * 4, wasm_v128_xor(first, flips));
    wasm_v128_store(planes[1] + x * 4, wasm_v128_xor(second, flips));
    wasm_v128_store(planes[2] + x * 4, wasm_v128_xor(third, flips));
  }
  uint8_t *const rest[3] = {planes[0] + x * 4, planes[1] + x * 4, planes[2] + x * 4};
  wisp_k_fold__scalar(upper + x * 8, lower + x * 8, n - x, flip, rest);
}
