/* conv_simd.c - convolution on tiles of 32 pixels: their sums, finished eight at a time. Bit-equal to conv_scalar.c.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "finish_simd.h"
#include "sums.h"

enum { VECTORS = WISP_TILE / 4 }; /* of four pixels */

/* ---- finish: i16x8 lanes are eight pixels of a channel until they are interleaved ---- */

/* Three passes over the tile, each short: one long chain a vector would leave the processor waiting for results. */
WISP_INLINE void finish_tile(const wisp_quad *quad, const wisp_finish_vectors *f, int activation,
                             wisp_tile_sums sums, const uint8_t *residual, uint8_t *out) {
  wisp_v128 x[4][VECTORS / 2];
  for (int c = 0; c < 4; c++) {
    const wisp_v128 scale = wasm_v128_load32_splat(&quad->scale[c]);
    for (int v = 0; v < VECTORS / 2; v++) x[c][v] = wisp_finish_fixed(&sums[c][2 * v], scale);
  }
  for (int c = 0; c < 4; c++)
    for (int v = 0; v < VECTORS / 2; v++) x[c][v] = wisp_finish_activate(f, activation, x[c][v]);
  for (int v = 0; v < VECTORS / 2; v++) {
    const wisp_v128 low01 = wasm_i16x8_shuffle(x[0][v], x[1][v], 0, 8, 1, 9, 2, 10, 3, 11);
    const wisp_v128 high01 = wasm_i16x8_shuffle(x[0][v], x[1][v], 4, 12, 5, 13, 6, 14, 7, 15);
    const wisp_v128 low23 = wasm_i16x8_shuffle(x[2][v], x[3][v], 0, 8, 1, 9, 2, 10, 3, 11);
    const wisp_v128 high23 = wasm_i16x8_shuffle(x[2][v], x[3][v], 4, 12, 5, 13, 6, 14, 7, 15);
    const int at = v * 32;
    wisp_finish_store(f, wasm_i32x4_shuffle(low01, low23, 0, 4, 1, 5),
                      wasm_i32x4_shuffle(low01, low23, 2, 6, 3, 7), residual ? residual + at : NULL,
                      out + at);
    wisp_finish_store(f, wasm_i32x4_shuffle(high01, high23, 0, 4, 1, 5),
                      wasm_i32x4_shuffle(high01, high23, 2, 6, 3, 7),
                      residual ? residual + at + 16 : NULL, out + at + 16);
  }
}

/* ---- the kernels: one copy of the loop an activation, so that none is asked inside ---- */

WISP_INLINE void conv_loop(const wisp_quad *quad, const wisp_finish *finish, int activation,
                           const uint8_t *in, const uint8_t *residual, uint8_t *out, int n) {
  const wisp_finish_vectors f = wisp_finish_spread(finish);
  for (; n > 0; n -= WISP_TILE) {
    wisp_tile_sums sums;
    wisp_sum_tile(quad, finish->flip, in, sums);
    if (n >= WISP_TILE) {
      finish_tile(quad, &f, activation, sums, residual, out);
    } else {
      uint8_t last[WISP_TILE * WISP_LANES];
      finish_tile(quad, &f, activation, sums, residual, last);
      memcpy(out, last, (size_t)n * WISP_LANES);
    }
    in += WISP_TILE * WISP_LANES;
    out += WISP_TILE * WISP_LANES;
    if (residual) residual += WISP_TILE * WISP_LANES;
  }
}

WISP_INLINE void conv(const wisp_quad *quad, const wisp_finish *f, int activation,
                      const uint8_t *in, const uint8_t *residual, uint8_t *out, int n) {
  if (residual) conv_loop(quad, f, activation, in, residual, out, n);
  else conv_loop(quad, f, activation, in, NULL, out, n);
}

void wisp_k_conv__simd(const wisp_quad *quad, const wisp_finish *finish, const uint8_t *in,
                       const uint8_t *residual, uint8_t *out, int n) {
  switch (finish->activation) {
    case WISP_ACT_NONE: conv(quad, finish, WISP_ACT_NONE, in, residual, out, n); break;
    case WISP_ACT_RELU: conv(quad, finish, WISP_ACT_RELU, in, residual, out, n); break;
    case WISP_ACT_LEAKY: conv(quad, finish, WISP_ACT_LEAKY, in, residual, out, n); break;
    case WISP_ACT_SILU: conv(quad, finish, WISP_ACT_SILU, in, residual, out, n); break;
    case WISP_ACT_HARDSWISH: conv(quad, finish, WISP_ACT_HARDSWISH, in, residual, out, n); break;
    case WISP_ACT_SIGMOID: conv(quad, finish, WISP_ACT_SIGMOID, in, residual, out, n); break;
  }
}

void wisp_k_head__simd(const wisp_quad *quad, uint8_t flip, const uint8_t *in, float *const out[4],
                       int n) {
  for (int done = 0; done < n; done += WISP_TILE) {
    wisp_tile_sums sums;
    wisp_sum_tile(quad, flip, in + done * WISP_LANES, sums);
    for (int c = 0; c < 4; c++) {
      if (!out[c]) continue;
      float real[WISP_TILE];
      const wisp_v128 scale = wasm_v128_load32_splat(&quad->scale[c]);
      for (int v = 0; v < VECTORS; v++)
        wasm_v128_store(real + v * 4, wasm_f32x4_mul(wasm_f32x4_convert_i32x4(sums[c][v]), scale));
      memcpy(out[c] + done, real,
             sizeof *real * (size_t)(n - done < WISP_TILE ? n - done : WISP_TILE));
    }
  }
}

/* Byte 0xff is 255 read as unsigned, -1 read as signed. */
int wisp_k_reads_signed__simd(void) { return wisp_dot_is_signed(); }
