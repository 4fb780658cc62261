/* grouped.h - convolutions of several groups as layers of the format: depthwise ones, and dense ones with zeros.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_GROUPED_H
#define WISP_GROUPED_H

#include "operands.h"

/* Whether a node is a depthwise convolution: each channel reads its own. */
int wisp_grouped_is_depthwise(const wisp_node *node, int channels_in);

/* The weights of one group, [channels][channels_in][taps], `malloc`ed; NULL without memory. */
float *wisp_grouped_dense(const wisp_node *node, int channels_in);

/* Of the depthwise `node` over `in`, the part that reads item `item`: f32 weights [n][taps] and biases [n] for the
 * first n channels of that tensor, the last of them picked; both `malloc`ed, zero where no channel is picked; `picks`
 * [n], which of the node's channels each is, -1 there. Returns n, 0 without memory, -1 if a channel is picked twice. */
int wisp_grouped_part(const wisp_node *node, const wisp_operands *in, int item, const wisp_net *net,
                      float **weights, float **bias, int **picks);

#endif
