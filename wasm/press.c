/* press.c - the flat door over models/press/press.h: what web/src/press.js may call in a press module.
 * SPDX-License-Identifier: Apache-2.0
 *
 * One module instance holds one press, made by the first call that needs it. Structs cross as press_records() tells.
 * Functions that can fail return a negative wisp_status; press_error_message() then has the sentence. Pointers given in
 * are only read during the call. */
#include "models/press/press.h"

#include <emscripten/emscripten.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"

static struct {
  wisp_press *press;
  wisp_byte_range range; /* of the next node */
  uint8_t *rgba;         /* the picture at hand */
  size_t rgba_cap;
  int width, height;
  const uint8_t *packed;
  size_t packed_size;
  wisp_options options;
  wisp_result result;
  wisp_error error;
} door;

/* ---- memory and errors ---- */

/* 0 without memory. */
EMSCRIPTEN_KEEPALIVE void *alloc(size_t size) { return malloc(size); }
EMSCRIPTEN_KEEPALIVE void release(void *bytes) { free(bytes); }

EMSCRIPTEN_KEEPALIVE const char *press_error_name(void) {
  return wisp_status_name(door.error.status);
}
EMSCRIPTEN_KEEPALIVE const char *press_error_message(void) { return door.error.message; }

/* The text that record.h describes. */
EMSCRIPTEN_KEEPALIVE const char *press_records(void) {
  static const record RECORDS[] = {RECORD("options", wisp_options, RECORD_OPTIONS),
                                   RECORD("result", wisp_result, RECORD_RESULT),
                                   RECORD("box", wisp_box, RECORD_BOX)};
  static char text[1024];
  return record_tell(RECORDS, sizeof RECORDS / sizeof *RECORDS, text, sizeof text);
}

static wisp_status open_press(void) {
  if (door.press || wisp_press_open(&door.press) == WISP_OK) return WISP_OK;
  return wisp_fail(&door.error, WISP_ERR_MEMORY, "There is no memory for a press.");
}

/* Back to the state before the first call. Legal at any time, also twice. */
EMSCRIPTEN_KEEPALIVE void close_press(void) {
  wisp_press_close(&door.press);
  free(door.rgba);
  memset(&door, 0, sizeof door);
}

/* ---- graph: each call that makes a tensor returns its number ---- */

static wisp_status open_graph(wisp_graph **graph) {
  wisp_status status = open_press();
  if (status) return status;
  *graph = wisp_press_graph(door.press);
  if (*graph) return WISP_OK;
  return wisp_fail(&door.error, WISP_ERR_ARGUMENT,
                   "The graph is folded; close the press to begin another.");
}

EMSCRIPTEN_KEEPALIVE int graph_input(int height, int width) {
  wisp_graph *graph;
  wisp_status status = open_graph(&graph);
  return status ? status : wisp_graph_input(graph, height, width, &door.error);
}

static int add(int input, wisp_node node) {
  wisp_graph *graph;
  const wisp_status status = open_graph(&graph);
  if (status != WISP_OK) return status;
  node.inputs = node.inputs ? node.inputs : &input;
  node.input_count = node.input_count ? node.input_count : 1;
  node.range = door.range;
  door.range = (wisp_byte_range){0};
  return wisp_graph_add(graph, &node, &door.error);
}

/* weights f32 [cout][cin_per_group][kh][kw]; bias f32 [cout] or 0; padding top, left, bottom, right */
EMSCRIPTEN_KEEPALIVE int graph_conv(int in, float *weights, float *bias, int cout,
                                    int cin_per_group, int kh, int kw, int sy, int sx, int pt,
                                    int pl, int pb, int pr, int groups) {
  return add(in, (wisp_node){.kind = WISP_NODE_CONV,
                             .channels = cout,
                             .window = {{kh, kw}, {sy, sx}, {pt, pl, pb, pr}},
                             .groups = groups,
                             .weights = weights,
                             .weight_count = cout * cin_per_group * kh * kw,
                             .bias = bias,
                             .bias_count = bias ? cout : 0});
}

/* scale and bias f32 [n] */
EMSCRIPTEN_KEEPALIVE int graph_affine(int in, float *scale, float *bias, int n) {
  return add(in, (wisp_node){.kind = WISP_NODE_AFFINE,
                             .weights = scale,
                             .weight_count = n,
                             .bias = bias,
                             .bias_count = n});
}

