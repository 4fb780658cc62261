/* conv_simd.c - convolution: the sums of some pixels, finished eight at a time. Bit-equal to conv_scalar.c.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "finish_simd.h"
#include "sums.h"

/* ---- finish: i16x8 lanes are eight pixels of a channel until they are interleaved ---- */

/* Eight pixels of four channels, y in units. */
WISP_INLINE void store_eight(const wisp_finish_vectors *f, const wisp_v128 y[4], uint8_t *out) {
  const wisp_v128 first =
      wasm_u8x16_narrow_i16x8(wisp_finish_scale(f, y[0], NULL), wisp_finish_scale(f, y[1], NULL));
  const wisp_v128 second =
      wasm_u8x16_narrow_i16x8(wisp_finish_scale(f, y[2], NULL), wisp_finish_scale(f, y[3], NULL));
  const wisp_v128 even = wasm_i8x16_shuffle(first, second, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21,
                                            6, 22, 7, 23); /* channels 0 and 2 */
  const wisp_v128 odd = wasm_i8x16_shuffle(first, second, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13,
                                           29, 14, 30, 15, 31);
  const wisp_v128 low =
      wasm_i8x16_shuffle(even, odd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
  const wisp_v128 high =
      wasm_i8x16_shuffle(even, odd, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
  wasm_v128_store(out, wasm_v128_xor(low, f->flip));
  wasm_v128_store(out + 16, wasm_v128_xor(high, f->flip));
}

/* Eight pixels of four channels, y in units, with the residual. */
WISP_INLINE void store_eight_added(const wisp_finish_vectors *f, const wisp_v128 y[4],
                                   const uint8_t *residual, uint8_t *out) {
  const wisp_v128 low01 = wasm_i16x8_shuffle(y[0], y[1], 0, 8, 1, 9, 2, 10, 3, 11);
  const wisp_v128 high01 = wasm_i16x8_shuffle(y[0], y[1], 4, 12, 5, 13, 6, 14, 7, 15);
  const wisp_v128 low23 = wasm_i16x8_shuffle(y[2], y[3], 0, 8, 1, 9, 2, 10, 3, 11);
  const wisp_v128 high23 = wasm_i16x8_shuffle(y[2], y[3], 4, 12, 5, 13, 6, 14, 7, 15);
  wisp_finish_store(f, wasm_i32x4_shuffle(low01, low23, 0, 4, 1, 5),
                    wasm_i32x4_shuffle(low01, low23, 2, 6, 3, 7), residual, out);
  wisp_finish_store(f, wasm_i32x4_shuffle(high01, high23, 0, 4, 1, 5),
                    wasm_i32x4_shuffle(high01, high23, 2, 6, 3, 7), residual + 16, out + 16);
}

/* Two passes, each with few constants and short: one long chain a vector would leave the processor waiting for
 * results, and V8 without registers. */
WISP_INLINE void finish(const wisp_finish *finish, wisp_activation activation, wisp_sums *sums,
                        int n, const uint8_t *residual, uint8_t *out) {
  const wisp_finish_vectors f = wisp_finish_spread(finish);
  for (int c = 0; c < 4 && activation != WISP_ACT_NONE; c++)
    for (int at = 0; at < n; at += 8) {
      int16_t *x = &sums->fixed[c][at];
      wasm_v128_store(x, wisp_curve_x8(&f, activation, wasm_v128_load(x)));
    }
  for (int at = 0; at < n; at += 8) {
    const int bytes = at * WISP_LANES, left = n * WISP_LANES - bytes;
    wisp_v128 y[4];
    for (int c = 0; c < 4; c++) y[c] = wasm_v128_load(&sums->fixed[c][at]);
    uint8_t last[8 * WISP_LANES] = {0};
    uint8_t *to = left >= 8 * WISP_LANES ? out + bytes : last;
    if (residual) store_eight_added(&f, y, residual + bytes, to);
    else store_eight(&f, y, to);
    if (to == last) memcpy(out + bytes, last, (size_t)left);
  }
}

/* One copy of the loop an activation, so that none is asked inside. */
typedef void finisher(const wisp_finish *f, wisp_sums *sums, int n, const uint8_t *residual,
                      uint8_t *out);
#define FINISHER(word, code, name, ...)                                                            \
  static void finish_##name(const wisp_finish *f, wisp_sums *sums, int n, const uint8_t *residual, \
                            uint8_t *out) {                                                        \
    if (residual) finish(f, WISP_ACT_##word, sums, n, residual, out);                              \
    else finish(f, WISP_ACT_##word, sums, n, NULL, out);                                           \
  }
WISP_ACTIVATION_ROWS(FINISHER)

#define FINISHER_OF(word, code, name, ...) [code] = finish_##name,
static finisher *const FINISHERS[] = {WISP_ACTIVATION_ROWS(FINISHER_OF)};

/* ---- the kernels ---- */

WISP_INLINE void conv(wisp_sum_pixels *sum, const wisp_quad *quad, const wisp_finish *f,
                      const uint8_t *in, const uint8_t *residual, uint8_t *out, int n) {
  finisher *const finish_sums = FINISHERS[f->activation];
  for (int at = 0; at < n; at += WISP_PIECE) {
    const int some = wisp_min(n - at, WISP_PIECE), bytes = at * WISP_LANES;
    wisp_sums sums;
    sum(quad, f->flip, in + bytes, some, 0, &sums);
    finish_sums(f, &sums, some, residual ? residual + bytes : NULL, out + bytes);
  }
}

WISP_INLINE void head(wisp_sum_pixels *sum, const wisp_quad *quad, uint8_t flip, const uint8_t *in,
                      float *const out[4], int n) {
  for (int at = 0; at < n; at += WISP_PIECE) {
    const int some = wisp_min(n - at, WISP_PIECE);
    wisp_sums sums;
    sum(quad, flip, in + at * WISP_LANES, some, 1, &sums);
    for (int c = 0; c < 4; c++)
      if (out[c]) memcpy(out[c] + at, sums.real[c], sizeof(float) * (size_t)some);
  }
}

#define KERNELS(set, sum)                                                                 \
  void wisp_k_conv__##set(const wisp_quad *quad, const wisp_finish *f, const uint8_t *in, \
                          const uint8_t *residual, uint8_t *out, int n) {                 \
    conv(sum, quad, f, in, residual, out, n);                                             \
  }                                                                                       \
  void wisp_k_head__##set(const wisp_quad *quad, uint8_t flip, const uint8_t *in,         \
                          float *const out[4], int n) {                                   \
    head(sum, quad, flip, in, out, n);                                                    \
  }
#if WISP_RELAXED
KERNELS(simd, wisp_sum_narrow)
KERNELS(fused, wisp_sum_fused)
#else
KERNELS(simd, wisp_sum_plain)
#endif
