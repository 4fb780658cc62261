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

#include "flatten.h"
#include "record.h"

/* A head, as told: with the numbers of its anchors, two each. */
typedef struct told_head {
  wisp_yolo_head own;
  int numbers;
} told_head;

/* What became of a convolution. */
typedef struct told_account {
  int node;
  wisp_net_account of;
} told_account;

/* Room for a convolution's weights, and what the graph said of it. */
typedef struct told_weights {
  wisp_window window;
  size_t count;
  int channels;
  float *weights, *biases;
} told_weights;

static struct {
  wisp_press *press;
  wisp_node node;
  told_head head;
  wisp_press_settings settings;
  told_account account;
  told_weights weights;
  uint8_t *rgba; /* the picture at hand */
  size_t rgba_cap;
  int width, height;
  const uint8_t *packed;
  size_t packed_size;
  wisp_options options;
  wisp_result result;
  wisp_error error;
} door;

/* ---- what crosses by name ---- */

static const char *KINDS[WISP_NODE_KINDS],
    *ACTIVATIONS[WISP_ACT_COUNT]; /* as the graph names them */

static const record_field NODE[] = {RECORD_WORD("kind!", wisp_node, kind, KINDS),
                                    RECORD_POINTER("inputs!", wisp_node, inputs, input_count),
                                    RECORD_FIELD("channels", wisp_node, channels),
                                    RECORD_NUMBERS("kernel", wisp_node, window.kernel),
                                    RECORD_NUMBERS("stride", wisp_node, window.stride),
                                    RECORD_NUMBERS("pad", wisp_node, window.pad),
                                    RECORD_FIELD("groups", wisp_node, groups),
                                    RECORD_WORD("activation", wisp_node, activation, ACTIVATIONS),
                                    RECORD_FIELD("slope", wisp_node, slope),
                                    RECORD_POINTER("weight", wisp_node, weights, weight_count),
                                    RECORD_POINTER("bias", wisp_node, bias, bias_count),
                                    RECORD_POINTER("picks", wisp_node, picks, pick_count),
                                    RECORD_FIELD("scale", wisp_node, range.scale),
                                    RECORD_FIELD("zeroPoint", wisp_node, range.zero_point)};

static const char *const HEADS[] = {[WISP_HEAD_YOLOV5] = "yolov5",
                                    [WISP_HEAD_YOLOV8] = "yolov8",
                                    [WISP_HEAD_PROTOTYPES] = "prototypes"};
static const record_field HEAD[] = {RECORD_WORD("kind", told_head, own.kind, HEADS),
                                    RECORD_FIELD("tensor!", told_head, own.tensor),
                                    RECORD_FIELD("stride!", told_head, own.stride),
                                    RECORD_POINTER("anchors!", told_head, own.anchors, numbers),
                                    RECORD_FIELD("masks", told_head, own.masks)};

static const char *const BY_LAYER[] = {"auto"};
static const char *const RANGINGS[] = {
    [WISP_RANGE_MINMAX] = "min-max", [WISP_RANGE_MSE] = "least-squares"};
static const char *const ROUNDINGS[] = {
    [WISP_ROUND_LEAST_SQUARES] = "least-squares", [WISP_ROUND_NEAREST] = "nearest"};
static const char *const METHODS[] = {[WISP_METHOD_OBS] = "obs", [WISP_METHOD_L1] = "l1"};
static const char *const ALLOCATIONS[] = {
    [WISP_ALLOCATE_SENSITIVITY] = "sensitivity", [WISP_ALLOCATE_UNIFORM] = "uniform"};
static const char *const BLOCKS[] = {[1] = "1x1", [2] = "1x2", [4] = "1x4"};

static const record_field SETTINGS[] = {
    RECORD_NUMBER_OR_WORD("bits", wisp_press_settings, weight_bits, BY_LAYER),
    RECORD_FIELD("targetLoss", wisp_press_settings, target_loss),
    RECORD_WORD("ranging", wisp_press_settings, ranging, RANGINGS),
    RECORD_WORD("rounding", wisp_press_settings, rounding, ROUNDINGS),
    RECORD_FIELD("sparsity", wisp_press_settings, sparsity),
    RECORD_WORD("method", wisp_press_settings, method, METHODS),
    RECORD_WORD("allocation", wisp_press_settings, allocation, ALLOCATIONS),
    RECORD_WORD("blocks", wisp_press_settings, block, BLOCKS),
    RECORD_FIELD("seed", wisp_press_settings, seed)};

