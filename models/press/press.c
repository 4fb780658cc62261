/* press.c - the compressor: walks the stages, computes nothing itself.
 * SPDX-License-Identifier: Apache-2.0 */
#include "press.h"

#include <stdlib.h>
#include <string.h>

#include "calibrate/observe.h"
#include "calibrate/teach.h"
#include "core/src/stages.h"
#include "corridor.h"
#include "float/boxes.h"
#include "float/exec.h"
#include "fold/unfold.h"
#include "pictures.h"

struct wisp_press {
  wisp_graph *graph; /* until folded */
  wisp_net *net;     /* from then on */
  wisp_pool *pool;
  wisp_exec *exec;
  wisp_boxes *boxes;
  wisp_view picture;       /* the letterboxed bytes at hand; owned */
  wisp_observer *observer; /* from the first observed picture on */
  wisp_pictures pictures;  /* of those observed */
  wisp_teacher *teacher;   /* of these pictures, for the presses of a sweep; NULL until asked for */
  uint32_t seed;           /* that it drew by */
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

static void close_executor(wisp_press *press) {
  wisp_boxes_close(&press->boxes);
  wisp_exec_close(&press->exec);
}

void wisp_press_close(wisp_press **out) {
  wisp_press *press = *out;
  if (!press) return;
  *out = NULL;
  free(press->packed);
  free(press->picture.data);
  wisp_pictures_clear(&press->pictures);
  wisp_teacher_close(&press->teacher);
  wisp_observer_close(&press->observer);
  close_executor(press);
  wisp_pool_close(&press->pool);
  wisp_net_close(&press->net);
  wisp_graph_close(&press->graph);
  free(press);
}

wisp_graph *wisp_press_graph(wisp_press *press) { return press->graph; }

/* ---- fold ---- */

/* Without it the press is not ready: what lacks a part is closed. */
static wisp_status open_executor(wisp_press *press, wisp_error *error) {
  const wisp_status status = wisp_exec_open(&press->exec, press->net, press->pool, 0, error);
  if (status != WISP_OK) return status;
  if (wisp_boxes_open(&press->boxes, press->net, press->exec) == WISP_OK) return WISP_OK;
  close_executor(press);
  return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for the boxes of a picture.");
}

wisp_status wisp_press_fold(wisp_press *press, int threads, wisp_error *error) {
  if (!press->graph)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "The graph is folded already; open another press.");
  if (threads < 0 || threads > WISP_MAX_THREADS)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "%d threads were asked for; 1 to %d are possible.",
                     threads, WISP_MAX_THREADS);
  wisp_net *net = NULL;
  const wisp_status status = wisp_fold(press->graph, &net, error);
  wisp_graph_close(&press->graph);
  if (status != WISP_OK) return status;
  press->net = net;
  if (wisp_pool_open(&press->pool, wisp_max(threads, 1)) != WISP_OK)
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for %d threads.", threads);
  press->picture = wisp_pictures_blank(net);
  if (press->picture.data) return open_executor(press, error);
  return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for a picture of %dx%d.", net->width,
                   net->height);
}

/* ---- pictures ---- */

static wisp_status check_ready(const wisp_press *press, wisp_error *error) {
  if (press->exec) return WISP_OK;
  return wisp_fail(error, WISP_ERR_ARGUMENT, "%s",
                   press->graph ? "The network is not folded yet; fold it first."
                                : "The press is of no use since it failed; open another press.");
}

/* The frame becomes the picture at hand. */
static wisp_fit letterbox(const wisp_press *press, const wisp_frame *frame) {
  wisp_fit fit;
  wisp_prep(frame, wisp_kernels_set(0), press->net->cell, 0, press->pool, &press->picture, &fit);
  return fit;
}

