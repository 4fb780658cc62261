/* conv_scalar.c - convolution, the definition: sums over weight blocks, then finish to bytes or real numbers.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "../kernel.h"

static int activation_byte(uint8_t byte, uint8_t flip) { return flip ? (int8_t)byte : byte; }

/* Adds one group to the sums of `channels` channels at one pixel; returns the word after it. */
static const int32_t *sum_group(const int32_t *word, int channels, const uint8_t *pixel,
                                uint8_t flip, int32_t *sums) {
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
  for (int c = 0; c < 4;) {
    const int channels = *word++;
    for (int groups = *word++; groups > 0; groups--)
      word = sum_group(word, channels, pixel, flip, sums + c);
    c += channels;
  }
}

/* The logistic function of -t; `t` in units, at most f->limit. Fractions of 32768. */
static int falling_sigmoid(const wisp_finish *f, int t) {
  static const int16_t terms[WISP_SIGMOID_TERMS] = WISP_SIGMOID_POLYNOMIAL;
  const int w = 2 * t * f->steps - 32768;
  int p = terms[WISP_SIGMOID_TERMS - 1];
  for (int i = WISP_SIGMOID_TERMS - 2; i >= 0; i--) p = wisp_q15(p, w) + terms[i];
  for (int i = 0; i < 2; i++) p = wisp_q15(p, p);
  return p;
}

static int activate(const wisp_finish *f, int x) {
  const int t = wisp_min(x < 0 ? -x : x, f->limit), near = wisp_min(t, f->limit / 2);
  switch (f->activation) {
    case WISP_ACT_RELU: return wisp_max(x, 0);
    case WISP_ACT_LEAKY: return wisp_max(x, wisp_q15(x, f->slope));
    case WISP_ACT_SILU: return wisp_max(x, 0) - wisp_q15(t, falling_sigmoid(f, t));
    case WISP_ACT_HARDSWISH:
      return wisp_max(x, 0) - wisp_q15(near, (f->limit / 2 - near) * f->steps);
    case WISP_ACT_SIGMOID: return x < 0 ? falling_sigmoid(f, t) : 32767 - falling_sigmoid(f, t);
    default: return x;
  }
}

static uint8_t finish_one(const wisp_finish *f, int32_t sum, float scale, const uint8_t *residual) {
  int y = activate(f, wisp_sat16((int32_t)((float)sum * scale)));
  if (residual) {
    const int r = (*residual ^ f->flip) - f->residual_zero;
    y = wisp_sat16(y + wisp_q15(r * 128, f->residual_scale));
  }
  return (uint8_t)(wisp_clamp(wisp_q15(y, f->out_scale) + f->out_zero, 0, 255) ^ f->flip);
}

void wisp_k_conv__scalar(const wisp_quad *quad, const wisp_finish *finish, const uint8_t *in,
                         const uint8_t *residual, uint8_t *out, int n) {
  for (int i = 0; i < n * WISP_LANES; i += WISP_LANES) {
    int32_t sums[4];
    sum_quad(quad, in + i, finish->flip, sums);
    for (int c = 0; c < 4; c++)
      out[i + c] = finish_one(finish, sums[c], quad->scale[c], residual ? residual + i + c : NULL);
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

int wisp_k_reads_signed__scalar(void) { return 0; }
