/* conv_scalar.c - convolution, the definition: sums over weight blocks, then finish to bytes or real numbers.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "finish_scalar.h"

static int activation_byte(uint8_t byte, uint8_t flip) { return flip ? (int8_t)byte : byte; }

/* Adds a list of blocks to the sums of `channels` channels at one pixel; returns the word after it. */
static const int32_t *sum_list(const int32_t *word, int channels, const uint8_t *pixel,
                               uint8_t flip, int32_t *sums) {
  for (int groups = *word++; groups > 0; groups--)
    for (int blocks = *word++; blocks > 0; blocks--) {
      const uint8_t *in = pixel + *word++;
      for (int c = 0; c < channels; c++) {
        int8_t weights[WISP_LANES];
        memcpy(weights, word++, sizeof weights);
        for (int lane = 0; lane < WISP_LANES; lane++)
          sums[c] += weights[lane] * activation_byte(in[lane], flip);
      }
    }
  return word;
}

static void sum_quad(const wisp_quad *quad, const uint8_t *pixel, uint8_t flip, int32_t sums[4]) {
  memcpy(sums, quad->start, 4 * sizeof *sums);
  const int32_t *word = quad->stream;
  for (int c = 0; c < 4; c += 2) {
    word = sum_list(word, 2, pixel, flip, sums + c);
    word = sum_list(word, 1, pixel, flip, sums + c);
    word = sum_list(word, 1, pixel, flip, sums + c + 1);
  }
}

void wisp_k_conv__scalar(const wisp_quad *quad, const wisp_finish *finish, const uint8_t *in,
                         const uint8_t *residual, uint8_t *out, int n) {
  for (int i = 0; i < n * WISP_LANES; i += WISP_LANES) {
    int32_t sums[4];
    sum_quad(quad, in + i, finish->flip, sums);
    for (int c = 0; c < 4; c++)
      out[i + c] =
          wisp_finish_one(finish, sums[c], quad->scale[c], residual ? residual + i + c : NULL);
  }
}

void wisp_k_head__scalar(const wisp_quad *quad, uint8_t flip, const uint8_t *in,
                         float *const out[4], int n) {
  for (int i = 0; i < n; i++) {
    int32_t sums[4];
    sum_quad(quad, in + i * WISP_LANES, flip, sums);
    for (int c = 0; c < 4; c++)
      if (out[c]) out[c][i] = (float)sums[c] * quad->scale[c];
  }
}
