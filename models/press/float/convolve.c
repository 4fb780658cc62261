/* convolve.c - the float convolution: strips of output rows, four channels by eight pixels at a time.
 * SPDX-License-Identifier: Apache-2.0 */
#include "convolve.h"

#include <string.h>

enum {
  CHANNELS = WISP_CONVOLVE_CHANNELS,
  PIXELS = WISP_CONVOLVE_PIXELS,
  LANES = 4,
  QUADS = PIXELS / LANES
};

/* Four floats, which both compilers turn into the machine's vectors. */
typedef float quad __attribute__((vector_size(16)));
typedef int32_t quad_int __attribute__((vector_size(16)));

static inline quad load(const float *from) {
  quad v;
  memcpy(&v, from, sizeof v);
  return v;
}

static inline void store(float *to, quad v) { memcpy(to, &v, sizeof v); }

static inline quad splat(float v) { return (quad){v, v, v, v}; }

/* `yes` where the mask is all ones, `no` where it is zero. */
static inline quad choose(quad_int mask, quad yes, quad no) {
  return (quad)((mask & (quad_int)yes) | (~mask & (quad_int)no));
}

static inline quad clamp(quad v, float low, float high) {
  v = choose(v < splat(low), splat(low), v);
  return choose(v > splat(high), splat(high), v);
}

/* e^x by 2^n * e^r, |r| <= ln 2 / 2, with e^r's Taylor polynomial: off by some 1e-7 of itself. */
static inline quad exponential(quad x) {
  x = clamp(x, -87.0f, 88.0f);
  const quad round = splat(12582912.0f); /* 1.5 * 2^23: adding it rounds to an integer */
  quad n = x * splat(1.44269504f) + round;
  const quad_int exponent = (quad_int)n - (quad_int)round;
  n -= round;
  const quad r = x - n * splat(0.693359375f) + n * splat(2.12194440e-4f); /* ln 2 in two parts */
  quad p = splat(1.0f / 720);
  p = p * r + splat(1.0f / 120);
  p = p * r + splat(1.0f / 24);
  p = p * r + splat(1.0f / 6);
  p = p * r + splat(0.5f);
  p = p * r + splat(1);
  p = p * r + splat(1);
  return p * (quad)((exponent + 127) << 23);
}

static inline quad activate(quad v, wisp_activation activation, float slope) {
  const quad zero = splat(0), one = splat(1);
  switch (activation) {
    case WISP_ACT_NONE: return v;
    case WISP_ACT_RELU: return choose(v < zero, zero, v);
    case WISP_ACT_LEAKY: return choose(v < zero, v * splat(slope), v);
    case WISP_ACT_SILU: return v / (one + exponential(-v));
    case WISP_ACT_HARDSWISH: return v * clamp(v + splat(3), 0, 6) / splat(6);
    case WISP_ACT_SIGMOID: return one / (one + exponential(-v));
    case WISP_ACT_HARDSIGMOID: return clamp(v + splat(3), 0, 6) / splat(6);
  }
  return v;
}

/* The derivative of `activate` at v. */
static inline quad derive(quad v, wisp_activation activation, float slope) {
  const quad zero = splat(0), one = splat(1);
  quad sigmoid;
  switch (activation) {
    case WISP_ACT_NONE: return one;
    case WISP_ACT_RELU: return choose(v < zero, zero, one);
    case WISP_ACT_LEAKY: return choose(v < zero, splat(slope), one);
    case WISP_ACT_SILU:
      sigmoid = one / (one + exponential(-v));
      return sigmoid * (one + v * (one - sigmoid));
    case WISP_ACT_HARDSWISH:
      return choose(v < splat(-3), zero, choose(v > splat(3), one, (v + v + splat(3)) / splat(6)));
    case WISP_ACT_SIGMOID:
      sigmoid = one / (one + exponential(-v));
      return sigmoid * (one - sigmoid);
    case WISP_ACT_HARDSIGMOID:
      return choose(v < splat(-3), zero, choose(v > splat(3), zero, splat(1.0f / 6)));
  }
  return one;
}

void wisp_convolve_activate(const wisp_floats *sums, const wisp_floats *residual,
                            wisp_activation activation, float slope, const wisp_floats *out,
                            int channel) {
  for (int y = 0; y < out->height; y++) {
    const float *from = sums->data + (size_t)channel * sums->plane + y * sums->pitch;
    const float *added =
        residual ? residual->data + (size_t)channel * residual->plane + y * residual->pitch : NULL;
    float *to = out->data + (size_t)channel * out->plane + y * out->pitch;
    for (int x = 0; x < out->width; x += LANES) {
      quad v = activate(load(from + x), activation, slope);
      if (added) v += load(added + x);
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
      const quad v = derive(load(at + x), activation, slope) * load(from + x);
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
                          int quads, quad sums[CHANNELS][QUADS]) {
  for (int o = 0; o < CHANNELS; o++)
    for (int q = 0; q < quads; q++) sums[o][q] = splat(0);
  for (int k = 0; k < c->taps; k++, weights += CHANNELS) {
    const float *x = origin + c->offsets[k];
    for (int q = 0; q < quads; q++) {
      const quad pixels = load(x + q * LANES);
      for (int o = 0; o < CHANNELS; o++) sums[o][q] += splat(weights[o]) * pixels;
    }
  }
}

/* Bias, activation and residual; stores `n` pixels of the channels from `channel` on. */
static inline void finish(const wisp_convolve *c, int channel, int y, int x, int n, int quads,
                          quad sums[CHANNELS][QUADS]) {
  const wisp_floats *out = &c->output, *residual = &c->residual;
  for (int o = 0; o < CHANNELS && channel + o < out->channels; o++) {
    float done[PIXELS];
    for (int q = 0; q < quads; q++) {
      quad v = activate(sums[o][q] + splat(c->bias[channel + o]), c->activation, c->slope);
      if (residual->data)
        v += load(residual->data + (size_t)(channel + o) * residual->plane + y * residual->pitch +
                  x + q * LANES);
      store(done + q * LANES, v);
    }
    float *to = out->data + (size_t)(channel + o) * out->plane + y * out->pitch + x;
    if (n == quads * LANES) memcpy(to, done, (size_t)quads * sizeof(quad));
    else memcpy(to, done, (size_t)n * sizeof *to);
  }
}

static void convolve_row(const wisp_convolve *c, int channel, int y) {
  const float *weights = c->weights + (size_t)channel * (size_t)c->taps;
  const float *origin = c->input + (size_t)y * c->input_step;
  const int width = c->output.width;
  int x = 0;
  quad sums[CHANNELS][QUADS];
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
