/* small_net.c - random little networks with every shape that YOLOv5 has, for the tests of the press.
 * SPDX-License-Identifier: Apache-2.0 */
#include "small_net.h"

#include <math.h>
#include <stdlib.h>

#include "check.h"

const stem STEMS[STEM_COUNT] = {
    {"6x6 stride 2 pad 2", 0, {{6, 6}, {2, 2}, {2, 2, 2, 2}}},
    {"3x3 stride 2 pad 1", 0, {{3, 3}, {2, 2}, {1, 1, 1, 1}}},
    {"5x4 stride 2, uneven padding", 0, {{5, 4}, {2, 2}, {2, 0, 1, 3}}},
    {"1x1 stride 2", 0, {{1, 1}, {2, 2}, {0, 0, 0, 0}}},
    {"2x2 stride 2 pad 1, 0", 0, {{2, 2}, {2, 2}, {0, 1, 1, 0}}},
    {"7x7 stride 4 pad 3", 0, {{7, 7}, {4, 4}, {3, 3, 3, 3}}},
    {"focus, 3x3", 1, {{3, 3}, {1, 1}, {1, 1, 1, 1}}},
    {"3x3 stride 1", 0, {{3, 3}, {1, 1}, {1, 1, 1, 1}}},
    {"3x3 stride 3", 0, {{3, 3}, {3, 3}, {0, 0, 0, 0}}},
};

wisp_window square(int kernel, int stride, int pad) {
  return (wisp_window){{kernel, kernel}, {stride, stride}, {pad, pad, pad, pad}};
}

/* ---- parts ---- */

wisp_node conv_node(int channels, wisp_window window, float *weights, int weight_count) {
  return (wisp_node){.kind = WISP_NODE_CONV,
                     .channels = channels,
                     .window = window,
                     .groups = 1,
                     .weights = weights,
                     .weight_count = weight_count};
}

int add_one(wisp_graph *graph, wisp_node node, int input) {
  node.inputs = &input;
  node.input_count = 1;
  return wisp_graph_add(graph, &node, NULL);
}

int add_two(wisp_graph *graph, wisp_node node, int a, int b) {
  node.inputs = (int[]){a, b};
  node.input_count = 2;
  return wisp_graph_add(graph, &node, NULL);
}

int add_activation(wisp_graph *graph, int input, int activation) {
  wisp_node node = {.kind = WISP_NODE_ACTIVATION, .activation = activation, .slope = 0.1f};
  return add_one(graph, node, input);
}

int add_upsample(wisp_graph *graph, int input, int factor) {
  const wisp_window window = {.stride = {factor, factor}};
  return add_one(graph, (wisp_node){.kind = WISP_NODE_UPSAMPLE, .window = window}, input);
}

int add_select(wisp_graph *graph, int input, int *picks, int n) {
  return add_one(graph, (wisp_node){.kind = WISP_NODE_SELECT, .picks = picks, .pick_count = n},
                 input);
}

static float *random_floats(int n, double size, double centre) {
  float *values = check_allocate((size_t)n * sizeof *values);
  for (int i = 0; i < n; i++) values[i] = (float)random_real(centre - size, centre + size);
  return values;
}

/* Weights of a size that lets the numbers neither grow nor vanish from layer to layer. */
static int random_groups(wisp_graph *graph, int input, int channels, int groups,
                         wisp_window window) {
  int from = graph->nodes[input].channels / groups,
      taps = from * window.kernel[0] * window.kernel[1];
  float *weights = random_floats(channels * taps, 2.5 / sqrt(taps), 0);
  float *bias = random_floats(channels, 0.5, 0);
  wisp_node node = conv_node(channels, window, weights, channels * taps);
  node.groups = groups;
  node.bias = bias;
  node.bias_count = random_chance(0.5) ? channels : 0;
  int tensor = add_one(graph, node, input);
  CHECK(tensor > 0);
  free(weights);
  free(bias);
  return tensor;
}

int random_conv(wisp_graph *graph, int input, int channels, wisp_window window) {
  return random_groups(graph, input, channels, 1, window);
}

int random_affine(wisp_graph *graph, int input) {
  int n = graph->nodes[input].channels;
  float *scale = random_floats(n, 0.5, 1), *bias = random_floats(n, 0.3, 0);
  wisp_node node = {
      .kind = WISP_NODE_AFFINE, .weights = scale, .weight_count = n, .bias = bias, .bias_count = n};
  int tensor = add_one(graph, node, input);
  CHECK(tensor > 0);
  free(scale);
  free(bias);
  return tensor;
}

