/* move_simd.c - max-pool, upsample, deal, four pixels at a time. Bit-equal to move_scalar.c.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../kernel.h"
#include "simd.h"

enum { CHUNK = 64 /* outputs at a time */, WIDEST = 16 /* kernel that is not left to scalar */ };

/* The greatest of each of `n` columns from `left` on over rows [y0, y1), as if unflipped; 0 outside the plane, which
 * has four. `out` has room for three more pixels before and after. */
static void column_maxima(const wisp_maxpool_shape *s, const uint8_t *in, uint8_t flip, int y0,
                          int y1, int left, int n, uint8_t *out) {
  const wisp_v128 flips = wasm_u8x16_splat(flip);
  const int first = wisp_max(left, 0), end = wisp_min(left + n, s->width);
  memset(out, 0, (size_t)n * WISP_LANES);
  for (int next = first; next < end; next += 4) {
    const int x = wisp_max(wisp_min(next, end - 4), 0);
    const uint8_t *at = in + x * WISP_LANES;
    wisp_v128 best = wasm_i32x4_const_splat(0);
    for (int y = y0; y < y1; y++)
      best = wasm_u8x16_max(best,
                            wasm_v128_xor(wasm_v128_load(at + y * s->pitch * WISP_LANES), flips));
    wasm_v128_store(out + (x - left) * WISP_LANES, best);
  }
}

void wisp_k_maxpool__simd(const wisp_maxpool_shape *s, const uint8_t *in, uint8_t flip, int y,
                          uint8_t *out, int out_width) {
  const wisp_v128 flips = wasm_u8x16_splat(flip);
  const int top = y * s->stride_y - s->pad_top, reach = s->kernel_width - 1;
  const int y0 = wisp_max(top, 0), y1 = wisp_min(top + s->kernel_height, s->height);
  uint8_t room[(4 + CHUNK + WIDEST + 4) * WISP_LANES], four[16];
  uint8_t *const columns = room + 4 * WISP_LANES;
  if (s->stride_x != 1 || s->width < 4 || s->kernel_width > WIDEST) {
    wisp_k_maxpool__scalar(s, in, flip, y, out, out_width);
    return;
  }
  for (int from = 0; from < out_width; from += CHUNK) {
    const int n = wisp_min(CHUNK, out_width - from);
    column_maxima(s, in, flip, y0, y1, from - s->pad_left, n + reach, columns);
    for (int x = 0; x < n; x += 4) {
      wisp_v128 best = wasm_v128_load(columns + x * WISP_LANES);
      for (int k = 1; k <= reach; k++)
        best = wasm_u8x16_max(best, wasm_v128_load(columns + (x + k) * WISP_LANES));
      wasm_v128_store(four, wasm_v128_xor(best, flips));
      memcpy(out + (from + x) * WISP_LANES, four, (size_t)wisp_min(4, n - x) * WISP_LANES);
    }
  }
}

void wisp_k_upsample__simd(const uint8_t *const in[], int width, int factor, uint8_t *out) {
  int x = 0;
  for (; factor == 2 && x + 4 <= width; x += 4) {
    const wisp_v128 a = wasm_v128_load(in[0] + x * WISP_LANES),
                    b = wasm_v128_load(in[1] + x * WISP_LANES);
    wasm_v128_store(out + x * 2 * WISP_LANES, wasm_i32x4_shuffle(a, b, 0, 4, 1, 5));
    wasm_v128_store(out + x * 2 * WISP_LANES + 16, wasm_i32x4_shuffle(a, b, 2, 6, 3, 7));
  }
  for (x *= factor; x < width * factor; x++)
    memcpy(out + x * WISP_LANES, in[x % factor] + x / factor * WISP_LANES, WISP_LANES);
}

/* Eight pixels: those with even numbers, those with odd ones. */
static inline void deal_eight(const uint8_t *in, uint8_t *even, uint8_t *odd) {
  const wisp_v128 a = wasm_v128_load(in), b = wasm_v128_load(in + 16);
  wasm_v128_store(even, wasm_i32x4_shuffle(a, b, 0, 2, 4, 6));
  wasm_v128_store(odd, wasm_i32x4_shuffle(a, b, 1, 3, 5, 7));
}

void wisp_k_deal__simd(const uint8_t *in, int n, int stride, uint8_t *const out[]) {
  if (stride != 2 || n < 8) {
    wisp_k_deal__scalar(in, n, stride, out);
    return;
  }
  uint8_t *const even = out[0], *const odd = out[1];
  for (int i = 0; i + 8 <= n; i += 8)
    deal_eight(in + i * WISP_LANES, even + i / 2 * WISP_LANES, odd + i / 2 * WISP_LANES);
  const int last = n - 8; /* again, with what the loop left */
  if (last % 2)
    deal_eight(in + last * WISP_LANES, odd + last / 2 * WISP_LANES,
               even + (last / 2 + 1) * WISP_LANES);
  else
    deal_eight(in + last * WISP_LANES, even + last / 2 * WISP_LANES, odd + last / 2 * WISP_LANES);
}
