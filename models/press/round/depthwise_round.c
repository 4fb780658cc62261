/* depthwise_round.c - rounds depthwise convolutions to integers.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A channel has but a few weights and a scale of its own, so rounding to the nearest loses little; what it takes
 * from the mean goes into the bias. */
#include "depthwise_round.h"

#include <math.h>

#include "integers.h"
#include "pack/encode.h"

enum { SCALES = 24 /* tried for each channel */ };

/* The mean of what a channel held. */
static double mean_of(const wisp_spread *spread, int channels, int channel) {
  double sum = 0;
  for (int i = 0; i < spread->pixels_kept; i++)
    sum += (double)spread->pixels[(size_t)i * (size_t)channels + (size_t)channel];
  return spread->pixels_kept ? sum / spread->pixels_kept : 0;
}

static double error_of(const float *weights, int taps, float scale, int high) {
  double error = 0;
  for (int k = 0; k < taps; k++) {
    const float nearest = fminf(fmaxf(rintf(weights[k] / scale), (float)(-high - 1)), (float)high);
    const double miss = (double)weights[k] - (double)nearest * (double)scale;
    error += miss * miss;
  }
  return error;
}

/* The real value of a step of the weights, no smaller than `least`. */
static float choose_scale(const float *weights, int taps, float least, int high) {
  float most = 0;
  for (int k = 0; k < taps; k++) most = fmaxf(most, fabsf(weights[k]));
  const float widest = most / (float)high;
  float best = fmaxf(widest, least);
  double error = error_of(weights, taps, best, high);
  for (int i = 1; i < SCALES && widest > least; i++) {
    const float tried = fmaxf(widest * (1 - 0.025f * (float)i), least);
    const double now = error_of(weights, taps, tried, high);
    if (now >= error) continue;
    error = now;
    best = tried;
  }
  return best;
}

/* `step` is the real value of one unit of the input, `mean` the input's. */
static void quantise_channel(wisp_net_layer *layer, int o, float step, double mean, int high) {
  const int taps = wisp_net_taps(layer);
  const float *weights = layer->weights + (size_t)o * (size_t)taps;
  int8_t *integers = layer->quantised.weights + (size_t)o * (size_t)taps;
  const float bias = layer->bias[o], least = wisp_integers_least_scale(bias) / step;
  /* of the whole sum */
  const float scale = wisp_encode_scale(choose_scale(weights, taps, least, high) * step);
  double loss = 0, wanted = 0;
  for (int k = 0; k < taps; k++) {
    const float nearest = rintf(weights[k] * step / scale);
    integers[k] = (int8_t)fminf(fmaxf(nearest, (float)(-high - 1)), (float)high);
    const double miss = (double)weights[k] - (double)integers[k] * (double)scale / (double)step;
    loss += miss * mean;
    layer->account.zeros += !integers[k];
    layer->account.error_after += miss * miss;
    wanted += (double)weights[k] * (double)weights[k];
  }
  layer->account.share += wanted; /* for the while */
  layer->quantised.scale[o] = scale;
  layer->quantised.bias[o] = wisp_encode_bias(bias + (float)loss);
}

wisp_status wisp_depthwise_round(wisp_net *net, int number, const wisp_spread *spread, int bits) {
  wisp_net_layer *layer = &net->layers[number];
  const wisp_net_tensor *in = &net->tensors[layer->inputs[0]], *out = &net->tensors[number + 1];
  if (!wisp_net_open_quantised(layer)) return WISP_ERR_MEMORY;
  wisp_net_account *account = &layer->account;
  *account = (wisp_net_account){.bits = bits};
  for (int o = 0; o < layer->channels_out; o++)
    quantise_channel(layer, o, in->scale, mean_of(spread, in->channels, o), (1 << (bits - 1)) - 1);
  account->weights = (int64_t)layer->channels_out * wisp_net_taps(layer);
  account->blocks = account->weights;
  account->zero_blocks = account->zeros;
  account->macs = (double)account->weights * out->height * out->width;
  account->error_after /= account->share > 0 ? account->share : 1;
  account->error_before = account->error_after;
  account->share = 0;
  return WISP_OK;
}
