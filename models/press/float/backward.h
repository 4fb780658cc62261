/* backward.h - from gradients at the heads to those at every convolution's sums, through a run that was kept.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_BACKWARD_H
#define WISP_BACKWARD_H

#include "exec.h"

typedef struct wisp_backward wisp_backward;

/* Called for each convolution, depthwise or not, last to first: `gradient` is that of its sums, gone after the call. */
typedef void wisp_backward_watch(void *context, int layer, const wisp_floats *gradient);

/* Borrows net, pool and exec, which keeps. */
wisp_status wisp_backward_open(wisp_backward **backward, const wisp_net *net, const wisp_exec *exec,
                               wisp_pool *pool, wisp_error *error);
void wisp_backward_close(wisp_backward **backward);

/* Where the gradient at a head goes before a run; no border. */
wisp_floats wisp_backward_head(const wisp_backward *backward, int head);

/* Goes back through the executor's last run. `weights` [layers] are those it ran with. */
void wisp_backward_run(wisp_backward *backward, const float *const *weights,
                       wisp_backward_watch *watch, void *context);

#endif
