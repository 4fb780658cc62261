/* graph.c - a float network as an importer tells it, node by node; the press's door.
 * SPDX-License-Identifier: Apache-2.0 */
#include "graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/src/error.h"

enum { MAX_NODES = 16384 /* more than layers: what is folded away counts too */ };

const char *wisp_graph_kind_name(wisp_node_kind kind) {
  static const char *const names[] = {"picture", "conv",    "affine",   "activation", "add",
                                      "concat",  "maxpool", "upsample", "focus",      "select"};
  return names[kind];
}

/* ---- room ---- */

/* `items` with room for one more than `count`, perhaps elsewhere; NULL without memory, and `items` stays good. */
static void *roomy(void *items, int count, int *cap, size_t size) {
  if (count < *cap) return items;
  int more = *cap ? *cap * 2 : 16;
  void *moved = realloc(items, (size_t)more * size);
  if (moved) *cap = more;
  return moved;
}

static void *copy_of(const void *bytes, size_t size) {
  void *copy = malloc(size ? size : 1);
  if (copy && size) memcpy(copy, bytes, size);
  return copy;
}

wisp_status wisp_graph_open(wisp_graph **out) {
  *out = NULL;
  wisp_graph *graph = calloc(1, sizeof *graph);
  if (!graph) return WISP_ERR_MEMORY;
  graph->nodes = roomy(NULL, 0, &graph->node_cap, sizeof *graph->nodes);
  if (!graph->nodes) {
    wisp_graph_close(&graph);
    return WISP_ERR_MEMORY;
  }
  graph->nodes[graph->node_count++] = (wisp_node){.kind = WISP_NODE_PICTURE, .channels = 3};
  *out = graph;
  return WISP_OK;
}

static void clear_node(wisp_node *node) {
  free(node->inputs);
  free(node->weights);
  free(node->bias);
  free(node->picks);
}

void wisp_graph_close(wisp_graph **out) {
  wisp_graph *graph = *out;
  if (!graph) return;
  *out = NULL;
  for (int i = 0; i < graph->node_count; i++) clear_node(&graph->nodes[i]);
  for (int i = 0; i < graph->head_count; i++) free(graph->heads[i].anchors);
  for (int i = 0; i < graph->class_count; i++) free(graph->classes[i]);
  free(graph->nodes);
  free(graph->heads);
  free(graph->classes);
  free(graph);
}

/* ---- doubt ---- */

/* The number the node in the making will have. */
static int next(const wisp_graph *graph) { return graph->node_count; }

static wisp_status check_value(const wisp_graph *graph, const char *what, double value, int low,
                               int high, wisp_error *error) {
  if (value >= low && value <= high) return WISP_OK;
  return wisp_fail(error, WISP_ERR_ARGUMENT, "Node %d: %s is %g; %d to %d is possible.",
                   next(graph), what, value, low, high);
}

static wisp_status check_tensor(const wisp_graph *graph, int tensor, wisp_error *error) {
  if (tensor >= 0 && tensor < graph->node_count) return WISP_OK;
  return wisp_fail(error, WISP_ERR_ARGUMENT, "Node %d reads tensor %d; only 0 to %d are there.",
                   next(graph), tensor, graph->node_count - 1);
}

static wisp_status check_numbers(const wisp_graph *graph, const char *what, const float *values,
                                 size_t n, wisp_error *error) {
  if (!values) return wisp_fail(error, WISP_ERR_ARGUMENT, "Node %d has no %s.", next(graph), what);
  for (size_t i = 0; i < n; i++)
    if (!isfinite(values[i]))
      return wisp_fail(error, WISP_ERR_ARGUMENT,
                       "Node %d: number %zu of its %s is %g; all must be finite.", next(graph), i,
                       what, (double)values[i]);
  return WISP_OK;
}

static wisp_status check_window(const wisp_graph *graph, const wisp_window *window,
                                wisp_error *error) {
  for (int axis = 0; axis < 2; axis++) {
    wisp_status status =
        check_value(graph, "the kernel", window->kernel[axis], 1, WISP_MAX_KERNEL, error);
    if (!status)
      status = check_value(graph, "the stride", window->stride[axis], 1, WISP_MAX_STRIDE, error);
    int most = window->kernel[axis] - 1; /* FORMAT.md: smaller than the kernel */
    if (!status)
      status = check_value(graph, "the padding before", window->pad[axis], 0, most, error);
    if (!status)
      status = check_value(graph, "the padding after", window->pad[axis + 2], 0, most, error);
    if (status) return status;
  }
  return WISP_OK;
}

