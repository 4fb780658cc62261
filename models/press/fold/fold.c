/* fold.c - float graph -> layers of the format: what a layer can absorb is gone, what it can't is refused.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "core/src/head.h"
#include "corridor.h"
#include "graph.h"
#include "nodes.h"
#include "stem.h"

static void count_readers(wisp_folding *f) {
  const wisp_graph *graph = f->graph;
  for (int i = 0; i < graph->head_count; i++) f->readers[graph->heads[i].tensor]++;
  for (int i = graph->node_count - 1; i > 0; i--)
    for (int k = 0; k < graph->nodes[i].input_count && f->readers[i]; k++)
      f->readers[graph->nodes[i].inputs[k]]++;
}

static wisp_status choose_cell(wisp_folding *f) {
  int conflict = 0;
  f->net->cell = wisp_stem_cell(f->graph, f->readers, &conflict);
  if (conflict)
    return wisp_nodes_refuse(f, conflict,
                             "reads the picture that another node reads through a focus");
  f->net->tensors[0].channels = 3 * f->net->cell * f->net->cell;
  return WISP_OK;
}

/* Whether every box has a coefficient for each prototype. */
static wisp_status check_masks(const wisp_folding *f) {
  const wisp_graph *graph = f->graph;
  int prototypes = 0, masks = 0;
  for (int i = 0; i < graph->head_count; i++) {
    if (graph->heads[i].kind != WISP_HEAD_PROTOTYPES) continue;
    masks = graph->heads[i].masks;
    prototypes++;
  }
  if (prototypes > 1 || prototypes == graph->head_count)
    return wisp_fail(f->error, WISP_ERR_ARGUMENT,
                     "%d of %d heads are prototypes; one may be, beside heads of boxes.",
                     prototypes, graph->head_count);
  for (int i = 0; i < graph->head_count; i++)
    if (graph->heads[i].masks != masks)
      return wisp_fail(f->error, WISP_ERR_ARGUMENT,
                       "Head %d has %d coefficients of a mask for %d prototypes.", i,
                       graph->heads[i].masks, masks);
  return WISP_OK;
}

static wisp_status fold_head(wisp_folding *f, int number) {
  const wisp_graph *graph = f->graph;
  wisp_net *net = f->net;
  wisp_yolo_head *head = &graph->heads[number];
  const wisp_operands *in = &f->yields[head->tensor];
  const int is_prototypes = head->kind == WISP_HEAD_PROTOTYPES;
  if (is_prototypes && (in->count > 1 || in->picks || in->items->tensor == 0 ||
                        net->tensors[in->items->tensor].is_head))
    return wisp_nodes_refuse(f, head->tensor, "prototypes must be one whole tensor of their own");
  if (!is_prototypes && (!wisp_nodes_is_bare(f, head->tensor) || in->count > 1 || in->picks ||
                         !wisp_net_mixes_channels(wisp_nodes_conv_of(f, in->items))))
    return wisp_nodes_refuse(f, head->tensor,
                             "a head must be a bare convolution that nothing else reads");
  const int wanted =
      wisp_head_channels(head->kind, head->anchor_count, graph->class_count, head->masks);
  if (graph->nodes[head->tensor].channels != wanted)
    return wisp_fail(f->error, WISP_ERR_ARGUMENT,
                     "Head %d has %d channels; %d anchors, %d classes and %d masks need %d.",
                     number, graph->nodes[head->tensor].channels, head->anchor_count,
                     graph->class_count, head->masks, wanted);
  head->tensor = in->items->tensor;
  net->tensors[head->tensor].is_head = !is_prototypes;
  net->tensors[head->tensor].is_output = 1;
  net->stride = wisp_max(net->stride, head->stride);
  return WISP_OK;
}

/* The graph's heads and classes move into the net. */
static wisp_status fold_heads(wisp_folding *f) {
  wisp_graph *graph = f->graph;
  wisp_net *net = f->net;
  wisp_status status = check_masks(f);
  for (int i = 0; i < graph->head_count && status == WISP_OK; i++) status = fold_head(f, i);
  if (status != WISP_OK) return status;
  if (net->stride % net->cell) net->stride *= net->cell;
  net->heads = graph->heads;
  net->head_count = graph->head_count;
  net->classes = graph->classes;
  net->class_count = graph->class_count;
  graph->heads = NULL;
  graph->classes = NULL;
  graph->head_count = graph->head_cap = graph->class_count = graph->class_cap = 0;
  return WISP_OK;
}

/* The range that the node was trained with, if it yields a whole tensor. */
static void keep_range(const wisp_folding *f, int number) {
  const wisp_operands *yielded = &f->yields[number];
  const wisp_byte_range *range = &f->graph->nodes[number].range;
  if (range->scale > 0 && yielded->count == 1 && !yielded->picks && yielded->items->tensor > 0)
    f->net->tensors[yielded->items->tensor].trained = *range;
}

static wisp_status walk(wisp_folding *f) {
  count_readers(f);
  wisp_status status = choose_cell(f);
  for (int i = 0; i < f->graph->node_count && status == WISP_OK; i++) {
    if (f->readers[i] == 0) continue;
    status = wisp_nodes_fold(f, i);
    if (status == WISP_OK) keep_range(f, i);
  }
  if (status == WISP_OK) status = fold_heads(f);
  return status != WISP_OK ? status : wisp_net_measure(f->net, f->error);
}

/* A net with room for as many layers as can be: a depthwise node may become several. */
static wisp_net *open_net(const wisp_graph *graph) {
  wisp_net *net = calloc(1, sizeof *net);
  if (!net) return NULL;
  net->height = graph->height;
  net->width = graph->width;
  net->tensors = calloc(WISP_NODES_MAX_LAYERS + 1, sizeof *net->tensors);
  net->layers = calloc(WISP_NODES_MAX_LAYERS, sizeof *net->layers);
  if (!net->tensors || !net->layers) wisp_net_close(&net);
  return net;
}

wisp_status wisp_fold(wisp_graph *graph, wisp_net **out, wisp_error *error) {
  *out = NULL;
  if (graph->height == 0)
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "The graph's input has no size; tell it before folding.");
  if (graph->head_count == 0)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "The graph has no head; at least one is needed.");
  if (graph->class_count == 0)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "The graph has no class; at least one is needed.");
  const size_t n = (size_t)graph->node_count;
  wisp_folding f = {.graph = graph,
                    .net = open_net(graph),
                    .yields = calloc(n, sizeof *f.yields),
                    .readers = calloc(n, sizeof *f.readers),
                    .error = error};
  wisp_status status = WISP_ERR_MEMORY;
  if (f.net && f.yields && f.readers) status = walk(&f);
  else wisp_fail(error, status, "There is no memory to fold %zu nodes.", n);
  for (size_t i = 0; i < n && f.yields; i++) wisp_operands_close(&f.yields[i]);
  free(f.yields);
  free(f.readers);
  if (status != WISP_OK) wisp_net_close(&f.net);
  *out = f.net;
  return status;
}
