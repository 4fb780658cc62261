/* squeeze.c - squeeze-and-excitation: the mean of each channel, a factor for each channel.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "../error.h"
#include "../network.h"
#include "task.h"

/* ---- average ---- */

static wisp_status make_average(wisp_plan *plan, wisp_step *step, wisp_error *error) {
  const wisp_layer *l = &plan->model->layer[step->layer];
  const wisp_tensor *in = &plan->model->tensor[l->inputs[0]],
                    *out = &plan->model->tensor[l->output];
  const double ratio = floor((double)in->scale / (double)out->scale * WISP_RATIO_ONE + 0.5);
  if (!(ratio <= WISP_RATIO_MOST))
    return wisp_fail(error, WISP_ERR_LIMIT, "Layer %d averages steps of %g to steps of %g.",
                     step->layer, (double)in->scale, (double)out->scale);
  step->finish.ratio = (int32_t)ratio;
  return WISP_OK;
}

static void average_task(void *context, int index) {
  const wisp_job *j = context;
  const wisp_layer *l = &j->plan->model->layer[j->step->layer];
  const wisp_tensor *tensor = j->plan->model->tensor;
  const wisp_image *out = &j->plan->images[j->step->output];
  const wisp_view *in = &j->plan->images[j->step->inputs[0]].view;
  const wisp_average average = {in->height,
                                in->width,
                                in->pitch,
                                j->step->finish.ratio,
                                tensor[l->inputs[0]].zero_point,
                                tensor[l->output].zero_point,
                                j->plan->flip};
  const wisp_part p = wisp_task_part(j, index);
  for (int plane = p.first; plane < p.last; plane++) {
    j->plan->kernels->average(&average, wisp_task_row(in, plane, 0),
                              wisp_task_row(&out->view, plane, 0));
    wisp_task_border(out, plane, 0, 1);
  }
}

const wisp_step_kind wisp_step_average = {make_average, average_task};

/* ---- scale ---- */

/* With p the product of an image's and a factor's byte, less their zero points, the output byte is p * exact / 65536:
 * x = p / 2, which 16 bits hold, times out_scale / 32768. What out_scale gains when it becomes a whole number, the
 * factors lose. */
static wisp_status make_scale(wisp_plan *plan, wisp_step *step, wisp_error *error) {
  const wisp_model *m = plan->model;
  const wisp_layer *l = &m->layer[step->layer];
  const wisp_tensor *in = &m->tensor[l->inputs[0]], *factor = &m->tensor[l->inputs[1]],
                    *out = &m->tensor[l->output];
  const double exact = (double)in->scale * (double)factor->scale / (double)out->scale * 65536;
  const double out_scale = fmax(ceil(exact), 1);
  if (!(out_scale <= 32767))
    return wisp_fail(error, WISP_ERR_LIMIT,
                     "Layer %d multiplies steps of %g by steps of %g, to steps of %g.", step->layer,
                     (double)in->scale, (double)factor->scale, (double)out->scale);
  step->finish = (wisp_finish){.activation = WISP_ACT_NONE,
                               .out_scale = (int16_t)out_scale,
                               .out_zero = (int16_t)out->zero_point,
                               .residual_zero = (int16_t)in->zero_point,
                               .flip = plan->flip};
  step->finish.ratio = (int32_t)floor(exact / out_scale * WISP_RATIO_MOST + 0.5);
  return WISP_OK;
}

static void scale_task(void *context, int index) {
  const wisp_job *j = context;
  const wisp_step *s = j->step;
  const wisp_image *out = &j->plan->images[s->output];
  const wisp_view *in = &j->plan->images[s->inputs[0]].view,
                  *by = &j->plan->images[s->inputs[1]].view;
  const int zero_point = j->plan->model->tensor[s->inputs[1]].zero_point;
  const wisp_part p = wisp_task_part(j, index);
  for (int plane = p.first; plane < p.last; plane++) {
    const uint8_t *bytes = wisp_task_row(by, plane, 0);
    int16_t factors[WISP_LANES];
    for (int lane = 0; lane < WISP_LANES; lane++)
      factors[lane] =
          (int16_t)wisp_factor(bytes[lane] ^ j->plan->flip, zero_point, s->finish.ratio);
    for (int y = p.y0; y < p.y1; y++)
      j->plan->kernels->scale(&s->finish, factors, wisp_task_row(in, plane, y),
                              wisp_task_row(&out->view, plane, y), out->view.width);
    wisp_task_border(out, plane, p.y0, p.y1);
  }
}

const wisp_step_kind wisp_step_scale = {make_scale, scale_task};
