/* fuzz_graph.c - any bytes as the nodes of a graph: add them, fold; what folds small is pressed, and the file opened.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Numbers are mostly possible ones, so that what lies behind the door is reached. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "corridor.h"
#include "models/press/press.h"

enum { NODES = 40, NUMBERS = 4096, PICKS = 64, SIDE = 32, MOST_FLOATS = 6000, MOST_MACS = 100000 };

/* Gives zeros past its end. */
typedef struct source {
  const uint8_t *at, *end;
} source;

static int take(source *s) { return s->at < s->end ? *s->at++ : 0; }

/* Of 1 ... most, or now and then something else. */
static int number(source *s, int most) {
  static const int others[] = {0, -1, 16, 255, 4096, 16385, INT_MAX, -INT_MAX};
  const int byte = take(s);
  return byte >= 248 ? others[byte - 248] : 1 + byte % most;
}

static float *numbers(void) {
  static float values[NUMBERS + 100];
  for (int i = 0; i < NUMBERS + 100 && values[NUMBERS] == 0; i++)
    values[i] = (float)((i * 7919 + 13) % 201 - 100) / 200;
  return values;
}

static void require_sentence(int status, const wisp_error *error) {
  const size_t length = strlen(error->message);
  if (status < 0 && ((int)error->status != status || length < 10)) abort();
}

/* ---- the graph ---- */

static void take_window(source *s, wisp_window *window) {
  for (int axis = 0; axis < 2; axis++) {
    window->kernel[axis] = number(s, 6);
    window->stride[axis] = number(s, 3);
    window->pad[axis] = number(s, 3) - 1;
    window->pad[axis + 2] = number(s, 3) - 1;
  }
}

/* What the kind of node needs, right in most cases. */
static void take_counts(source *s, const wisp_graph *graph, wisp_node *node) {
  const int odd = take(s), input = node->inputs[0];
  const int from = input >= 0 && input < graph->node_count ? graph->nodes[input].channels : 1;
  const int *kernel = node->window.kernel;
  double weights = 0;
  if (node->kind == WISP_NODE_CONV && node->groups != 0)
    weights = (double)node->channels * (from / node->groups) * kernel[0] * kernel[1];
  if (node->kind == WISP_NODE_AFFINE) weights = from;
  node->weight_count = weights >= 0 && weights <= NUMBERS ? (int)weights : NUMBERS;
  if (node->kind == WISP_NODE_AFFINE) node->bias_count = node->weight_count;
  if (node->kind == WISP_NODE_CONV && odd % 2) node->bias_count = node->channels;
  if (node->bias_count > NUMBERS) node->bias_count = NUMBERS;
  if (node->kind != WISP_NODE_SELECT) node->pick_count = 0;
  if (odd == 255) node->weight_count = number(s, 8);
  if (odd == 254) node->bias_count = number(s, 8);
  if (odd == 253) node->pick_count = wisp_min(number(s, 8), PICKS);
  if (odd == 252) node->weights = NULL;
  if (odd == 251) node->bias = NULL;
  if (odd == 250 || (odd == 253 && take(s) % 2)) node->picks = NULL;
  if (odd == 249) node->inputs = NULL;
}

static void add_node(source *s, wisp_graph *graph) {
  int inputs[4], picks[PICKS];
  wisp_node node = {.kind = (wisp_node_kind)number(s, WISP_NODE_KINDS - 1), .weights = numbers()};
  for (int i = 0; i < 4; i++)
    inputs[i] = (int)((unsigned)graph->node_count - (unsigned)number(s, i ? 8 : 2));
  node.inputs = inputs;
  const int joins = node.kind == WISP_NODE_CONCAT || node.kind == WISP_NODE_ADD ||
                    wisp_operation_row_of(wisp_node_operation(node.kind)).inputs[0] == 2;
  node.input_count = joins ? 2 : 1;
  if (take(s) >= 248) node.input_count = number(s, 4) % 5;
  node.channels = number(s, 24);
  node.activation = number(s, WISP_ACT_COUNT - 1);
  node.slope = (float)take(s) / 250 - 0.01f;
  node.groups = take(s) < 160 ? 1 : number(s, 8);
  take_window(s, &node.window);
  node.bias = numbers() + 100;
  node.pick_count = wisp_min(number(s, 16), PICKS);
  for (int i = 0; i < node.pick_count; i++) picks[i] = number(s, 16) - 1;
  node.picks = picks;
  if (take(s) >= 200) node.range = (wisp_byte_range){(float)take(s) / 1000, number(s, 256) - 1};
  take_counts(s, graph, &node);
  const int count = graph->node_count;
  wisp_error error = {WISP_OK, ""};
  const int tensor = wisp_graph_add(graph, &node, &error);
  require_sentence(tensor, &error);
  if (graph->node_count != (tensor < 0 ? count : count + 1)) abort();
}

/* Heads of one class are convolutions of 6 channels for each anchor. */
static void add_heads(source *s, wisp_graph *graph) {
  float anchors[2 * 4] = {10, 13, 16, 30, 33, 23, 5, 6};
  wisp_error error = {WISP_OK, ""};
  for (int left = number(s, 3); left > 0 && left < 20; left--) {
    const int tensor = graph->node_count - (1 + take(s) % 4);
    wisp_window point = {{1, 1}, {1, 1}, {0}};
    int input = tensor;
    wisp_node node = {.kind = WISP_NODE_CONV, .inputs = &input, .input_count = 1, .window = point};
    node.groups = 1;
    node.channels = 6 * (1 + take(s) % 3);
    node.weights = numbers();
    node.weight_count = tensor < 0 ? 0 : node.channels * graph->nodes[tensor].channels;
    if (node.weight_count > NUMBERS) return;
    wisp_yolo_head head = {.kind = WISP_HEAD_YOLOV5, .anchors = anchors};
    head.tensor = wisp_graph_add(graph, &node, &error);
    require_sentence(head.tensor, &error);
    head.stride = 1 << take(s) % 6;
    head.anchor_count = node.channels / 6;
    if (take(s) >= 250) head.stride = number(s, 64);
    require_sentence(wisp_graph_head(graph, &head, &error), &error);
  }
}

