/* bits.c - how many bits the weights of each convolution get.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "calibrate/observe.h"
#include "calibrate/teach.h"
#include "corridor.h"
#include "integers.h"

enum { LEAST = 3, MOST = 7, CHOICES = MOST - LEAST + 1, ROUNDS = 60 /* of the search */ };

/* What a picture may lose, as teach.h measures it. */
static const double TARGET_LOSS = 0.4;

typedef struct choosing {
  wisp_net *net;
  const wisp_observer *seen;
  const wisp_teacher *teacher;
  double (*loss)[CHOICES]; /* [layers] */
  int *failed;             /* [layers] */
} choosing;

/* What the end result loses by each number of bits for one channel's weights. */
static void try_channel(const choosing *c, int number, wisp_integers *integers, int o,
                        const float *weights, int8_t *rounded) {
  const double half = c->teacher->lessons[number].sensitivity[o] / 2;
  for (int i = 0; i < CHOICES; i++) {
    double error;
    integers->bits = LEAST + i;
    wisp_integers_run(integers, weights, c->net->layers[number].bias[o], rounded, &error);
    c->loss[number][i] += half * error;
  }
}

static void layer_task(void *context, int number) {
  const choosing *c = context;
  const wisp_net_layer *layer = &c->net->layers[number];
  const wisp_moments *moments = &c->seen->moments[number];
  if (!wisp_net_mixes_channels(layer)) return;
  const size_t taps = (size_t)moments->taps;
  float *step = malloc(4 * taps * sizeof *step);
  int8_t *rounded = malloc(taps);
  wisp_rounder *rounder = NULL;
  c->failed[number] = !step || !rounded;
  if (!c->failed[number]) {
    float *energy = step + taps, *weights = step + 2 * taps;
    wisp_integers_units(c->net, layer, moments, step, energy);
    c->failed[number] = wisp_round_open(&rounder, moments, step, NULL, 0) != WISP_OK;
    wisp_integers integers = {
        .taps = moments->taps, .rounder = rounder, .energy = energy, .scratch = step + 3 * taps};
    for (int o = 0; o < layer->channels_out && !c->failed[number]; o++) {
      for (size_t k = 0; k < taps; k++) weights[k] = layer->weights[(size_t)o * taps + k] * step[k];
      try_channel(c, number, &integers, o, weights, rounded);
    }
  }
  wisp_round_close(&rounder);
  free(rounded);
  free(step);
}

/* Sets the bits that are best when a bit of a weight costs `price`; returns the loss. */
static double choose(const choosing *c, double price) {
  double total = 0;
  for (int i = 0; i < c->net->layer_count; i++) {
    wisp_net_layer *layer = &c->net->layers[i];
    if (!wisp_net_mixes_channels(layer)) continue;
    const double weights = (double)layer->channels_out * wisp_net_taps(layer);
    double least = INFINITY;
    int best = CHOICES - 1;
    for (int k = 0; k < CHOICES; k++) {
      const double cost = c->loss[i][k] + price * weights * k;
      if (cost >= least) continue;
      least = cost;
      best = k;
    }
    layer->account.bits = LEAST + best;
    total += c->loss[i][best];
  }
  return total;
}

/* The most expensive price of a bit at which no more than `target` is lost. */
static wisp_status choose_all(wisp_net *net, const wisp_observer *seen, const wisp_teacher *teacher,
                              double target, wisp_pool *pool) {
  const size_t n = (size_t)wisp_max(net->layer_count, 1);
  choosing c = {net, seen, teacher, calloc(n, sizeof *c.loss), calloc(n, sizeof *c.failed)};
  int failed = !c.loss || !c.failed;
  if (!failed) wisp_pool_run(pool, layer_task, &c, net->layer_count);
  for (int i = 0; i < net->layer_count && !failed; i++) failed = c.failed[i];
  double low = 1e-15, high = 1e6;
  for (int round = 0; round < ROUNDS && !failed; round++) {
    const double middle = sqrt(low * high);
    if (choose(&c, middle) > target) high = middle;
    else low = middle;
  }
  if (!failed) choose(&c, low);
  free(c.loss);
  free(c.failed);
  return failed ? WISP_ERR_MEMORY : WISP_OK;
}

wisp_status wisp_bits(wisp_net *net, const wisp_observer *seen, const wisp_teacher *teacher,
                      const wisp_press_settings *settings, wisp_pool *pool, wisp_error *error) {
  for (int i = 0; i < net->layer_count;
       i++) /* what is depthwise has few weights: they keep all bits */
    net->layers[i].account.bits = settings->weight_bits > 0 ? settings->weight_bits : MOST;
  if (settings->weight_bits > 0) return WISP_OK;
  const double target = settings->target_loss > 0 ? (double)settings->target_loss : TARGET_LOSS;
  if (choose_all(net, seen, teacher, target, pool) == WISP_OK) return WISP_OK;
  return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory to choose the bits; give a number.");
}
