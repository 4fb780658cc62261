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
#include "round/depthwise_round.h"
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

/* The convolution at hand. */
typedef struct fitting {
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
} fitting;

static int group_of(const fitting *f, int o) {
  return o / (f->r->net->layers[f->number].channels_out / f->lesson->groups);
}

/* ---- sums over the pictures ---- */

static void cross_task(void *context, int index) {
  const fitting *f = context;
  const wisp_lesson *lesson = f->lesson;
  const int channels = f->r->net->layers[f->number].channels_out;
  const int first = index * CHANNELS, end = wisp_min(first + CHANNELS, channels);
  size_t at = (size_t)f->picture * (size_t)lesson->samples;
  for (int s = 0; s < lesson->samples; s++, at++) {
    const float *window = f->windows + (size_t)s * (size_t)f->width;
    for (int o = first; o < end; o++) {
      float target = lesson->targets[at * (size_t)channels + (size_t)o];
      target *= lesson->weights[at * (size_t)lesson->groups + (size_t)group_of(f, o)];
      f->targets[o] += (double)target;
      float *to = f->cross + (size_t)o * (size_t)f->taps;
      for (int k = 0; k < f->taps; k++) to[k] += target * window[k];
    }
  }
}

static void add_moments(const fitting *f) {
  const wisp_lesson *lesson = f->lesson;
  const size_t n = (size_t)lesson->samples, first = (size_t)f->picture * n;
  float weights[1024];
  for (int g = 0; g < lesson->groups; g++) {
    for (size_t s = 0; s < n; s++)
      weights[s] = lesson->weights[(first + s) * (size_t)lesson->groups + (size_t)g];
    memcpy(f->copy, f->windows, n * (size_t)f->width * sizeof *f->copy);
    wisp_moments_add(&f->moments[g], f->copy, weights, lesson->samples, f->r->pool);
  }
}

static void sum_up(fitting *f) {
  const wisp_lesson *lesson = f->lesson;
  const wisp_net_layer *layer = &f->r->net->layers[f->number];
  for (f->picture = 0; f->picture < f->r->teacher->pictures; f->picture++) {
    const wisp_exec *exec = wisp_student_load(f->r->student, f->number, f->picture);
    for (int s = 0; s < lesson->samples; s++) {
      const int16_t *place = lesson->places[f->picture * lesson->samples + s];
      wisp_observe_window(layer, exec, place[0], place[1],
                          f->windows + (size_t)s * (size_t)f->width);
    }
    wisp_pool_run(f->r->pool, cross_task, f, (layer->channels_out + CHANNELS - 1) / CHANNELS);
    add_moments(f);
  }
}

/* ---- open and close ---- */

static void close_fitting(fitting *f) {
  for (int g = 0; g < f->lesson->groups && f->moments; g++) wisp_moments_close(&f->moments[g]);
  free(f->moments);
  free(f->targets);
  free(f->cross);
  free(f->windows);
  free(f->step);
  free(f->statuses);
}

static int open_fitting(fitting *f, const rebuilding *r, int number) {
  const wisp_net_layer *layer = &r->net->layers[number];
  const wisp_lesson *lesson = &r->teacher->lessons[number];
  const size_t taps = (size_t)wisp_net_taps(layer), channels = (size_t)layer->channels_out;
  const size_t groups = (size_t)lesson->groups;
  *f = (fitting){.r = r, .number = number, .taps = (int)taps, .lesson = lesson};
  f->width = wisp_moments_width(f->taps);
  f->moments = calloc(groups, sizeof *f->moments);
  f->targets = calloc(channels, sizeof *f->targets);
  f->cross = calloc(channels * taps, sizeof *f->cross);
  f->windows = malloc(2 * (size_t)lesson->samples * (size_t)f->width * sizeof *f->windows);
  f->step = malloc((groups + 1) * taps * sizeof *f->step);
  f->statuses = calloc(channels, sizeof *f->statuses);
  int complete = f->moments && f->targets && f->cross && f->windows && f->step && f->statuses;
  for (size_t g = 0; g < groups && complete; g++)
    complete = wisp_moments_open(&f->moments[g], f->taps) == WISP_OK;
  if (!complete) return 0;
  f->copy = f->windows + (size_t)lesson->samples * (size_t)f->width;
  f->energy = f->step + taps;
  return 1;
}

/* ---- channels ---- */

/* The taps that may be other than zero; all that are used if there are no zeros. */
static int list_kept(const wisp_net_layer *layer, int o, int *kept) {
  const int taps = wisp_net_taps(layer);
  int n = 0;
  const float *weights = wisp_net_weights(layer) + (size_t)o * (size_t)taps;
  for (int k = 0; k < taps; k++)
    if (layer->pruned ? weights[k] != 0 : wisp_net_is_used(layer, k)) kept[n++] = k;
  return n;
}

/* Least squares: the weights, in units, that come closest to the targets. Few pictures don't know everything, so they
 * are held to the float ones a little. */
