/* move.h - layers that only move numbers: from which place of the input each output comes.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_MOVE_H
#define WISP_MOVE_H

#include "floats.h"
#include "net.h"

typedef struct wisp_move_place {
  int y, x;
} wisp_move_place;

/* Where the number at (y, x) of the layer's output stands in that channel of its input. Of equal numbers a max pool
 * takes the first. */
wisp_move_place wisp_move_source(const wisp_net_layer *layer, const wisp_floats *in, int channel,
                                 int y, int x);

/* One channel of the layer's output. */
void wisp_move_run(const wisp_net_layer *layer, const wisp_floats *in, const wisp_floats *out,
                   int channel);

#endif
