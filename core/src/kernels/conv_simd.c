/* conv_simd.c - convolution on tiles of 32 pixels: their sums, finished eight at a time. Bit-equal to conv_scalar.c.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../kernel.h"
#include "simd.h"
#include "sums.h"

#define INLINE static inline __attribute__((always_inline))

enum { VECTORS = WISP_TILE / 4 }; /* of four pixels */

/* ---- finish: i16x8 lanes are eight pixels of a channel until they are interleaved ---- */

/* wisp_finish in vectors. */
typedef struct finish_vectors {
  wisp_v128 terms[WISP_SIGMOID_TERMS], sign;
  wisp_v128 limit, half_limit, steps, double_steps, slope;
  wisp_v128 out_scale, out_zero, residual_scale, residual_zero, flip;
} finish_vectors;

INLINE finish_vectors spread(const wisp_finish *f) {
  static const int16_t terms[WISP_SIGMOID_TERMS] = WISP_SIGMOID_POLYNOMIAL;
  finish_vectors v;
  for (int i = 0; i < WISP_SIGMOID_TERMS; i++) v.terms[i] = wisp_hidden_splat(terms[i]);
  v.sign = wisp_hidden_splat(-32768);
  v.limit = wasm_i16x8_splat(f->limit);
  v.half_limit = wasm_i16x8_splat(f->limit / 2);
  v.steps = wasm_i16x8_splat(f->steps);
  v.double_steps = wasm_i16x8_splat((int16_t)(2 * f->steps));
  v.slope = wasm_i16x8_splat(f->slope);
  v.out_scale = wasm_i16x8_splat(f->out_scale);
  v.out_zero = wasm_i16x8_splat(f->out_zero);
  v.residual_scale = wasm_i16x8_splat(f->residual_scale);
  v.residual_zero = wasm_i16x8_splat(f->residual_zero);
  v.flip = wasm_u8x16_splat(f->flip);
  return v;
}

INLINE wisp_v128 fixed_point(const wisp_v128 *sums, wisp_v128 scale) {
  const wisp_v128 low = wasm_f32x4_mul(wasm_f32x4_convert_i32x4(sums[0]), scale);
  const wisp_v128 high = wasm_f32x4_mul(wasm_f32x4_convert_i32x4(sums[1]), scale);
  return wasm_i16x8_narrow_i32x4(wisp_truncate(low), wisp_truncate(high));
}

INLINE wisp_v128 falling_sigmoid(const finish_vectors *f, wisp_v128 t) {
  const wisp_v128 w = wasm_v128_xor(wasm_i16x8_mul(t, f->double_steps), f->sign);
  wisp_v128 p = f->terms[WISP_SIGMOID_TERMS - 1];
  for (int i = WISP_SIGMOID_TERMS - 2; i >= 0; i--)
    p = wasm_i16x8_add(wisp_q15x8(p, w), f->terms[i]);
  for (int i = 0; i < 2; i++) p = wisp_q15x8(p, p);
  return p;
}

INLINE wisp_v128 activate(const finish_vectors *f, int activation, wisp_v128 x) {
  const wisp_v128 zero = wasm_i16x8_const_splat(0);
  const wisp_v128 t = wasm_u16x8_min(wasm_i16x8_abs(x), f->limit);
  switch (activation) {
    case WISP_ACT_RELU: return wasm_i16x8_max(x, zero);
    case WISP_ACT_LEAKY: return wasm_i16x8_max(x, wisp_q15x8(x, f->slope));
    case WISP_ACT_SILU:
      return wasm_i16x8_sub(wasm_i16x8_max(x, zero), wisp_q15x8(t, falling_sigmoid(f, t)));
    case WISP_ACT_HARDSWISH: {
      const wisp_v128 near = wasm_i16x8_min(t, f->half_limit);
      const wisp_v128 gate = wasm_i16x8_mul(wasm_i16x8_sub(f->half_limit, near), f->steps);
      return wasm_i16x8_sub(wasm_i16x8_max(x, zero), wisp_q15x8(near, gate));
    }
    case WISP_ACT_SIGMOID: {
      const wisp_v128 falling = falling_sigmoid(f, t);
      const wisp_v128 rising = wasm_i16x8_sub(wasm_i16x8_const_splat(32767), falling);
      return wasm_v128_bitselect(falling, rising, wasm_i16x8_lt(x, zero));
    }
    default: return x;
  }
}

