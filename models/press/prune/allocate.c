/* allocate.c - how many blocks each output channel gives up so that all together lose least.
 * SPDX-License-Identifier: Apache-2.0 */
#include "allocate.h"

#include <math.h>
#include <stdint.h>

enum { ROUNDS = 60 /* of the search for the price */ };

/* How many blocks of the channel to remove so that its loss, less `pay` for each of them, is least. */
static int best_steps(const wisp_allocate_layer *layer, int channel, double pay) {
  const wisp_obs *obs = layer->obs;
  const float *loss = obs->loss + (size_t)channel * (size_t)obs->blocks;
  const double half = layer->sensitivity[channel] / 2;
  double least = 0;
  int best = 0;
  for (int k = 0; k < obs->steps[channel]; k++) {
    const double net = half * (double)loss[k] - pay * (k + 1);
    if (net > least) continue;
    least = net;
    best = k + 1;
  }
  return best;
}

/* How many blocks of the channel are zero already. */
static int free_steps(const wisp_obs *obs, int channel) {
  const float *loss = obs->loss + (size_t)channel * (size_t)obs->blocks;
  int steps = 0;
  while (steps < obs->steps[channel] && loss[steps] <= 0) steps++;
  return steps;
}

typedef struct search {
  wisp_allocate_layer *layers;
  int count;
  double removed, loss; /* blocks, and what the end result loses by them */
} search;

/* Sets `removed` of the layers at a price of the work that is saved. */
static void remove_at(search *s, double price) {
  s->removed = s->loss = 0;
  for (int i = 0; i < s->count; i++) {
    wisp_allocate_layer *layer = &s->layers[i];
    const wisp_obs *obs = layer->obs;
    for (int c = 0; c < obs->channels; c++) {
      const int n =
          layer->fixed ? free_steps(obs, c) : best_steps(layer, c, price * layer->block_work);
      layer->removed[c] = n;
      s->removed += n;
      if (n > 0)
        s->loss += layer->sensitivity[c] / 2 *
                   (double)obs->loss[(size_t)c * (size_t)obs->blocks + (size_t)n - 1];
    }
  }
}

static const double LOWEST = 1e-24, HIGHEST = 1e12; /* prices */

void wisp_allocate_by_loss(wisp_allocate_layer *layers, int count, double share) {
  search s = {layers, count, 0, 0};
  double blocks = 0, low = LOWEST, high = HIGHEST;
  for (int i = 0; i < count; i++) blocks += (double)layers[i].obs->channels * layers[i].obs->blocks;
  for (int round = 0; round < ROUNDS; round++) {
    const double middle = sqrt(low * high);
    remove_at(&s, middle);
    if (s.removed < share * blocks) low = middle;
    else high = middle;
  }
  remove_at(&s, high);
}

void wisp_allocate_to_loss(wisp_allocate_layer *layers, int count, double loss) {
  search s = {layers, count, 0, 0};
  double low = LOWEST, high = HIGHEST;
  for (int round = 0; round < ROUNDS; round++) {
    const double middle = sqrt(low * high);
    remove_at(&s, middle);
    if (s.loss <= loss) low = middle;
    else high = middle;
  }
  remove_at(&s, low);
}

void wisp_allocate_evenly(wisp_allocate_layer *layers, int count, double share) {
  for (int i = 0; i < count; i++)
    for (int c = 0; c < layers[i].obs->channels; c++) {
      const int wanted = layers[i].fixed ? 0 : (int)lrint(share * layers[i].obs->blocks);
      const int least = free_steps(layers[i].obs, c), most = layers[i].obs->steps[c];
      layers[i].removed[c] = wisp_clamp(wanted, least, most);
    }
}
