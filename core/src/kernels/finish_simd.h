/* finish_simd.h - wisp_finish on eight 16-bit lanes: what the SIMD kernels do with their sums. Bit-equal to
 * finish_scalar.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_KERNELS_FINISH_SIMD_H
#define WISP_KERNELS_FINISH_SIMD_H

#include <stddef.h>

#include "curves.h"

WISP_INLINE wisp_v128 wisp_finish_fixed(const wisp_v128 *sums, wisp_v128 scale) {
  const wisp_v128 low = wasm_f32x4_mul(wasm_f32x4_convert_i32x4(sums[0]), scale);
  const wisp_v128 high = wasm_f32x4_mul(wasm_f32x4_convert_i32x4(sums[1]), scale);
  return wasm_i16x8_narrow_i32x4(wisp_truncate(low), wisp_truncate(high));
}

/* Two pixels of four channels: y in units -> 16-bit output bytes, not yet clamped. */
WISP_INLINE wisp_v128 wisp_finish_scale(const wisp_finish_vectors *f, wisp_v128 y,
                                        const uint8_t *residual) {
  if (residual) {
    const wisp_v128 bytes = wasm_v128_xor(wasm_v128_load64_zero(residual), f->flip);
    const wisp_v128 r = wasm_i16x8_sub(wasm_u16x8_extend_low_u8x16(bytes), f->residual_zero);
    y = wasm_i16x8_add_sat(y, wisp_q15x8(wasm_i16x8_shl(r, 7), f->residual_scale));
  }
  return wasm_i16x8_add_sat(wisp_q15x8(y, f->out_scale), f->out_zero);
}

/* Four pixels of four channels from two vectors of two pixels. */
WISP_INLINE void wisp_finish_store(const wisp_finish_vectors *f, wisp_v128 y0, wisp_v128 y1,
                                   const uint8_t *residual, uint8_t *out) {
  const wisp_v128 low = wisp_finish_scale(f, y0, residual),
                  high = wisp_finish_scale(f, y1, residual ? residual + 8 : NULL);
  wasm_v128_store(out, wasm_v128_xor(wasm_u8x16_narrow_i16x8(low, high), f->flip));
}

#endif
