/* group.h - sorts a list's weight blocks into groups whose 16-bit sums are exact.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_GROUP_H
#define WISP_GROUP_H

#include <stdint.h>

#include "kernel.h"

/* The blocks that the channels of a list have at one position; NULL where a channel has none. */
typedef struct wisp_group_block {
  const int8_t *weights[WISP_PAIR];
  int32_t distance;
} wisp_group_block;

typedef struct wisp_group wisp_group;

/* Room to sort up to `cap` blocks; NULL without memory. */
wisp_group *wisp_group_open(int cap);
void wisp_group_close(wisp_group **work);

/* One group of all blocks, for kernels with wide sums: writes its size. Returns the number of groups, 1 or 0. */
int wisp_group_all(int n, int *sizes);

/* Reorders blocks[n] so that groups follow each other, the largest first, and writes their sizes. Few large groups are
 * fast: a kernel widens its sums once a group. Returns the number of groups. */
int wisp_group_sort(wisp_group *work, wisp_group_block *blocks, int n, int channels, int *sizes);

#endif
