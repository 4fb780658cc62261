/* move_simd.c - max-pool, upsample, pick, four pixels at a time. Bit-equal to move_scalar.c.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../kernel.h"
#include "simd.h"

/* Four neighbouring windows of stride 1 that lie inside the columns; rows [y0, y1). */
static void maximum4(const wisp_pool_shape *s, const uint8_t *in, uint8_t flip, int y0, int y1,
                     int left, uint8_t *out) {
  const wisp_v128 flips = wasm_u8x16_splat(flip);
  wisp_v128 best = wasm_i32x4_const_splat(0);
  for (int y = y0; y < y1; y++) {
    const uint8_t *row = in + (y * s->pitch + left) * WISP_LANES;
    for (int x = 0; x < s->kernel_width; x++)
      best = wasm_u8x16_max(best, wasm_v128_xor(wasm_v128_load(row + x * WISP_LANES), flips));
  }
  wasm_v128_store(out, wasm_v128_xor(best, flips));
}

void wisp_k_maxpool__simd(const wisp_pool_shape *s, const uint8_t *in, uint8_t flip, int y,
                          uint8_t *out, int out_width) {
  const int top = y * s->stride_y - s->pad_top;
  const int y0 = wisp_max(top, 0), y1 = wisp_min(top + s->kernel_height, s->height);
  const int inside = wisp_min(s->width - s->kernel_width + s->pad_left + 1,
                              out_width); /* first column past them */
  int done = 0;
  if (s->stride_x == 1 && inside - s->pad_left >= 4) {
    for (int x = s->pad_left; x + 4 <= inside; x += 4)
      maximum4(s, in, flip, y0, y1, x - s->pad_left, out + x * WISP_LANES);
    maximum4(s, in, flip, y0, y1, inside - 4 - s->pad_left, out + (inside - 4) * WISP_LANES);
    done = inside;
  }
  /* The columns at the edges, and everything if the plane is narrow: one column as a plane of its own. */
  for (int x = 0; x < out_width; x++) {
    if (done > 0 && x >= s->pad_left && x < done) continue;
    wisp_pool_shape column = *s;
    column.pad_left = s->pad_left - x * s->stride_x;
    wisp_k_maxpool__scalar(&column, in, flip, y, out + x * WISP_LANES, 1);
  }
}

void wisp_k_upsample__simd(const uint8_t *in, int width, int factor, uint8_t *out) {
  int x = 0;
  for (; factor == 2 && x + 4 <= width; x += 4) {
    const wisp_v128 four = wasm_v128_load(in + x * WISP_LANES);
    wasm_v128_store(out + x * 2 * WISP_LANES, wasm_i32x4_shuffle(four, four, 0, 0, 1, 1));
    wasm_v128_store(out + x * 2 * WISP_LANES + 16, wasm_i32x4_shuffle(four, four, 2, 2, 3, 3));
  }
  wisp_k_upsample__scalar(in + x * WISP_LANES, width - x, factor, out + x * factor * WISP_LANES);
}

void wisp_k_pick__simd(const uint8_t *in, int step, int width, uint8_t *out) {
  int x = 0;
  for (; step == 2 && x + 4 < width; x += 4) { /* the last is left: its neighbour may lie outside */
    const wisp_v128 a = wasm_v128_load(in + x * 2 * WISP_LANES),
                    b = wasm_v128_load(in + x * 2 * WISP_LANES + 16);
    wasm_v128_store(out + x * WISP_LANES, wasm_i32x4_shuffle(a, b, 0, 2, 4, 6));
  }
  wisp_k_pick__scalar(in + x * step * WISP_LANES, step, width - x, out + x * WISP_LANES);
}
