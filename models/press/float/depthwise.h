/* depthwise.h - depthwise convolutions in float.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_DEPTHWISE_H
#define WISP_DEPTHWISE_H

#include "floats.h"
#include "net.h"

/* One channel of the layer's output; `residual` is NULL if there is none. */
void wisp_depthwise_run(const wisp_net_layer *layer, const wisp_floats *in,
                        const wisp_floats *residual, const wisp_floats *out, int channel);

#endif