/* ---- nodes ---- */

/* Takes over what `node` holds, also when it fails. */
static int add_node(wisp_graph *graph, wisp_node node, const int *inputs, int n,
                    wisp_error *error) {
  node.inputs = copy_of(inputs, (size_t)n * sizeof *inputs);
  node.input_count = n;
  wisp_node *nodes = roomy(graph->nodes, graph->node_count, &graph->node_cap, sizeof node);
  if (nodes) graph->nodes = nodes;
  if (!nodes || !node.inputs || graph->node_count == MAX_NODES) {
    clear_node(&node);
    if (graph->node_count == MAX_NODES)
      return wisp_fail(error, WISP_ERR_LIMIT, "The graph has more than %d nodes.", MAX_NODES);
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for node %d.", next(graph));
  }
  graph->nodes[graph->node_count] = node;
  return graph->node_count++;
}

/* With weights and bias copied into the node; a NULL bias stays away. */
static int add_weighted(wisp_graph *graph, wisp_node node, int input, const float *weights,
                        size_t n, const float *bias, wisp_error *error) {
  node.weights = copy_of(weights, n * sizeof *weights);
  node.bias = bias ? copy_of(bias, (size_t)node.channels * sizeof *bias) : NULL;
  if (!node.weights || (bias && !node.bias)) {
    clear_node(&node);
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for the weights of node %d.",
                     next(graph));
  }
  return add_node(graph, node, &input, 1, error);
}

static wisp_status check_groups(const wisp_graph *graph, int input, int channels, int per_group,
                                int groups, wisp_error *error) {
  wisp_status status =
      check_value(graph, "the output channels", channels, 1, WISP_MAX_CHANNELS, error);
  if (!status) status = check_value(graph, "the groups", groups, 1, channels, error);
  if (!status)
    status = check_value(graph, "channels per group", per_group, 1, WISP_MAX_CHANNELS, error);
  if (status) return status;
  int given = graph->nodes[input].channels;
  if ((double)per_group * groups != given || channels % groups)
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "Node %d: %d groups of %d channels to %d don't fit tensor %d of %d channels.",
                     next(graph), groups, per_group, channels, input, given);
  return WISP_OK;
}

int wisp_graph_conv(wisp_graph *graph, int input, const float *weights, const float *bias,
                    int channels, int channels_per_group, const wisp_window *window, int groups,
                    wisp_error *error) {
  wisp_status status = check_tensor(graph, input, error);
  if (!status) status = check_window(graph, window, error);
  if (!status) status = check_groups(graph, input, channels, channels_per_group, groups, error);
  if (status) return status;
  double n = (double)channels * channels_per_group * window->kernel[0] * window->kernel[1];
  if (n > WISP_MOST_WEIGHTS)
    return wisp_fail(error, WISP_ERR_LIMIT, "Node %d has %.0f weights; up to %.0f are possible.",
                     next(graph), n, (double)WISP_MOST_WEIGHTS);
  status = check_numbers(graph, "weights", weights, (size_t)n, error);
  if (!status && bias) status = check_numbers(graph, "biases", bias, (size_t)channels, error);
  if (status) return status;
  wisp_node node = {
      .kind = WISP_NODE_CONV, .channels = channels, .window = *window, .groups = groups};
  return add_weighted(graph, node, input, weights, (size_t)n, bias, error);
}

int wisp_graph_affine(wisp_graph *graph, int input, const float *scale, const float *bias, int n,
                      wisp_error *error) {
  wisp_status status = check_tensor(graph, input, error);
  if (!status) {
    int channels = graph->nodes[input].channels;
    status = check_value(graph, "the channels of the affine", n, channels, channels, error);
  }
  if (!status) status = check_numbers(graph, "scales", scale, (size_t)n, error);
  if (!status) status = check_numbers(graph, "biases", bias, (size_t)n, error);
  if (status) return status;
  wisp_node node = {.kind = WISP_NODE_AFFINE, .channels = n};
  return add_weighted(graph, node, input, scale, (size_t)n, bias, error);
}

