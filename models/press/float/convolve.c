/* convolve.c - the float convolution: strips of output rows, four channels by eight pixels at a time.
 * SPDX-License-Identifier: Apache-2.0 */
#include "convolve.h"

#include <string.h>

#include "core/src/kernels/curves.h"

enum {
  CHANNELS = WISP_CONVOLVE_CHANNELS,
  PIXELS = WISP_CONVOLVE_PIXELS,
  LANES = 4,
  QUADS = PIXELS / LANES
};

void wisp_convolve_activate(const wisp_floats *sums, const wisp_floats *residual,
                            wisp_activation activation, float slope, const wisp_floats *out,
                            int channel) {
  for (int y = 0; y < out->height; y++) {
    const float *from = sums->data + (size_t)channel * sums->plane + y * sums->pitch;
    const float *added =
        residual ? residual->data + (size_t)channel * residual->plane + y * residual->pitch : NULL;
    float *to = out->data + (size_t)channel * out->plane + y * out->pitch;
    for (int x = 0; x < out->width; x += LANES) {
      wisp_f32x4 v = wisp_curve_real(wisp_load_x4(from + x), activation, slope);
      if (added) v += wisp_load_x4(added + x);
      memcpy(to + x, &v, (size_t)wisp_min(LANES, out->width - x) * sizeof *to);
    }
  }
}

void wisp_convolve_derive(const wisp_floats *sums, wisp_activation activation, float slope,
                          const wisp_floats *gradient, const wisp_floats *out, int channel) {
  for (int y = 0; y < sums->height; y++) {
    const float *at = sums->data + (size_t)channel * sums->plane + y * sums->pitch;
    const float *from = gradient->data + (size_t)channel * gradient->plane + y * gradient->pitch;
    float *to = out->data + (size_t)channel * out->plane + y * out->pitch;
    for (int x = 0; x < sums->width; x += LANES) {
      const wisp_f32x4 v =
          wisp_curve_slope(wisp_load_x4(at + x), activation, slope) * wisp_load_x4(from + x);
      memcpy(to + x, &v, (size_t)wisp_min(LANES, sums->width - x) * sizeof *to);
    }
  }
}

void wisp_convolve_weights(const float *from, const float *from_bias, int channels, int taps,
                           float *weights, float *bias) {
  const int rounded = (channels + CHANNELS - 1) / CHANNELS * CHANNELS;
  for (int o = 0; o < rounded; o++) {
    const int real = o < channels;
    float *to = weights + (size_t)(o / CHANNELS) * (size_t)taps * CHANNELS + o % CHANNELS;
    for (int k = 0; k < taps; k++)
      to[k * CHANNELS] = real ? from[(size_t)o * (size_t)taps + (size_t)k] : 0;
    bias[o] = real ? from_bias[o] : 0;
  }
}

/* `quads` is a constant where this is inlined. */
static inline void sum_up(const wisp_convolve *c, const float *origin, const float *weights,
                          int quads, wisp_f32x4 sums[CHANNELS][QUADS]) {
  for (int o = 0; o < CHANNELS; o++)
    for (int q = 0; q < quads; q++) sums[o][q] = wisp_splat_x4(0);
  for (int k = 0; k < c->taps; k++, weights += CHANNELS) {
    const float *x = origin + c->offsets[k];
    for (int q = 0; q < quads; q++) {
      const wisp_f32x4 pixels = wisp_load_x4(x + q * LANES);
      for (int o = 0; o < CHANNELS; o++) sums[o][q] += wisp_splat_x4(weights[o]) * pixels;
    }
  }
}

/* Bias, activation and residual; stores `n` pixels of the channels from `channel` on. */
static inline void finish(const wisp_convolve *c, int channel, int y, int x, int n, int quads,
                          wisp_f32x4 sums[CHANNELS][QUADS]) {
  const wisp_floats *out = &c->output, *residual = &c->residual;
  for (int o = 0; o < CHANNELS && channel + o < out->channels; o++) {
    float done[PIXELS];
    for (int q = 0; q < quads; q++) {
      wisp_f32x4 v = wisp_curve_real(sums[o][q] + wisp_splat_x4(c->bias[channel + o]),
                                     c->activation, c->slope);
      if (residual->data)
        v += wisp_load_x4(residual->data + (size_t)(channel + o) * residual->plane +
                          y * residual->pitch + x + q * LANES);
      wisp_store_x4(done + q * LANES, v);
    }
    float *to = out->data + (size_t)(channel + o) * out->plane + y * out->pitch + x;
    if (n == quads * LANES) memcpy(to, done, (size_t)quads * sizeof(wisp_f32x4));
    else memcpy(to, done, (size_t)n * sizeof *to);
  }
}

static void convolve_row(const wisp_convolve *c, int channel, int y) {
  const float *weights = c->weights + (size_t)channel * (size_t)c->taps;
  const float *origin = c->input + (size_t)y * c->input_step;
  const int width = c->output.width;
  int x = 0;
  wisp_f32x4 sums[CHANNELS][QUADS];
  for (; width - x > LANES; x += PIXELS) {
    sum_up(c, origin + x, weights, QUADS, sums);
    finish(c, channel, y, x, wisp_min(width - x, PIXELS), QUADS, sums);
  }
  if (x < width) {
    sum_up(c, origin + x, weights, 1, sums);
    finish(c, channel, y, x, width - x, 1, sums);
  }
}

void wisp_convolve_rows(const wisp_convolve *c, int first, int rows) {
  for (int channel = 0; channel < c->output.channels; channel += CHANNELS)
    for (int y = first; y < first + rows; y++) convolve_row(c, channel, y);
}

void wisp_convolve_unzip(const float *input, int pitch, int rows, int stride, int n,
                         float *output) {
  for (int y = 0; y < rows; y++, input += pitch)
    for (int phase = 0; phase < stride; phase++)
      for (int i = 0; i < n; i++) *output++ = input[i * stride + phase];
}
