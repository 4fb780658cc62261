/* fold.c - float graph -> layers of the format: what a layer can absorb is gone, what it can't is refused.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A batch norm, an activation and an addition end up inside the convolution before them, a concatenation in
 * the list of tensors that its readers read, a focus or an even stride over the picture in the picture's blocks. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "stages.h"
#include "stem.h"

enum { MAX_LAYERS = 1023, MAX_INPUTS = 255 };

/* One of the tensors that stand side by side in what a node yields. */
typedef struct operand {
  int tensor;
  int focus; /* the picture's channels are wanted in Focus's order */
} operand;

typedef struct operands {
  operand *items;
  int count;
} operands;

typedef struct folding {
  wisp_graph *graph;
  wisp_net *net;
  operands *yields; /* [nodes] */
  int *readers;     /* [nodes]: live nodes and heads that read it; 0: dead */
  wisp_error *error;
} folding;

static wisp_status refuse(const folding *f, int number, const char *why) {
  return wisp_fail(f->error, WISP_ERR_UNSUPPORTED, "Node %d (%s): %s.", number,
                   wisp_graph_kind_name(f->graph->nodes[number].kind), why);
}

static wisp_status no_memory(const folding *f, int number) {
  return wisp_fail(f->error, WISP_ERR_MEMORY, "There is no memory to fold node %d.", number);
}

/* ---- what a node yields ---- */

static wisp_status yield(folding *f, int number, const operand *items, int count) {
  operands *out = &f->yields[number];
  out->items = malloc((size_t)count * sizeof *items);
  if (!out->items) return no_memory(f, number);
  memcpy(out->items, items, (size_t)count * sizeof *items);
  out->count = count;
  return WISP_OK;
}

static operands *input_of(const folding *f, int number) {
  return &f->yields[f->graph->nodes[number].inputs[0]];
}

/* The convolution that writes the operand, or NULL. */
static wisp_net_layer *conv_of(const folding *f, const operand *item) {
  if (item->focus || item->tensor == 0) return NULL;
  wisp_net_layer *layer = &f->net->layers[item->tensor - 1];
  return layer->operation == WISP_OP_CONV ? layer : NULL;
}

/* Whether nothing but the one reader of `number` sees any of its operands. */
static int sole(const folding *f, int number) {
  const wisp_node *node = &f->graph->nodes[number];
  int alone = f->readers[number] == 1;
  if (node->kind == WISP_NODE_CONCAT)
    for (int i = 0; i < node->input_count; i++) alone = alone && sole(f, node->inputs[i]);
  return alone;
}

/* Whether `number` yields bare convolutions for its one reader, which may change them. */
static int bare(const folding *f, int number) {
  const operands *in = &f->yields[number];
  int is_bare = sole(f, number);
  for (int i = 0; i < in->count && is_bare; i++) {
    const wisp_net_layer *layer = conv_of(f, &in->items[i]);
    is_bare = layer && layer->activation == WISP_ACT_NONE && layer->residual < 0;
  }
  return is_bare;
}

/* ---- one function a kind of node ---- */

/* A layer that reads `in`; the node yields its tensor. */
static wisp_status add_layer(folding *f, int number, int operation, wisp_net_layer **out) {
  wisp_net *net = f->net;
  const wisp_node *node = &f->graph->nodes[number];
  const operands *in = input_of(f, number);
  if (net->layer_count == MAX_LAYERS)
    return wisp_fail(f->error, WISP_ERR_LIMIT, "The network has more than %d layers.", MAX_LAYERS);
  if (in->count > MAX_INPUTS) return refuse(f, number, "reads more than 255 tensors side by side");
  wisp_net_layer *layer = &net->layers[net->layer_count++];
  *layer = (wisp_net_layer){.operation = operation,
                            .window = node->window,
                            .residual = -1,
                            .channels_out = node->channels,
                            .node = number,
                            .input_count = in->count};
  layer->inputs = malloc((size_t)in->count * sizeof *layer->inputs);
  if (!layer->inputs) return no_memory(f, number);
  for (int i = 0; i < in->count; i++) {
    layer->inputs[i] = in->items[i].tensor;
    layer->channels_in += net->tensors[in->items[i].tensor].channels;
  }
  net->tensors[net->layer_count].channels = node->channels;
  *out = layer;
  return yield(f, number, &(operand){.tensor = net->layer_count}, 1);
}

/* Puts the weights into the channel order that the operands have in the format. */
static wisp_status order_weights(folding *f, wisp_net_layer *layer, const operands *in) {
  if (f->net->block == 2 && in->items[0].tensor == 0 && !in->items[0].focus) {
    float *blocked = wisp_stem_weights(layer->weights, layer->channels_out, &layer->window);
    if (!blocked) return no_memory(f, layer->node);
    free(layer->weights);
    layer->weights = blocked;
  }
  int taps = layer->window.kernel[0] * layer->window.kernel[1];
  for (int o = 0; o < layer->channels_out; o++) {
    float *weights = layer->weights + (size_t)o * (size_t)wisp_net_taps(layer);
    for (int i = 0; i < in->count; i++) {
      if (in->items[i].focus) wisp_stem_unfocus(weights, taps);
      weights += f->net->tensors[in->items[i].tensor].channels * taps;
    }
  }
  return WISP_OK;
}

