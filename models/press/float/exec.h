/* exec.h - picture -> every tensor, in float, at the net's size.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_EXEC_H
#define WISP_EXEC_H

#include "core/src/error.h"
#include "core/src/pool.h"
#include "floats.h"
#include "net.h"

typedef struct wisp_exec wisp_exec;

/* Borrows the net and the pool. Where it `keeps`, every tensor and every sum is still there after a run; else only
 * heads are. */
wisp_status wisp_exec_open(wisp_exec **exec, const wisp_net *net, wisp_pool *pool, int keeps,
                           wisp_error *error);
void wisp_exec_close(wisp_exec **exec);

/* `picture` holds bytes as wisp_prep lays them. Calls watch(context, tensor) when a tensor is complete, and before its
 * layer's inputs give way to others; `watch` may be NULL. */
void wisp_exec_run(wisp_exec *exec, const wisp_view *picture,
                   void (*watch)(void *context, int tensor), void *context);
/* Tensor 0 alone. */
void wisp_exec_picture(wisp_exec *exec, const wisp_view *picture);
/* One layer alone, whose inputs were put there. */
void wisp_exec_layer(wisp_exec *exec, int layer);

/* Other weights and biases for a convolution, depthwise or not, in the net's order; copied. */
void wisp_exec_reweigh(wisp_exec *exec, int layer, const float *weights, const float *bias);

/* A tensor's place; of all of them, [layers + 1]. */
wisp_floats wisp_exec_tensor(const wisp_exec *exec, int tensor);
const wisp_floats *wisp_exec_tensors(const wisp_exec *exec);
/* The same with a fresh border, to be filled. */
wisp_floats wisp_exec_blank(wisp_exec *exec, int tensor);
/* What a convolution gives to its activation, where they are kept. */
wisp_floats wisp_exec_sums(const wisp_exec *exec, int layer);

#endif
