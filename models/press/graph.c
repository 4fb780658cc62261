/* graph.c - a float network as an importer tells it, node by node; the press's door.
 * SPDX-License-Identifier: Apache-2.0 */
#include "graph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/src/error.h"
#include "core/src/head.h"
#include "core/src/text.h"
#include "kinds.h"

enum { MAX_NODES = 16384 /* more than layers: what is folded away counts too */ };

/* ---- room ---- */

/* `items` with room for one more than `count`, perhaps elsewhere; NULL without memory, and `items` stays good. */
static void *roomy(void *items, int count, int *cap, size_t size) {
  if (count < *cap) return items;
  int more = *cap ? *cap * 2 : 16;
  void *moved = realloc(items, (size_t)more * size);
  if (moved) *cap = more;
  return moved;
}

/* NULL of no item, and without memory. */
static void *copy_of(const void *items, int count, size_t size) {
  void *copy = count > 0 ? malloc((size_t)count * size) : NULL;
  if (copy) memcpy(copy, items, (size_t)count * size);
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
/* ---- nodes ---- */

static int next(const wisp_graph *graph) { return graph->node_count; } /* in the making */

const char *wisp_graph_kind_name(wisp_node_kind kind) { return wisp_kinds_name(kind); }

const char *wisp_graph_activation_name(wisp_activation activation) {
  return wisp_activation_row_of(activation).name;
}

/* What the node only borrows becomes its own. 0 without memory; then it holds what there was memory for. */
static int copy_node(wisp_node *node) {
  const wisp_node given = *node;
  node->inputs = copy_of(given.inputs, given.input_count, sizeof *node->inputs);
  node->weights = copy_of(given.weights, given.weight_count, sizeof *node->weights);
  node->bias = copy_of(given.bias, given.bias_count, sizeof *node->bias);
  node->picks = copy_of(given.picks, given.pick_count, sizeof *node->picks);
  return node->inputs && (node->weights || given.weight_count == 0) &&
         (node->bias || given.bias_count == 0) && (node->picks || given.pick_count == 0);
}

int wisp_graph_add(wisp_graph *graph, const wisp_node *given, wisp_error *error) {
  wisp_node node = *given;
  const wisp_status status = wisp_kinds_check(graph, &node, error);
  if (status != WISP_OK) return status;
  if (graph->node_count == MAX_NODES)
    return wisp_fail(error, WISP_ERR_LIMIT, "The graph has more than %d nodes.", MAX_NODES);
  wisp_node *nodes = roomy(graph->nodes, graph->node_count, &graph->node_cap, sizeof node);
  if (nodes) graph->nodes = nodes;
  const int copied = copy_node(&node);
  if (!nodes || !copied) {
    clear_node(&node);
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for node %d.", next(graph));
  }
  graph->nodes[graph->node_count] = node;
  return graph->node_count++;
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

static wisp_status check_head(const wisp_graph *graph, const wisp_yolo_head *head,
                              wisp_error *error) {
  const int number = graph->head_count, n = head->anchor_count;
  if (number == WISP_MAX_HEADS)
    return wisp_fail(error, WISP_ERR_LIMIT, "The graph has more than %d heads.", WISP_MAX_HEADS);
  const int is_prototypes = head->kind == WISP_HEAD_PROTOTYPES;
  if (head->masks < is_prototypes || head->masks > WISP_MAX_MASKS)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "Head %d has %d masks; %d to %d are possible.",
                     number, head->masks, is_prototypes, WISP_MAX_MASKS);
  if (!wisp_head_form_of(head->kind, graph->class_count, head->masks).channels)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "Head %d is of kind %d, which is not known.", number,
                     (int)head->kind);
  if (head->tensor < 1 || head->tensor >= graph->node_count)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "Head %d is tensor %d; only 1 to %d are there.",
                     number, head->tensor, graph->node_count - 1);
  if (head->stride < 1 || head->stride > WISP_MAX_HEAD_STRIDE)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "Head %d has the stride %d; 1 to %d is possible.",
                     number, head->stride, WISP_MAX_HEAD_STRIDE);
  if (is_prototypes ? n != 0 : n < 1 || n > WISP_MAX_ANCHORS || !head->anchors)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "Head %d has %d anchors; 1 to %d are possible.",
                     number, n, WISP_MAX_ANCHORS);
  for (int i = 0; i < 2 * n; i++)
    if (!(head->anchors[i] > 0 && isfinite(head->anchors[i])))
      return wisp_fail(error, WISP_ERR_ARGUMENT,
                       "Head %d has an anchor %d with a side of %g pixels.", number, i / 2,
                       (double)head->anchors[i]);
  return WISP_OK;
}

wisp_status wisp_graph_head(wisp_graph *graph, const wisp_yolo_head *given, wisp_error *error) {
  const wisp_status status = check_head(graph, given, error);
  if (status != WISP_OK) return status;
  wisp_yolo_head head = *given;
  head.anchors = copy_of(given->anchors, 2 * given->anchor_count, sizeof *head.anchors);
  wisp_yolo_head *heads = roomy(graph->heads, graph->head_count, &graph->head_cap, sizeof head);
  if (heads) graph->heads = heads;
  if (!heads || (!head.anchors && head.anchor_count > 0)) {
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
  if (!wisp_is_text((const uint8_t *)name, length))
    return wisp_fail(error, WISP_ERR_ARGUMENT, "The name of class %d is no UTF-8.",
                     graph->class_count);
  char *copy = copy_of(name, (int)length + 1, 1);
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
