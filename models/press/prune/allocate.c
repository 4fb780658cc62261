/* allocate.c - how many blocks each output channel gives up so that all together lose least.
 * SPDX-License-Identifier: Apache-2.0 */
#include "allocate.h"

#include <math.h>
#include <stdint.h>

enum { ROUNDS = 60 /* of the search for the price */ };

/* The steps at which the channel's loss less what it is paid is least. */
static int best_steps(const wisp_allocate_layer *layer, int channel, double pay) {
  const wisp_obs *obs = layer->obs;
  const float *loss = obs->loss + (size_t)channel * (size_t)obs->blocks;
  double half = layer->sensitivity[channel] / 2, least = 0;
  int best = 0;
  for (int k = 0; k < obs->steps[channel]; k++) {
    double net = half * (double)loss[k] - pay * (k + 1);
    if (net > least) continue;
    least = net;
    best = k + 1;
  }
  return best;
}

typedef struct market {
  wisp_allocate_layer *layers;
  int count;
  double macs, blocks; /* of all */
} market;

/* What is sold at a price; the layers' answers are set. */
static double sold(const market *m, double price) {
  double total = 0;
  for (int i = 0; i < m->count; i++) {
    wisp_allocate_layer *layer = &m->layers[i];
    double worth = 0.5 * layer->block_macs / m->macs + 0.5 / m->blocks;
    for (int c = 0; c < layer->obs->channels; c++) {
      layer->removed[c] = layer->fixed ? 0 : best_steps(layer, c, price * worth);
      total += layer->removed[c];
    }
  }
  return total;
}

void wisp_allocate_by_loss(wisp_allocate_layer *layers, int count, double share) {
  market m = {layers, count, 0, 0};
  for (int i = 0; i < count; i++) {
    double blocks = (double)layers[i].obs->channels * layers[i].obs->blocks;
    m.blocks += blocks;
    m.macs += blocks * layers[i].block_macs;
  }
  double low = 1e-12, high = 1e12;
  for (int round = 0; round < ROUNDS; round++) {
    double middle = sqrt(low * high);
    if (sold(&m, middle) < share * m.blocks) low = middle;
    else high = middle;
  }
  sold(&m, high);
}

void wisp_allocate_evenly(wisp_allocate_layer *layers, int count, double share) {
  for (int i = 0; i < count; i++)
    for (int c = 0; c < layers[i].obs->channels; c++) {
      int wanted = (int)lrint(share * layers[i].obs->blocks), most = layers[i].obs->steps[c];
      layers[i].removed[c] = layers[i].fixed ? 0 : wanted < most ? wanted : most;
    }
}
