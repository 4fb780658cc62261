/* kinds.c - what each kind of node is: its row, its rule, and the doubts about a node that is handed over.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kinds.h"

#include <math.h>
#include <string.h>

#include "core/src/error.h"

/* ---- doubt ---- */

static int next(const wisp_graph *graph) { return graph->node_count; } /* in the making */

static wisp_status check_value(const wisp_graph *graph, const char *what, double value, int low,
                               int high, wisp_error *error) {
  if (value >= low && value <= high) return WISP_OK;
  return wisp_fail(error, WISP_ERR_ARGUMENT, "Node %d: %s is %g; %d to %d is possible.",
                   next(graph), what, value, low, high);
}

static wisp_status check_window(const wisp_graph *graph, const wisp_window *window,
                                wisp_error *error) {
  wisp_status status = WISP_OK;
  for (int axis = 0; axis < 2 && status == WISP_OK; axis++) {
    const int most = window->kernel[axis] - 1; /* FORMAT.md: padding is smaller than the kernel */
    status = check_value(graph, "the kernel", window->kernel[axis], 1, WISP_MAX_KERNEL, error);
    if (status == WISP_OK)
      status = check_value(graph, "the stride", window->stride[axis], 1, WISP_MAX_STRIDE, error);
    if (status == WISP_OK)
      status = check_value(graph, "the padding before", window->pad[axis], 0, most, error);
    if (status == WISP_OK)
      status = check_value(graph, "the padding after", window->pad[axis + 2], 0, most, error);
  }
  return status;
}

static wisp_status check_count(const wisp_graph *graph, const char *what, int count, double wanted,
                               wisp_error *error) {
  if ((double)count == wanted) return WISP_OK;
  return wisp_fail(error, WISP_ERR_ARGUMENT, "Node %d has %d %s; its shape needs %.0f.",
                   next(graph), count, what, wanted);
}

static wisp_status check_numbers(const wisp_graph *graph, const char *what, const float *values,
                                 int n, wisp_error *error) {
  if (n > 0 && !values)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "Node %d has no %s.", next(graph), what);
  for (int i = 0; i < n; i++)
    if (!isfinite(values[i]))
      return wisp_fail(error, WISP_ERR_ARGUMENT,
                       "Node %d: number %d of its %s is %g; all must be finite.", next(graph), i,
                       what, (double)values[i]);
  return WISP_OK;
}

/* ---- the rule of each kind: checks a node and says how many channels it yields ---- */

/* Of the tensor that input `i` is. */
static int channels_of(const wisp_graph *graph, const wisp_node *node, int i) {
  return graph->nodes[node->inputs[i]].channels;
}

static wisp_status rule_picture(const wisp_graph *graph, wisp_node *node, wisp_error *error) {
  (void)node;
  return wisp_fail(error, WISP_ERR_ARGUMENT, "Node %d is a picture; only node 0 is one.",
                   next(graph));
}

static wisp_status check_groups(const wisp_graph *graph, const wisp_node *node, wisp_error *error) {
  const int channels = node->channels, given = channels_of(graph, node, 0);
  wisp_status status =
      check_value(graph, "the output channels", channels, 1, WISP_MAX_CHANNELS, error);
  if (status == WISP_OK)
    status = check_value(graph, "the groups", node->groups, 1, channels, error);
  if (status != WISP_OK || (given % node->groups == 0 && channels % node->groups == 0))
    return status;
  return wisp_fail(
      error, WISP_ERR_ARGUMENT,
      "Node %d: %d groups don't divide the %d channels of tensor %d and the %d it makes "
      "of them.",
      next(graph), node->groups, given, node->inputs[0], channels);
}

static wisp_status rule_conv(const wisp_graph *graph, wisp_node *node, wisp_error *error) {
  wisp_status status = check_window(graph, &node->window, error);
  if (status == WISP_OK) status = check_groups(graph, node, error);
  if (status != WISP_OK) return status;
  const int *kernel = node->window.kernel, from = channels_of(graph, node, 0) / node->groups;
  const double n = (double)node->channels * from * kernel[0] * kernel[1];
  if (n > WISP_MOST_WEIGHTS)
    return wisp_fail(error, WISP_ERR_LIMIT, "Node %d has %.0f weights; up to %.0f are possible.",
                     next(graph), n, (double)WISP_MOST_WEIGHTS);
  status = check_count(graph, "weights", node->weight_count, n, error);
  if (status != WISP_OK || node->bias_count == 0) return status;
  return check_count(graph, "biases", node->bias_count, node->channels, error);
}

