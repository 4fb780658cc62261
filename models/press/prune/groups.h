/* groups.h - tensors that share their channels: those that are added to each other, pooled or upsampled.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_GROUPS_H
#define WISP_GROUPS_H

#include "net.h"

typedef struct wisp_groups {
  int *of;    /* [tensors]: the first tensor of its group */
  int *fixed; /* [tensors], by group: its channels stay as they are and where they are */
} wisp_groups;

/* WISP_ERR_MEMORY leaves none. */
wisp_status wisp_groups_open(wisp_groups *groups, const wisp_net *net);
void wisp_groups_close(wisp_groups *groups);

#endif