static int take_side(source *s) {
  const int n = number(s, SIDE / 8);
  return n > 0 && n <= SIDE / 8 ? 8 * n : n;
}

static void build(source s, wisp_graph *graph) {
  wisp_error error = {WISP_OK, ""};
  const int height = take_side(&s), width = take_side(&s);
  require_sentence(wisp_graph_input(graph, height, width, &error), &error);
  for (int i = 1 + take(&s) % NODES; i > 0; i--) add_node(&s, graph);
  add_heads(&s, graph);
  require_sentence(wisp_graph_class(graph, "box", &error), &error);
}

/* ---- the way to a file ---- */

/* Whether it folds to something that is pressed in a few milliseconds. */
static int folds_small(source s) {
  wisp_graph *graph;
  wisp_net *net;
  wisp_error error = {WISP_OK, ""};
  double floats = 0, macs = 0;
  if (wisp_graph_open(&graph) != WISP_OK) abort();
  build(s, graph);
  require_sentence(wisp_fold(graph, &net, &error), &error);
  for (int t = 0; net && t <= net->layer_count; t++)
    floats += (double)net->tensors[t].channels * net->tensors[t].height * net->tensors[t].width;
  for (int i = 0; net && i < net->layer_count; i++) {
    const wisp_net_layer *layer = &net->layers[i];
    const wisp_net_tensor *out = &net->tensors[i + 1];
    const int window = layer->window.kernel[0] * layer->window.kernel[1];
    macs += (double)window * layer->channels_in * out->channels * out->height * out->width;
  }
  const int small = net && floats < MOST_FLOATS && macs < MOST_MACS;
  wisp_net_close(&net);
  wisp_graph_close(&graph);
  return small;
}

/* What the press writes, the runtime reads. */
static void open_file(const uint8_t *bytes, size_t size, const wisp_frame *frame) {
  const wisp_settings settings = wisp_default_settings();
  wisp_model *model;
  wisp_detector *detector = NULL;
  wisp_error error = {WISP_OK, ""};
  wisp_result result;
  const wisp_options options = wisp_default_options();
  if (wisp_model_open(&model) != WISP_OK) abort();
  if (wisp_model_feed(model, bytes, size, &error) != WISP_OK) abort();
  const wisp_status status = wisp_open(&detector, model, &settings, &error);
  require_sentence(status, &error);
  if (status != WISP_OK && status != WISP_ERR_LIMIT) abort();
  if (detector && wisp_detect(detector, frame, 1, &options, &result, &error) != WISP_OK) abort();
  wisp_close(&detector);
  wisp_model_close(&model);
}

static wisp_press_settings take_settings(source *s) {
  wisp_press_settings settings = wisp_press_default_settings();
  const int how = take(s);
  settings.weight_bits = how % 8 == 1 ? 0 : how % 8;
  settings.ranging = how & 8 ? WISP_RANGE_MSE : WISP_RANGE_MINMAX;
  settings.rounding = how & 16 ? WISP_ROUND_NEAREST : WISP_ROUND_LEAST_SQUARES;
  settings.allocation = how & 32 ? WISP_ALLOCATE_UNIFORM : WISP_ALLOCATE_SENSITIVITY;
  settings.method = how & 64 ? WISP_METHOD_L1 : WISP_METHOD_OBS;
  settings.sparsity = (float)(take(s) % 4) / 4;
  settings.block = how & 64 ? 1 : 1 << take(s) % 3;
  return settings;
}

static void press_all(source s, wisp_press *press) {
  static uint8_t rgba[7 * 9 * 4];
  for (size_t i = 0; i < sizeof rgba; i++) rgba[i] = (uint8_t)(i * i * 7);
  const wisp_frame frame = {rgba, 7, 9, 28};
  wisp_error error = {WISP_OK, ""};
  build(s, wisp_press_graph(press));
  const wisp_press_settings settings = take_settings(&s); /* the graph's first bytes once more */
  const double share = take(&s) % 4 == 3 ? 0.5 : 0;
  double saved;
  const uint8_t *bytes;
  size_t size;
  wisp_status status = wisp_press_fold(press, 1, &error);
  if (status == WISP_OK) status = wisp_press_observe(press, &frame, &error);
  if (status == WISP_OK && share > 0) {
    status = wisp_press_channels(press, share, &saved, &error);
    if (status == WISP_OK) status = wisp_press_observe(press, &frame, &error);
  }
  if (status == WISP_OK) status = wisp_press_quantise(press, &settings, NULL, &error);
  if (status == WISP_OK) status = wisp_press_pack(press, "{}", &bytes, &size, &error);
  require_sentence(status, &error);
  if (status == WISP_OK) open_file(bytes, size, &frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const source s = {data, data + size};
  wisp_press *press;
  if (!folds_small(s)) return 0;
  if (wisp_press_open(&press) != WISP_OK) return -1;
  press_all(s, press);
  wisp_press_close(&press);
  return 0;
}