static const record_field ACCOUNT[] = {RECORD_FIELD("node", told_account, node),
                                       RECORD_FIELD("bits", told_account, of.bits),
                                       RECORD_FIELD("weights", told_account, of.weights),
                                       RECORD_FIELD("zeros", told_account, of.zeros),
                                       RECORD_FIELD("blocks", told_account, of.blocks),
                                       RECORD_FIELD("zeroBlocks", told_account, of.zero_blocks),
                                       RECORD_FIELD("macs", told_account, of.macs),
                                       RECORD_FIELD("errorBefore", told_account, of.error_before),
                                       RECORD_FIELD("errorAfter", told_account, of.error_after),
                                       RECORD_FIELD("share", told_account, of.share)};

static const record_field WEIGHTS[] = {RECORD_NUMBERS("kernel!", told_weights, window.kernel),
                                       RECORD_NUMBERS("stride!", told_weights, window.stride),
                                       RECORD_NUMBERS("pad!", told_weights, window.pad),
                                       RECORD_FIELD("count!", told_weights, count),
                                       RECORD_FIELD("channels!", told_weights, channels),
                                       RECORD_ADDRESS("weight!", told_weights, weights),
                                       RECORD_ADDRESS("bias!", told_weights, biases)};

/* The text that record.h describes. */
EMSCRIPTEN_KEEPALIVE const char *press_records(void) {
  static const record RECORDS[] = {RECORD("node", wisp_node, NODE), RECORD("head", told_head, HEAD),
                                   RECORD("settings", wisp_press_settings, SETTINGS),
                                   RECORD("account", told_account, ACCOUNT),
                                   RECORD("weights", told_weights, WEIGHTS)};
  for (int i = 0; i < WISP_NODE_KINDS; i++) KINDS[i] = wisp_graph_kind_name((wisp_node_kind)i);
  for (int i = 0; i < WISP_ACT_COUNT; i++)
    ACTIVATIONS[i] = wisp_graph_activation_name((wisp_activation)i);
  return record_tell(RECORDS, sizeof RECORDS / sizeof *RECORDS);
}

/* ---- memory and errors ---- */

/* 0 without memory. */
EMSCRIPTEN_KEEPALIVE void *press_alloc(size_t size) { return malloc(size); }
EMSCRIPTEN_KEEPALIVE void press_release(void *bytes) { free(bytes); }

EMSCRIPTEN_KEEPALIVE const char *press_error_name(void) {
  return wisp_status_name(door.error.status);
}
EMSCRIPTEN_KEEPALIVE const char *press_error_message(void) { return door.error.message; }

static wisp_status open_press(void) {
  if (door.press || wisp_press_open(&door.press) == WISP_OK) return WISP_OK;
  return wisp_fail(&door.error, WISP_ERR_MEMORY, "There is no memory for a press.");
}

/* Back to the state before the first call. Legal at any time, also twice. */
EMSCRIPTEN_KEEPALIVE void press_close(void) {
  wisp_press_close(&door.press);
  free(door.rgba);
  memset(&door, 0, sizeof door);
}

/* ---- graph ---- */

static wisp_status open_graph(wisp_graph **graph) {
  const wisp_status status = open_press();
  if (status != WISP_OK) return status;
  *graph = wisp_press_graph(door.press);
  if (*graph) return WISP_OK;
  return wisp_fail(&door.error, WISP_ERR_ARGUMENT,
                   "The graph is folded; close the press to begin another.");
}

EMSCRIPTEN_KEEPALIVE int press_input(int height, int width) {
  wisp_graph *graph;
  const wisp_status status = open_graph(&graph);
  return status == WISP_OK ? wisp_graph_input(graph, height, width, &door.error) : status;
}

/* "node", empty, for the caller to fill before it adds it. */
EMSCRIPTEN_KEEPALIVE wisp_node *press_node(void) {
  door.node = (wisp_node){0};
  return &door.node;
}

/* Returns the number of its tensor. */
EMSCRIPTEN_KEEPALIVE int press_add_node(void) {
  wisp_graph *graph;
  const wisp_status status = open_graph(&graph);
  return status == WISP_OK ? wisp_graph_add(graph, &door.node, &door.error) : status;
}

/* "head", empty but for the kind, for the caller to fill before it adds it. */
EMSCRIPTEN_KEEPALIVE told_head *press_head(void) {
  door.head = (told_head){.own = {.kind = WISP_HEAD_YOLOV5}};
  return &door.head;
}

EMSCRIPTEN_KEEPALIVE int press_add_head(void) {
  wisp_graph *graph;
  const wisp_status status = open_graph(&graph);
  if (status != WISP_OK) return status;
  door.head.own.anchor_count = door.head.numbers / 2;
  if (door.head.numbers % 2 == 0) return wisp_graph_head(graph, &door.head.own, &door.error);
  return wisp_fail(&door.error, WISP_ERR_ARGUMENT,
                   "A head has %d sides of anchors; each has two, width and height.",
                   door.head.numbers);
}

EMSCRIPTEN_KEEPALIVE int press_class(const char *utf8) {
  wisp_graph *graph;
  const wisp_status status = open_graph(&graph);
  return status == WISP_OK ? wisp_graph_class(graph, utf8, &door.error) : status;
}

