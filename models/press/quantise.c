/* quantise.c - ranges of the activations, then integers for the weights, one layer at a time.
 * SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "round.h"
#include "stages.h"

enum { BYTES = 255, SCALES = 24 /* tried for each output channel */ };

/* In units of the sum: FORMAT.md's limit, and a part of it for the bias alone. */
static const double MOST_SUM = 1 << 30;
static const float MOST_BIAS = 1 << 28;

/* ---- activations ---- */

/* The squared error of the values in the histogram when low ... high is cut into bytes and the rest clipped. */
static double range_error(const wisp_spread *spread, float low, float high) {
  double step = (high - low) / BYTES, width = 2.0 * spread->reach / WISP_BINS, error = 0;
  for (int i = 0; i < WISP_BINS; i++) {
    if (!spread->bins[i]) continue;
    double v = (i + 0.5) * width - spread->reach;
    double miss = v < low ? low - v : v > high ? v - high : 0;
    error += spread->bins[i] * (miss > 0 ? miss * miss : step * step / 12);
  }
  return error;
}

/* The best fraction of `high` while `low` stays, or of `low` if `high` stays. */
static float best_end(const wisp_spread *spread, float end, float other) {
  float best = end;
  double least = INFINITY;
  for (int i = 100; i >= 20; i--) {
    float tried = end * (float)i / 100;
    double error =
        tried > other ? range_error(spread, other, tried) : range_error(spread, tried, other);
    if (error >= least) continue;
    least = error;
    best = tried;
  }
  return best;
}

/* The most that an output of the layer could ever be before its activation. */
static double reach_of(const wisp_net *net, const wisp_net_layer *layer) {
  double most = 0;
  int window = layer->window.kernel[0] * layer->window.kernel[1];
  const float *weights = layer->weights;
  for (int o = 0; o < layer->channels_out; o++) {
    double reach = fabs((double)layer->bias[o]);
    for (int i = 0; i < layer->input_count; i++) {
      const wisp_net_tensor *in = &net->tensors[layer->inputs[i]];
      double sum = 0;
      for (int k = in->channels * window; k > 0; k--) sum += fabs((double)*weights++);
      reach += sum * BYTES * (double)in->scale;
    }
    most = fmax(most, reach);
  }
  return most;
}

/* The least step of a byte that the runtime's fixed-point numbers can make, for tensors that were all but
 * constant: a sum has 32 bits of 1/128 steps, with room to spare, and the curves have 32767 steps to 10. */
static float least_step(const wisp_net *net, const wisp_net_layer *layer) {
  int curved = layer->activation == WISP_ACT_SILU || layer->activation == WISP_ACT_HARDSWISH ||
               layer->activation == WISP_ACT_SIGMOID;
  float step = (float)(reach_of(net, layer) / (1 << 22));
  return fmaxf(step, curved ? 1.0f / 3072 : FLT_MIN);
}

static void set_range(wisp_net_tensor *tensor, float low, float high, float least) {
  tensor->scale = fmaxf((high - low) / BYTES, least);
  tensor->zero_point = wisp_clamp((int)lrintf(-low / tensor->scale), 0, BYTES);
}

/* Zero is always in the range: `spread` began there. */
static void range_tensor(wisp_net *net, int number, const wisp_spread *spread,
                         wisp_ranging ranging) {
  float low = spread->low, high = spread->high;
  if (ranging == WISP_RANGE_MSE) {
    high = high > 0 ? best_end(spread, high, low) : 0;
    low = low < 0 ? best_end(spread, low, high) : 0;
  }
  set_range(&net->tensors[number], low, high, least_step(net, &net->layers[number - 1]));
}

static void range_tensors(wisp_net *net, const wisp_observer *seen, wisp_ranging ranging) {
  net->tensors[0].scale = 1.0f / BYTES;
  net->tensors[0].zero_point = 0;
  for (int t = 1; t <= net->layer_count; t++) {
    const wisp_net_layer *layer = &net->layers[t - 1];
    const wisp_net_tensor *in = &net->tensors[layer->inputs[0]];
    wisp_net_tensor *tensor = &net->tensors[t];
    if (tensor->is_head) {
      tensor->scale = 1;
      tensor->zero_point = 0;
    } else if (layer->operation == WISP_OP_CONV) {
      range_tensor(net, t, &seen->spreads[t], ranging);
    } else {
      tensor->scale = in->scale;
      tensor->zero_point = in->zero_point;
    }
  }
}

