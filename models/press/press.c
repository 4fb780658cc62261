/* press.c - the compressor: walks the stages, computes nothing itself.
 * SPDX-License-Identifier: Apache-2.0 */
#include "press.h"

#include <stdlib.h>
#include <string.h>

#include "calibrate/range.h"
#include "core/src/stages.h"
#include "fold/stem.h"
#include "prune/channels.h"
#include "prune/prune.h"
#include "prune/rebuild.h"
#include "round/account.h"
#include "round/bits.h"
#include "round/trained.h"

enum { MAX_KEPT = 192 /* pictures that pruning looks at again */ };

/* What a picture may lose by the bits of weights, as teach.h measures it. */
static const double TARGET_LOSS = 0.4;

struct wisp_press {
  wisp_graph *graph; /* until folded */
  wisp_net *net;     /* from then on */
  wisp_pool *pool;
  wisp_exec *exec;
  wisp_observer *observer;  /* from the first observed picture on */
  wisp_view picture;        /* letterboxed bytes; owned */
  wisp_view kept[MAX_KEPT]; /* the same of pictures observed, a fair choice of all; owned */
  int kept_count;
  wisp_teacher
      *teacher;  /* of the pictures kept, for the presses of a sweep; NULL until asked for */
  uint32_t seed; /* that it drew by */
  uint32_t random;
  wisp_head *heads;     /* [net->head_count] */
  wisp_box *candidates; /* [WISP_MAX_CANDIDATES] */
  uint8_t *packed;
};

wisp_status wisp_press_open(wisp_press **out) {
  *out = NULL;
  wisp_press *press = calloc(1, sizeof *press);
  if (!press) return WISP_ERR_MEMORY;
  if (wisp_graph_open(&press->graph) != WISP_OK) {
    wisp_press_close(&press);
    return WISP_ERR_MEMORY;
  }
  *out = press;
  return WISP_OK;
}

void wisp_press_close(wisp_press **out) {
  wisp_press *press = *out;
  if (!press) return;
  *out = NULL;
  free(press->packed);
  free(press->candidates);
  free(press->heads);
  free(press->picture.data);
  for (int i = 0; i < press->kept_count; i++) free(press->kept[i].data);
  wisp_teacher_close(&press->teacher);
  wisp_observer_close(&press->observer);
  wisp_exec_close(&press->exec);
  wisp_pool_close(&press->pool);
  wisp_net_close(&press->net);
  wisp_graph_close(&press->graph);
  free(press);
}

wisp_graph *wisp_press_graph(wisp_press *press) { return press->graph; }

/* ---- fold ---- */

static wisp_status open_picture(wisp_press *press) {
  const wisp_net_tensor *input = &press->net->tensors[0];
  wisp_view view = {.channels = input->channels,
                    .height = input->height,
                    .width = input->width,
                    .pitch = input->width,
                    .plane = input->height * input->width * WISP_LANES};
  view.data = calloc((size_t)wisp_planes(input->channels), (size_t)view.plane);
  press->picture = view;
  return view.data ? WISP_OK : WISP_ERR_MEMORY;
}

/* Heads stay where the executor leaves them: without a border they are what decode reads. */
static wisp_status open_heads(wisp_press *press) {
  const wisp_net *net = press->net;
  press->heads = calloc((size_t)net->head_count, sizeof *press->heads);
  press->candidates = malloc(WISP_MAX_CANDIDATES * sizeof *press->candidates);
  if (!press->heads || !press->candidates) return WISP_ERR_MEMORY;
  for (int i = 0; i < net->head_count; i++) {
    const wisp_yolo_head *head = &net->heads[i];
    wisp_floats logits = wisp_exec_tensor(press->exec, head->tensor);
    press->heads[i] = (wisp_head){.logits = logits.data,
                                  .anchors = head->anchors,
                                  .count = head->anchor_count,
                                  .classes = net->class_count,
                                  .height = logits.height,
                                  .width = logits.width,
                                  .stride = head->stride,
                                  .pitch = logits.pitch};
  }
  return WISP_OK;
}