int wisp_graph_activation(wisp_graph *graph, int input, int activation, float slope,
                          wisp_error *error) {
  wisp_status status = check_tensor(graph, input, error);
  if (!status)
    status =
        check_value(graph, "the activation", activation, WISP_ACT_RELU, WISP_ACT_COUNT - 1, error);
  if (status) return status;
  int leaky = activation == WISP_ACT_LEAKY;
  if (leaky && !(slope >= 0 && slope < 1))
    return wisp_fail(error, WISP_ERR_ARGUMENT, "Node %d has the slope %g; 0 up to 1 is possible.",
                     next(graph), (double)slope);
  wisp_node node = {.kind = WISP_NODE_ACTIVATION,
                    .channels = graph->nodes[input].channels,
                    .activation = activation,
                    .slope = leaky ? slope : 0};
  return add_node(graph, node, &input, 1, error);
}

int wisp_graph_add(wisp_graph *graph, int a, int b, wisp_error *error) {
  wisp_status status = check_tensor(graph, a, error);
  if (!status) status = check_tensor(graph, b, error);
  if (status) return status;
  int channels = graph->nodes[a].channels;
  if (channels != graph->nodes[b].channels)
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "Node %d adds tensor %d of %d channels to tensor %d of %d.", next(graph), b,
                     graph->nodes[b].channels, a, channels);
  wisp_node node = {.kind = WISP_NODE_ADD, .channels = channels};
  return add_node(graph, node, (int[]){a, b}, 2, error);
}

int wisp_graph_concat(wisp_graph *graph, const int *inputs, int n, wisp_error *error) {
  wisp_status status =
      check_value(graph, "the number of tensors to concatenate", n, 1, WISP_MAX_INPUTS, error);
  if (status) return status;
  int channels = 0;
  for (int i = 0; i < n; i++) {
    status = check_tensor(graph, inputs[i], error);
    if (status) return status;
    channels += graph->nodes[inputs[i]].channels;
  }
  status = check_value(graph, "the output channels", channels, 1, WISP_MAX_CHANNELS, error);
  if (status) return status;
  return add_node(graph, (wisp_node){.kind = WISP_NODE_CONCAT, .channels = channels}, inputs, n,
                  error);
}

int wisp_graph_maxpool(wisp_graph *graph, int input, const wisp_window *window, wisp_error *error) {
  wisp_status status = check_tensor(graph, input, error);
  if (!status) status = check_window(graph, window, error);
  if (status) return status;
  wisp_node node = {
      .kind = WISP_NODE_MAXPOOL, .channels = graph->nodes[input].channels, .window = *window};
  return add_node(graph, node, &input, 1, error);
}

int wisp_graph_upsample(wisp_graph *graph, int input, int factor_y, int factor_x,
                        wisp_error *error) {
  wisp_status status = check_tensor(graph, input, error);
  if (!status) status = check_value(graph, "the factor", factor_y, 1, WISP_MAX_STRIDE, error);
  if (!status) status = check_value(graph, "the factor", factor_x, 1, WISP_MAX_STRIDE, error);
  if (status) return status;
  wisp_node node = {.kind = WISP_NODE_UPSAMPLE,
                    .channels = graph->nodes[input].channels,
                    .window = {.kernel = {1, 1}, .stride = {factor_y, factor_x}}};
  return add_node(graph, node, &input, 1, error);
}

int wisp_graph_focus(wisp_graph *graph, int input, wisp_error *error) {
  wisp_status status = check_tensor(graph, input, error);
  if (status) return status;
  if (input != 0)
    return wisp_fail(error, WISP_ERR_UNSUPPORTED,
                     "Node %d is a focus on tensor %d; only on the picture is it known.",
                     next(graph), input);
  return add_node(graph, (wisp_node){.kind = WISP_NODE_FOCUS, .channels = 12}, &input, 1, error);
}

int wisp_graph_select(wisp_graph *graph, int input, const int *picks, int n, wisp_error *error) {
  wisp_status status = check_tensor(graph, input, error);
  if (!status) status = check_value(graph, "the output channels", n, 1, WISP_MAX_CHANNELS, error);
  for (int i = 0; i < n && !status; i++)
    status = check_value(graph, "a channel to select", picks[i], 0,
                         graph->nodes[input].channels - 1, error);
  if (status) return status;
  wisp_node node = {.kind = WISP_NODE_SELECT, .channels = n};
  node.picks = copy_of(picks, (size_t)n * sizeof *picks);
  if (!node.picks)
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for node %d.", next(graph));
  return add_node(graph, node, &input, 1, error);
}