static wisp_status fold_conv(folding *f, int number) {
  wisp_node *node = &f->graph->nodes[number];
  if (node->groups != 1)
    return refuse(f, number, "has groups, the format knows convolutions of one group only");
  wisp_net_layer *layer;
  wisp_status status = add_layer(f, number, WISP_OP_CONV, &layer);
  if (status) return status;
  layer->weights = node->weights;
  layer->bias = node->bias ? node->bias : calloc((size_t)node->channels, sizeof *layer->bias);
  node->weights = node->bias = NULL;
  if (!layer->bias) return no_memory(f, number);
  return order_weights(f, layer, input_of(f, number));
}

static void scale_layer(wisp_net_layer *layer, const float *scale, const float *bias) {
  size_t taps = (size_t)wisp_net_taps(layer);
  for (size_t o = 0; o < (size_t)layer->channels_out; o++) {
    for (size_t k = 0; k < taps; k++) layer->weights[o * taps + k] *= scale[o];
    layer->bias[o] = layer->bias[o] * scale[o] + bias[o];
  }
}

static wisp_status fold_affine(folding *f, int number) {
  const wisp_node *node = &f->graph->nodes[number];
  const operands *in = input_of(f, number);
  if (!bare(f, node->inputs[0]))
    return refuse(f, number, "doesn't follow a bare convolution that nothing else reads");
  const float *scale = node->weights, *bias = node->bias;
  for (int i = 0; i < in->count; i++) {
    wisp_net_layer *layer = conv_of(f, &in->items[i]);
    scale_layer(layer, scale, bias);
    scale += layer->channels_out;
    bias += layer->channels_out;
  }
  return yield(f, number, in->items, in->count);
}

static wisp_status fold_activation(folding *f, int number) {
  const wisp_node *node = &f->graph->nodes[number];
  const operands *in = input_of(f, number);
  if (!bare(f, node->inputs[0]))
    return refuse(f, number, "doesn't follow a bare convolution that nothing else reads");
  for (int i = 0; i < in->count; i++) {
    wisp_net_layer *layer = conv_of(f, &in->items[i]);
    layer->activation = node->activation;
    layer->slope = node->slope;
  }
  return yield(f, number, in->items, in->count);
}

/* Whether the convolution behind `number` can end by adding `other`. */
static int can_add(const folding *f, int number, const operand *other) {
  const operand *item = f->yields[number].items;
  const wisp_net_layer *layer = conv_of(f, item);
  return layer && layer->residual < 0 && sole(f, number) && other->tensor < item->tensor;
}

static wisp_status fold_add(folding *f, int number) {
  const int *inputs = f->graph->nodes[number].inputs;
  const operands *a = &f->yields[inputs[0]], *b = &f->yields[inputs[1]];
  if (a->count > 1 || b->count > 1 || a->items->focus || b->items->focus)
    return refuse(f, number, "adds a concatenation, which only a convolution can read");
  int swap = !can_add(f, inputs[0], b->items);
  if (swap && !can_add(f, inputs[1], a->items))
    return refuse(f, number,
                  "needs a convolution that nothing else reads, after all of the other operand");
  const operand *target = swap ? b->items : a->items, *other = swap ? a->items : b->items;
  conv_of(f, target)->residual = other->tensor;
  return yield(f, number, target, 1);
}

static wisp_status fold_concat(folding *f, int number) {
  const wisp_node *node = &f->graph->nodes[number];
  int count = 0;
  for (int i = 0; i < node->input_count; i++) count += f->yields[node->inputs[i]].count;
  operand *items = malloc((size_t)count * sizeof *items), *next = items;
  if (!items) return no_memory(f, number);
  for (int i = 0; i < node->input_count; i++) {
    const operands *in = &f->yields[node->inputs[i]];
    memcpy(next, in->items, (size_t)in->count * sizeof *next);
    next += in->count;
  }
  f->yields[number] = (operands){items, count};
  return WISP_OK;
}

static wisp_status fold_resample(folding *f, int number, int operation) {
  const operands *in = input_of(f, number);
  if (in->count > 1 || in->items->focus)
    return refuse(f, number, "reads a concatenation, which only a convolution can");
  wisp_net_layer *layer;
  return add_layer(f, number, operation, &layer);
}

