/* quantise.c - ranges of the activations, then integers for the weights, one layer at a time.
 * SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "account.h"
#include "depthwise.h"
#include "encode.h"
#include "range.h"
#include "round.h"
#include "stages.h"

enum { SCALES = 24 /* tried for each output channel */ };

/* In units of the sum: FORMAT.md's limit, and a part of it for the bias alone. */
static const double MOST_SUM = 1 << 30;
static const float MOST_BIAS = 1 << 28;

/* The unit of a channel that isn't read: so large that rounding leaves its weights zero. */
static const float UNREAD = 1e18f;

/* What the layers share. */
typedef struct quantising {
  wisp_net *net;
  const wisp_observer *seen;
  const wisp_press_settings *settings;
  wisp_status *statuses; /* [layers] */
} quantising;

/* One layer's scratch; everything is counted in the units of the integer inputs. */
typedef struct scratch {
  wisp_rounder *rounder; /* NULL: nearest */
  float *step;           /* [taps] real value of one unit of the input */
  float *energy;         /* [taps] mean square of the input */
  float *mean;           /* [taps] of the input */
  float *shifted;        /* [taps] its mean once it is rounded to bytes */
  float *weights;        /* [taps] of one output channel */
  float *units;          /* [taps] the same as multiples of its scale */
  int low, high;
} scratch;

/* What is known of each tap of the layer's inputs. */
static void fill_taps(scratch *s, const quantising *q, int number) {
  const wisp_net_layer *layer = &q->net->layers[number];
  const wisp_moments *moments = &q->seen->moments[number];
  int window = layer->window.kernel[0] * layer->window.kernel[1], k = 0, channel = 0;
  float samples = (float)moments->samples;
  for (int i = 0; i < layer->input_count; i++) {
    const wisp_net_tensor *in = &q->net->tensors[layer->inputs[i]];
    const wisp_spread *spread = &q->seen->spreads[layer->inputs[i]];
    for (int c = 0; c < in->channels; c++, channel++) {
      int is_read = !layer->reads || layer->reads[channel];
      float shift = wisp_range_shift(in, spread, c) / in->scale;
      for (int end = k + window; k < end; k++) {
        s->step[k] = is_read ? in->scale : UNREAD;
        s->mean[k] = moments->sums[k] / samples / in->scale;
        s->shifted[k] = s->mean[k] + shift;
        s->energy[k] = moments->products[wisp_moment_at(k, k)] / samples / (in->scale * in->scale);
      }
    }
  }
}

static int open_scratch(scratch *s, const quantising *q, int number) {
  const wisp_moments *moments = &q->seen->moments[number];
  size_t n = (size_t)moments->taps;
  s->step = malloc(6 * n * sizeof *s->step);
  if (!s->step) return 0;
  s->energy = s->step + n;
  s->mean = s->step + 2 * n;
  s->shifted = s->step + 3 * n;
  s->weights = s->step + 4 * n;
  s->units = s->step + 5 * n;
  s->high = (1 << (q->settings->weight_bits - 1)) - 1;
  s->low = -s->high - 1;
  fill_taps(s, q, number);
  if (q->settings->rounding == WISP_ROUND_NEAREST || q->net->layers[number].pruned) return 1;
  return wisp_round_open(&s->rounder, moments, s->step) == WISP_OK;
}

static void close_scratch(scratch *s) {
  wisp_round_close(&s->rounder);
  free(s->step);
}

static float round_nearest(float weight, float scale, const scratch *s) {
  return fminf(fmaxf(rintf(weight / scale), (float)s->low), (float)s->high);
}

/* The error that nearest rounding leaves in the output, were the inputs independent. */
static double scale_error(const scratch *s, int taps, float scale) {
  double error = 0;
  for (int k = 0; k < taps; k++) {
    double miss = s->weights[k] - round_nearest(s->weights[k], scale, s) * scale;
    error += miss * miss * s->energy[k];
  }
  return error;
}

/* The scale of least error, no smaller than `least`. */
static float choose_scale(const scratch *s, int taps, float least) {
  float most = 0;
  for (int k = 0; k < taps; k++) most = fmaxf(most, fabsf(s->weights[k]));
  float widest = most / (float)s->high, best = fmaxf(widest, least);
  double error = scale_error(s, taps, best);
  for (int i = 1; i < SCALES && widest > least; i++) {
    float tried = fmaxf(widest * (1 - 0.025f * (float)i), least);
    double now = scale_error(s, taps, tried);
    if (now >= error) continue;
    error = now;
    best = tried;
  }
  return best;
}

static void round_channel(scratch *s, int taps, float scale, int8_t *integers) {
  for (int k = 0; k < taps; k++) s->units[k] = s->weights[k] / scale;
  if (s->rounder) {
    wisp_round(s->rounder, s->units, s->low, s->high, integers);
    return;
  }
  for (int k = 0; k < taps; k++) integers[k] = (int8_t)round_nearest(s->weights[k], scale, s);
}