/* ---- the ends ---- */

wisp_status wisp_graph_input(wisp_graph *graph, int height, int width, wisp_error *error) {
  if (height < 1 || width < 1 || height > WISP_MAX_INPUT_SIDE || width > WISP_MAX_INPUT_SIDE)
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "The input is %dx%d pixels; sides of 1 to %d are possible.", width, height,
                     WISP_MAX_INPUT_SIDE);
  graph->height = height;
  graph->width = width;
  return WISP_OK;
}

static wisp_status check_head(const wisp_graph *graph, int tensor, int stride, const float *anchors,
                              int n, wisp_error *error) {
  int number = graph->head_count;
  if (number == WISP_MAX_HEADS)
    return wisp_fail(error, WISP_ERR_LIMIT, "The graph has more than %d heads.", WISP_MAX_HEADS);
  if (tensor < 1 || tensor >= graph->node_count)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "Head %d is tensor %d; only 1 to %d are there.",
                     number, tensor, graph->node_count - 1);
  if (stride < 1 || stride > WISP_MAX_HEAD_STRIDE)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "Head %d has the stride %d; 1 to %d is possible.",
                     number, stride, WISP_MAX_HEAD_STRIDE);
  if (n < 1 || n > WISP_MAX_ANCHORS || !anchors)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "Head %d has %d anchors; 1 to %d are possible.",
                     number, n, WISP_MAX_ANCHORS);
  for (int i = 0; i < 2 * n; i++)
    if (!(anchors[i] > 0 && isfinite(anchors[i])))
      return wisp_fail(error, WISP_ERR_ARGUMENT,
                       "Head %d has an anchor %d with a side of %g pixels.", number, i / 2,
                       (double)anchors[i]);
  return WISP_OK;
}

wisp_status wisp_graph_range(wisp_graph *graph, int tensor, float scale, int zero_point,
                             wisp_error *error) {
  if (tensor < 1 || tensor >= graph->node_count)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "Tensor %d has a range; only 1 to %d are there.",
                     tensor, graph->node_count - 1);
  if (!(isfinite(scale) && scale > 0) || zero_point < 0 || zero_point > 255)
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "Tensor %d has scale %g and zero point %d; above 0 and 0 to 255 are possible.",
                     tensor, (double)scale, zero_point);
  graph->nodes[tensor].range = (wisp_byte_range){scale, zero_point};
  return WISP_OK;
}

wisp_status wisp_graph_head(wisp_graph *graph, int tensor, int stride, const float *anchors, int n,
                            wisp_error *error) {
  wisp_status status = check_head(graph, tensor, stride, anchors, n, error);
  if (status) return status;
  wisp_yolo_head head = {tensor, stride, n, copy_of(anchors, 2 * (size_t)n * sizeof *anchors)};
  wisp_yolo_head *heads = roomy(graph->heads, graph->head_count, &graph->head_cap, sizeof head);
  if (heads) graph->heads = heads;
  if (!heads || !head.anchors) {
    free(head.anchors);
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for head %d.", graph->head_count);
  }
  graph->heads[graph->head_count++] = head;
  return WISP_OK;
}

wisp_status wisp_graph_class(wisp_graph *graph, const char *name, wisp_error *error) {
  size_t length = name ? strlen(name) : 0;
  if (graph->class_count == WISP_MAX_CLASSES)
    return wisp_fail(error, WISP_ERR_LIMIT, "The graph has more than %d classes.",
                     WISP_MAX_CLASSES);
  if (!name || length > WISP_MAX_CLASS_NAME)
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "The name of class %d has %zu bytes; up to %d are possible.",
                     graph->class_count, length, WISP_MAX_CLASS_NAME);
  char *copy = copy_of(name, length + 1);
  char **classes = roomy(graph->classes, graph->class_count, &graph->class_cap, sizeof copy);
  if (classes) graph->classes = classes;
  if (!classes || !copy) {
    free(copy);
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for class %d.",
                     graph->class_count);
  }
  graph->classes[graph->class_count++] = copy;
  return WISP_OK;
}