static wisp_status fold_node(folding *f, int number) {
  switch (f->graph->nodes[number].kind) {
    case WISP_NODE_PICTURE: return yield(f, number, &(operand){.tensor = 0}, 1);
    case WISP_NODE_CONV: return fold_conv(f, number);
    case WISP_NODE_AFFINE: return fold_affine(f, number);
    case WISP_NODE_ACTIVATION: return fold_activation(f, number);
    case WISP_NODE_ADD: return fold_add(f, number);
    case WISP_NODE_CONCAT: return fold_concat(f, number);
    case WISP_NODE_MAXPOOL: return fold_resample(f, number, WISP_OP_MAXPOOL);
    case WISP_NODE_UPSAMPLE: return fold_resample(f, number, WISP_OP_UPSAMPLE);
    case WISP_NODE_FOCUS: return yield(f, number, &(operand){.tensor = 0, .focus = 1}, 1);
  }
  assert(!"a kind of node");
  return WISP_ERR_ARGUMENT;
}

/* ---- the walk ---- */

static void count_readers(folding *f) {
  const wisp_graph *graph = f->graph;
  for (int i = 0; i < graph->head_count; i++) f->readers[graph->heads[i].tensor]++;
  for (int i = graph->node_count - 1; i > 0; i--)
    for (int k = 0; k < graph->nodes[i].input_count && f->readers[i]; k++)
      f->readers[graph->nodes[i].inputs[k]]++;
}

static int reads_picture(const wisp_node *node) {
  for (int k = 0; k < node->input_count; k++)
    if (node->inputs[k] == 0) return 1;
  return 0;
}

/* Blocks of 2x2 pixels if all that read the picture can: Focus wants them, convolutions of even stride allow them. */
static wisp_status choose_block(folding *f) {
  int focus = 0, plain = 0;
  f->net->block = 2;
  for (int i = 1; i < f->graph->node_count; i++) {
    const wisp_node *node = &f->graph->nodes[i];
    if (!f->readers[i] || !reads_picture(node)) continue;
    if (node->kind == WISP_NODE_FOCUS) focus = i;
    else plain = i;
    if (node->kind != WISP_NODE_FOCUS &&
        !(node->kind == WISP_NODE_CONV && wisp_stem_fits(&node->window)))
      f->net->block = 1;
  }
  if (focus && plain)
    return refuse(f, plain, "reads the picture that another node reads through a focus");
  f->net->tensors[0].channels = 3 * f->net->block * f->net->block;
  return WISP_OK;
}

/* The graph's heads and classes move into the net. */
static wisp_status fold_heads(folding *f) {
  wisp_graph *graph = f->graph;
  wisp_net *net = f->net;
  for (int i = 0; i < graph->head_count; i++) {
    wisp_yolo_head *head = &graph->heads[i];
    const operands *in = &f->yields[head->tensor];
    if (!bare(f, head->tensor) || in->count > 1)
      return refuse(f, head->tensor, "a head must be a bare convolution that nothing else reads");
    int wanted = head->anchor_count * (5 + graph->class_count);
    if (graph->nodes[head->tensor].channels != wanted)
      return wisp_fail(f->error, WISP_ERR_ARGUMENT,
                       "Head %d has %d channels; %d anchors and %d classes need %d.", i,
                       graph->nodes[head->tensor].channels, head->anchor_count, graph->class_count,
                       wanted);
    head->tensor = in->items->tensor;
    net->tensors[head->tensor].is_head = 1;
    net->stride = wisp_max(net->stride, head->stride);
  }
  if (net->stride % net->block) net->stride *= net->block;
  net->heads = graph->heads;
  net->head_count = graph->head_count;
  net->classes = graph->classes;
  net->class_count = graph->class_count;
  graph->heads = NULL;
  graph->classes = NULL;
  graph->head_count = graph->head_cap = graph->class_count = graph->class_cap = 0;
  return WISP_OK;
}

static wisp_status walk(folding *f) {
  count_readers(f);
  wisp_status status = choose_block(f);
  for (int i = 0; i < f->graph->node_count && !status; i++)
    if (f->readers[i]) status = fold_node(f, i);
  if (!status) status = fold_heads(f);
  return status ? status : wisp_net_measure(f->net, f->error);
}

/* A net with room for as many layers as the graph has nodes. */
static wisp_net *open_net(const wisp_graph *graph) {
  wisp_net *net = calloc(1, sizeof *net);
  if (!net) return NULL;
  size_t n = (size_t)graph->node_count;
  net->height = graph->height;
  net->width = graph->width;
  net->tensors = calloc(n, sizeof *net->tensors);
  net->layers = calloc(n, sizeof *net->layers);
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
  size_t n = (size_t)graph->node_count;
  folding f = {.graph = graph,
               .net = open_net(graph),
               .yields = calloc(n, sizeof *f.yields),
               .readers = calloc(n, sizeof *f.readers),
               .error = error};
  wisp_status status = WISP_ERR_MEMORY;
  if (f.net && f.yields && f.readers) status = walk(&f);
  else wisp_fail(error, status, "There is no memory to fold %zu nodes.", n);
  for (size_t i = 0; i < n && f.yields; i++) free(f.yields[i].items);
  free(f.yields);
  free(f.readers);
  if (status) wisp_net_close(&f.net);
  *out = f.net;
  return status;
}