int random_activation(wisp_graph *graph, int input) {
  return add_activation(graph, input, random_int(WISP_ACT_RELU, WISP_ACT_COUNT - 1));
}

/* Convolution, batch norm, activation. */
int random_block(wisp_graph *graph, int input, int channels, wisp_window window) {
  int conv = random_conv(graph, input, channels, window);
  return random_activation(graph, random_affine(graph, conv));
}

/* With coefficients of as many masks. */
static void random_mask_head(wisp_graph *graph, int input, int stride, int classes, int masks) {
  float anchors[] = {10, 13, 16, 30};
  int tensor = random_conv(graph, input, 2 * (5 + classes + masks), square(1, 1, 0));
  wisp_yolo_head head = {WISP_HEAD_YOLOV5, tensor, stride, 2, anchors, masks};
  CHECK_EQ(wisp_graph_head(graph, &head, NULL), WISP_OK);
}

static void random_head(wisp_graph *graph, int input, int stride, int classes) {
  random_mask_head(graph, input, stride, classes, 0);
}

int sum(wisp_graph *graph, int a, int b) {
  return add_two(graph, (wisp_node){.kind = WISP_NODE_ADD}, a, b);
}

int pair(wisp_graph *graph, int a, int b) {
  return add_two(graph, (wisp_node){.kind = WISP_NODE_CONCAT}, a, b);
}

/* Two, one with a letter of two bytes. */
static wisp_graph *with_classes(wisp_graph *graph) {
  wisp_graph_class(graph, "box", NULL);
  wisp_graph_class(graph,
                   "b\xc3\xbc"
                   "chse",
                   NULL);
  return graph;
}

/* ---- the network ---- */

/* A stem, a bottleneck with its residual, pools in a row, nested concatenations, a batch norm over one,
 * a way down and up again, two heads, and a node that nobody reads. */
wisp_graph *random_net(const stem *first, int height, int width) {
  static const int WIDTHS[] = {1, 3, 4, 5, 6, 8, 12, 13};
  int a = WIDTHS[random_int(0, 7)], b = WIDTHS[random_int(0, 7)], c = WIDTHS[random_int(0, 7)];
  int stride = first->focus ? 2 : first->window.stride[0];
  wisp_window point = square(1, 1, 0), three = square(3, 1, 1);
  wisp_node pool = {.kind = WISP_NODE_MAXPOOL, .window = square(5, 1, 2)};
  wisp_graph *graph;
  CHECK_EQ(wisp_graph_open(&graph), WISP_OK);
  wisp_graph_input(graph, height, width, NULL);
  int input = first->focus ? add_one(graph, (wisp_node){.kind = WISP_NODE_FOCUS}, 0) : 0;
  int x = random_block(graph, input, a, first->window);
  random_block(graph, x, 7, point);
  int y = random_affine(graph, random_conv(graph, random_block(graph, x, b, point), a, three));
  y = add_activation(graph, y, WISP_ACT_SILU);
  int added = random_chance(0.5) ? sum(graph, x, y) : sum(graph, y, x);
  int once = add_one(graph, pool, added);
  int twice = add_one(graph, pool, once);
  int wide = pair(graph, pair(graph, x, added), pair(graph, once, pair(graph, twice, x)));
  int top = random_block(graph, wide, c, point);
  int down = random_block(graph, top, b, square(3, 2, 1));
  int both = pair(graph, random_conv(graph, down, a, point), random_conv(graph, down, c, three));
  int deep = random_activation(graph, random_affine(graph, both));
  deep = random_block(graph, deep, c, three);
  int up = add_upsample(graph, deep, 2);
  random_head(graph, random_block(graph, pair(graph, up, top), b, three), stride, 2);
  random_head(graph, deep, stride * 2, 2);
  return with_classes(graph);
}

/* ---- shuffled units ---- */

/* A depthwise convolution and perhaps what follows one. */
static int random_depthwise(wisp_graph *graph, int input, int kernel, int stride) {
  int channels = graph->nodes[input].channels;
  int tensor = random_groups(graph, input, channels, channels, square(kernel, stride, kernel / 2));
  if (random_chance(0.5)) tensor = random_affine(graph, tensor);
  return random_chance(0.5) ? random_activation(graph, tensor) : tensor;
}

