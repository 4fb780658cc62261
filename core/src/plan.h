/* plan.h - model x kernels x input size -> steps with fixed addresses.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_PLAN_H
#define WISP_PLAN_H

#include "steps.h"

/* Everything but the weights, which need not be there. */
wisp_status wisp_plan_open(wisp_plan **plan, const wisp_model *model, const wisp_kernels *kernels,
                           int height, int width, int threads, int flip, wisp_error *error);
/* Lowers the weights that have arrived since. After an error the plan can only be closed. */
wisp_status wisp_plan_advance(wisp_plan *plan, wisp_error *error);
/* The size at hand becomes `height` x `width`, multiples of the model's stride within the plan's own; that one instead
 * where the network can't do with less. */
void wisp_plan_shape(wisp_plan *plan, int height, int width);
void wisp_plan_close(wisp_plan **plan);

#endif
