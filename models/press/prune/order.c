/* order.c - in which order channels stand in the file, so that weights that matter little share blocks.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A weight's loss is its square times the variance of what it reads, as much as its output matters; a block's is
 * theirs together, since what correlates is left out here. A block goes if its loss for the work that it costs is
 * below a price. Two channels of different blocks change places as long as that makes the sum of all blocks' losses,
 * none counted above the price, smaller. */
#include "order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "groups.h"

enum {
  SWEEPS = 12,           /* over the channels, at most */
  PARTNERS = 256,        /* that a channel tries in each */
  MOST_LOSSES = 1 << 21, /* of a group that are looked at */
  LANES = 8,             /* sums side by side: their order doesn't depend on the machine */
  BINS = 1 << 15         /* of losses, by the upper half of their bits */
};

/* What a swap must bring for each row, in units of the price. */
static const float LEAST_GAIN = 1e-6f;

/* Of a weight, in units of the price: more makes no difference. */
static const double MOST_LOSS = 1e4;

typedef struct ordering {
  wisp_net *net;
  const wisp_teacher *teacher;
  const double *work;
  wisp_groups groups;
  int size; /* of a block */
  double price;
  int *failed; /* [tensors] */
} ordering;

/* ---- losses ---- */

/* Calls `row` for each output channel and kernel position of each layer that reads the group: with the losses of its
 * weights, [channels of the group] in natural order, for the work they cost. */
typedef void each_row(void *context, const float *losses, int channels);

static void rows_of_input(const ordering *o, int number, int first, int channels, float *losses,
                          each_row *row, void *context) {
  const wisp_net_layer *layer = &o->net->layers[number];
  const wisp_lesson *lesson = &o->teacher->lessons[number];
  const int kernel = wisp_net_kernel_size(layer), taps = wisp_net_taps(layer);
  for (int out = 0; out < layer->channels_out; out++) {
    const double matters = lesson->sensitivity[out] / 2 / o->work[number];
    const float *weights = layer->weights + (size_t)out * (size_t)taps;
    for (int k = 0; k < kernel; k++) {
      for (int c = 0; c < channels; c++) {
        const int tap = (first + c) * kernel + k;
        const float variance = fmaxf(wisp_moment_covariance(&lesson->moments, tap, tap), 0);
        losses[c] = (float)(matters * (double)(weights[tap] * weights[tap] * variance));
      }
      row(context, losses, channels);
    }
  }
}

static int rows_of_group(const ordering *o, int group, each_row *row, void *context) {
  const int channels = o->net->tensors[group].channels;
  float *losses = malloc((size_t)channels * sizeof *losses);
  if (!losses) return 0;
  for (int i = 0; i < o->net->layer_count; i++) {
    const wisp_net_layer *layer = &o->net->layers[i];
    int first = 0;
    for (int k = 0; k < layer->input_count && wisp_net_mixes_channels(layer); k++) {
      const int tensor = layer->inputs[k];
      if (o->groups.of[tensor] == group) rows_of_input(o, i, first, channels, losses, row, context);
      first += o->net->tensors[tensor].channels;
    }
  }
  free(losses);
  return 1;
}

/* ---- the price ---- */

typedef struct census {
  int size;
  double *bins; /* [BINS]: blocks of such losses */
} census;

static void count_row(void *context, const float *losses, int channels) {
  const census *n = context;
  for (int c = 0; c < channels; c += n->size) {
    float sum = 0;
    uint32_t bits;
    for (int lane = c; lane < wisp_min(c + n->size, channels); lane++) sum += losses[lane];
    memcpy(&bits, &sum, sizeof bits);
    n->bins[bits >> 16]++;
  }
}

/* Below it lie `share` of the blocks, as the channels come. */
static int find_price(ordering *o, double share) {
  census n = {o->size, calloc(BINS, sizeof *n.bins)};
  int done = n.bins != NULL;
  double total = 0, below = 0;
  for (int t = 0; t <= o->net->layer_count && done; t++)
    if (o->groups.of[t] == t) done = rows_of_group(o, t, count_row, &n);
  for (int i = 0; i < BINS && done; i++) total += n.bins[i];
  uint32_t bin = 0;
  while (done && bin < BINS - 1 && (below += n.bins[bin]) < share * total) bin++;
  const uint32_t bits = (bin + 1) << 16;
  float price = 0;
  memcpy(&price, &bits, sizeof price);
  o->price = (double)price;
  free(n.bins);
  return done;
}

