/* unfold.h - what a layer's integers stand for, in the shape of the graph's node that the layer came from.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_UNFOLD_H
#define WISP_UNFOLD_H

#include "net.h"

/* The node's window, how many weights it has and how many output channels: weights f32 [count], biases [channels_out].
 * A depthwise node may have become several layers, each of which writes its own channels only. WISP_ERR_UNSUPPORTED
 * where the layer is no longer of that shape. */
wisp_status wisp_unfold(const wisp_net *net, const wisp_net_layer *layer, const wisp_window *plain,
                        size_t count, int channels_out, float *weights, float *biases,
                        wisp_error *error);

#endif
