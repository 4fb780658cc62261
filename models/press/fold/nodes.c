/* nodes.c - what each kind of node becomes while a graph is folded: a layer, a part of the one before, or a list of
 * tensors.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A batch norm, an activation and an addition end up inside the convolution before them, a concatenation in
 * the list of tensors that its readers read, a focus or an even stride over the picture in the picture's cells. An
 * addition that finds no such convolution is one itself. */
#include "nodes.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "grouped.h"
#include "stem.h"

wisp_status wisp_nodes_refuse(const wisp_folding *f, int number, const char *why) {
  return wisp_fail(f->error, WISP_ERR_UNSUPPORTED, "Node %d (%s): %s.", number,
                   wisp_graph_kind_name(f->graph->nodes[number].kind), why);
}

static wisp_status no_memory(const wisp_folding *f, int number) {
  return wisp_fail(f->error, WISP_ERR_MEMORY, "There is no memory to fold node %d.", number);
}

/* ---- what a node yields ---- */

/* The node yields these. */
static wisp_status yield(wisp_folding *f, int number, wisp_operand *items, int count) {
  const wisp_operands own = {items, count, f->graph->nodes[number].channels, NULL};
  return wisp_operands_copy(&f->yields[number], &own) ? WISP_OK : no_memory(f, number);
}

/* The node yields what `from` does. */
static wisp_status yield_as(wisp_folding *f, int number, const wisp_operands *from) {
  return wisp_operands_copy(&f->yields[number], from) ? WISP_OK : no_memory(f, number);
}

static wisp_operands *input_of(const wisp_folding *f, int number) {
  return &f->yields[f->graph->nodes[number].inputs[0]];
}

wisp_net_layer *wisp_nodes_conv_of(const wisp_folding *f, const wisp_operand *item) {
  if (item->focus || item->tensor == 0) return NULL;
  wisp_net_layer *layer = &f->net->layers[item->tensor - 1];
  return wisp_net_has_weights(layer) ? layer : NULL;
}

/* Whether nothing but the one reader of `number` sees any of its operands. */
static int sole(const wisp_folding *f, int number) {
  const wisp_node *node = &f->graph->nodes[number];
  int alone = f->readers[number] == 1;
  if (node->kind == WISP_NODE_CONCAT || node->kind == WISP_NODE_SELECT)
    for (int i = 0; i < node->input_count; i++) alone = alone && sole(f, node->inputs[i]);
  return alone;
}

int wisp_nodes_is_bare(const wisp_folding *f, int number) {
  const wisp_operands *in = &f->yields[number];
  int is_bare = sole(f, number);
  for (int i = 0; i < in->count && is_bare; i++) {
    const wisp_net_layer *layer = wisp_nodes_conv_of(f, &in->items[i]);
    is_bare = layer && layer->activation == WISP_ACT_NONE && layer->residual < 0;
  }
  return is_bare;
}

/* ---- one function a kind of node ---- */

/* A layer that reads `count` tensors and writes `channels` channels. */
static wisp_status add_layer(wisp_folding *f, int number, wisp_operation operation,
                             const wisp_operand *items, int count, int channels,
                             wisp_net_layer **out) {
  wisp_net *net = f->net;
  if (net->layer_count == WISP_NODES_MAX_LAYERS)
    return wisp_fail(f->error, WISP_ERR_LIMIT, "The network has more than %d layers.",
                     WISP_NODES_MAX_LAYERS);
  if (count > WISP_MAX_INPUTS)
    return wisp_nodes_refuse(f, number, "reads more than 255 tensors side by side");
  wisp_net_layer *layer = &net->layers[net->layer_count++];
  *layer = (wisp_net_layer){.operation = operation,
                            .window = f->graph->nodes[number].window,
                            .residual = -1,
                            .channels_out = channels,
                            .node = number,
                            .input_count = count};
  layer->inputs = malloc((size_t)count * sizeof *layer->inputs);
  if (!layer->inputs) return no_memory(f, number);
  for (int i = 0; i < count; i++) {
    layer->inputs[i] = items[i].tensor;
    layer->channels_in += net->tensors[items[i].tensor].channels;
  }
  net->tensors[net->layer_count].channels = channels;
  *out = layer;
  return WISP_OK;
}

