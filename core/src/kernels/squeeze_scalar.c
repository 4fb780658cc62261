/* squeeze_scalar.c - squeeze-and-excitation: the mean of a plane, a factor for each channel; the definition.
 * SPDX-License-Identifier: Apache-2.0 */
#include "finish_scalar.h"

void wisp_k_average__scalar(const wisp_average *a, const uint8_t *in, uint8_t out[WISP_LANES]) {
  const int64_t n = (int64_t)a->height * a->width;
  for (int lane = 0; lane < WISP_LANES; lane++) {
    int64_t sum = -n * a->in_zero;
    for (int y = 0; y < a->height; y++)
      for (int x = 0; x < a->width; x++)
        sum += in[(y * a->pitch + x) * WISP_LANES + lane] ^ a->flip;
    out[lane] = (uint8_t)(wisp_clamp(wisp_mean(sum, n, a->ratio) + a->out_zero, 0, 255) ^ a->flip);
  }
}

void wisp_k_scale__scalar(const wisp_finish *finish, const int16_t factors[WISP_LANES],
                          const uint8_t *in, uint8_t *out, int n) {
  wisp_finish f = *finish;
  for (int i = 0; i < n * WISP_LANES; i++) {
    f.residual_scale = factors[i % WISP_LANES];
    out[i] = wisp_finish_one(&f, 0, 0, in + i);
  }
}