/* ---- one group ---- */

/* Losses in units of the price. */
typedef struct group {
  int channels, size, blocks;
  int rows, stride; /* stride: rows rounded up; the losses past the last row are 0 */
  int every, seen;  /* only one of so many rows is kept */
  double price;
  float *losses; /* [channels][stride] */
  float *sums;   /* [blocks][stride] */
  float *cost;   /* [blocks] */
  int *order;    /* [channels]: which channel stands at a place */
  int *place;    /* [channels]: where a channel stands */
} group;

static void count_row_of_group(void *context, const float *losses, int channels) {
  (void)losses;
  (void)channels;
  ((group *)context)->seen++;
}

static void keep_row(void *context, const float *losses, int channels) {
  group *g = context;
  if (g->seen++ % g->every) return;
  for (int c = 0; c < channels; c++)
    g->losses[(size_t)c * (size_t)g->stride + (size_t)g->rows] =
        (float)fmin((double)losses[c] / g->price, MOST_LOSS);
  g->rows++;
}

static float *losses_of(const group *g, int channel) {
  return g->losses + (size_t)channel * (size_t)g->stride;
}

static float *sums_of(const group *g, int block) {
  return g->sums + (size_t)block * (size_t)g->stride;
}

/* What a block costs whose sums are `sums` - `without` + `with`. */
static float cost(const float *sums, const float *without, const float *with, int rows) {
  float lanes[LANES] = {0}, total = 0;
  for (int r = 0; r < rows; r += LANES)
    for (int lane = 0; lane < LANES; lane++) {
      const float sum = sums[r + lane] - without[r + lane] + with[r + lane];
      lanes[lane] += sum < 1 ? sum : 1;
    }
  for (int lane = 0; lane < LANES; lane++) total += lanes[lane];
  return total;
}

static void sum_block(group *g, int block) {
  float *sums = sums_of(g, block);
  const int first = block * g->size, end = wisp_min(first + g->size, g->channels);
  memset(sums, 0, (size_t)g->stride * sizeof *sums);
  for (int i = first; i < end; i++) {
    const float *losses = losses_of(g, g->order[i]);
    for (int r = 0; r < g->stride; r++) sums[r] += losses[r];
  }
  g->cost[block] = cost(sums, sums, sums, g->stride);
}

/* The channel to change places with, or -1. */
static int best_partner(const group *g, int channel, int sweep) {
  const int own = g->place[channel] / g->size, step = (g->channels + PARTNERS - 1) / PARTNERS;
  const float *mine = losses_of(g, channel);
  float least = -LEAST_GAIN * (float)g->rows;
  int best = -1;
  for (int other = sweep % step; other < g->channels; other += step) {
    const int block = g->place[other] / g->size;
    const float *theirs = losses_of(g, other), before = g->cost[own] + g->cost[block];
    if (block == own) continue;
    float change = cost(sums_of(g, own), mine, theirs, g->stride) - before;
    if (change >= least) continue;
    change += cost(sums_of(g, block), theirs, mine, g->stride);
    if (change >= least) continue;
    least = change;
    best = other;
  }
  return best;
}

static void swap(group *g, int a, int b) {
  const int place = g->place[a];
  g->place[a] = g->place[b];
  g->place[b] = place;
  g->order[g->place[a]] = a;
  g->order[g->place[b]] = b;
  sum_block(g, g->place[a] / g->size);
  sum_block(g, g->place[b] / g->size);
}

/* From the order that there is. Returns what all blocks cost then. */
static double improve(group *g) {
  for (int i = 0; i < g->channels; i++) g->place[g->order[i]] = i;
  for (int b = 0; b < g->blocks; b++) sum_block(g, b);
  for (int sweep = 0, swaps = 1; sweep < SWEEPS && swaps > 0; sweep++) {
    swaps = 0;
    for (int c = 0; c < g->channels; c++) {
      const int partner = best_partner(g, c, sweep);
      if (partner < 0) continue;
      swap(g, c, partner);
      swaps++;
    }
  }
  double total = 0;
  for (int b = 0; b < g->blocks; b++) total += (double)g->cost[b];
  return total;
}

