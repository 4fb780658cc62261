/* depthwise.h - depthwise convolutions in float.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_DEPTHWISE_H
#define WISP_DEPTHWISE_H

#include "floats.h"
#include "net.h"

/* One channel of the layer's sums. `weights` [channels][kernel y][kernel x]; `bias` is this channel's. */
void wisp_depthwise_run(const wisp_net_layer *layer, const float *weights, float bias,
                        const wisp_floats *in, const wisp_floats *sums, int channel);

/* Adds to the gradient of the input, which needs no border, what reaches it from that of the sums. */
void wisp_depthwise_back(const wisp_net_layer *layer, const float *weights,
                         const wisp_floats *gradient, const wisp_floats *to, int channel);

#endif
