/* allocate.h - how many blocks each output channel gives up so that all together lose least.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_ALLOCATE_H
#define WISP_ALLOCATE_H

#include "obs.h"

/* A convolution, and what removing each of its blocks costs. */
typedef struct wisp_allocate_layer {
  const wisp_obs *obs;
  /* [obs->channels]: of the end result to a squared error of the output, times 2 */
  const double *sensitivity;
  double block_work; /* multiply-adds that a picture needs of a block */
  int fixed;         /* gives nothing */
  int *removed;      /* [obs->channels]: how many steps of the order to take; the answer */
} wisp_allocate_layer;

/* Together `share` of all blocks, those that lose least for the work that they save. */
void wisp_allocate_by_loss(wisp_allocate_layer *layers, int count, double share);

/* As many as can go, by the same rule, until together they lose `loss`. */
void wisp_allocate_to_loss(wisp_allocate_layer *layers, int count, double loss);

/* From each output channel of each layer that isn't fixed. */
void wisp_allocate_evenly(wisp_allocate_layer *layers, int count, double share);

#endif
