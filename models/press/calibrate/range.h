/* range.h - observed values -> the bytes of each tensor: its scale and zero point.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_RANGE_H
#define WISP_RANGE_H

#include "corridor.h"

enum { WISP_BYTE_MAX = 255 };

/* Sets scale and zero point of every tensor. */
void wisp_range(wisp_net *net, const wisp_observer *seen, wisp_ranging ranging);

#endif
