/* depthwise.h - depthwise convolutions in the press: run in float, rounded to integers.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_DEPTHWISE_H
#define WISP_DEPTHWISE_H

#include "calibrate/observe.h"
#include "floats.h"
#include "net.h"

/* One channel of the layer's output; `residual` is NULL if there is none. */
void wisp_depthwise_run(const wisp_net_layer *layer, const wisp_floats *in,
                        const wisp_floats *residual, const wisp_floats *out, int channel);

/* Integers of `bits` bits for a layer whose inputs have their ranges, and its account. `spread` is its input's. */
wisp_status wisp_depthwise_quantise(wisp_net *net, int layer, const wisp_spread *spread, int bits);

#endif
