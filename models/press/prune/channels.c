/* channels.c - removes whole channels where the loss is least, and lets what reads the others make up for them: a
 * smaller dense network.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Tensors that share their channels lose them together. A channel's loss is what the convolutions that read it lose
 * after a least-squares refit of their other weights (Hassibi & Stork, Optimal Brain Surgeon, 1993, with the weights of
 * a channel as one), as much as their outputs matter to the end. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "calibrate/observe.h"
#include "calibrate/teach.h"
#include "corridor.h"
#include "groups.h"
#include "refit.h"

enum { ROUNDS = 4 /* between which losses are looked at afresh */ };

/* Of a tensor's channels that stay at least. */
static const double LEAST_PART = 0.25;

typedef struct channels {
  wisp_net *net;
  const wisp_observer *seen;
  const wisp_teacher *teacher; /* may be NULL */
  wisp_groups groups;
  int *kept;       /* [tensors] by group: how many */
  uint8_t **keep;  /* [tensors] by group: [channels] */
  float **loss;    /* [tensors] by group: [channels] */
  int *first;      /* [tensors] where its losses begin in `losses` */
  float *losses;   /* [layers][all channels]; each layer has its own, so that threads don't meet */
  int total;       /* channels of all tensors */
  float **weights; /* [layers] after the last refit, zero where nothing is read */
  int *failed;     /* [layers] */
} channels;

static double macs_of(const channels *c) {
  double macs = 0;
  for (int i = 0; i < c->net->layer_count; i++) {
    const wisp_net_layer *layer = &c->net->layers[i];
    const wisp_net_tensor *out = &c->net->tensors[i + 1];
    if (!wisp_net_mixes_channels(layer)) continue;
    double in = 0;
    for (int k = 0; k < layer->input_count; k++) in += c->kept[c->groups.of[layer->inputs[k]]];
    macs +=
        in * wisp_net_kernel_size(layer) * c->kept[c->groups.of[i + 1]] * out->height * out->width;
  }
  return macs;
}

/* ---- losses ---- */

/* Output channels in a row that read the same inputs, as those of a head that is several convolutions in one. */
typedef struct part {
  const wisp_net_layer *layer;
  int first, rows;
} part;

/* Whether an output channel has other weights than zeros for an input, whose channels begin at `channel`. */
static int row_reads(const channels *c, const wisp_net_layer *layer, int row, int input,
                     int channel) {
  const int kernel = wisp_net_kernel_size(layer);
  const int n = c->net->tensors[layer->inputs[input]].channels * kernel;
  const float *weights = layer->weights + (size_t)row * (size_t)wisp_net_taps(layer);
  for (int k = channel * kernel; k < channel * kernel + n; k++)
    if (weights[k] != 0) return 1;
  return 0;
}

static part part_from(const channels *c, const wisp_net_layer *layer, int first) {
  part p = {layer, first, 1};
  for (int same = 1; same && first + p.rows < layer->channels_out; p.rows += same) {
    int channel = 0;
    for (int k = 0; k < layer->input_count; k++) {
      same = same && row_reads(c, layer, first + p.rows, k, channel) ==
                         row_reads(c, layer, first, k, channel);
      channel += c->net->tensors[layer->inputs[k]].channels;
    }
  }
  return p;
}

/* The taps of a layer that are still read, ascending; returns how many. `p`: by these output channels; NULL: by any. */
static int read_taps(const channels *c, const wisp_net_layer *layer, const part *p, int *taps) {
  const int kernel = wisp_net_kernel_size(layer);
  int n = 0, channel = 0;
  for (int k = 0; k < layer->input_count; k++) {
    const uint8_t *keep = c->keep[c->groups.of[layer->inputs[k]]];
    const int width = c->net->tensors[layer->inputs[k]].channels;
    const int reads = !p || row_reads(c, layer, p->first, k, channel);
    for (int ch = 0; ch < width && reads; ch++)
      for (int w = 0; w < kernel && keep[ch]; w++) taps[n++] = (channel + ch) * kernel + w;
    channel += width;
  }
  return n;
}

/* Adds what the layer would lose with each channel that the part reads. */
static void add_losses(const channels *c, int number, const part *p, wisp_refit *refit) {
  const wisp_net_layer *layer = p->layer;
  const int kernel = wisp_net_kernel_size(layer);
  int at = 0, channel = 0;
  for (int k = 0; k < layer->input_count; k++) {
    const int group = c->groups.of[layer->inputs[k]];
    const int width = c->net->tensors[layer->inputs[k]].channels;
    const int reads = row_reads(c, layer, p->first, k, channel);
    float *loss = c->losses + (size_t)number * (size_t)c->total + c->first[group];
    for (int ch = 0; ch < width && reads; ch++) {
      if (!c->keep[group][ch]) continue;
      loss[ch] += (float)wisp_refit_loss(refit, at, kernel);
      at += kernel;
    }
    channel += width;
  }
}

