/* graph.h - a float network as an importer tells it, node by node.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A node and the tensor it yields share one number. Number 0 is the picture: three planes, red, green, blue, in
 * 0 ... 1. A node reads only tensors of smaller numbers, so the nodes stand in execution order. Every call checks
 * what it is given and copies it. */
#ifndef WISP_GRAPH_H
#define WISP_GRAPH_H

#include "core/src/base.h"
#include "core/src/operation.h"
#include "core/wisp.h"

typedef enum wisp_node_kind {
  /* Each has its row in kinds.c. */
  WISP_NODE_PICTURE, /* number 0, and no other */
  WISP_NODE_AFFINE,  /* scale * x + bias by channel: a batch norm at rest */
  WISP_NODE_ACTIVATION,
  WISP_NODE_ADD,
  WISP_NODE_CONCAT, /* along channels */
  /* YOLOv5 v5.0: the pixels (dy, dx) = (0,0) (1,0) (0,1) (1,1) of each 2x2 block as channels */
  WISP_NODE_FOCUS,
  WISP_NODE_SELECT, /* channel i of it is channel picks[i] of its input: a shuffle, a part */
/* A layer of each operation in core/src/operation.h, which says what it reads and how it is sized; a convolution has
 * groups instead of a kind of its own by channel. */
#define WISP_NODE_CODE(word, code, ...) WISP_NODE_##word = WISP_NODE_SELECT + (code),
  WISP_OPERATION_ROWS(WISP_NODE_CODE)
#undef WISP_NODE_CODE
      WISP_NODE_KINDS
} wisp_node_kind;

/* The operation of a layer; of other kinds none that there is. */
static inline wisp_operation wisp_node_operation(wisp_node_kind kind) {
  return (wisp_operation)(kind > WISP_NODE_SELECT ? kind - WISP_NODE_SELECT : 0);
}

enum { WISP_MOST_WEIGHTS = 1 << 28 /* of a convolution */ };

/* How a convolution or a pool walks its input. */
typedef struct wisp_window {
  int kernel[2], stride[2]; /* y, x; an upsample's stride is its factor */
  int pad[4];               /* top, left, bottom, right */
} wisp_window;

/* What a byte of a tensor means: real = scale * (byte - zero point). A scale of 0: not known. */
typedef struct wisp_byte_range {
  float scale;
  int zero_point;
} wisp_byte_range;

typedef struct wisp_node {
  wisp_node_kind kind;
  int *inputs, input_count;
  int channels;       /* of the tensor it yields; only a convolution says how many */
  wisp_window window; /* conv, maxpool, upsample */
  int groups;         /* conv */
  wisp_activation activation;
  float slope; /* of leaky ReLU */
  /* conv: [channels][input channels / groups][kernel y][kernel x]; affine: its scale */
  float *weights;
  float *bias; /* [channels]; affine; conv, or NULL */
  int *picks;  /* [channels]; select */
  int weight_count, bias_count, pick_count;
  wisp_byte_range range; /* the network was trained with its tensor rounded to bytes of it */
} wisp_node;

/* One output of the network: the raw logits of a head, as core/src/head.h has its channels; or the prototypes of masks,
 * which have no anchors. */
typedef struct wisp_yolo_head {
  wisp_head_kind kind;
  int tensor, stride;
  int anchor_count;
  float *anchors; /* [anchor_count][2] width, height in input pixels */
  int masks; /* coefficients of an anchor; of prototypes, their number; 0 in a network without masks */
} wisp_yolo_head;

typedef struct wisp_graph {
  int height, width; /* of the picture; 0 until told */
  wisp_node *nodes;
  int node_count, node_cap;
  wisp_yolo_head *heads;
  int head_count, head_cap;
  char **classes; /* UTF-8 */
  int class_count, class_cap;
} wisp_graph;

wisp_status wisp_graph_open(wisp_graph **graph);
void wisp_graph_close(wisp_graph **graph);

wisp_status wisp_graph_input(wisp_graph *graph, int height, int width, wisp_error *error);

/* Returns the number of the node's tensor, or a negative wisp_status. */
int wisp_graph_add(wisp_graph *graph, const wisp_node *node, wisp_error *error);

wisp_status wisp_graph_head(wisp_graph *graph, const wisp_yolo_head *head, wisp_error *error);
wisp_status wisp_graph_class(wisp_graph *graph, const char *name, wisp_error *error);

/* "conv", "affine", ...; static. */
const char *wisp_graph_kind_name(wisp_node_kind kind);
/* "none", "relu", ...; static. */
const char *wisp_graph_activation_name(wisp_activation activation);

#endif