static wisp_status rule_affine(const wisp_graph *graph, wisp_node *node, wisp_error *error) {
  node->channels = channels_of(graph, node, 0);
  const wisp_status status =
      check_count(graph, "weights", node->weight_count, node->channels, error);
  if (status != WISP_OK) return status;
  return check_count(graph, "biases", node->bias_count, node->channels, error);
}

static wisp_status rule_activation(const wisp_graph *graph, wisp_node *node, wisp_error *error) {
  node->channels = channels_of(graph, node, 0);
  if (node->activation != WISP_ACT_LEAKY) node->slope = 0;
  if (!(node->slope >= 0 && node->slope < 1))
    return wisp_fail(error, WISP_ERR_ARGUMENT, "Node %d has the slope %g; 0 up to 1 is possible.",
                     next(graph), (double)node->slope);
  return check_value(graph, "the activation", node->activation, WISP_ACT_RELU, WISP_ACT_COUNT - 1,
                     error);
}

static wisp_status rule_add(const wisp_graph *graph, wisp_node *node, wisp_error *error) {
  node->channels = channels_of(graph, node, 0);
  const int others = channels_of(graph, node, 1);
  if (node->channels == others) return WISP_OK;
  return wisp_fail(error, WISP_ERR_ARGUMENT,
                   "Node %d adds tensor %d of %d channels to tensor %d of %d.", next(graph),
                   node->inputs[1], others, node->inputs[0], node->channels);
}

static wisp_status rule_concat(const wisp_graph *graph, wisp_node *node, wisp_error *error) {
  node->channels = 0;
  for (int i = 0; i < node->input_count; i++) node->channels += channels_of(graph, node, i);
  return check_value(graph, "the output channels", node->channels, 1, WISP_MAX_CHANNELS, error);
}

/* How a layer walks its input, where that leaves a choice. */
static wisp_status set_window(const wisp_graph *graph, wisp_sizing sizing, wisp_window *window,
                              wisp_error *error) {
  const int factor[2] = {window->stride[0], window->stride[1]};
  if (sizing == WISP_SIZED_BY_WINDOW) return check_window(graph, window, error);
  *window = (wisp_window){.kernel = {1, 1}, .stride = {1, 1}};
  if (sizing != WISP_SIZED_BY_FACTOR) return WISP_OK;
  memcpy(window->stride, factor, sizeof factor);
  const wisp_status status = check_value(graph, "the factor", factor[0], 1, WISP_MAX_STRIDE, error);
  return status == WISP_OK ? check_value(graph, "the factor", factor[1], 1, WISP_MAX_STRIDE, error)
                           : status;
}

/* Of a layer without weights. */
static wisp_status rule_layer(const wisp_graph *graph, wisp_node *node, wisp_error *error) {
  const wisp_operation_row row = wisp_operation_row_of(wisp_node_operation(node->kind));
  if (row.weighs)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "Node %d is a %s; a conv with groups is one.",
                     next(graph), row.name);
  node->channels = channels_of(graph, node, 0);
  for (int i = 1; i < node->input_count; i++)
    if (channels_of(graph, node, i) != node->channels)
      return wisp_fail(error, WISP_ERR_ARGUMENT,
                       "Node %d (%s) reads tensor %d of %d channels and tensor %d of %d.",
                       next(graph), row.name, node->inputs[0], node->channels, node->inputs[i],
                       channels_of(graph, node, i));
  return set_window(graph, row.sizing, &node->window, error);
}

static wisp_status rule_focus(const wisp_graph *graph, wisp_node *node, wisp_error *error) {
  node->channels = 12;
  if (node->inputs[0] == 0) return WISP_OK;
  return wisp_fail(error, WISP_ERR_UNSUPPORTED,
                   "Node %d is a focus on tensor %d; only on the picture is it known.", next(graph),
                   node->inputs[0]);
}

static wisp_status rule_select(const wisp_graph *graph, wisp_node *node, wisp_error *error) {
  node->channels = node->picks ? node->pick_count : 0;
  wisp_status status =
      check_value(graph, "the output channels", node->channels, 1, WISP_MAX_CHANNELS, error);
  for (int i = 0; i < node->pick_count && status == WISP_OK; i++)
    status = check_value(graph, "a channel to select", node->picks[i], 0,
                         channels_of(graph, node, 0) - 1, error);
  return status;
}

/* What a kind of node is. */
typedef struct node_kind {
  const char *name;
  int least, most; /* tensors that it reads */
  int weighs;      /* whether it has weights */
  wisp_status (*rule)(const wisp_graph *graph, wisp_node *node, wisp_error *error);
} node_kind;