static void relearn(const fitting *f, int o, wisp_rounder *rounder, float *weights) {
  const wisp_net_layer *layer = &f->r->net->layers[f->number];
  const wisp_moments *m = &f->moments[group_of(f, o)];
  const float *real = layer->weights + (size_t)o * (size_t)f->taps;
  const float *cross = f->cross + (size_t)o * (size_t)f->taps;
  const float n = (float)m->weight, mean = (float)(f->targets[o] / m->weight);
  for (int k = 0; k < f->taps; k++) {
    const float covariance = cross[k] / n - mean * (m->sums[k] / n);
    weights[k] = covariance / f->step[k] + rounder->damping * real[k] * f->step[k];
  }
  wisp_round_solve(rounder, weights);
}

static wisp_status finish_channel(const fitting *f, int o, wisp_rounder *rounder, float *scratch) {
  wisp_net_layer *layer = &f->r->net->layers[f->number];
  const int group = group_of(f, o);
  const wisp_moments *m = &f->moments[group];
  float *weights = scratch;
  int8_t *integers = layer->quantised.weights + (size_t)o * (size_t)f->taps;
  const wisp_integers channel = {.taps = f->taps,
                                 .bits = layer->account.bits,
                                 .finest = layer->pruned ? FINEST : 0,
                                 .rounder = rounder,
                                 .energy = f->energy + group * f->taps,
                                 .scratch = scratch + f->taps};
  relearn(f, o, rounder, weights);
  double bias = f->targets[o] / m->weight, exact = bias;
  for (int k = 0; k < f->taps; k++)
    exact -= (double)weights[k] * (double)m->sums[k] / m->weight / (double)f->step[k];
  const float scale = wisp_integers_run(&channel, weights, (float)exact, integers, NULL);
  for (int k = 0; k < f->taps; k++) {
    bias -= (double)scale * integers[k] * (double)m->sums[k] / m->weight / (double)f->step[k];
    if (layer->pruned && layer->pruned[(size_t)o * (size_t)f->taps + (size_t)k] != 0)
      layer->pruned[(size_t)o * (size_t)f->taps + (size_t)k] = weights[k] / f->step[k];
  }
  layer->quantised.scale[o] = scale;
  layer->quantised.bias[o] = wisp_encode_bias((float)bias);
  return wisp_integers_check(integers, f->taps, scale, layer->quantised.bias[o]);
}

static void channel_task(void *context, int o) {
  const fitting *f = context;
  const wisp_net_layer *layer = &f->r->net->layers[f->number];
  const size_t taps = (size_t)f->taps;
  int *kept = malloc(taps * sizeof *kept);
  float *scratch = malloc(2 * taps * sizeof *scratch);
  wisp_rounder *own = NULL;
  wisp_status status = kept && scratch ? WISP_OK : WISP_ERR_MEMORY;
  const int n = status != WISP_OK ? 0 : list_kept(layer, o, kept);
  if (status == WISP_OK)
    status =
        wisp_round_open(&own, &f->moments[group_of(f, o)], f->step, n < f->taps ? kept : NULL, n);
  if (status == WISP_OK) status = finish_channel(f, o, own, scratch);
  wisp_round_close(&own);
  free(kept);
  free(scratch);
  f->statuses[o] = status;
}

static wisp_status rebuild_layer(const rebuilding *r, int number) {
  fitting f;
  wisp_net_layer *layer = &r->net->layers[number];
  wisp_status status =
      open_fitting(&f, r, number) && wisp_net_open_quantised(layer) ? WISP_OK : WISP_ERR_MEMORY;
  if (status == WISP_OK) {
    sum_up(&f);
    for (int g = 0; g < f.lesson->groups; g++)
      wisp_integers_units(r->net, layer, &f.moments[g], f.step, f.energy + g * f.taps);
    wisp_pool_run(r->pool, channel_task, &f, layer->channels_out);
    for (int o = 0; o < layer->channels_out && status == WISP_OK; o++) status = f.statuses[o];
  }
  close_fitting(&f);
  return status;
}

wisp_status wisp_rebuild(wisp_net *net, const wisp_observer *seen, const wisp_teacher *teacher,
                         const wisp_view *pictures, wisp_pool *pool, const wisp_progress *progress,
                         wisp_error *error) {
  rebuilding r = {.net = net, .teacher = teacher, .pool = pool};
  wisp_status status = wisp_student_open(&r.student, net, pictures, teacher->pictures, pool, error);
  for (int i = 0; i < net->layer_count && status == WISP_OK; i++) {
    const wisp_net_layer *layer = &net->layers[i];
    if (wisp_net_mixes_channels(layer)) status = rebuild_layer(&r, i);
    else if (wisp_net_has_weights(layer))
      status = wisp_depthwise_round(net, i, &seen->spreads[layer->inputs[0]], layer->account.bits);
    if (status == WISP_ERR_MEMORY)
      wisp_fail(error, status, "There is no memory to rebuild node %d, %d taps wide.", layer->node,
                wisp_net_taps(layer));
    else if (status != WISP_OK)
      wisp_fail(error, status, "The sums of node %d, %d taps wide, don't fit 32 bits.", layer->node,
                wisp_net_taps(layer));
    if (status == WISP_OK) status = wisp_student_run(r.student, i, error);
    wisp_tell(progress, (double)(i + 1) / net->layer_count);
  }
  wisp_student_close(&r.student);
  return status;
}
