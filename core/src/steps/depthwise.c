/* depthwise.c - a convolution channel by channel.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../strides.h"
#include "task.h"

static wisp_status make_depthwise(wisp_plan *plan, wisp_step *step, wisp_error *error) {
  double unit;
  const wisp_status status = wisp_finish_make(plan, step, &unit, error);
  return status == WISP_OK ? wisp_filter_make(plan, step, unit, error) : status;
}

static void depthwise_task(void *context, int index) {
  const wisp_job *j = context;
  const wisp_step *s = j->step;
  const wisp_image *out = &j->plan->images[s->output];
  const wisp_view *residual = s->residual >= 0 ? &j->plan->images[s->residual].view : NULL;
  const wisp_part p = wisp_task_part(j, index);
  const int rows = s->span == s->stretch ? p.y1 - p.y0 : 1; /* walked at once */
  for (int plane = p.first; plane < p.last; plane++) {
    for (int y = p.y0; y < p.y1; y += rows)
      j->plan->kernels->depthwise(
          &s->filters[plane], &s->finish, j->plan->arena + (ptrdiff_t)y * s->stretch * WISP_LANES,
          residual ? wisp_task_row(residual, plane, y) : NULL, wisp_task_row(&out->view, plane, y),
          (rows - 1) * s->stretch + s->span);
    wisp_task_border(out, plane, p.y0, p.y1);
  }
}

const wisp_step_kind wisp_step_depthwise = {make_depthwise, depthwise_task};