typedef struct ranked {
  float cost;
  int channel;
} ranked;

static int by_cost(const void *a, const void *b) {
  const ranked *x = a, *y = b;
  if (x->cost != y->cost) return x->cost < y->cost ? -1 : 1;
  return x->channel - y->channel;
}

/* Channels that cost little alone come first. */
static int sort_channels(group *g) {
  ranked *list = malloc((size_t)g->channels * sizeof *list);
  for (int c = 0; c < g->channels && list; c++)
    list[c] = (ranked){cost(losses_of(g, c), losses_of(g, c), losses_of(g, c), g->stride), c};
  if (list) qsort(list, (size_t)g->channels, sizeof *list, by_cost);
  for (int i = 0; i < g->channels && list; i++) g->order[i] = list[i].channel;
  free(list);
  return list != NULL;
}

static int open_group(group *g, const ordering *o, int number) {
  const size_t channels = (size_t)o->net->tensors[number].channels;
  *g = (group){.channels = (int)channels, .size = o->size, .price = o->price};
  if (!rows_of_group(o, number, count_row_of_group, g)) return 0;
  g->every = 1 + (int)((double)g->seen * (double)channels / MOST_LOSSES);
  g->blocks = (g->channels + g->size - 1) / g->size;
  g->stride = ((g->seen + g->every - 1) / g->every + LANES - 1) / LANES * LANES;
  g->seen = 0;
  g->losses = calloc(channels * (size_t)g->stride + 1, sizeof *g->losses);
  g->sums = malloc(((size_t)g->blocks * (size_t)g->stride + 1) * sizeof *g->sums);
  g->cost = malloc((size_t)g->blocks * sizeof *g->cost);
  g->order = malloc(2 * channels * sizeof *g->order);
  if (!g->losses || !g->sums || !g->cost || !g->order) return 0;
  g->place = g->order + channels;
  return rows_of_group(o, number, keep_row, g);
}

static void close_group(group *g) {
  free(g->losses);
  free(g->sums);
  free(g->cost);
  free(g->order);
}

/* ---- all of them ---- */

/* Each tensor has its own. */
static int give_order(const ordering *o, int number, const int *order) {
  const size_t size = (size_t)o->net->tensors[number].channels * sizeof *order;
  for (int t = 0; t <= o->net->layer_count; t++) {
    if (o->groups.of[t] != number) continue;
    int *own = o->net->tensors[t].order = malloc(size);
    if (!own) return 0;
    memcpy(own, order, size);
  }
  return 1;
}

/* Begins twice: with the channels as they come, and sorted. */
static int order_group(const ordering *o, int number) {
  group g;
  int done = open_group(&g, o, number);
  if (done) {
    for (int i = 0; i < g.channels; i++) g.order[i] = i;
    const double natural = improve(&g);
    done = give_order(o, number, g.order) && sort_channels(&g);
    if (done && improve(&g) < natural) {
      for (int t = 0; t <= o->net->layer_count; t++)
        if (o->groups.of[t] == number)
          memcpy(o->net->tensors[t].order, g.order, (size_t)g.channels * sizeof *g.order);
    }
  }
  close_group(&g);
  return done;
}

static void group_task(void *context, int number) {
  const ordering *o = context;
  const int moves = o->groups.of[number] == number && !o->groups.fixed[number];
  if (moves && o->net->tensors[number].channels > o->size)
    o->failed[number] = !order_group(o, number);
}

wisp_status wisp_order(wisp_net *net, const wisp_teacher *teacher, const double *work, int size,
                       double share, wisp_pool *pool) {
  const int tensors = net->layer_count + 1;
  ordering o = {.net = net, .teacher = teacher, .work = work, .size = size};
  if (wisp_groups_open(&o.groups, net) != WISP_OK) return WISP_ERR_MEMORY;
  o.failed = calloc((size_t)tensors, sizeof *o.failed);
  int failed = !o.failed || !find_price(&o, share);
  if (!failed) wisp_pool_run(pool, group_task, &o, tensors);
  for (int t = 0; t < tensors && !failed; t++) failed = o.failed[t];
  wisp_groups_close(&o.groups);
  free(o.failed);
  return failed ? WISP_ERR_MEMORY : WISP_OK;
}