/* Puts the weights into the channel order that the operands have in the format. */
static wisp_status order_weights(wisp_folding *f, wisp_net_layer *layer, const wisp_operands *in) {
  if (f->net->cell == 2 && in->items[0].tensor == 0 && !in->items[0].focus) {
    float *in_cells = wisp_stem_weights(layer->weights, layer->channels_out, &layer->window);
    if (!in_cells) return no_memory(f, layer->node);
    free(layer->weights);
    layer->weights = in_cells;
  }
  const int taps = wisp_net_kernel_size(layer);
  for (int o = 0; o < layer->channels_out; o++) {
    float *weights = layer->weights + (size_t)o * (size_t)wisp_net_taps(layer);
    for (int i = 0; i < in->count; i++) {
      if (in->items[i].focus) wisp_stem_unfocus(weights, taps);
      weights += f->net->tensors[in->items[i].tensor].channels * taps;
    }
  }
  return WISP_OK;
}

/* Where only some channels of the inputs are picked, the weights for all of them, with zeros in between. */
static wisp_status spread_weights(wisp_folding *f, wisp_net_layer *layer, const wisp_operands *in) {
  if (!in->picks) return order_weights(f, layer, in);
  for (int i = 0; i < in->count; i++)
    if (in->items[i].focus)
      return wisp_nodes_refuse(f, layer->node, "reads a focus beside parts of tensors");
  layer->channel_used = malloc((size_t)layer->channels_in);
  layer->picks = malloc((size_t)in->channels * sizeof *layer->picks);
  if (layer->picks) memcpy(layer->picks, in->picks, (size_t)in->channels * sizeof *layer->picks);
  layer->pick_count = in->channels;
  float *spread = layer->channel_used && layer->picks
                      ? wisp_operands_spread(in, f->net, layer->weights, layer->channels_out,
                                             wisp_net_kernel_size(layer), layer->channel_used)
                      : NULL;
  if (!spread) return no_memory(f, layer->node);
  free(layer->weights);
  layer->weights = spread;
  return WISP_OK;
}

/* The part of a depthwise convolution that reads one of the tensors. */
static wisp_status add_depthwise(wisp_folding *f, int number, const wisp_operands *in, int item) {
  float *weights, *bias;
  int *picks;
  if (in->items[item].tensor == 0)
    return wisp_nodes_refuse(f, number, "has groups and reads the picture");
  const int n =
      wisp_grouped_part(&f->graph->nodes[number], in, item, f->net, &weights, &bias, &picks);
  wisp_net_layer *layer = NULL;
  wisp_status status =
      n < 0 ? wisp_nodes_refuse(f, number, "has groups and reads a channel twice") : WISP_OK;
  if (n == 0) status = no_memory(f, number);
  if (status == WISP_OK)
    status = add_layer(f, number, WISP_OP_DEPTHWISE, &in->items[item], 1, n, &layer);
  if (status != WISP_OK) {
    free(weights);
    free(bias);
    free(picks);
    return status;
  }
  layer->channels_in = 1;
  layer->picks = picks;
  layer->pick_count = n;
  layer->weights = weights;
  layer->bias = bias;
  return WISP_OK;
}

static wisp_status fold_depthwise(wisp_folding *f, int number) {
  const wisp_operands *in = input_of(f, number);
  wisp_operands *out = &f->yields[number];
  if (!wisp_operands_copy(out, in)) return no_memory(f, number);
  for (int i = 0; i < in->count; i++) {
    const wisp_status status = add_depthwise(f, number, in, i);
    if (status != WISP_OK) return status;
    out->items[i] = (wisp_operand){.tensor = f->net->layer_count};
  }
  wisp_operands_follow(out, in, f->net);
  return WISP_OK;
}

static wisp_status fold_conv(wisp_folding *f, int number) {
  wisp_node *node = &f->graph->nodes[number];
  const wisp_operands *in = input_of(f, number);
  if (wisp_grouped_is_depthwise(node, in->channels)) return fold_depthwise(f, number);
  if (node->groups > 1) {
    float *dense = wisp_grouped_dense(node, in->channels);
    if (!dense) return no_memory(f, number);
    free(node->weights);
    node->weights = dense;
  }
  wisp_net_layer *layer;
  wisp_status status =
      add_layer(f, number, WISP_OP_CONV, in->items, in->count, node->channels, &layer);
  if (status == WISP_OK)
    status = yield(f, number, &(wisp_operand){.tensor = f->net->layer_count}, 1);
  if (status != WISP_OK) return status;
  layer->weights = node->weights;
  layer->bias = node->bias ? node->bias : calloc((size_t)node->channels, sizeof *layer->bias);
  node->weights = node->bias = NULL;
  if (!layer->bias) return no_memory(f, number);
  return spread_weights(f, layer, in);
}

