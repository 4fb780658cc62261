/* depthwise_round.h - rounds depthwise convolutions to integers.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_DEPTHWISE_ROUND_H
#define WISP_DEPTHWISE_ROUND_H

#include "calibrate/observe.h"

/* Integers of `bits` bits for a layer whose inputs have their ranges, and its account. `spread` is its input's. */
wisp_status wisp_depthwise_round(wisp_net *net, int layer, const wisp_spread *spread, int bits);

#endif
