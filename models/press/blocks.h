/* blocks.h - the weights that become zero together: neighbours in the file along the input channels at one kernel
 * position.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_BLOCKS_H
#define WISP_BLOCKS_H

#include "net.h"

/* Of one output channel; each has them alike. No block spans two planes of models/FORMAT.md; there is none where no
 * channel is used. */
typedef struct wisp_blocks {
  int count, weights; /* in all of them */
  int (*taps)[4];     /* [count]; -1 past the last one of a block */
} wisp_blocks;

/* Of `size` weights, 1, 2 or 4, where channels don't end before. WISP_ERR_MEMORY leaves none. */
wisp_status wisp_blocks_open(wisp_blocks *blocks, const wisp_net *net, const wisp_net_layer *layer,
                             int size);
void wisp_blocks_close(wisp_blocks *blocks);

#endif