static int part(wisp_graph *graph, int input, int first, int n) {
  int picks[32];
  for (int i = 0; i < n; i++) picks[i] = first + i;
  return add_select(graph, input, picks, n);
}

/* The two halves of `input` take turns. */
static int shuffle(wisp_graph *graph, int input) {
  int picks[32], n = graph->nodes[input].channels;
  for (int i = 0; i < n; i++) picks[i] = i % 2 * (n / 2) + i / 2;
  return add_select(graph, input, picks, n);
}

static int lite_unit(wisp_graph *graph, int input) {
  int half = graph->nodes[input].channels / 2;
  int branch = random_block(graph, part(graph, input, half, half), half, square(1, 1, 0));
  branch = random_depthwise(graph, branch, random_chance(0.5) ? 3 : 5, 1);
  branch = random_block(graph, branch, half, square(1, 1, 0));
  return shuffle(graph, pair(graph, part(graph, input, 0, half), branch));
}

static int lite_down(wisp_graph *graph, int input, int half) {
  wisp_window point = square(1, 1, 0);
  int a = random_block(graph, random_depthwise(graph, input, 3, 2), half, point);
  int b = random_block(graph, input, half, point);
  b = random_block(graph, random_depthwise(graph, b, 3, 2), half, point);
  return shuffle(graph, pair(graph, a, b));
}

wisp_graph *random_lite(int height, int width) {
  static const int HALVES[] = {2, 5, 6, 8, 11};
  wisp_graph *graph;
  CHECK_EQ(wisp_graph_open(&graph), WISP_OK);
  wisp_graph_input(graph, height, width, NULL);
  int x = random_block(graph, 0, random_int(2, 9), square(3, 2, 1));
  x = lite_down(graph, x, HALVES[random_int(0, 4)]);
  for (int units = random_int(1, 4); units > 0; units--) x = lite_unit(graph, x);
  int finer = x;
  x = lite_down(graph, x, HALVES[random_int(0, 4)]);
  for (int units = random_int(0, 3); units > 0; units--) x = lite_unit(graph, x);
  int added = random_block(graph, x, 6, square(1, 1, 0));
  x = sum(graph, random_groups(graph, added, 6, 3, square(3, 1, 1)), added);
  int up = add_upsample(graph, x, 2);
  random_head(graph, random_block(graph, pair(graph, up, finer), 5, square(1, 1, 0)), 4, 2);
  random_head(graph, x, 8, 2);
  return with_classes(graph);
}

/* ---- squeeze-and-excitation ---- */

static int squeeze(wisp_graph *graph, int input) {
  static const int GATES[] = {WISP_ACT_HARDSIGMOID, WISP_ACT_SIGMOID, WISP_ACT_SILU};
  const int channels = graph->nodes[input].channels;
  int by = add_one(graph, (wisp_node){.kind = WISP_NODE_AVERAGE}, input);
  by = random_conv(graph, by, wisp_max(1, channels / 4), square(1, 1, 0));
  by = random_conv(graph, add_activation(graph, by, WISP_ACT_RELU), channels, square(1, 1, 0));
  by = add_activation(graph, by, GATES[random_int(0, 2)]);
  return add_two(graph, (wisp_node){.kind = WISP_NODE_SCALE}, input, by);
}

wisp_graph *random_squeezed(int depthwise, int height, int width) {
  static const int WIDTHS[] = {2, 3, 4, 7, 8, 12};
  wisp_graph *graph;
  CHECK_EQ(wisp_graph_open(&graph), WISP_OK);
  wisp_graph_input(graph, height, width, NULL);
  int x = random_block(graph, 0, WIDTHS[random_int(0, 5)], square(3, 2, 1));
  x = depthwise ? random_depthwise(graph, x, 5, 2)
                : random_block(graph, x, WIDTHS[random_int(0, 5)], square(3, 2, 1));
  const int finer = random_block(graph, squeeze(graph, x), 6, square(1, 1, 0));
  const int down = random_block(graph, finer, WIDTHS[random_int(0, 5)], square(3, 2, 1));
  const int up = add_upsample(graph, squeeze(graph, down), 2);
  random_head(
      graph, random_block(graph, pair(graph, up, squeeze(graph, finer)), 5, square(1, 1, 0)), 4, 2);
  random_head(graph, squeeze(graph, down), 8, 2);
  return with_classes(graph);
}

