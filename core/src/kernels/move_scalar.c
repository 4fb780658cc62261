/* move_scalar.c - max-pool, upsample, deal: the operations that only move bytes, the definition.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../kernel.h"

/* Writes the greatest of each lane over rows [y0, y1) and columns [x0, x1). */
static void maximum(const wisp_maxpool_shape *s, const uint8_t *in, uint8_t flip, int y0, int y1,
                    int x0, int x1, uint8_t out[WISP_LANES]) {
  for (int lane = 0; lane < WISP_LANES; lane++) {
    int best = 0;
    for (int y = y0; y < y1; y++)
      for (int x = x0; x < x1; x++)
        best = wisp_max(best, in[(y * s->pitch + x) * WISP_LANES + lane] ^ flip);
    out[lane] = (uint8_t)(best ^ flip);
  }
}

void wisp_k_maxpool__scalar(const wisp_maxpool_shape *s, const uint8_t *in, uint8_t flip, int y,
                            uint8_t *out, int out_width) {
  const int top = y * s->stride_y - s->pad_top;
  for (int x = 0; x < out_width; x++) {
    const int left = x * s->stride_x - s->pad_left;
    maximum(s, in, flip, wisp_max(top, 0), wisp_min(top + s->kernel_height, s->height),
            wisp_max(left, 0), wisp_min(left + s->kernel_width, s->width), out + x * WISP_LANES);
  }
}

void wisp_k_upsample__scalar(const uint8_t *const in[], int width, int factor, uint8_t *out) {
  for (int x = 0; x < width * factor; x++)
    memcpy(out + x * WISP_LANES, in[x % factor] + x / factor * WISP_LANES, WISP_LANES);
}

void wisp_k_deal__scalar(const uint8_t *in, int n, int stride, uint8_t *const out[]) {
  for (int i = 0; i < n; i++)
    memcpy(out[i % stride] + i / stride * WISP_LANES, in + i * WISP_LANES, WISP_LANES);
}