static wisp_status fold_affine(wisp_folding *f, int number) {
  const wisp_node *node = &f->graph->nodes[number];
  const wisp_operands *in = input_of(f, number);
  if (!wisp_nodes_is_bare(f, node->inputs[0]))
    return wisp_nodes_refuse(f, number,
                             "doesn't follow a bare convolution that nothing else reads");
  for (int c = 0; c < in->channels; c++) {
    int channel = in->picks ? in->picks[c] : c, item = 0;
    for (int k = 0; in->picks && k < c; k++)
      if (in->picks[k] == channel) return wisp_nodes_refuse(f, number, "reads a channel twice");
    for (; channel >= wisp_nodes_conv_of(f, &in->items[item])->channels_out; item++)
      channel -= wisp_nodes_conv_of(f, &in->items[item])->channels_out;
    wisp_net_scale(wisp_nodes_conv_of(f, &in->items[item]), channel, node->weights[c],
                   node->bias[c]);
  }
  return yield_as(f, number, in);
}

static wisp_status fold_activation(wisp_folding *f, int number) {
  const wisp_node *node = &f->graph->nodes[number];
  const wisp_operands *in = input_of(f, number);
  if (!wisp_nodes_is_bare(f, node->inputs[0]))
    return wisp_nodes_refuse(f, number,
                             "doesn't follow a bare convolution that nothing else reads");
  for (int i = 0; i < in->count; i++) {
    wisp_net_layer *layer = wisp_nodes_conv_of(f, &in->items[i]);
    layer->activation = node->activation;
    layer->slope = node->slope;
  }
  return yield_as(f, number, in);
}

/* Whether the convolution behind `number` can end by adding `other`. */
static int can_add(const wisp_folding *f, int number, const wisp_operand *other) {
  const wisp_operand *item = f->yields[number].items;
  const wisp_net_layer *layer = wisp_nodes_conv_of(f, item);
  return layer && layer->residual < 0 && !wisp_activation_row_of(layer->activation).is_share &&
         sole(f, number) && other->tensor < item->tensor;
}

/* Whether it is one tensor as it stands, which a convolution can end by adding. */
static int is_whole(const wisp_operands *of) {
  return of->count == 1 && !of->picks && !of->items->focus && of->items->tensor > 0;
}

/* Weights of a 1x1 convolution that yields what it reads. */
static float *identity(int channels) {
  const size_t n = (size_t)channels;
  float *weights = n * n <= WISP_MOST_WEIGHTS ? calloc(n * n, sizeof *weights) : NULL;
  for (size_t c = 0; c < n && weights; c++) weights[c * n + c] = 1;
  return weights;
}

/* A convolution that passes on what it reads, and ends by adding the residual if that is not -1. */
static wisp_status pass_on(wisp_folding *f, int number, const wisp_operands *in, int residual) {
  wisp_net_layer *layer;
  const int n = in->channels;
  const wisp_status status = add_layer(f, number, WISP_OP_CONV, in->items, in->count, n, &layer);
  if (status != WISP_OK) return status;
  layer->window = (wisp_window){.kernel = {1, 1}, .stride = {1, 1}};
  layer->residual = residual;
  layer->weights = identity(n);
  layer->bias = calloc((size_t)n, sizeof *layer->bias);
  if (!layer->weights || !layer->bias) return no_memory(f, number);
  return spread_weights(f, layer, in);
}

/* A sum that no convolution can end with, as that of a concatenation, gets one of its own. */
static wisp_status fold_sum(wisp_folding *f, int number) {
  const int *inputs = f->graph->nodes[number].inputs;
  const wisp_operands *a = &f->yields[inputs[0]], *b = &f->yields[inputs[1]];
  const int swap = !is_whole(b);
  const wisp_operands *first = swap ? b : a, *other = swap ? a : b;
  wisp_status status = WISP_OK;
  int residual = other->items->tensor;
  if (!is_whole(other)) {
    status = pass_on(f, number, other, -1);
    residual = f->net->layer_count;
  }
  if (status == WISP_OK) status = pass_on(f, number, first, residual);
  if (status != WISP_OK) return status;
  return yield(f, number, &(wisp_operand){.tensor = f->net->layer_count}, 1);
}

static wisp_status fold_add(wisp_folding *f, int number) {
  const int *inputs = f->graph->nodes[number].inputs;
  const wisp_operands *a = &f->yields[inputs[0]], *b = &f->yields[inputs[1]];
  if (!is_whole(a) || !is_whole(b)) return fold_sum(f, number);
  const int swap = !can_add(f, inputs[0], b->items);
  if (swap && !can_add(f, inputs[1], a->items)) return fold_sum(f, number);
  const wisp_operand *target = swap ? b->items : a->items, *other = swap ? a->items : b->items;
  wisp_nodes_conv_of(f, target)->residual = other->tensor;
  return yield(f, number, &(wisp_operand){.tensor = target->tensor}, 1);
}

