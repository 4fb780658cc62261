/* rebuild.c - layer by layer, what zeros and rounding broke is made up for by the weights that stay.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Each convolution sees what the layers before it, already in integers, give it, and learns by least squares to yield
 * what the float network would have, where it matters: for the heads that is where the float network sees objects. */
#include <stdlib.h>
#include <string.h>

#include "calibrate/observe.h"
#include "calibrate/teach.h"
#include "corridor.h"
#include "pack/encode.h"
#include "round/integers.h"
#include "student.h"

enum { CHANNELS = 8 /* that a task sums up */ };

/* Of the scale where there are zeros: see integers.h. */
static const float FINEST = 0.09f;

/* What the layers share. */
typedef struct rebuilding {
  wisp_net *net;
  const wisp_teacher *teacher;
  wisp_student *student;
  wisp_pool *pool;
} rebuilding;

/* One convolution. */
typedef struct bench {
  const rebuilding *r;
  int number, taps, width;
  const wisp_lesson *lesson;
  wisp_moments *moments; /* [groups] of the inputs it really gets */
  double *targets;       /* [channels_out]: weighted sums of the targets */
  float *cross;          /* [channels_out][taps]: of targets times inputs */
  float *windows, *copy; /* [samples][width] */
  float *step, *energy;  /* [taps], [groups][taps]: as integers.h has them */
  wisp_status *statuses; /* [channels_out] */
  int picture;
} bench;

static int group_of(const bench *b, int o) {
  return o / (b->r->net->layers[b->number].channels_out / b->lesson->groups);
}

/* ---- sums over the pictures ---- */

static void cross_task(void *context, int index) {
  const bench *b = context;
  const wisp_lesson *lesson = b->lesson;
  int channels = b->r->net->layers[b->number].channels_out;
  int first = index * CHANNELS, end = wisp_min(first + CHANNELS, channels);
  size_t at = (size_t)b->picture * (size_t)lesson->samples;
  for (int s = 0; s < lesson->samples; s++, at++) {
    const float *window = b->windows + (size_t)s * (size_t)b->width;
    for (int o = first; o < end; o++) {
      float target = lesson->targets[at * (size_t)channels + (size_t)o];
      target *= lesson->weights[at * (size_t)lesson->groups + (size_t)group_of(b, o)];
      b->targets[o] += (double)target;
      float *to = b->cross + (size_t)o * (size_t)b->taps;
      for (int k = 0; k < b->taps; k++) to[k] += target * window[k];
    }
  }
}

static void add_moments(const bench *b) {
  const wisp_lesson *lesson = b->lesson;
  size_t n = (size_t)lesson->samples, first = (size_t)b->picture * n;
  float weights[1024];
  for (int g = 0; g < lesson->groups; g++) {
    for (size_t s = 0; s < n; s++)
      weights[s] = lesson->weights[(first + s) * (size_t)lesson->groups + (size_t)g];
    memcpy(b->copy, b->windows, n * (size_t)b->width * sizeof *b->copy);
    wisp_moments_add(&b->moments[g], b->copy, weights, lesson->samples, b->r->pool);
  }
}

static void sum_up(bench *b) {
  const wisp_lesson *lesson = b->lesson;
  const wisp_net_layer *layer = &b->r->net->layers[b->number];
  for (b->picture = 0; b->picture < b->r->teacher->pictures; b->picture++) {
    const wisp_exec *exec = wisp_student_load(b->r->student, b->number, b->picture);
    for (int s = 0; s < lesson->samples; s++) {
      const int16_t *place = lesson->places[b->picture * lesson->samples + s];
      wisp_observe_window(layer, exec, place[0], place[1],
                          b->windows + (size_t)s * (size_t)b->width);
    }
    wisp_pool_run(b->r->pool, cross_task, b, (layer->channels_out + CHANNELS - 1) / CHANNELS);
    add_moments(b);
  }
}

/* ---- open and close ---- */

static void close_bench(bench *b) {
  for (int g = 0; g < b->lesson->groups && b->moments; g++) wisp_moments_close(&b->moments[g]);
  free(b->moments);
  free(b->targets);
  free(b->cross);
  free(b->windows);
  free(b->step);
  free(b->statuses);
}

static int open_bench(bench *b, const rebuilding *r, int number) {
  const wisp_net_layer *layer = &r->net->layers[number];
  const wisp_lesson *lesson = &r->teacher->lessons[number];
  size_t taps = (size_t)wisp_net_taps(layer), channels = (size_t)layer->channels_out;
  size_t groups = (size_t)lesson->groups;
  *b = (bench){.r = r, .number = number, .taps = (int)taps, .lesson = lesson};
  b->width = wisp_moments_width(b->taps);
  b->moments = calloc(groups, sizeof *b->moments);
  b->targets = calloc(channels, sizeof *b->targets);
  b->cross = calloc(channels * taps, sizeof *b->cross);
  b->windows = malloc(2 * (size_t)lesson->samples * (size_t)b->width * sizeof *b->windows);
  b->step = malloc((groups + 1) * taps * sizeof *b->step);
  b->statuses = calloc(channels, sizeof *b->statuses);
  int complete = b->moments && b->targets && b->cross && b->windows && b->step && b->statuses;
  for (size_t g = 0; g < groups && complete; g++)
    complete = wisp_moments_open(&b->moments[g], b->taps) == WISP_OK;
  if (!complete) return 0;
  b->copy = b->windows + (size_t)lesson->samples * (size_t)b->width;
  b->energy = b->step + taps;
  return 1;
}

/* ---- channels ---- */

