/* sums.h - the sums of a convolution, the one thing that the SIMD sets of kernels do differently.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_KERNELS_SUMS_H
#define WISP_KERNELS_SUMS_H

#include "finish_simd.h"

/* Of each channel and pixel: the sum in units of the finish, cut to 16 bits, or the real number. */
typedef union wisp_sums {
  int16_t fixed[4][WISP_PIECE];
  float real[4][WISP_PIECE];
} wisp_sums;

/* start + the products of the quad's stream with n <= WISP_PIECE pixels, times the channel's scale, `as_real` or as
 * fixed point. Writes up to a tile more than n. */
typedef void wisp_sum_pixels(const wisp_quad *quad, uint8_t flip, const uint8_t *in, int n,
                             int as_real, wisp_sums *out);

wisp_sum_pixels wisp_sum_plain; /* bytes widened to 16 bits: what plain SIMD has */
#if WISP_RELAXED
wisp_sum_pixels wisp_sum_narrow; /* 16-bit sums of each group, then widened */
wisp_sum_pixels wisp_sum_fused;  /* 32-bit sums of four products in one instruction */
#endif

/* Writes the scaled sums of `vectors` times four pixels, rounded up to an even number, of channel `c` from pixel `at`
 * on. */
WISP_INLINE void wisp_put_sums(const wisp_v128 *sums, int vectors, const wisp_quad *quad, int c,
                               int at, int as_real, wisp_sums *out) {
  const wisp_v128 scale = wasm_v128_load32_splat(&quad->scale[c]);
  if (as_real) {
    for (int v = 0; v < vectors; v++)
      wasm_v128_store(&out->real[c][at + v * 4],
                      wasm_f32x4_mul(wasm_f32x4_convert_i32x4(sums[v]), scale));
    return;
  }
  for (int v = 0; v < vectors; v += 2)
    wasm_v128_store(&out->fixed[c][at + v * 4], wisp_finish_fixed(&sums[v], scale));
}

#endif
