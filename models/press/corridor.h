/* corridor.h - the press corridor on one page: float graph -> layers -> ranges -> zeros -> integers -> bytes.
 * SPDX-License-Identifier: Apache-2.0
 *
 *   import --> wisp_graph -- fold --> wisp_net -- exec, observe --> wisp_observer -- range --> wisp_net's ranges
 *   -- quantise, or teach, prune, rebuild --> wisp_net's integers -- pack --> the bytes of a .wisp file
 *
 * Each stage is one file of the same name; press.c walks them. range, teach, prune and rebuild have headers of their
 * own. */
#ifndef WISP_PRESS_STAGES_H
#define WISP_PRESS_STAGES_H

#include "calibrate/observe.h"
#include "core/src/base.h"
#include "core/src/error.h"
#include "core/src/pool.h"
#include "float/floats.h"
#include "fold/graph.h"
#include "net.h"

/* fold: float graph -> layers. Takes weights, heads and classes out of the graph, which can only be closed after.
 * WISP_ERR_UNSUPPORTED names the node that the format can't express. */
wisp_status wisp_fold(wisp_graph *graph, wisp_net **net, wisp_error *error);

/* exec: picture -> every tensor, in float, at the net's size. Borrows the net and the pool. */
typedef struct wisp_exec wisp_exec;

/* Where it `keeps`, every tensor and every sum is still there after a run; else only heads are. */
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
/* Other weights and biases for a convolution, in the net's order; copied. */
void wisp_exec_reweigh(wisp_exec *exec, int layer, const float *weights, const float *bias);
/* A tensor's place. */
wisp_floats wisp_exec_tensor(const wisp_exec *exec, int tensor);
/* The same with a fresh border, to be filled. */
wisp_floats wisp_exec_blank(wisp_exec *exec, int tensor);
/* What a convolution gives to its activation, where they are kept. */
wisp_floats wisp_exec_sums(const wisp_exec *exec, int layer);

/* observe: runs a calibration picture and keeps what quantise needs to know of it. */
wisp_status wisp_observe(wisp_observer *observer, wisp_exec *exec, const wisp_view *picture,
                         wisp_error *error);
/* What a convolution reads for output (y, x), filled up with zeros: f32 [wisp_moments_width(taps)]. */
void wisp_observe_window(const wisp_net_layer *layer, const wisp_exec *exec, int y, int x,
                         float *window);

/* How to press; wisp_press_default_settings has the defaults. */
typedef enum wisp_ranging { WISP_RANGE_MINMAX, WISP_RANGE_MSE } wisp_ranging;
typedef enum wisp_rounding { WISP_ROUND_LEAST_SQUARES, WISP_ROUND_NEAREST } wisp_rounding;
typedef enum wisp_method { WISP_METHOD_OBS, WISP_METHOD_L1 } wisp_method;
typedef enum wisp_allocation { WISP_ALLOCATE_SENSITIVITY, WISP_ALLOCATE_UNIFORM } wisp_allocation;

typedef struct wisp_press_settings {
  int weight_bits;   /* 2 ... 7; 0: for each layer 3 ... 7, by what the end result loses */
  float target_loss; /* of the end result, with weight_bits 0; 0: a default */
  wisp_ranging ranging;
  wisp_rounding rounding;
  float sparsity; /* share of all blocks of weights that become zero */
  int block;      /* weights along the input channels that become zero together: 1, 2 or 4 */
  wisp_method method;
  wisp_allocation allocation; /* uniform: the same share in every layer */
  uint32_t seed;
} wisp_press_settings;

/* Told of a long stage how far it is; `tell` may be NULL. */
typedef struct wisp_progress {
  void (*tell)(void *context, double share); /* 0 ... 1, never less than before */
  void *context;
} wisp_progress;

static inline void wisp_tell(const wisp_progress *progress, double share) {
  if (progress && progress->tell) progress->tell(progress->context, share);
}

/* quantise: integers for the weights, each layer by itself. The ranges are known, and `account.bits`. */
wisp_status wisp_quantise_check(const wisp_press_settings *settings, wisp_error *error);
wisp_status wisp_quantise(wisp_net *net, const wisp_observer *seen,
                          const wisp_press_settings *settings, wisp_pool *pool,
                          const wisp_progress *progress, wisp_error *error);

/* pack: a quantised net -> the bytes of a .wisp file, `malloc`ed. `provenance` is the text of a JSON object. */
wisp_status wisp_pack(const wisp_net *net, const char *provenance, uint8_t **bytes, size_t *size,
                      wisp_error *error);

#endif