wisp_status wisp_press_observe(wisp_press *press, const wisp_frame *frame, wisp_error *error) {
  wisp_status status = check_ready(press, error);
  if (status == WISP_OK) status = wisp_check_frame(frame, 0, error);
  if (status == WISP_OK && !press->observer)
    status = wisp_observer_open(&press->observer, press->net, press->pool, error);
  if (status != WISP_OK) return status;
  letterbox(press, frame);
  wisp_teacher_close(&press->teacher); /* it doesn't know this picture */
  status = wisp_pictures_keep(&press->pictures, &press->picture, error);
  if (status != WISP_OK) return status;
  return wisp_observe(press->observer, press->exec, &press->picture, error);
}

wisp_status wisp_press_detect(wisp_press *press, const wisp_frame *frame,
                              const wisp_options *options, wisp_result *result, wisp_error *error) {
  wisp_status status = check_ready(press, error);
  if (status == WISP_OK) status = wisp_check_frame(frame, 0, error);
  if (status == WISP_OK) status = wisp_check_options(options, wisp_net_masks(press->net), error);
  if (status == WISP_OK && options->tiles != WISP_TILES_NONE)
    status = wisp_fail(error, WISP_ERR_ARGUMENT,
                       "A float network is shown whole pictures only; press it to use tiles.");
  if (status != WISP_OK) return status;
  const wisp_fit fit = letterbox(press, frame);
  wisp_exec_run(press->exec, &press->picture, NULL, NULL);
  if (wisp_boxes_find(press->boxes, &fit, options, result) == WISP_OK) return WISP_OK;
  return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for the masks of a picture.");
}

static int has_seen(const wisp_press *press) {
  return press->observer && press->observer->pictures > 0;
}

static wisp_status require_seen(const wisp_press *press, wisp_error *error) {
  if (has_seen(press)) return WISP_OK;
  return wisp_fail(error, WISP_ERR_ARGUMENT,
                   "No calibration picture was observed; give at least one.");
}

static wisp_status teach(wisp_press *press, uint32_t seed, const wisp_progress *progress,
                         wisp_error *error) {
  if (press->teacher && press->seed == seed) return WISP_OK;
  wisp_teacher_close(&press->teacher);
  press->seed = seed;
  const int count = wisp_teach_pictures(press->net, press->pictures.count);
  return wisp_teach(&press->teacher, press->net, press->pictures.kept, count, seed, press->pool,
                    progress, error);
}

/* ---- channels ---- */

/* The net is another: what was planned for the old one, and what was seen of it, goes. */
static wisp_status start_over(wisp_press *press, wisp_error *error) {
  wisp_net_forget_integers(press->net);
  wisp_net_forget_orders(press->net);
  wisp_observer_close(&press->observer);
  wisp_pictures_clear(&press->pictures); /* they come again */
  close_executor(press);
  return open_executor(press, error);
}

static wisp_status check_channels(const wisp_press *press, double share, wisp_error *error) {
  if (wisp_trained(press->net))
    return wisp_fail(error, WISP_ERR_UNSUPPORTED,
                     "The network was trained with its integers; its channels stay.");
  if (share >= 0 && share <= 0.7) return WISP_OK;
  return wisp_fail(error, WISP_ERR_ARGUMENT,
                   "A share of %g of the work is to go with channels; 0 to 0.7 is possible.",
                   share);
}

wisp_status wisp_press_channels(wisp_press *press, double share, double *saved, wisp_error *error) {
  wisp_status status = check_ready(press, error);
  if (status == WISP_OK) status = require_seen(press, error);
  if (status == WISP_OK) status = check_channels(press, share, error);
  if (status == WISP_OK) status = teach(press, wisp_press_default_settings().seed, NULL, error);
  if (status != WISP_OK) return status;
  status =
      wisp_channels(press->net, press->observer, press->teacher, share, press->pool, saved, error);
  wisp_teacher_close(&press->teacher);
  return status == WISP_OK ? start_over(press, error) : status;
}

/* ---- integers ---- */

/* Zeros by what the end result loses, then each layer learns to make up for what those before it lost. */
static wisp_status prune_and_rebuild(wisp_press *press, const wisp_press_settings *settings,
                                     const wisp_progress *progress, wisp_error *error) {
  const wisp_progress first = wisp_progress_part(progress, 0, 0.4);
  const wisp_progress second = wisp_progress_part(progress, 0.4, 1);
  const wisp_status status =
      wisp_prune(press->net, press->teacher, settings, press->pool, &first, error);
  if (status != WISP_OK) return status;
  return wisp_rebuild(press->net, press->observer, press->teacher, press->pictures.kept,
                      press->pool, &second, error);
}