static wisp_status study_part(const channels *c, int number, const part *p, int *taps) {
  const wisp_moments *moments = &c->seen->moments[number];
  const size_t at = (size_t)p->first * (size_t)moments->taps;
  const double *importance = c->teacher ? c->teacher->lessons[number].sensitivity + p->first : NULL;
  wisp_refit *refit = NULL;
  const wisp_status status = wisp_refit_open(&refit, moments, p->layer->weights + at, importance,
                                             p->rows, taps, read_taps(c, p->layer, p, taps));
  if (status == WISP_OK) {
    wisp_refit_weights(refit, c->weights[number] + at);
    add_losses(c, number, p, refit);
  }
  wisp_refit_close(&refit);
  return status;
}

static void study_task(void *context, int number) {
  const channels *c = context;
  const wisp_net_layer *layer = &c->net->layers[number];
  if (!wisp_net_mixes_channels(layer)) return;
  int *taps = malloc((size_t)wisp_net_taps(layer) * sizeof *taps);
  c->failed[number] = !taps;
  for (int first = 0; first < layer->channels_out && !c->failed[number];) {
    const part p = part_from(c, layer, first);
    c->failed[number] = study_part(c, number, &p, taps) != WISP_OK;
    first += p.rows;
  }
  free(taps);
}

/* Refits every layer to the channels that stay, and sums up what losing each would cost. */
static int study(channels *c, wisp_pool *pool) {
  const int n = c->net->layer_count;
  int failed = 0;
  memset(c->losses, 0, (size_t)n * (size_t)c->total * sizeof *c->losses);
  wisp_pool_run(pool, study_task, c, n);
  for (int i = 0; i < n; i++) failed |= c->failed[i];
  for (int t = 0; t <= n; t++)
    for (int ch = 0; ch < c->net->tensors[t].channels; ch++) {
      float sum = 0;
      for (int i = 0; i < n; i++)
        sum += c->losses[(size_t)i * (size_t)c->total + (size_t)(c->first[t] + ch)];
      c->loss[t][ch] = sum;
    }
  return !failed;
}

/* ---- choosing ---- */

typedef struct candidate {
  double price; /* loss for each multiply-add saved */
  int group, channel;
} candidate;

static int by_price(const void *a, const void *b) {
  const candidate *x = a, *y = b;
  if (x->price != y->price) return x->price < y->price ? -1 : 1;
  return x->group != y->group ? x->group - y->group : x->channel - y->channel;
}

static int list_candidates(channels *c, candidate *list) {
  int n = 0;
  const double all = macs_of(c);
  for (int t = 0; t <= c->net->layer_count; t++) {
    if (c->groups.of[t] != t || c->groups.fixed[t]) continue;
    c->kept[t]--;
    const double saved = all - macs_of(c);
    c->kept[t]++;
    for (int ch = 0; ch < c->net->tensors[t].channels && saved > 0; ch++)
      if (c->keep[t][ch]) list[n++] = (candidate){(double)c->loss[t][ch] / saved, t, ch};
  }
  qsort(list, (size_t)n, sizeof *list, by_price);
  return n;
}

/* Removes the cheapest until `target` multiply-adds are left. */
static void remove_cheapest(channels *c, candidate *list, double target) {
  const int n = list_candidates(c, list);
  for (int i = 0; i < n && macs_of(c) > target; i++) {
    const int t = list[i].group;
    if (c->kept[t] <= wisp_max(1, (int)(LEAST_PART * c->net->tensors[t].channels))) continue;
    c->keep[t][list[i].channel] = 0;
    c->kept[t]--;
  }
}

/* Planes of four are what the runtime computes: those that are not full take back channels. */
static void fill_planes(channels *c, candidate *list) {
  for (int t = 0; t <= c->net->layer_count; t++) {
    const int all = c->net->tensors[t].channels;
    int n = 0;
    if (c->groups.of[t] != t || c->kept[t] == all) continue;
    for (int ch = 0; ch < all; ch++)
      if (!c->keep[t][ch]) list[n++] = (candidate){-(double)c->loss[t][ch], t, ch};
    qsort(list, (size_t)n, sizeof *list, by_price);
    for (int i = 0; i < n && c->kept[t] % WISP_LANES; i++, c->kept[t]++)
      c->keep[t][list[i].channel] = 1;
  }
}

/* ---- the smaller net ---- */

/* What the outputs' means lose goes into the biases. */
static void refit_bias(const channels *c, int number, const float *weights) {
  wisp_net_layer *layer = &c->net->layers[number];
  const wisp_moments *moments = &c->seen->moments[number];
  for (int o = 0; o < layer->channels_out; o++) {
    const size_t row = (size_t)o * (size_t)moments->taps;
    double shift = 0;
    for (int k = 0; k < moments->taps; k++)
      shift += ((double)layer->weights[row + (size_t)k] - (double)weights[row + (size_t)k]) *
               (double)moments->sums[k] / moments->weight;
    layer->bias[o] += (float)shift;
  }
}