/* kind: 1 ReLU, 2 leaky ReLU of this slope, 3 SiLU, 4 hard-swish, 5 sigmoid, as in models/FORMAT.md */
EMSCRIPTEN_KEEPALIVE int graph_activation(int in, int kind, float slope) {
  return add(in, (wisp_node){.kind = WISP_NODE_ACTIVATION, .activation = kind, .slope = slope});
}

/* The next node's tensor was rounded to bytes of this range. */
EMSCRIPTEN_KEEPALIVE void graph_range(float scale, int zero_point) {
  door.range = (wisp_byte_range){scale, zero_point};
}

EMSCRIPTEN_KEEPALIVE int graph_add(int a, int b) {
  return add(a, (wisp_node){.kind = WISP_NODE_ADD, .inputs = (int[]){a, b}, .input_count = 2});
}

/* ids i32 [n] */
EMSCRIPTEN_KEEPALIVE int graph_concat(int *ids, int n) {
  return add(0, (wisp_node){.kind = WISP_NODE_CONCAT, .inputs = ids, .input_count = n});
}

EMSCRIPTEN_KEEPALIVE int graph_maxpool(int in, int kh, int kw, int sy, int sx, int pt, int pl,
                                       int pb, int pr) {
  const wisp_window window = {{kh, kw}, {sy, sx}, {pt, pl, pb, pr}};
  return add(in, (wisp_node){.kind = WISP_NODE_MAXPOOL, .window = window});
}

EMSCRIPTEN_KEEPALIVE int graph_upsample(int in, int fy, int fx) {
  return add(in, (wisp_node){.kind = WISP_NODE_UPSAMPLE, .window = {.stride = {fy, fx}}});
}

EMSCRIPTEN_KEEPALIVE int graph_focus(int in) {
  return add(in, (wisp_node){.kind = WISP_NODE_FOCUS});
}

/* picks i32 [n]: channels of the input */
EMSCRIPTEN_KEEPALIVE int graph_select(int in, int *picks, int n) {
  return add(in, (wisp_node){.kind = WISP_NODE_SELECT, .picks = picks, .pick_count = n});
}

/* anchors f32 [n][2] width, height in input pixels */
EMSCRIPTEN_KEEPALIVE int graph_head(int tensor, int stride, float *anchors, int n) {
  wisp_graph *graph;
  const wisp_status status = open_graph(&graph);
  if (status != WISP_OK) return status;
  return wisp_graph_head(graph, &(wisp_yolo_head){WISP_HEAD_YOLOV5, tensor, stride, n, anchors},
                         &door.error);
}

EMSCRIPTEN_KEEPALIVE int graph_class(const char *utf8) {
  wisp_graph *graph;
  wisp_status status = open_graph(&graph);
  return status ? status : wisp_graph_class(graph, utf8, &door.error);
}

/* ---- press ---- */

EMSCRIPTEN_KEEPALIVE int fold(int threads) {
  wisp_status status = open_press();
  return status ? status : wisp_press_fold(door.press, threads, &door.error);
}

/* Room for the RGBA bytes of the next picture, rows without gaps; 0 without memory. */
EMSCRIPTEN_KEEPALIVE uint8_t *frame_buffer(int width, int height) {
  uint64_t size = width > 0 && height > 0 ? (uint64_t)width * (uint64_t)height * 4 : 0;
  if (size > door.rgba_cap) {
    free(door.rgba);
    door.rgba = size <= PTRDIFF_MAX ? malloc((size_t)size) : NULL;
    door.rgba_cap = door.rgba ? (size_t)size : 0;
  }
  int usable = size > 0 && door.rgba;
  door.width = usable ? width : 0;
  door.height = usable ? height : 0;
  return usable ? door.rgba : NULL;
}

static wisp_frame frame(void) {
  return (wisp_frame){door.rgba, door.width, door.height, (size_t)door.width * 4};
}

EMSCRIPTEN_KEEPALIVE int observe(void) {
  wisp_frame picture = frame();
  wisp_status status = open_press();
  return status ? status : wisp_press_observe(door.press, &picture, &door.error);
}

/* Module.onProgress is the caller's. */
EM_JS(void, tell_progress, (double share), { Module["onProgress"](share); })

static void tell(void *context, double share) {
  (void)context;
  tell_progress(share);
}

/* 1: the network was trained with wisp's integers, and may be quantised without pictures. */
EMSCRIPTEN_KEEPALIVE int trained(void) { return door.press && wisp_press_trained(door.press); }

