/* strides.h - the strides in which a plan is made, in this order, a file each.
 * SPDX-License-Identifier: Apache-2.0
 *
 * layout.c lists the images and steps at the largest size, place.c gives each image its address, shape.c sets the size
 * at hand and cuts the work into tasks, again for every frame of another shape; then, as the weights of a step arrive,
 * its kind (steps/) makes what it needs: of a convolution, finish.c turns scales into fixed point and lower.c weight
 * blocks into kernel streams, filter.c those of a depthwise one. None calls another; plan.c and the kinds walk them. */
#ifndef WISP_STRIDES_H
#define WISP_STRIDES_H

#include "network.h"
#include "steps.h"

wisp_status wisp_layout_make(wisp_plan *plan, wisp_error *error);
wisp_status wisp_place_make(wisp_plan *plan, wisp_error *error);
/* Fewer rows and columns of every image, at the addresses and distances that they have, and the tasks for them; nothing
 * is allocated. A network that joins tensors which differ at that size keeps its shape: 0 then. */
int wisp_shape_make(wisp_plan *plan, int height, int width);
/* `*unit` is what one unit of the step's 16-bit numbers is in reals: lowering needs it. */
wisp_status wisp_finish_make(wisp_plan *plan, wisp_step *step, double *unit, wisp_error *error);
wisp_status wisp_lower_make(wisp_plan *plan, wisp_step *step, double unit, wisp_error *error);
wisp_status wisp_filter_make(wisp_plan *plan, wisp_step *step, double unit, wisp_error *error);

/* The size of what a layer writes; a side is less than 1 where its window is larger than what it slides over. */
typedef struct wisp_size {
  int height, width;
} wisp_size;

static inline wisp_size wisp_output_size(const wisp_layer *l, const wisp_view *in) {
  const wisp_sizing sizing = wisp_operation_row_of(l->operation).sizing;
  return (wisp_size){wisp_operation_side(sizing, in->height, l->kernel_height, l->stride_y,
                                         l->pad_top + l->pad_bottom),
                     wisp_operation_side(sizing, in->width, l->kernel_width, l->stride_x,
                                         l->pad_left + l->pad_right)};
}

/* Whether a layer can read a tensor beside its first one. */
static inline int wisp_fits(const wisp_layer *l, const wisp_view *other, const wisp_view *first) {
  const wisp_beside beside = wisp_operation_row_of(l->operation).beside;
  return wisp_operation_fits(beside, other->height, first->height) &&
         wisp_operation_fits(beside, other->width, first->width);
}

#endif