static const node_kind KINDS[] = {
    [WISP_NODE_PICTURE] = {"picture", 0, 0, 0, rule_picture},
    [WISP_NODE_AFFINE] = {"affine", 1, 1, 1, rule_affine},
    [WISP_NODE_ACTIVATION] = {"activation", 1, 1, 0, rule_activation},
    [WISP_NODE_ADD] = {"add", 2, 2, 0, rule_add},
    [WISP_NODE_CONCAT] = {"concat", 1, WISP_MAX_INPUTS, 0, rule_concat},
    [WISP_NODE_FOCUS] = {"focus", 1, 1, 0, rule_focus},
    [WISP_NODE_SELECT] = {"select", 1, 1, 0, rule_select},
    [WISP_NODE_CONV] = {"conv", 1, 1, 1, rule_conv}};

static node_kind kind_of(wisp_node_kind kind) {
  if ((size_t)kind < sizeof KINDS / sizeof *KINDS) return KINDS[kind];
  const wisp_operation_row row = wisp_operation_row_of(wisp_node_operation(kind));
  return (node_kind){row.name, row.inputs[0], row.inputs[1], row.weighs, rule_layer};
}

const char *wisp_kinds_name(wisp_node_kind kind) { return kind_of(kind).name; }

/* ---- a node ---- */

static wisp_status check_inputs(const wisp_graph *graph, const wisp_node *node, wisp_error *error) {
  const node_kind kind = kind_of(node->kind);
  const wisp_operation_row row = wisp_operation_row_of(wisp_node_operation(node->kind));
  const int *factor = node->window.stride;
  const wisp_status status =
      check_value(graph, "the number of inputs", node->input_count, kind.least, kind.most, error);
  if (status == WISP_OK && row.sizing == WISP_SIZED_BY_FACTOR &&
      !wisp_operation_takes(&row, node->input_count, factor[0], factor[1]))
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "Node %d (%s) reads %d tensors; 1 is possible, or one for each pixel of its "
                     "factor.",
                     next(graph), row.name, node->input_count);
  if (status == WISP_OK && node->input_count > 0 && !node->inputs)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "Node %d has no inputs.", next(graph));
  for (int i = 0; i < node->input_count && status == WISP_OK; i++)
    if (node->inputs[i] < 0 || node->inputs[i] >= graph->node_count)
      return wisp_fail(error, WISP_ERR_ARGUMENT, "Node %d reads tensor %d; only 0 to %d are there.",
                       next(graph), node->inputs[i], graph->node_count - 1);
  return status;
}

/* The lists of numbers that it has, of which no other kind may have any. */
static wisp_status check_lists(const wisp_graph *graph, const wisp_node *node, wisp_error *error) {
  const node_kind kind = kind_of(node->kind);
  if (!kind.weighs && (node->weight_count != 0 || node->bias_count != 0))
    return wisp_fail(error, WISP_ERR_ARGUMENT, "Node %d has weights; %s takes none.", next(graph),
                     kind.name);
  if (node->kind != WISP_NODE_SELECT && node->pick_count != 0)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "Node %d has picks; %s takes none.", next(graph),
                     kind.name);
  const wisp_status status =
      check_numbers(graph, "weights", node->weights, node->weight_count, error);
  if (status != WISP_OK) return status;
  return check_numbers(graph, "biases", node->bias, node->bias_count, error);
}

static wisp_status check_range(const wisp_graph *graph, const wisp_byte_range *range,
                               wisp_error *error) {
  if (range->scale == 0) return WISP_OK;
  if (isfinite(range->scale) && range->scale > 0 && range->zero_point >= 0 &&
      range->zero_point <= 255)
    return WISP_OK;
  return wisp_fail(error, WISP_ERR_ARGUMENT,
                   "Node %d has scale %g and zero point %d; above 0 and 0 to 255 are possible.",
                   next(graph), (double)range->scale, range->zero_point);
}

wisp_status wisp_kinds_check(const wisp_graph *graph, wisp_node *node, wisp_error *error) {
  if ((unsigned)node->kind >= WISP_NODE_KINDS)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "There is no kind %d of node.", (int)node->kind);
  wisp_status status = check_inputs(graph, node, error);
  if (status == WISP_OK) status = kind_of(node->kind).rule(graph, node, error);
  if (status == WISP_OK) status = check_lists(graph, node, error);
  if (status == WISP_OK) status = check_range(graph, &node->range, error);
  return status;
}