/* The output's mean keeps its place: what rounding inputs and weights takes from it goes into the bias. */
static float mean_loss(const scratch *s, int taps, float scale, const int8_t *integers) {
  double loss = 0;
  for (int k = 0; k < taps; k++)
    loss += (double)s->weights[k] * (double)s->mean[k] -
            (double)scale * integers[k] * (double)s->shifted[k];
  return (float)loss;
}

static wisp_status check_sum(const int8_t *integers, int taps, float scale, float bias) {
  double sum = fabs((double)bias / scale);
  for (int k = 0; k < taps; k++) sum += WISP_BYTE_MAX * abs(integers[k]);
  return sum < MOST_SUM ? WISP_OK : WISP_ERR_LIMIT;
}

static wisp_status quantise_channel(scratch *s, wisp_net_layer *layer, int o) {
  int taps = wisp_net_taps(layer);
  const float *weights = wisp_net_weights(layer) + (size_t)o * (size_t)taps;
  int8_t *integers = layer->quantised.weights + (size_t)o * (size_t)taps;
  for (int k = 0; k < taps; k++) s->weights[k] = weights[k] * s->step[k];
  float bias = layer->bias[o];
  float least = fmaxf(fabsf(bias) / MOST_BIAS, 2 * FLT_MIN);
  float scale = wisp_encode_scale(choose_scale(s, taps, least));
  round_channel(s, taps, scale, integers);
  layer->quantised.scale[o] = scale;
  layer->quantised.bias[o] = wisp_encode_bias(bias + mean_loss(s, taps, scale, integers));
  return check_sum(integers, taps, scale, layer->quantised.bias[o]);
}

static int open_quantised(wisp_net_layer *layer) {
  size_t n = (size_t)layer->channels_out;
  if (!layer->quantised.weights)
    layer->quantised.weights = malloc(n * (size_t)wisp_net_taps(layer));
  if (!layer->quantised.scale) layer->quantised.scale = malloc(n * sizeof *layer->quantised.scale);
  if (!layer->quantised.bias) layer->quantised.bias = malloc(n * sizeof *layer->quantised.bias);
  return layer->quantised.weights && layer->quantised.scale && layer->quantised.bias;
}

static void layer_task(void *context, int number) {
  const quantising *q = context;
  wisp_net_layer *layer = &q->net->layers[number];
  if (layer->operation == WISP_OP_DEPTHWISE)
    q->statuses[number] = wisp_depthwise_quantise(
        q->net, number, &q->seen->spreads[layer->inputs[0]], q->settings->weight_bits);
  if (layer->operation != WISP_OP_CONV) return;
  scratch s = {0};
  layer->account.bits = q->settings->weight_bits;
  wisp_status status =
      open_quantised(layer) && open_scratch(&s, q, number) ? WISP_OK : WISP_ERR_MEMORY;
  for (int o = 0; o < layer->channels_out && !status; o++) status = quantise_channel(&s, layer, o);
  close_scratch(&s);
  q->statuses[number] = status;
}

static wisp_status first_failure(const quantising *q, wisp_error *error) {
  for (int i = 0; i < q->net->layer_count; i++) {
    int node = q->net->layers[i].node, taps = wisp_net_taps(&q->net->layers[i]);
    if (q->statuses[i] == WISP_ERR_MEMORY)
      return wisp_fail(error, WISP_ERR_MEMORY,
                       "There is no memory to round node %d, %d taps wide; try nearest rounding.",
                       node, taps);
    if (q->statuses[i])
      return wisp_fail(error, q->statuses[i],
                       "The sums of node %d, %d taps wide, don't fit 32 bits.", node, taps);
  }
  return WISP_OK;
}

static wisp_status check_settings(const wisp_observer *seen, const wisp_press_settings *settings,
                                  wisp_error *error) {
  if (seen->pictures == 0)
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "No calibration picture was observed; give at least one.");
  if (settings->weight_bits < 2 || settings->weight_bits > 7)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "Weights of %d bits are not possible; give 2 to 7.",
                     settings->weight_bits);
  return WISP_OK;
}

wisp_status wisp_quantise(wisp_net *net, const wisp_observer *seen,
                          const wisp_press_settings *settings, wisp_pool *pool,
                          const wisp_progress *progress, wisp_error *error) {
  wisp_status status = check_settings(seen, settings, error);
  if (status) return status;
  size_t n = (size_t)net->layer_count;
  quantising q = {net, seen, settings, calloc(n, sizeof *q.statuses)};
  if (!q.statuses)
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory to quantise %zu layers.", n);
  wisp_range(net, seen, settings->ranging);
  wisp_pool_run(pool, layer_task, &q, net->layer_count);
  status = first_failure(&q, error);
  free(q.statuses);
  if (!status && wisp_account(net, seen, pool) != WISP_OK)
    status = wisp_fail(error, WISP_ERR_MEMORY, "There is no memory to sum up what was lost.");
  if (progress && progress->tell && !status) progress->tell(progress->context, 1);
  for (int t = 0; t <= net->layer_count && status; t++) net->tensors[t].scale = 0; /* as before */
  return status;
}