/* Each layer by itself. */
static wisp_status prune_and_round(wisp_press *press, const wisp_press_settings *settings,
                                   const wisp_progress *progress, wisp_error *error) {
  const wisp_status status = wisp_prune(press->net, NULL, settings, press->pool, NULL, error);
  if (status != WISP_OK) return status;
  return wisp_quantise(press->net, press->observer, settings, press->pool, progress, error);
}

/* What the float network says of the pictures is asked for only where somebody listens. */
static wisp_status quantise(wisp_press *press, const wisp_press_settings *settings,
                            const wisp_progress *progress, wisp_error *error) {
  const int prunes_by_loss = wisp_settings_prune_by_loss(settings);
  const int asks = prunes_by_loss || settings->weight_bits == 0;
  const wisp_progress first = wisp_progress_part(progress, 0, 0.4);
  const wisp_progress second = wisp_progress_part(progress, asks ? 0.4 : 0, 1);
  wisp_range(press->net, press->observer, settings->ranging);
  wisp_status status = asks ? teach(press, settings->seed, &first, error) : WISP_OK;
  if (status == WISP_OK)
    status = wisp_bits(press->net, press->observer, press->teacher, settings, press->pool, error);
  if (status != WISP_OK) return status;
  return prunes_by_loss ? prune_and_rebuild(press, settings, &second, error)
                        : prune_and_round(press, settings, &second, error);
}

/* The trained integers, where nothing was observed that would ask for others. */
static wisp_status keep_trained(wisp_press *press, wisp_error *error) {
  wisp_status status = wisp_trained_quantise(press->net, error);
  if (status == WISP_OK) status = wisp_account(press->net, NULL, press->pool, error);
  if (status != WISP_OK) wisp_net_forget_integers(press->net);
  return status;
}

wisp_status wisp_press_quantise(wisp_press *press, const wisp_press_settings *settings,
                                const wisp_progress *progress, wisp_error *error) {
  wisp_status status = check_ready(press, error);
  if (status != WISP_OK) return status;
  if (!has_seen(press) && wisp_trained(press->net)) return keep_trained(press, error);
  wisp_press_settings whole = *settings;
  status = require_seen(press, error);
  if (status == WISP_OK) status = wisp_settings_complete(&whole, error);
  if (status != WISP_OK) return status;
  status = quantise(press, &whole, progress, error);
  if (status == WISP_OK) status = wisp_account(press->net, press->observer, press->pool, error);
  if (status != WISP_OK) wisp_net_forget_integers(press->net);
  return status;
}

int wisp_press_trained(const wisp_press *press) { return press->net && wisp_trained(press->net); }

/* ---- results ---- */

const wisp_net_account *wisp_press_account(const wisp_press *press, int convolution, int *node) {
  const wisp_net_layer *layer = wisp_net_find_quantised(press->net, convolution);
  if (!layer) return NULL;
  *node = layer->node;
  return &layer->account;
}

wisp_status wisp_press_dequantise(const wisp_press *press, int convolution,
                                  const wisp_window *window, size_t weight_count, int channels_out,
                                  float *weights, float *biases, wisp_error *error) {
  const wisp_net_layer *layer = wisp_net_find_quantised(press->net, convolution);
  if (!layer)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "There is no convolution %d, or no integers yet.",
                     convolution);
  return wisp_unfold(press->net, layer, window, weight_count, channels_out, weights, biases, error);
}

wisp_status wisp_press_pack(wisp_press *press, const char *provenance, const uint8_t **bytes,
                            size_t *size, wisp_error *error) {
  wisp_status status = check_ready(press, error);
  if (status != WISP_OK) return status;
  free(press->packed);
  status = wisp_pack(press->net, provenance, &press->packed, size, error);
  *bytes = press->packed;
  return status;
}
