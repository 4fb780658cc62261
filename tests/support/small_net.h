/* small_net.h - random little networks with every shape that YOLOv5 has, for the tests of the press.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_SMALL_NET_H
#define WISP_SMALL_NET_H

#include "graph.h"

/* How the picture is read: by a convolution, perhaps over a focus. */
typedef struct stem {
  const char *name;
  int focus;
  wisp_window window;
} stem;

enum { STEM_COUNT = 9 };
extern const stem STEMS[STEM_COUNT];

wisp_window square(int kernel, int stride, int pad);

/* Without bias, of one group. */
wisp_node conv_node(int channels, wisp_window window, float *weights, int weight_count);

/* A node of one or two inputs; each returns what wisp_graph_add does. */
int add_one(wisp_graph *graph, wisp_node node, int input);
int add_two(wisp_graph *graph, wisp_node node, int a, int b);
int add_activation(wisp_graph *graph, int input, int activation); /* of slope 0.1 */
int add_upsample(wisp_graph *graph, int input, int factor);
int add_select(wisp_graph *graph, int input, int *picks, int n);

/* Nodes with random numbers; each returns its tensor. */
int random_conv(wisp_graph *graph, int input, int channels, wisp_window window);
int random_affine(wisp_graph *graph, int input);
int random_activation(wisp_graph *graph, int input);
int sum(wisp_graph *graph, int a, int b);
int pair(wisp_graph *graph, int a, int b); /* their concatenation */

/* A stem, a bottleneck with its residual, pools in a row, nested concatenations, a batch norm over one, a way down and
 * up again, two heads of two classes, and a node that nobody reads: 14 layers. */
wisp_graph *random_net(const stem *first, int height, int width);

/* As YOLOv5-Lite has them: units whose halves are shuffled, depthwise convolutions with and without batch norm and
 * activation, of a shuffle too; a grouped convolution; two heads. Height and width are multiples of 16. */
wisp_graph *random_lite(int height, int width);

/* Squeeze-and-excitation, once behind a depthwise convolution where that is wished; two heads of stride 4 and 8. */
wisp_graph *random_squeezed(int depthwise, int height, int width);

/* Ghosts, which are concatenations: added to each other, to a tensor and to one that others read too, enlarged, pooled
 * and averaged; sums of a sigmoid; pixels of four tensors in turn. Two heads of stride 4 and 8. */
wisp_graph *random_ghost(int height, int width);

/* Two heads of stride 8 and 16 whose boxes have masks, and prototypes of stride 4 as YOLOv5's Proto makes them. */
wisp_graph *random_segmenting(int height, int width);

#endif