/* ---- press ---- */

EMSCRIPTEN_KEEPALIVE int press_fold(int threads) {
  const wisp_status status = open_press();
  return status == WISP_OK ? wisp_press_fold(door.press, threads, &door.error) : status;
}

/* Room for the RGBA bytes of the next picture, rows without gaps; 0 without memory. */
EMSCRIPTEN_KEEPALIVE uint8_t *press_frame_buffer(int width, int height) {
  const uint64_t size = width > 0 && height > 0 ? (uint64_t)width * (uint64_t)height * 4 : 0;
  if (size > door.rgba_cap) {
    free(door.rgba);
    door.rgba = size <= PTRDIFF_MAX ? malloc((size_t)size) : NULL;
    door.rgba_cap = door.rgba ? (size_t)size : 0;
  }
  const int usable = size > 0 && door.rgba;
  door.width = usable ? width : 0;
  door.height = usable ? height : 0;
  return usable ? door.rgba : NULL;
}

/* Lays that picture, where it is transparent, on the colour 0xRRGGBB. */
EMSCRIPTEN_KEEPALIVE void flatten_frame(uint32_t colour) {
  flatten(door.rgba, (size_t)door.width * (size_t)door.height, colour);
}

static wisp_frame frame(void) {
  return (wisp_frame){door.rgba, door.width, door.height, (size_t)door.width * 4};
}

EMSCRIPTEN_KEEPALIVE int press_observe(void) {
  const wisp_frame picture = frame();
  const wisp_status status = open_press();
  return status == WISP_OK ? wisp_press_observe(door.press, &picture, &door.error) : status;
}

/* Module.onProgress is the caller's. */
EM_JS(void, tell_progress, (double share), { Module["onProgress"](share); })

static void tell(void *context, double share) {
  (void)context;
  tell_progress(share);
}

/* 1: the network was trained with wisp's integers, and may be quantised without pictures. */
EMSCRIPTEN_KEEPALIVE int press_trained(void) {
  return door.press && wisp_press_trained(door.press);
}

/* "settings" at their defaults, for the caller to fill before it completes them. */
EMSCRIPTEN_KEEPALIVE wisp_press_settings *press_settings(void) {
  door.settings = wisp_press_default_settings();
  return &door.settings;
}

/* Decides what they leave open; an error where they can't be. */
EMSCRIPTEN_KEEPALIVE int press_complete(void) {
  return wisp_settings_complete(&door.settings, &door.error);
}

/* By the settings. Tells Module.onProgress how far it is, 0 ... 1. */
EMSCRIPTEN_KEEPALIVE int press_quantise(void) {
  const wisp_progress progress = {.tell = tell};
  const wisp_status status = open_press();
  if (status != WISP_OK) return status;
  return wisp_press_quantise(door.press, &door.settings, &progress, &door.error);
}

/* "account": what that did to a convolution. Valid until the next call; 0 past the last one. */
EMSCRIPTEN_KEEPALIVE const told_account *press_account(int convolution) {
  const wisp_net_account *of =
      door.press ? wisp_press_account(door.press, convolution, &door.account.node) : NULL;
  if (!of) return NULL;
  door.account.of = *of;
  return &door.account;
}

/* "weights", empty, for the caller to fill before it dequantises. */
EMSCRIPTEN_KEEPALIVE told_weights *press_weights(void) {
  door.weights = (told_weights){0};
  return &door.weights;
}

/* What the integers of a convolution with an account stand for, into that room. */
EMSCRIPTEN_KEEPALIVE int press_dequantise(int convolution) {
  const told_weights *to = &door.weights;
  const wisp_status status = open_press();
  if (status != WISP_OK) return status;
  return wisp_press_dequantise(door.press, convolution, &to->window, to->count, to->channels,
                               to->weights, to->biases, &door.error);
}

/* Removes whole channels, about `share` of the work. Returns what was saved, 0 ... 1, or a negative wisp_status. */
EMSCRIPTEN_KEEPALIVE double press_channels(double share) {
  double saved = 0;
  wisp_status status = open_press();
  if (status == WISP_OK) status = wisp_press_channels(door.press, share, &saved, &door.error);
  return status == WISP_OK ? saved : status;
}

/* provenance: UTF-8 of a JSON object */
EMSCRIPTEN_KEEPALIVE int press_pack(const char *provenance) {
  const wisp_status status = open_press();
  if (status != WISP_OK) return status;
  return wisp_press_pack(door.press, provenance, &door.packed, &door.packed_size, &door.error);
}

/* The file; valid until the next pack. */
EMSCRIPTEN_KEEPALIVE const uint8_t *press_packed_data(void) { return door.packed; }
EMSCRIPTEN_KEEPALIVE size_t press_packed_size(void) { return door.packed_size; }

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
