/* integers.c - the weights of one output channel -> its scale and integers.
 * SPDX-License-Identifier: Apache-2.0 */
#include "integers.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "net.h"
#include "pack/encode.h"

enum { SCALES = 24 /* tried for each output channel */ };

/* In units of the sum: a part of its limit, WISP_MAX_SUM, for the bias alone. */
static const float MOST_BIAS = 1 << 28;

/* The unit of a channel that isn't used: so large that rounding leaves its weights zero. */
static const float UNUSED = 1e18f;

static float high_of(const wisp_integers *s) { return (float)(1 << (s->bits - 1)) - 1; }

static float round_nearest(float weight, float scale, float high) {
  return fminf(fmaxf(rintf(weight / scale), -high - 1), high);
}

/* The error that nearest rounding leaves in the output, were the inputs independent. */
static double scale_error(const wisp_integers *s, const float *weights, float scale) {
  double error = 0;
  const float high = high_of(s);
  for (int k = 0; k < s->taps; k++) {
    const double miss = weights[k] - round_nearest(weights[k], scale, high) * scale;
    error += miss * miss * s->energy[k];
  }
  return error;
}

/* The scale of least error, no smaller than `least`. */
static float choose_scale(const wisp_integers *s, const float *weights, float least) {
  float most = 0;
  for (int k = 0; k < s->taps; k++) most = fmaxf(most, fabsf(weights[k]));
  const float widest = most / high_of(s);
  float best = fmaxf(widest, least);
  double error = scale_error(s, weights, best);
  for (int i = 1; i < SCALES && widest > least; i++) {
    const float tried = fmaxf(widest * (1 - 0.025f * (float)i), least);
    const double now = scale_error(s, weights, tried);
    if (now >= error) continue;
    error = now;
    best = tried;
  }
  return best;
}

/* Finer steps than the channel's settings want would say much about little. */
static float finest_scale(const wisp_integers *s, const float *weights) {
  double sum = 0;
  int count = 0;
  for (int k = 0; k < s->taps; k++) {
    sum += (double)weights[k] * (double)weights[k];
    count += weights[k] != 0;
  }
  return count > 0 ? s->finest * (float)sqrt(sum / count) : 0;
}

void wisp_integers_units(const wisp_net *net, const wisp_net_layer *layer,
                         const wisp_moments *moments, float *step, float *energy) {
  const int kernel = wisp_net_kernel_size(layer);
  int k = 0, channel = 0;
  for (int i = 0; i < layer->input_count; i++) {
    const wisp_net_tensor *in = &net->tensors[layer->inputs[i]];
    for (int c = 0; c < in->channels; c++, channel++) {
      const int is_used = !layer->channel_used || layer->channel_used[channel];
      for (int end = k + kernel; k < end; k++) {
        const float square = moments->products[wisp_moment_at(k, k)] / (float)moments->weight;
        step[k] = is_used ? in->scale : UNUSED;
        energy[k] = square / (in->scale * in->scale);
      }
    }
  }
}

float wisp_integers_least_scale(float bias) { return fmaxf(fabsf(bias) / MOST_BIAS, 2 * FLT_MIN); }

float wisp_integers_run(const wisp_integers *s, const float *weights, float bias, int8_t *rounded,
                        double *error) {
  const float least = fmaxf(wisp_integers_least_scale(bias), finest_scale(s, weights));
  const float scale = wisp_encode_scale(choose_scale(s, weights, least)), high = high_of(s);
  double lost = 0;
  for (int k = 0; k < s->taps; k++) s->scratch[k] = weights[k] / scale;
  if (s->rounder) {
    lost = wisp_round(s->rounder, s->scratch, (int)-high - 1, (int)high, rounded);
    lost *= (double)scale * (double)scale;
  } else {
    for (int k = 0; k < s->taps; k++) rounded[k] = (int8_t)round_nearest(weights[k], scale, high);
    lost = scale_error(s, weights, scale);
  }
  if (error) *error = lost;
  return scale;
}

wisp_status wisp_integers_check(const int8_t *rounded, int taps, float scale, float bias) {
  double sum = fabs((double)bias / scale);
  for (int k = 0; k < taps; k++) sum += WISP_BYTE_MAX * abs(rounded[k]);
  return sum < WISP_MAX_SUM ? WISP_OK : WISP_ERR_LIMIT;
}