/* Leaves only what is kept, in place. */
static void shrink(const channels *c, int number, const int *taps, int n) {
  wisp_net_layer *layer = &c->net->layers[number];
  const float *weights = c->weights[number];
  const uint8_t *keep = c->keep[c->groups.of[number + 1]];
  const int all = wisp_net_taps(layer);
  int kept = 0;
  float *to = layer->weights;
  for (int o = 0; o < layer->channels_out; o++) {
    if (!keep[o]) continue;
    for (int k = 0; k < n; k++) *to++ = weights[(size_t)o * (size_t)all + (size_t)taps[k]];
    layer->bias[kept++] = layer->bias[o];
  }
  layer->channels_out = kept;
  layer->channels_in = n / wisp_net_kernel_size(layer);
}

static int shrink_all(channels *c) {
  int most = 1;
  for (int i = 0; i < c->net->layer_count; i++)
    most = wisp_max(most, wisp_net_taps(&c->net->layers[i]));
  int *taps = malloc((size_t)most * sizeof *taps);
  if (!taps) return 0;
  for (int i = 0; i < c->net->layer_count; i++) {
    wisp_net_layer *layer = &c->net->layers[i];
    if (wisp_net_mixes_channels(layer)) {
      refit_bias(c, i, c->weights[i]);
      shrink(c, i, taps, read_taps(c, layer, NULL, taps));
    } else if (wisp_net_keeps_channels(layer)) {
      layer->channels_in = layer->channels_out = c->kept[c->groups.of[i + 1]];
    }
  }
  for (int t = 0; t <= c->net->layer_count; t++)
    c->net->tensors[t].channels = c->kept[c->groups.of[t]];
  free(taps);
  return 1;
}

/* ---- all of it ---- */

static int open_channels(channels *c) {
  const wisp_net *net = c->net;
  const size_t n = (size_t)net->layer_count + 1;
  if (wisp_groups_open(&c->groups, net) != WISP_OK) return 0;
  c->kept = calloc(n, sizeof *c->kept);
  c->first = calloc(n, sizeof *c->first);
  c->failed = calloc(n, sizeof *c->failed);
  c->keep = calloc(n, sizeof *c->keep);
  c->loss = calloc(n, sizeof *c->loss);
  c->weights = calloc(n, sizeof *c->weights);
  if (!c->kept || !c->first || !c->failed) return 0;
  if (!c->keep || !c->loss || !c->weights) return 0;
  for (size_t t = 0; t < n; t++) {
    const size_t width = (size_t)net->tensors[t].channels;
    c->first[t] = c->total;
    c->total += net->tensors[t].channels;
    c->kept[t] = net->tensors[t].channels;
    c->keep[t] = malloc(width);
    c->loss[t] = calloc(width, sizeof **c->loss);
    if (!c->keep[t] || !c->loss[t]) return 0;
    memset(c->keep[t], 1, width);
  }
  c->losses = malloc((n - 1) * (size_t)c->total * sizeof *c->losses);
  for (size_t i = 0; i + 1 < n; i++) {
    const wisp_net_layer *layer = &net->layers[i];
    if (!wisp_net_mixes_channels(layer)) continue;
    c->weights[i] =
        malloc((size_t)layer->channels_out * (size_t)wisp_net_taps(layer) * sizeof(float));
    if (!c->weights[i]) return 0;
  }
  return c->losses != NULL;
}

static void close_channels(channels *c, int n) {
  for (int t = 0; t < n && c->keep && c->loss && c->weights; t++) {
    free(c->keep[t]);
    free(c->loss[t]);
    free(c->weights[t]);
  }
  wisp_groups_close(&c->groups);
  free(c->kept);
  free(c->first);
  free(c->failed);
  free(c->keep);
  free(c->loss);
  free(c->weights);
  free(c->losses);
}

wisp_status wisp_channels(wisp_net *net, const wisp_observer *seen, const wisp_teacher *teacher,
                          double share, wisp_pool *pool, double *saved, wisp_error *error) {
  channels c = {.net = net, .seen = seen, .teacher = teacher};
  const int n = net->layer_count + 1;
  int done = open_channels(&c);
  candidate *list = done ? malloc((size_t)c.total * sizeof *list) : NULL;
  done = done && list;
  const double all = done ? macs_of(&c) : 1;
  for (int round = 1; round <= ROUNDS && done; round++) {
    done = study(&c, pool);
    if (done) remove_cheapest(&c, list, all * (1 - share * round / ROUNDS));
  }
  if (done) fill_planes(&c, list);
  done = done && study(&c, pool);
  if (done) *saved = 1 - macs_of(&c) / all;
  done = done && shrink_all(&c);
  close_channels(&c, n);
  free(list);
  if (done) return WISP_OK;
  return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory to choose channels.");
}