wisp_status wisp_press_fold(wisp_press *press, int threads, wisp_error *error) {
  if (!press->graph)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "The graph is folded already; open another press.");
  if (threads < 0 || threads > WISP_MAX_THREADS)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "%d threads were asked for; 1 to %d are possible.",
                     threads, WISP_MAX_THREADS);
  wisp_net *net = NULL;
  wisp_status status = wisp_fold(press->graph, &net, error);
  wisp_graph_close(&press->graph);
  if (status) return status;
  press->net = net;
  if (wisp_pool_open(&press->pool, wisp_max(threads, 1)) != WISP_OK)
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for %d threads.", threads);
  status = wisp_exec_open(&press->exec, net, press->pool, 0, error);
  if (status) return status;
  if (open_picture(press) != WISP_OK || open_heads(press) != WISP_OK) {
    wisp_exec_close(&press->exec); /* what lacks a part is not ready */
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for a picture of %dx%d.",
                     net->width, net->height);
  }
  return WISP_OK;
}

/* ---- pictures ---- */

static wisp_status check_ready(const wisp_press *press, wisp_error *error) {
  if (press->exec) return WISP_OK;
  return wisp_fail(error, WISP_ERR_ARGUMENT, "%s",
                   press->graph ? "The network is not folded yet; fold it first."
                                : "The press is of no use since it failed; open another press.");
}

/* Once there is no room, a new picture takes the place of an old one as often as makes the choice fair. */
static wisp_status keep_picture(wisp_press *press, wisp_error *error) {
  size_t size = (size_t)wisp_planes(press->picture.channels) * (size_t)press->picture.plane;
  int place = press->kept_count;
  if (place == MAX_KEPT) {
    press->random = press->random * 1664525u + 1013904223u;
    place = (int)((uint64_t)press->random * (uint64_t)(press->observer->pictures + 1) >> 32);
    if (place >= MAX_KEPT) return WISP_OK;
    memcpy(press->kept[place].data, press->picture.data, size);
    return WISP_OK;
  }
  uint8_t *bytes = malloc(size);
  if (!bytes)
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory to keep %d pictures; give fewer.",
                     place + 1);
  memcpy(bytes, press->picture.data, size);
  press->kept[place] = press->picture;
  press->kept[place].data = bytes;
  press->kept_count++;
  return WISP_OK;
}

wisp_status wisp_press_observe(wisp_press *press, const wisp_frame *frame, wisp_error *error) {
  wisp_status status = check_ready(press, error);
  if (!status) status = wisp_check_frame(frame, 0, error);
  if (!status && !press->observer)
    status = wisp_observer_open(&press->observer, press->net, press->pool, error);
  if (status) return status;
  wisp_fit fit;
  wisp_prep(frame, wisp_kernels_set(0), press->net->block, 0, press->pool, &press->picture, &fit);
  wisp_teacher_close(&press->teacher); /* it doesn't know this picture */
  status = keep_picture(press, error);
  return status ? status : wisp_observe(press->observer, press->exec, &press->picture, error);
}

wisp_status wisp_press_detect(wisp_press *press, const wisp_frame *frame,
                              const wisp_options *options, wisp_result *result, wisp_error *error) {
  wisp_status status = check_ready(press, error);
  if (!status) status = wisp_check_frame(frame, 0, error);
  if (!status) status = wisp_check_options(options, error);
  if (status) return status;
  wisp_fit fit;
  wisp_prep(frame, wisp_kernels_set(0), press->net->block, 0, press->pool, &press->picture, &fit);
  wisp_exec_run(press->exec, &press->picture, NULL, NULL);
  int n = wisp_decode(press->heads, press->net->head_count, &fit, options, press->candidates,
                      WISP_MAX_CANDIDATES);
  *result = (wisp_result){.boxes = press->candidates,
                          .count = wisp_nms(press->candidates, n, options, &fit)};
  return WISP_OK;
}

static int has_seen(const wisp_press *press) {
  return press->observer && press->observer->pictures > 0;
}

static wisp_status require_seen(const wisp_press *press, wisp_error *error) {
  if (has_seen(press)) return WISP_OK;
  return wisp_fail(error, WISP_ERR_ARGUMENT,
                   "No calibration picture was observed; give at least one.");
}

/* What was quantised counts no longer. */
static void forget_integers(wisp_net *net) {
  for (int t = 0; t <= net->layer_count; t++) net->tensors[t].scale = 0;
}

