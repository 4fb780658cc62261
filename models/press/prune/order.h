/* order.h - in which order channels stand in the file, so that weights that matter little share blocks.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A sum of products doesn't ask for their order, so that the channels of a tensor may stand in any: what writes it and
 * what reads it need only agree. After Pool & Yu, Channel Permutations for N:M Sparsity, 2021. */
#ifndef WISP_ORDER_H
#define WISP_ORDER_H

#include "calibrate/teach.h"

/* Sets `order` of the tensors whose channels may move, such that the blocks of `size` weights that are the first to go,
 * `share` of all, lose little. `work` is [layers]: what the weights of a layer cost to run, each alike.
 * WISP_ERR_MEMORY leaves some tensors ordered. */
wisp_status wisp_order(wisp_net *net, const wisp_teacher *teacher, const double *work, int size,
                       double share, wisp_pool *pool);

#endif