/* bits of a weight, 2 ... 7, or 0: by layer, so that the end result loses `target_loss`, or a default if that is 0;
 * ranging 0 smallest to largest, 1 least squares; rounding 0 least squares, 1 nearest; `block` weights side by side
 * become zero together; method 0 OBS, 1 l1; allocation 0 by sensitivity, 1 uniform. Tells Module.onProgress how far
 * it is, 0 ... 1. */
EMSCRIPTEN_KEEPALIVE int quantise(int bits, float target_loss, int ranging, int rounding,
                                  float sparsity, int block, int method, int allocation,
                                  uint32_t seed) {
  wisp_press_settings settings = {
      .weight_bits = bits,
      .target_loss = target_loss,
      .ranging = ranging ? WISP_RANGE_MSE : WISP_RANGE_MINMAX,
      .rounding = rounding ? WISP_ROUND_NEAREST : WISP_ROUND_LEAST_SQUARES,
      .sparsity = sparsity,
      .block = block,
      .method = method ? WISP_METHOD_L1 : WISP_METHOD_OBS,
      .allocation = allocation ? WISP_ALLOCATE_UNIFORM : WISP_ALLOCATE_SENSITIVITY,
      .seed = seed};
  const wisp_progress progress = {.tell = tell};
  wisp_status status = open_press();
  return status ? status : wisp_press_quantise(door.press, &settings, &progress, &door.error);
}

/* What that did to a convolution: f64 node, bits, weights, zeros, blocks, zero blocks, multiply-adds, error before,
 * error after, share of the loss. Valid until the next call; NULL past the last one. */
EMSCRIPTEN_KEEPALIVE const double *account(int convolution) {
  static double fields[10];
  int node;
  const wisp_net_account *a =
      door.press ? wisp_press_account(door.press, convolution, &node) : NULL;
  if (!a) return NULL;
  const double now[10] = {node,
                          a->bits,
                          (double)a->weights,
                          (double)a->zeros,
                          (double)a->blocks,
                          (double)a->zero_blocks,
                          a->macs,
                          a->error_before,
                          a->error_after,
                          a->share};
  memcpy(fields, now, sizeof fields);
  return fields;
}

/* What the integers of a convolution that account() knows stand for: f32 weights [channels_out][channels_in][kernel
 * y][kernel x] and biases [channels_out], into the caller's room. All numbers are the graph's. */
EMSCRIPTEN_KEEPALIVE int meant(int convolution, int kh, int kw, int sy, int sx, int pt, int pl,
                               int pb, int pr, size_t weight_count, int channels_out,
                               float *weights, float *biases) {
  wisp_window window = {{kh, kw}, {sy, sx}, {pt, pl, pb, pr}};
  wisp_status status = open_press();
  if (status) return status;
  return wisp_press_meant(door.press, convolution, &window, weight_count, channels_out, weights,
                          biases, &door.error);
}

/* Removes whole channels, about `share` of the work. Returns what was saved, 0 ... 1, or a negative wisp_status. */
EMSCRIPTEN_KEEPALIVE double channels(double share) {
  double saved = 0;
  wisp_status status = open_press();
  if (!status) status = wisp_press_channels(door.press, share, &saved, &door.error);
  return status ? status : saved;
}

/* provenance: UTF-8 of a JSON object */
EMSCRIPTEN_KEEPALIVE int pack(const char *provenance) {
  wisp_status status = open_press();
  if (status) return status;
  return wisp_press_pack(door.press, provenance, &door.packed, &door.packed_size, &door.error);
}

/* The file; valid until the next pack. */
EMSCRIPTEN_KEEPALIVE const uint8_t *packed_data(void) { return door.packed; }
EMSCRIPTEN_KEEPALIVE size_t packed_size(void) { return door.packed_size; }

/* "options" at their defaults, for the caller to fill before it detects. */
EMSCRIPTEN_KEEPALIVE wisp_options *press_options(void) {
  door.options = wisp_default_options();
  return &door.options;
}

/* The picture at hand through the float network. */
EMSCRIPTEN_KEEPALIVE int press_detect(void) {
  const wisp_frame picture = frame();
  const wisp_status status = open_press();
  if (status != WISP_OK) return status;
  return wisp_press_detect(door.press, &picture, &door.options, &door.result, &door.error);
}

/* "result"; its boxes, "box" [count], are valid until the next detect. */
EMSCRIPTEN_KEEPALIVE const wisp_result *press_result(void) { return &door.result; }