/* ---- channels ---- */

/* NULL if there is none. */
static const wisp_net_layer *first_depthwise(const wisp_net *net) {
  for (int i = 0; i < net->layer_count; i++)
    if (wisp_net_is_per_channel(&net->layers[i])) return &net->layers[i];
  return NULL;
}

static wisp_status open_teacher(wisp_press *press, uint32_t seed, const wisp_progress *progress,
                                wisp_error *error) {
  if (press->teacher && press->seed == seed) return WISP_OK;
  wisp_teacher_close(&press->teacher);
  press->seed = seed;
  int pictures = wisp_teach_pictures(press->net, press->kept_count);
  return wisp_teacher_open(&press->teacher, press->net, press->kept, pictures, seed, press->pool,
                           progress, error);
}

wisp_status wisp_press_channels(wisp_press *press, double share, double *saved, wisp_error *error) {
  wisp_status status = check_ready(press, error);
  if (!status) status = require_seen(press, error);
  if (status) return status;
  if (wisp_trained(press->net))
    return wisp_fail(error, WISP_ERR_UNSUPPORTED,
                     "The network was trained with its integers; its channels stay.");
  if (!(share >= 0 && share <= 0.7))
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "A share of %g of the work is to go with channels; 0 to 0.7 is possible.",
                     share);
  if (!first_depthwise(press->net)) /* what matters behind one isn't known */
    status = open_teacher(press, wisp_press_default_settings().seed, NULL, error);
  if (status) return status;
  status = wisp_channels(press->net, press->observer, press->teacher, share, press->pool, saved);
  wisp_teacher_close(&press->teacher);
  if (status) return wisp_fail(error, status, "There is no memory to choose channels.");
  forget_integers(press->net);
  wisp_observer_close(&press->observer);
  while (press->kept_count > 0) free(press->kept[--press->kept_count].data); /* they come again */
  wisp_exec_close(&press->exec);
  free(press->heads);
  free(press->candidates);
  press->heads = NULL;
  press->candidates = NULL;
  status = wisp_exec_open(&press->exec, press->net, press->pool, 0, error);
  if (status) return status;
  if (open_heads(press) == WISP_OK) return WISP_OK;
  wisp_exec_close(&press->exec);
  return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for a smaller network.");
}

/* ---- integers ---- */

wisp_press_settings wisp_press_default_settings(void) {
  return (wisp_press_settings){.weight_bits = 7,
                               .ranging = WISP_RANGE_MSE,
                               .rounding = WISP_ROUND_LEAST_SQUARES,
                               .block = WISP_LANES,
                               .seed = 1};
}

/* A part of the way of another progress. */
typedef struct stretch {
  const wisp_progress *whole;
  double from, to;
} stretch;

static void tell_stretch(void *context, double share) {
  const stretch *s = context;
  wisp_tell(s->whole, s->from + share * (s->to - s->from));
}

/* Zeros, then each layer learns to make up for what those before it lost. */
static wisp_status prune_and_rebuild(wisp_press *press, const wisp_press_settings *settings,
                                     const wisp_progress *progress, wisp_error *error) {
  stretch parts[2] = {{progress, 0, 0.4}, {progress, 0.4, 1}};
  wisp_progress first = {tell_stretch, &parts[0]}, second = {tell_stretch, &parts[1]};
  wisp_status status = wisp_prune(press->net, press->teacher, settings, press->pool, &first, error);
  return status
             ? status
             : wisp_rebuild(press->net, press->teacher, press->kept, press->pool, &second, error);
}

static wisp_status choose_bits(wisp_press *press, const wisp_press_settings *settings,
                               wisp_error *error) {
  double target = settings->target_loss > 0 ? (double)settings->target_loss : TARGET_LOSS;
  for (int i = 0; i < press->net->layer_count; i++)
    press->net->layers[i].account.bits = settings->weight_bits;
  if (settings->weight_bits > 0 ||
      wisp_bits(press->net, press->observer, press->teacher, target, press->pool) == WISP_OK)
    return WISP_OK;
  return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory to choose the bits; give a number.");
}

