/* plan.c - model x kernels x input size -> steps with fixed addresses: walks the strides of planning.
 * SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <stdlib.h>

#include "error.h"
#include "network.h"
#include "strides.h"

static wisp_status check_size(const wisp_model *m, int height, int width, wisp_error *error) {
  if (height < 1 || width < 1 || height % m->stride || width % m->stride)
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "The input size %dx%d is no multiple of the model's stride %d.", height, width,
                     m->stride);
  if (height > WISP_MAX_INPUT_SIDE || width > WISP_MAX_INPUT_SIDE)
    return wisp_fail(error, WISP_ERR_LIMIT, "The input size %dx%d is more than %d.", height, width,
                     WISP_MAX_INPUT_SIDE);
  return WISP_OK;
}

wisp_status wisp_plan_advance(wisp_plan *plan, wisp_error *error) {
  if (plan->failed != WISP_OK)
    return wisp_fail(error, plan->failed, "The network could not be planned; open it again.");
  while (plan->ready < plan->step_count) {
    wisp_step *step = &plan->steps[plan->ready];
    if (!wisp_model_has_layer(plan->model, step->layer)) break;
    if (step->kind->make) plan->failed = step->kind->make(plan, step, error);
    if (plan->failed != WISP_OK) return plan->failed;
    plan->ready++;
  }
  return WISP_OK;
}

wisp_status wisp_plan_open(wisp_plan **out, const wisp_model *model, const wisp_kernels *kernels,
                           int height, int width, int threads, int flip, wisp_error *error) {
  *out = NULL;
  wisp_status status = check_size(model, height, width, error);
  if (status != WISP_OK) return status;
  wisp_plan *plan = calloc(1, sizeof *plan);
  if (!plan) return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory to plan the network.");
  plan->model = model;
  plan->kernels = kernels;
  plan->height = height;
  plan->width = width;
  plan->threads = threads;
  plan->flip = flip ? 0x80 : 0;
  status = wisp_layout_make(plan, error);
  if (status == WISP_OK) status = wisp_place_make(plan, error);
  if (status == WISP_OK) wisp_shape_make(plan, height, width);
  plan->memory += plan->arena_size;
  if (status == WISP_OK) *out = plan;
  else wisp_plan_close(&plan);
  return status;
}

void wisp_plan_shape(wisp_plan *plan, int height, int width) {
  if (!wisp_shape_make(plan, height, width)) wisp_shape_make(plan, plan->height, plan->width);
}

void wisp_plan_close(wisp_plan **out) {
  wisp_plan *plan = *out;
  if (!plan) return;
  *out = NULL;
  for (int s = 0; s < plan->step_count; s++) {
    free(plan->steps[s].inputs);
    free(plan->steps[s].quads);
    free(plan->steps[s].filters);
    free(plan->steps[s].channels);
    free(plan->steps[s].words);
  }
  free(plan->images);
  free(plan->steps);
  free(plan->heads);
  free(plan->layer_ms);
  free(plan->arena);
  free(plan);
}
