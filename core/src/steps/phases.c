/* phases.c - a tensor's pixels, sorted by their place in the stride of the convolution that reads it: by the step that
 * writes them, or by one of its own.
 * SPDX-License-Identifier: Apache-2.0 */
#include "phases.h"

#include "task.h"

/* The plane that has every stride-th pixel of plane `plane` of `whole`, from (y, x) on. */
static int phase_plane(const wisp_image *phases, const wisp_view *whole, int plane, int y, int x) {
  const int phase = y % phases->stride_y * phases->stride_x + x % phases->stride_x;
  return phase * wisp_planes(whole->channels) + plane;
}

/* Sorts `n` pixels of row `y` of `whole`, from column `x` on. Divides no more than it must: it is called often. */
static void deal_row(const wisp_plan *plan, const wisp_image *phases, const wisp_view *whole,
                     int plane, int y, int x, int n, const uint8_t *pixels) {
  const int planes = wisp_planes(whole->channels), columns = phases->stride_x;
  const int row = y / phases->stride_y, y_of = y - row * phases->stride_y;
  const int column = x / columns, x_of = x - column * columns;
  uint8_t *to =
      wisp_task_row(&phases->view, y_of * columns * planes + plane, row) + column * WISP_LANES;
  uint8_t *rows[WISP_MAX_STRIDE];
  for (int k = 0; k < columns; k++) {
    const int wraps = x_of + k >= columns, phase = x_of + k - wraps * columns;
    rows[k] = to + (ptrdiff_t)(phase * planes) * phases->view.plane + wraps * WISP_LANES;
  }
  plan->kernels->deal(pixels, n, columns, rows);
}

void wisp_phases_deal(const wisp_plan *plan, const wisp_image *phases, const wisp_view *whole,
                      int plane, int y, int at, int n, const uint8_t *pixels) {
  y += at / whole->pitch;
  for (int x = at % whole->pitch; n > 0; x = 0, y++) {
    const int some = wisp_min(n, whole->pitch - x);
    if (x < whole->width)
      deal_row(plan, phases, whole, plane, y, x, wisp_min(some, whole->width - x), pixels);
    pixels += some * WISP_LANES;
    n -= some;
  }
}

void wisp_phases_border(const wisp_image *phases, const wisp_view *whole, int plane, int y0,
                        int y1) {
  const int has_last = y1 == whole->height,
            end = has_last ? phases->view.height * phases->stride_y : y1;
  for (int y = y0; y < end; y++)
    for (int x = 0; x < phases->stride_x; x++)
      wisp_task_end_row(phases, phase_plane(phases, whole, plane, y, x), y / phases->stride_y,
                        y < y1 ? wisp_ceil_div(whole->width - x, phases->stride_x) : 0);
  for (int y = 0; y < phases->stride_y; y++)
    for (int x = 0; x < phases->stride_x; x++)
      wisp_task_ends(phases, phase_plane(phases, whole, plane, y, x), y0 == 0, has_last);
}

static void sort_task(void *context, int index) {
  const wisp_job *j = context;
  const wisp_image *phases = &j->plan->images[j->step->output];
  const wisp_view *in = &j->plan->images[j->step->inputs[0]].view;
  const wisp_part p = wisp_task_part(j, index);
  const int y0 = p.y0 * phases->stride_y, y1 = wisp_min(p.y1 * phases->stride_y, in->height);
  for (int plane = p.first; plane < p.last; plane++) {
    for (int y = y0; y < y1; y++)
      deal_row(j->plan, phases, in, plane, y, 0, in->width, wisp_task_row(in, plane, y));
    wisp_phases_border(phases, in, plane, y0, y1);
  }
}

const wisp_step_kind wisp_step_sort = {.task = sort_task};
