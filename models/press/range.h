/* range.h - observed values -> the bytes of each tensor: its scale and zero point.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_RANGE_H
#define WISP_RANGE_H

#include "stages.h"

enum { WISP_BYTE_MAX = 255 };

/* Sets scale and zero point of every tensor. */
void wisp_range(wisp_net *net, const wisp_observer *seen, wisp_ranging ranging);

/* What rounding to bytes adds to the mean of a channel. Where most values lie within a step or two of zero, as after
 * SiLU, that is no longer nothing. */
float wisp_range_shift(const wisp_net_tensor *tensor, const wisp_spread *spread, int channel);

#endif