static wisp_status teach(wisp_press *press, const wisp_press_settings *settings,
                         const wisp_progress *progress, wisp_error *error) {
  const wisp_net_layer *depthwise = first_depthwise(press->net);
  if (!depthwise) return open_teacher(press, settings->seed, progress, error);
  return wisp_fail(
      error, WISP_ERR_UNSUPPORTED,
      "Node %d is a depthwise convolution; such networks can't be pruned by OBS or "
      "given bits by layer yet. Give a number of bits, and no sparsity but by --method l1.",
      depthwise->node);
}

/* Each layer by itself. */
static wisp_status round_all(wisp_press *press, const wisp_press_settings *settings,
                             const wisp_progress *progress, wisp_error *error) {
  wisp_status status = wisp_prune(press->net, NULL, settings, press->pool, NULL, error);
  if (status) return status;
  return wisp_quantise(press->net, press->observer, settings, press->pool, progress, error);
}

/* What the float network says of the pictures is asked for only where somebody listens. */
static wisp_status quantise(wisp_press *press, const wisp_press_settings *settings,
                            const wisp_progress *progress, wisp_error *error) {
  int prunes = settings->sparsity > 0 && settings->method == WISP_METHOD_OBS;
  int asks = prunes || settings->weight_bits == 0;
  stretch parts[2] = {{progress, 0, asks ? 0.4 : 0}, {progress, asks ? 0.4 : 0, 1}};
  wisp_progress first = {tell_stretch, &parts[0]}, second = {tell_stretch, &parts[1]};
  wisp_status status = WISP_OK;
  wisp_range(press->net, press->observer, settings->ranging);
  if (asks) status = teach(press, settings, &first, error);
  if (!status) status = choose_bits(press, settings, error);
  if (!status)
    status = prunes ? prune_and_rebuild(press, settings, &second, error)
                    : round_all(press, settings, &second, error);
  return status;
}

wisp_status wisp_press_quantise(wisp_press *press, const wisp_press_settings *settings,
                                const wisp_progress *progress, wisp_error *error) {
  wisp_status status = check_ready(press, error);
  if (status) return status;
  if (!has_seen(press) && wisp_trained(press->net)) return wisp_trained_quantise(press->net, error);
  status = require_seen(press, error);
  if (!status) status = wisp_quantise_check(settings, error);
  if (!status) status = wisp_prune_check(settings, error);
  if (status) return status;
  status = quantise(press, settings, progress, error);
  if (!status && wisp_account(press->net, press->observer, press->pool) != WISP_OK)
    status = wisp_fail(error, WISP_ERR_MEMORY, "There is no memory to sum up what was lost.");
  if (status) forget_integers(press->net);
  return status;
}

int wisp_press_trained(const wisp_press *press) { return press->net && wisp_trained(press->net); }

/* NULL past the last one, and before quantise. */
static const wisp_net_layer *find_convolution(const wisp_press *press, int convolution) {
  const wisp_net *net = press->net;
  if (!net || net->tensors[net->layer_count].scale == 0) return NULL; /* not quantised */
  for (int i = 0; i < net->layer_count; i++)
    if (wisp_net_has_weights(&net->layers[i]) && convolution-- == 0) return &net->layers[i];
  return NULL;
}

const wisp_net_account *wisp_press_account(const wisp_press *press, int convolution, int *node) {
  const wisp_net_layer *layer = find_convolution(press, convolution);
  if (!layer) return NULL;
  *node = layer->node;
  return &layer->account;
}

wisp_status wisp_press_meant(const wisp_press *press, int convolution, const wisp_window *window,
                             size_t weight_count, int channels_out, float *weights, float *biases,
                             wisp_error *error) {
  const wisp_net_layer *layer = find_convolution(press, convolution);
  if (!layer)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "There is no convolution %d, or no integers yet.",
                     convolution);
  const wisp_status status =
      wisp_stem_meant(press->net, layer, window, weight_count, channels_out, weights, error);
  if (!status) memcpy(biases, layer->quantised.bias, (size_t)channels_out * sizeof *biases);
  return status;
}

wisp_status wisp_press_pack(wisp_press *press, const char *provenance, const uint8_t **bytes,
                            size_t *size, wisp_error *error) {
  wisp_status status = check_ready(press, error);
  if (status) return status;
  free(press->packed);
  status = wisp_pack(press->net, provenance, &press->packed, size, error);
  *bytes = press->packed;
  return status;
}