/* ---- weights ---- */

/* What the layers share. */
typedef struct quantising {
  wisp_net *net;
  const wisp_observer *seen;
  const wisp_quantise_settings *settings;
  wisp_status *statuses; /* [layers] */
} quantising;

/* One layer's scratch; everything is counted in the units of the integer inputs. */
typedef struct scratch {
  wisp_rounder *rounder; /* NULL: nearest */
  float *step;           /* [taps] real value of one unit of the input */
  float *energy;         /* [taps] mean square of the input */
  float *mean;           /* [taps] of the input */
  float *weights;        /* [taps] of one output channel */
  float *units;          /* [taps] the same as multiples of its scale */
  int low, high;
} scratch;

static int open_scratch(scratch *s, const quantising *q, int number) {
  const wisp_net_layer *layer = &q->net->layers[number];
  const wisp_moments *moments = &q->seen->moments[number];
  size_t n = (size_t)moments->taps;
  float *floats = malloc(5 * n * sizeof *floats);
  if (!floats) return 0;
  *s = (scratch){.step = floats,
                 .energy = floats + n,
                 .mean = floats + 2 * n,
                 .weights = floats + 3 * n,
                 .units = floats + 4 * n};
  s->high = (1 << (q->settings->weight_bits - 1)) - 1;
  s->low = -s->high - 1;
  int window = layer->window.kernel[0] * layer->window.kernel[1];
  float *step = s->step;
  for (int i = 0; i < layer->input_count; i++)
    for (int k = 0; k < q->net->tensors[layer->inputs[i]].channels * window; k++)
      *step++ = q->net->tensors[layer->inputs[i]].scale;
  float samples = (float)moments->samples;
  for (int k = 0; k < moments->taps; k++) {
    s->mean[k] = moments->sums[k] / samples / s->step[k];
    s->energy[k] = moments->products[wisp_moment_at(k, k)] / samples / (s->step[k] * s->step[k]);
  }
  if (q->settings->rounding == WISP_ROUND_NEAREST) return 1;
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

/* The output's mean keeps its place: what rounding takes from it goes into the bias. */
static float mean_loss(const scratch *s, int taps, float scale, const int8_t *integers) {
  double loss = 0;
  for (int k = 0; k < taps; k++)
    loss += ((double)s->weights[k] - (double)scale * integers[k]) * s->mean[k];
  return (float)loss;
}

static wisp_status check_sum(const int8_t *integers, int taps, float scale, float bias) {
  double sum = fabs((double)bias / scale);
  for (int k = 0; k < taps; k++) sum += BYTES * abs(integers[k]);
  return sum < MOST_SUM ? WISP_OK : WISP_ERR_LIMIT;
}

static wisp_status quantise_channel(scratch *s, wisp_net_layer *layer, int o) {
  int taps = wisp_net_taps(layer);
  const float *weights = layer->weights + (size_t)o * (size_t)taps;
  int8_t *integers = layer->quantised.weights + (size_t)o * (size_t)taps;
  for (int k = 0; k < taps; k++) s->weights[k] = weights[k] * s->step[k];
  float bias = layer->bias[o];
  float scale = choose_scale(s, taps, fmaxf(fabsf(bias) / MOST_BIAS, FLT_MIN));
  round_channel(s, taps, scale, integers);
  layer->quantised.scale[o] = scale;
  layer->quantised.bias[o] = bias + mean_loss(s, taps, scale, integers);
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
  if (layer->operation != WISP_OP_CONV) return;
  scratch s = {0};
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

static wisp_status check_settings(const wisp_observer *seen, const wisp_quantise_settings *settings,
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
                          const wisp_quantise_settings *settings, wisp_pool *pool,
                          wisp_error *error) {
  wisp_status status = check_settings(seen, settings, error);
  if (status) return status;
  size_t n = (size_t)net->layer_count;
  quantising q = {net, seen, settings, calloc(n, sizeof *q.statuses)};
  if (!q.statuses)
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory to quantise %zu layers.", n);
  range_tensors(net, seen, settings->ranging);
  wisp_pool_run(pool, layer_task, &q, net->layer_count);
  status = first_failure(&q, error);
  free(q.statuses);
  for (int t = 0; t <= net->layer_count && status; t++) net->tensors[t].scale = 0; /* as before */
  return status;
}
