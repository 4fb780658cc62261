/* press.c - the compressor: walks the stages, computes nothing itself.
 * SPDX-License-Identifier: Apache-2.0 */
#include "press.h"

#include <stdlib.h>

#include "channels.h"
#include "core/src/stages.h"
#include "trained.h"

enum { MAX_CANDIDATES = 30000 /* YOLOv5's max_nms */, MAX_SOURCE_SIDE = 32768, MAX_THREADS = 64 };

struct wisp_press {
  wisp_graph *graph; /* until folded */
  wisp_net *net;     /* from then on */
  wisp_pool *pool;
  wisp_exec *exec;
  wisp_observer *observer; /* from the first observed picture on */
  wisp_view picture;       /* letterboxed bytes; owned */
  wisp_head *heads;        /* [net->head_count] */
  wisp_box *candidates;    /* [MAX_CANDIDATES] */
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
  press->candidates = malloc(MAX_CANDIDATES * sizeof *press->candidates);
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
  if (threads < 0 || threads > MAX_THREADS)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "%d threads were asked for; 1 to %d are possible.",
                     threads, MAX_THREADS);
  wisp_net *net = NULL;
  wisp_status status = wisp_fold(press->graph, &net, error);
  wisp_graph_close(&press->graph);
  if (status) return status;
  press->net = net;
  if (wisp_pool_open(&press->pool, wisp_max(threads, 1)) != WISP_OK)
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for %d threads.", threads);
  status = wisp_exec_open(&press->exec, net, press->pool, error);
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
  return wisp_fail(error, WISP_ERR_ARGUMENT, "The network is not folded yet; fold it first.");
}

static wisp_status check_frame(const wisp_frame *frame, wisp_error *error) {
  if (!frame->rgba || frame->width < 1 || frame->height < 1 || frame->width > MAX_SOURCE_SIDE ||
      frame->height > MAX_SOURCE_SIDE)
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "The picture is %dx%d; sides of 1 to %d are possible.", frame->width,
                     frame->height, MAX_SOURCE_SIDE);
  if (frame->stride < (size_t)frame->width * 4)
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "The picture has rows of %zu bytes; its width %d needs %d.", frame->stride,
                     frame->width, frame->width * 4);
  return WISP_OK;
}

wisp_status wisp_press_observe(wisp_press *press, const wisp_frame *frame, wisp_error *error) {
  wisp_status status = check_ready(press, error);
  if (!status) status = check_frame(frame, error);
  if (!status && !press->observer)
    status = wisp_observer_open(&press->observer, press->net, press->pool, error);
  if (status) return status;
  wisp_fit fit;
  wisp_prep(frame, wisp_kernels_set(0), press->net->block, 0, press->pool, &press->picture, &fit);
  return wisp_observe(press->observer, press->exec, &press->picture, error);
}

static wisp_status check_options(const wisp_options *options, wisp_error *error) {
  if (!(options->confidence >= 0 && options->confidence <= 1) ||
      !(options->iou >= 0 && options->iou <= 1))
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "The confidence is %g and the IoU %g; 0 to 1 is possible.",
                     (double)options->confidence, (double)options->iou);
  if (options->max_detections < 1 || options->max_detections > MAX_CANDIDATES)
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "At most %d boxes were asked for; 1 to %d are possible.",
                     options->max_detections, MAX_CANDIDATES);
  return WISP_OK;
}

wisp_status wisp_press_detect(wisp_press *press, const wisp_frame *frame,
                              const wisp_options *options, wisp_result *result, wisp_error *error) {
  wisp_status status = check_ready(press, error);
  if (!status) status = check_frame(frame, error);
  if (!status) status = check_options(options, error);
  if (status) return status;
  wisp_fit fit;
  wisp_prep(frame, wisp_kernels_set(0), press->net->block, 0, press->pool, &press->picture, &fit);
  wisp_exec_run(press->exec, &press->picture, NULL, NULL);
  int n = wisp_decode(press->heads, press->net->head_count, &fit, options, press->candidates,
                      MAX_CANDIDATES);
  *result = (wisp_result){.boxes = press->candidates,
                          .count = wisp_nms(press->candidates, n, options, &fit)};
  return WISP_OK;
}

/* ---- channels ---- */

wisp_status wisp_press_channels(wisp_press *press, double share, double *saved, wisp_error *error) {
  wisp_status status = check_ready(press, error);
  if (status) return status;
  if (!press->observer)
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "No calibration picture was observed; give at least one.");
  if (wisp_trained(press->net))
    return wisp_fail(error, WISP_ERR_UNSUPPORTED,
                     "The network was trained with its integers; its channels stay.");
  if (!(share >= 0 && share <= 0.7))
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "A share of %g of the work is to go with channels; 0 to 0.7 is possible.",
                     share);
  if (wisp_channels(press->net, press->observer, share, press->pool, saved) != WISP_OK)
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory to choose channels.");
  wisp_observer_close(&press->observer);
  wisp_exec_close(&press->exec);
  free(press->heads);
  free(press->candidates);
  press->heads = NULL;
  press->candidates = NULL;
  status = wisp_exec_open(&press->exec, press->net, press->pool, error);
  if (status) return status;
  if (open_heads(press) == WISP_OK) return WISP_OK;
  wisp_exec_close(&press->exec);
  return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for a smaller network.");
}

/* ---- integers ---- */

wisp_press_settings wisp_press_default_settings(void) {
  return (wisp_press_settings){.weight_bits = 7,
                               .ranging = WISP_RANGE_MINMAX,
                               .rounding = WISP_ROUND_LEAST_SQUARES,
                               .block = WISP_LANES,
                               .seed = 1};
}

wisp_status wisp_press_quantise(wisp_press *press, const wisp_press_settings *settings,
                                const wisp_progress *progress, wisp_error *error) {
  wisp_status status = check_ready(press, error);
  if (status) return status;
  if (!press->observer && wisp_trained(press->net)) return wisp_trained_quantise(press->net, error);
  if (!press->observer)
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "No calibration picture was observed; give at least one.");
  status = wisp_prune(press->net, settings, error);
  if (status) return status;
  return wisp_quantise(press->net, press->observer, settings, press->pool, progress, error);
}

int wisp_press_trained(const wisp_press *press) { return press->net && wisp_trained(press->net); }

const wisp_net_account *wisp_press_account(const wisp_press *press, int convolution, int *node) {
  const wisp_net *net = press->net;
  if (!net || net->tensors[net->layer_count].scale == 0) return NULL; /* not quantised */
  for (int i = 0; i < net->layer_count; i++) {
    if (!wisp_net_weighs(&net->layers[i]) || convolution-- > 0) continue;
    *node = net->layers[i].node;
    return &net->layers[i].account;
  }
  return NULL;
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