/* The taps that may be other than zero; all if there are no zeros. */
static int list_kept(const wisp_net_layer *layer, int o, int *kept) {
  int n = 0, taps = wisp_net_taps(layer);
  const float *weights = wisp_net_weights(layer) + (size_t)o * (size_t)taps;
  for (int k = 0; k < taps; k++)
    if (!layer->pruned || weights[k] != 0) kept[n++] = k;
  return n;
}

/* Least squares: the weights, in units, that come closest to the targets. Few pictures don't know everything, so they
 * are held to the float ones a little. */
static void relearn(const bench *b, int o, wisp_rounder *rounder, float *weights) {
  const wisp_net_layer *layer = &b->r->net->layers[b->number];
  const wisp_moments *m = &b->moments[group_of(b, o)];
  const float *real = layer->weights + (size_t)o * (size_t)b->taps;
  const float *cross = b->cross + (size_t)o * (size_t)b->taps;
  float n = (float)m->weight, mean = (float)(b->targets[o] / m->weight);
  for (int k = 0; k < b->taps; k++) {
    float covariance = cross[k] / n - mean * (m->sums[k] / n);
    weights[k] = covariance / b->step[k] + rounder->damping * real[k] * b->step[k];
  }
  wisp_round_solve(rounder, weights);
}

static wisp_status finish_channel(const bench *b, int o, wisp_rounder *rounder, float *scratch) {
  wisp_net_layer *layer = &b->r->net->layers[b->number];
  int group = group_of(b, o);
  const wisp_moments *m = &b->moments[group];
  float *weights = scratch;
  int8_t *integers = layer->quantised.weights + (size_t)o * (size_t)b->taps;
  wisp_integers channel = {.taps = b->taps,
                           .bits = layer->account.bits,
                           .finest = layer->pruned ? FINEST : 0,
                           .rounder = rounder,
                           .energy = b->energy + group * b->taps,
                           .scratch = scratch + b->taps};
  relearn(b, o, rounder, weights);
  double bias = b->targets[o] / m->weight, exact = bias;
  for (int k = 0; k < b->taps; k++)
    exact -= (double)weights[k] * (double)m->sums[k] / m->weight / (double)b->step[k];
  float scale = wisp_integers_run(&channel, weights, (float)exact, integers, NULL);
  for (int k = 0; k < b->taps; k++) {
    bias -= (double)scale * integers[k] * (double)m->sums[k] / m->weight / (double)b->step[k];
    if (layer->pruned && layer->pruned[(size_t)o * (size_t)b->taps + (size_t)k] != 0)
      layer->pruned[(size_t)o * (size_t)b->taps + (size_t)k] = weights[k] / b->step[k];
  }
  layer->quantised.scale[o] = scale;
  layer->quantised.bias[o] = wisp_encode_bias((float)bias);
  return wisp_integers_check(integers, b->taps, scale, layer->quantised.bias[o]);
}

static void channel_task(void *context, int o) {
  const bench *b = context;
  const wisp_net_layer *layer = &b->r->net->layers[b->number];
  size_t taps = (size_t)b->taps;
  int *kept = malloc(taps * sizeof *kept);
  float *scratch = malloc(2 * taps * sizeof *scratch);
  wisp_rounder *own = NULL;
  wisp_status status = kept && scratch ? WISP_OK : WISP_ERR_MEMORY;
  int n = status ? 0 : list_kept(layer, o, kept);
  if (!status)
    status =
        wisp_round_open(&own, &b->moments[group_of(b, o)], b->step, n < b->taps ? kept : NULL, n);
  if (!status) status = finish_channel(b, o, own, scratch);
  wisp_round_close(&own);
  free(kept);
  free(scratch);
  b->statuses[o] = status;
}

static wisp_status rebuild_layer(const rebuilding *r, int number) {
  bench b;
  wisp_net_layer *layer = &r->net->layers[number];
  wisp_status status =
      open_bench(&b, r, number) && wisp_net_open_quantised(layer) ? WISP_OK : WISP_ERR_MEMORY;
  if (!status) {
    sum_up(&b);
    for (int g = 0; g < b.lesson->groups; g++)
      wisp_integers_units(r->net, layer, &b.moments[g], b.step, b.energy + g * b.taps);
    wisp_pool_run(r->pool, channel_task, &b, layer->channels_out);
    for (int o = 0; o < layer->channels_out && !status; o++) status = b.statuses[o];
  }
  close_bench(&b);
  return status;
}

wisp_status wisp_rebuild(wisp_net *net, const wisp_teacher *teacher, const wisp_view *pictures,
                         wisp_pool *pool, const wisp_progress *progress, wisp_error *error) {
  rebuilding r = {.net = net, .teacher = teacher, .pool = pool};
  wisp_status status = wisp_student_open(&r.student, net, pictures, teacher->pictures, pool, error);
  for (int i = 0; i < net->layer_count && !status; i++) {
    const wisp_net_layer *layer = &net->layers[i];
    if (wisp_net_mixes_channels(layer)) status = rebuild_layer(&r, i);
    if (status == WISP_ERR_MEMORY)
      wisp_fail(error, status, "There is no memory to rebuild node %d, %d taps wide.", layer->node,
                wisp_net_taps(layer));
    else if (status)
      wisp_fail(error, status, "The sums of node %d, %d taps wide, don't fit 32 bits.", layer->node,
                wisp_net_taps(layer));
    if (!status) status = wisp_student_run(r.student, i, error);
    wisp_tell(progress, (double)(i + 1) / net->layer_count);
  }
  wisp_student_close(&r.student);
  return status;
}
