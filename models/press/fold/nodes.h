/* nodes.h - what each kind of node becomes while a graph is folded.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_NODES_H
#define WISP_NODES_H

#include "core/src/error.h"
#include "graph.h"
#include "operands.h"

typedef struct wisp_folding {
  wisp_graph *graph;
  wisp_net *net;
  wisp_operands *yields; /* [nodes] */
  int *readers;          /* [nodes]: live nodes and heads that read it; 0: dead */
  wisp_error *error;
} wisp_folding;

/* Of a net: each layer writes a tensor, and the picture is one more. */
enum { WISP_NODES_MAX_LAYERS = WISP_MAX_TENSORS - 1 };

/* Sets what the node yields; those that it reads are folded. Weights that become a layer's are taken from the node. */
wisp_status wisp_nodes_fold(wisp_folding *f, int number);

/* Whether the node yields bare convolutions for its one reader, which may change them. */
int wisp_nodes_is_bare(const wisp_folding *f, int number);

/* The convolution that writes the operand, or NULL. */
wisp_net_layer *wisp_nodes_conv_of(const wisp_folding *f, const wisp_operand *item);

/* WISP_ERR_UNSUPPORTED, and a sentence with the node's name. */
wisp_status wisp_nodes_refuse(const wisp_folding *f, int number, const char *why);

#endif
