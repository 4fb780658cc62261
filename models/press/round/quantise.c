/* quantise.c - integers for the weights, one layer at a time.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "calibrate/observe.h"
#include "corridor.h"
#include "depthwise_round.h"
#include "integers.h"
#include "pack/encode.h"

/* What the layers share. */
typedef struct quantising {
  wisp_net *net;
  const wisp_observer *seen;
  const wisp_press_settings *settings;
  wisp_status *statuses; /* [layers] */
} quantising;

/* One layer's scratch; everything is counted in the units of the integer inputs. */
typedef struct scratch {
  wisp_integers integers;
  float *step;    /* [taps] real value of one unit of the input */
  float *energy;  /* [taps] mean square of the input */
  float *mean;    /* [taps] of the input */
  float *weights; /* [taps] of one output channel */
} scratch;

static int open_scratch(scratch *s, const quantising *q, int number) {
  const wisp_moments *moments = &q->seen->moments[number];
  const size_t n = (size_t)moments->taps;
  s->step = malloc(5 * n * sizeof *s->step);
  if (!s->step) return 0;
  s->energy = s->step + n;
  s->mean = s->step + 2 * n;
  s->weights = s->step + 3 * n;
  s->integers = (wisp_integers){.taps = moments->taps,
                                .bits = q->net->layers[number].account.bits,
                                .energy = s->energy,
                                .scratch = s->step + 4 * n};
  wisp_integers_units(q->net, &q->net->layers[number], moments, s->step, s->energy);
  for (size_t k = 0; k < n; k++)
    s->mean[k] = moments->sums[k] / (float)moments->weight / s->step[k];
  if (q->settings->rounding == WISP_ROUND_NEAREST || q->net->layers[number].pruned) return 1;
  return wisp_round_open(&s->integers.rounder, moments, s->step, NULL, 0) == WISP_OK;
}

static void close_scratch(scratch *s) {
  wisp_round_close(&s->integers.rounder);
  free(s->step);
}

/* The output's mean keeps its place: what rounding the weights takes from it goes into the bias. What rounding the
 * inputs takes from it is not known well enough from single tensors: correcting that costs accuracy. */
static float mean_loss(const scratch *s, int taps, float scale, const int8_t *integers) {
  double loss = 0;
  for (int k = 0; k < taps; k++)
    loss += ((double)s->weights[k] - (double)scale * integers[k]) * (double)s->mean[k];
  return (float)loss;
}

static wisp_status quantise_channel(scratch *s, wisp_net_layer *layer, int o) {
  const int taps = wisp_net_taps(layer);
  const float *weights = wisp_net_weights(layer) + (size_t)o * (size_t)taps;
  int8_t *integers = layer->quantised.weights + (size_t)o * (size_t)taps;
  for (int k = 0; k < taps; k++) s->weights[k] = weights[k] * s->step[k];
  const float bias = layer->bias[o];
  const float scale = wisp_integers_run(&s->integers, s->weights, bias, integers, NULL);
  layer->quantised.scale[o] = scale;
  layer->quantised.bias[o] = wisp_encode_bias(bias + mean_loss(s, taps, scale, integers));
  return wisp_integers_check(integers, taps, scale, layer->quantised.bias[o]);
}

static void layer_task(void *context, int number) {
  const quantising *q = context;
  wisp_net_layer *layer = &q->net->layers[number];
  if (wisp_net_is_per_channel(layer))
    q->statuses[number] = wisp_depthwise_round(q->net, number, &q->seen->spreads[layer->inputs[0]],
                                               layer->account.bits);
  if (!wisp_net_mixes_channels(layer)) return;
  scratch s = {0};
  wisp_status status =
      wisp_net_open_quantised(layer) && open_scratch(&s, q, number) ? WISP_OK : WISP_ERR_MEMORY;
  for (int o = 0; o < layer->channels_out && status == WISP_OK; o++)
    status = quantise_channel(&s, layer, o);
  close_scratch(&s);
  q->statuses[number] = status;
}

static wisp_status first_failure(const quantising *q, wisp_error *error) {
  for (int i = 0; i < q->net->layer_count; i++) {
    const int node = q->net->layers[i].node, taps = wisp_net_taps(&q->net->layers[i]);
    if (q->statuses[i] == WISP_ERR_MEMORY)
      return wisp_fail(error, WISP_ERR_MEMORY,
                       "There is no memory to round node %d, %d taps wide; try nearest rounding.",
                       node, taps);
    if (q->statuses[i] != WISP_OK)
      return wisp_fail(error, q->statuses[i],
                       "The sums of node %d, %d taps wide, don't fit 32 bits.", node, taps);
  }
  return WISP_OK;
}

wisp_status wisp_quantise(wisp_net *net, const wisp_observer *seen,
                          const wisp_press_settings *settings, wisp_pool *pool,
                          const wisp_progress *progress, wisp_error *error) {
  const size_t n = (size_t)net->layer_count;
  quantising q = {net, seen, settings, calloc(n, sizeof *q.statuses)};
  if (!q.statuses)
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory to quantise %zu layers.", n);
  wisp_pool_run(pool, layer_task, &q, net->layer_count);
  const wisp_status status = first_failure(&q, error);
  free(q.statuses);
  wisp_tell(progress, 1);
  return status;
}
