/* letterbox_scalar.c - bilinear resize on bytes and the fold into cells, the definition.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The rounding is that of OpenCV's resize, INTER_LINEAR on bytes (imgproc/src/resize.cpp): along a row nothing is lost;
 * across rows each product loses its lower bits on its own, then the sum is rounded. */
#include "../kernel.h"

void wisp_k_blend_row__scalar(const uint8_t *row, const wisp_blend *blends, int n, int16_t *out) {
  for (int x = 0; x < n; x++)
    for (int c = 0; c < 4; c++) {
      const uint8_t *pixel = row + blends[x].at + c;
      out[x * 4 + c] = (int16_t)((pixel[0] * blends[x].weight + pixel[4] * blends[x].weight2) >> 4);
    }
}

void wisp_k_blend_rows__scalar(const int16_t *above, const int16_t *below, int weight, int n,
                               uint8_t *out) {
  for (int i = 0; i < n * 4; i++) {
    const int sum = (above[i] * weight >> 16) + (below[i] * (WISP_BLEND_ONE - weight) >> 16);
    out[i] = (uint8_t)((sum + 2) >> 2);
  }
}

void wisp_k_halve__scalar(const uint8_t *upper, const uint8_t *lower, int n, uint8_t *out) {
  for (int x = 0; x < n; x++)
    for (int c = 0; c < 4; c++) {
      const uint8_t *a = upper + x * 8 + c, *b = lower + x * 8 + c;
      out[x * 4 + c] = (uint8_t)((a[0] + a[4] + b[0] + b[4] + 2) >> 2);
    }
}

void wisp_k_fold__scalar(const uint8_t *upper, const uint8_t *lower, int n, uint8_t flip,
                         uint8_t *const planes[3]) {
  for (int x = 0; x < n; x++)
    for (int channel = 0; channel < 12; channel++) {
      const uint8_t *pixel = (channel < 6 ? upper : lower) + (2 * x + channel / 3 % 2) * 4;
      planes[channel / WISP_LANES][x * WISP_LANES + channel % WISP_LANES] =
          pixel[channel % 3] ^ flip;
    }
}