/* Two pixels of four channels: y in units -> 16-bit output bytes, not yet clamped. */
INLINE wisp_v128 scale_out(const finish_vectors *f, wisp_v128 y, const uint8_t *residual) {
  if (residual) {
    const wisp_v128 bytes = wasm_v128_xor(wasm_v128_load64_zero(residual), f->flip);
    const wisp_v128 r = wasm_i16x8_sub(wasm_u16x8_extend_low_u8x16(bytes), f->residual_zero);
    y = wasm_i16x8_add_sat(y, wisp_q15x8(wasm_i16x8_shl(r, 7), f->residual_scale));
  }
  return wasm_i16x8_add_sat(wisp_q15x8(y, f->out_scale), f->out_zero);
}

/* Four pixels of four channels from two vectors of two pixels. */
INLINE void store_pixels(const finish_vectors *f, wisp_v128 y0, wisp_v128 y1,
                         const uint8_t *residual, uint8_t *out) {
  const wisp_v128 low = scale_out(f, y0, residual),
                  high = scale_out(f, y1, residual ? residual + 8 : NULL);
  wasm_v128_store(out, wasm_v128_xor(wasm_u8x16_narrow_i16x8(low, high), f->flip));
}

/* Three passes over the tile, each short: one long chain a vector would leave the processor waiting for results. */
INLINE void finish_tile(const wisp_quad *quad, const finish_vectors *f, int activation,
                        wisp_tile_sums sums, const uint8_t *residual, uint8_t *out) {
  wisp_v128 x[4][VECTORS / 2];
  for (int c = 0; c < 4; c++) {
    const wisp_v128 scale = wasm_v128_load32_splat(&quad->scale[c]);
    for (int v = 0; v < VECTORS / 2; v++) x[c][v] = fixed_point(&sums[c][2 * v], scale);
  }
  for (int c = 0; c < 4; c++)
    for (int v = 0; v < VECTORS / 2; v++) x[c][v] = activate(f, activation, x[c][v]);
  for (int v = 0; v < VECTORS / 2; v++) {
    const wisp_v128 low01 = wasm_i16x8_shuffle(x[0][v], x[1][v], 0, 8, 1, 9, 2, 10, 3, 11);
    const wisp_v128 high01 = wasm_i16x8_shuffle(x[0][v], x[1][v], 4, 12, 5, 13, 6, 14, 7, 15);
    const wisp_v128 low23 = wasm_i16x8_shuffle(x[2][v], x[3][v], 0, 8, 1, 9, 2, 10, 3, 11);
    const wisp_v128 high23 = wasm_i16x8_shuffle(x[2][v], x[3][v], 4, 12, 5, 13, 6, 14, 7, 15);
    const int at = v * 32;
    store_pixels(f, wasm_i32x4_shuffle(low01, low23, 0, 4, 1, 5),
                 wasm_i32x4_shuffle(low01, low23, 2, 6, 3, 7), residual ? residual + at : NULL,
                 out + at);
    store_pixels(f, wasm_i32x4_shuffle(high01, high23, 0, 4, 1, 5),
                 wasm_i32x4_shuffle(high01, high23, 2, 6, 3, 7),
                 residual ? residual + at + 16 : NULL, out + at + 16);
  }
}

/* ---- the kernels: one copy of the loop an activation, so that none is asked inside ---- */

INLINE void conv_loop(const wisp_quad *quad, const wisp_finish *finish, int activation,
                      const uint8_t *in, const uint8_t *residual, uint8_t *out, int n) {
  const finish_vectors f = spread(finish);
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

INLINE void conv(const wisp_quad *quad, const wisp_finish *f, int activation, const uint8_t *in,
                 const uint8_t *residual, uint8_t *out, int n) {
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
