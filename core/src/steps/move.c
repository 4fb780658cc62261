/* move.c - steps that only move bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../network.h"
#include "task.h"

static void maxpool_task(void *context, int index) {
  const wisp_job *j = context;
  const wisp_layer *l = &j->plan->model->layer[j->step->layer];
  const wisp_image *out = &j->plan->images[j->step->output];
  const wisp_view *in = &j->plan->images[j->step->inputs[0]].view;
  const wisp_maxpool_shape shape = {in->height,       in->width,       in->pitch,
                                    l->kernel_height, l->kernel_width, l->stride_y,
                                    l->stride_x,      l->pad_top,      l->pad_left};
  const wisp_part p = wisp_task_part(j, index);
  for (int plane = p.first; plane < p.last; plane++) {
    for (int y = p.y0; y < p.y1; y++)
      j->plan->kernels->maxpool(&shape, wisp_task_row(in, plane, 0), j->plan->flip, y,
                                wisp_task_row(&out->view, plane, y), out->view.width);
    wisp_task_border(out, plane, p.y0, p.y1);
  }
}

const wisp_step_kind wisp_step_maxpool = {.task = maxpool_task};

static void upsample_task(void *context, int index) {
  const wisp_job *j = context;
  const wisp_layer *l = &j->plan->model->layer[j->step->layer];
  const wisp_image *out = &j->plan->images[j->step->output];
  const int *inputs = j->step->inputs, is_one = j->step->input_count == 1;
  const int width = j->plan->images[inputs[0]].view.width;
  const wisp_part p = wisp_task_part(j, index);
  for (int plane = p.first; plane < p.last; plane++) {
    for (int y = p.y0; y < p.y1; y++) {
      const uint8_t *rows[WISP_MAX_STRIDE];
      for (int x = 0; x < l->stride_x; x++) {
        const int input = is_one ? 0 : y % l->stride_y * l->stride_x + x;
        rows[x] = wisp_task_row(&j->plan->images[inputs[input]].view, plane, y / l->stride_y);
      }
      j->plan->kernels->upsample(rows, width, l->stride_x, wisp_task_row(&out->view, plane, y));
    }
    wisp_task_border(out, plane, p.y0, p.y1);
  }
}

const wisp_step_kind wisp_step_upsample = {.task = upsample_task};