static wisp_status fold_concat(wisp_folding *f, int number) {
  const wisp_node *node = &f->graph->nodes[number];
  const wisp_operands **in = malloc((size_t)node->input_count * sizeof *in);
  for (int i = 0; i < node->input_count && in; i++) in[i] = &f->yields[node->inputs[i]];
  const int done = in && wisp_operands_concat(&f->yields[number], in, node->input_count, f->net);
  free(in);
  return done ? WISP_OK : no_memory(f, number);
}

static wisp_status fold_select(wisp_folding *f, int number) {
  const wisp_node *node = &f->graph->nodes[number];
  const wisp_operands *in = input_of(f, number);
  for (int i = 0; i < in->count; i++)
    if (in->items[i].tensor == 0)
      return wisp_nodes_refuse(f, number, "picks colours of the picture");
  wisp_operands *out = &f->yields[number];
  return wisp_operands_select(out, in, node->picks, node->channels, f->net) ? WISP_OK
                                                                            : no_memory(f, number);
}

/* A layer without weights that reads these. */
static wisp_status add_plain(wisp_folding *f, int number, const wisp_operand *items, int count,
                             int channels) {
  wisp_net_layer *layer;
  const wisp_operation operation = wisp_node_operation(f->graph->nodes[number].kind);
  const wisp_status status = add_layer(f, number, operation, items, count, channels, &layer);
  if (status == WISP_OK) layer->channels_in = channels;
  return status;
}

/* Of one input: a layer for each of the tensors that stand side by side. */
static wisp_status fold_apart(wisp_folding *f, int number) {
  const wisp_operands *in = input_of(f, number);
  wisp_operands *out = &f->yields[number];
  if (!wisp_operands_copy(out, in)) return no_memory(f, number);
  for (int i = 0; i < in->count; i++) {
    const wisp_operand *item = &in->items[i];
    if (item->focus)
      return wisp_nodes_refuse(f, number, "reads a focus, which only a convolution can");
    const wisp_status status =
        add_plain(f, number, item, 1, f->net->tensors[item->tensor].channels);
    if (status != WISP_OK) return status;
    out->items[i] = (wisp_operand){.tensor = f->net->layer_count};
  }
  return WISP_OK;
}

/* A layer without weights. */
static wisp_status fold_layer(wisp_folding *f, int number) {
  const wisp_node *node = &f->graph->nodes[number];
  wisp_operand items[WISP_MAX_INPUTS];
  if (node->input_count == 1) return fold_apart(f, number);
  for (int i = 0; i < node->input_count; i++) {
    const wisp_operands *in = &f->yields[node->inputs[i]];
    if (in->count > 1 || in->picks || in->items->focus)
      return wisp_nodes_refuse(f, number, "reads a concatenation, which only a convolution can");
    items[i] = *in->items;
  }
  const wisp_status status = add_plain(f, number, items, node->input_count, node->channels);
  if (status != WISP_OK) return status;
  return yield(f, number, &(wisp_operand){.tensor = f->net->layer_count}, 1);
}

wisp_status wisp_nodes_fold(wisp_folding *f, int number) {
  const wisp_node *node = &f->graph->nodes[number];
#define LAYER(word, ...) case WISP_NODE_##word:
  switch (node->kind) { /* no default: the compiler names what is missing */
    case WISP_NODE_PICTURE: return yield(f, number, &(wisp_operand){.tensor = 0}, 1);
    case WISP_NODE_AFFINE: return fold_affine(f, number);
    case WISP_NODE_ACTIVATION: return fold_activation(f, number);
    case WISP_NODE_ADD: return fold_add(f, number);
    case WISP_NODE_CONCAT: return fold_concat(f, number);
    case WISP_NODE_SELECT: return fold_select(f, number);
    case WISP_NODE_FOCUS:
      return yield(f, number, &(wisp_operand){.tensor = 0, .focus = 1}, 1);
      WISP_OPERATION_ROWS(LAYER)
      return node->kind == WISP_NODE_CONV ? fold_conv(f, number) : fold_layer(f, number);
    case WISP_NODE_KINDS: break;
  }
  assert(!"a kind of node");
  return WISP_ERR_ARGUMENT;
}