/* ---- ghosts ---- */

/* A block and what a depthwise convolution makes of it, side by side. */
static int ghost(wisp_graph *graph, int input, int half) {
  const int cheap = random_block(graph, input, half, square(1, 1, 0));
  return pair(graph, cheap, random_depthwise(graph, cheap, 5, 1));
}

/* Four tensors that take turns in each 2x2 pixels, as a transposed convolution makes them. */
static int turns(wisp_graph *graph, int input) {
  int parts[4];
  for (int i = 0; i < 4; i++)
    parts[i] = random_conv(graph, input, 5, square(1 + i % 2 * 2, 1, i % 2));
  const wisp_node node = {
      .kind = WISP_NODE_UPSAMPLE, .window = {.stride = {2, 2}}, .inputs = parts, .input_count = 4};
  return wisp_graph_add(graph, &node, NULL);
}

wisp_graph *random_ghost(int height, int width) {
  static const int HALVES[] = {2, 3, 4, 6};
  const int half = HALVES[random_int(0, 3)];
  const wisp_node pool = {.kind = WISP_NODE_MAXPOOL, .window = {{2, 2}, {1, 1}, {0, 0, 1, 1}}};
  wisp_graph *graph;
  CHECK_EQ(wisp_graph_open(&graph), WISP_OK);
  wisp_graph_input(graph, height, width, NULL);
  int x = ghost(graph, random_block(graph, 0, 7, square(3, 4, 1)), half);
  x = sum(graph, x, ghost(graph, x, half));
  x = random_chance(0.5) ? sum(graph, x, ghost(graph, x, half))
                         : sum(graph, ghost(graph, x, half), x);
  const int gate = random_activation(graph, random_conv(graph, x, 2 * half, square(1, 1, 0)));
  x = sum(graph,
          add_activation(graph, random_conv(graph, x, 2 * half, square(1, 1, 0)), WISP_ACT_SIGMOID),
          sum(graph, x, gate));
  const int down = ghost(graph, random_block(graph, x, 6, square(3, 2, 1)), half);
  const int pooled = add_one(graph, pool, down);
  const int mean = add_one(graph, (wisp_node){.kind = WISP_NODE_AVERAGE}, pooled);
  const int by =
      add_activation(graph, random_conv(graph, mean, 2 * half, square(1, 1, 0)), WISP_ACT_SIGMOID);
  const int deep = add_two(graph, (wisp_node){.kind = WISP_NODE_SCALE},
                           sum(graph, pooled, add_one(graph, pool, pooled)), by);
  const int fine = pair(graph, add_upsample(graph, down, 2), pair(graph, turns(graph, deep), x));
  random_head(graph, random_block(graph, fine, 5, square(1, 1, 0)), 4, 2);
  random_head(graph, pair(graph, deep, down), 8, 2);
  return with_classes(graph);
}

/* ---- masks ---- */

wisp_graph *random_segmenting(int height, int width) {
  static const int MASKS[] = {1, 4, 7};
  const int masks = MASKS[random_int(0, 2)];
  const wisp_window three = square(3, 1, 1);
  wisp_graph *graph;
  CHECK_EQ(wisp_graph_open(&graph), WISP_OK);
  wisp_graph_input(graph, height, width, NULL);
  int x = random_block(graph, 0, 6, square(3, 2, 1));
  x = random_block(graph, x, 8, square(3, 2, 1));
  const int fine = random_block(graph, x, 8, square(3, 2, 1)),
            coarse = random_block(graph, fine, 8, square(3, 2, 1));
  int y = add_upsample(graph, random_block(graph, fine, 6, three), 2);
  y = random_block(graph, random_block(graph, y, 6, three), masks, square(1, 1, 0));
  random_mask_head(graph, fine, 8, 2, masks);
  random_mask_head(graph, coarse, 16, 2, masks);
  const wisp_yolo_head prototypes = {
      .kind = WISP_HEAD_PROTOTYPES, .tensor = y, .stride = 4, .masks = masks};
  CHECK_EQ(wisp_graph_head(graph, &prototypes, NULL), WISP_OK);
  return with_classes(graph);
}
