/* depthwise_scalar.c - depthwise convolution, the definition: each channel's own sum over its taps.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "finish_scalar.h"

static int activation_byte(uint8_t byte, uint8_t flip) { return flip ? (int8_t)byte : byte; }

static void sum_filter(const wisp_filter *filter, const uint8_t *pixel, uint8_t flip,
                       int32_t sums[4]) {
  memcpy(sums, filter->start, 4 * sizeof *sums);
  const int32_t *word = filter->stream;
  for (int pairs = *word++; pairs > 0; pairs--, word += 4) {
    int8_t weights[WISP_LANES][2];
    memcpy(weights, word + 2, sizeof weights);
    for (int tap = 0; tap < 2; tap++)
      for (int c = 0; c < WISP_LANES; c++)
        sums[c] += weights[c][tap] * activation_byte(pixel[word[tap] + c], flip);
  }
}

void wisp_k_depthwise__scalar(const wisp_filter *filter, const wisp_finish *finish,
                              const uint8_t *in, const uint8_t *residual, uint8_t *out, int n) {
  for (int i = 0; i < n * WISP_LANES; i += WISP_LANES) {
    int32_t sums[4];
    sum_filter(filter, in + i, finish->flip, sums);
    for (int c = 0; c < 4; c++)
      out[i + c] =
          wisp_finish_one(finish, sums[c], filter->scale[c], residual ? residual + i + c : NULL);
  }
}
