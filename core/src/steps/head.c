/* head.c - a convolution that writes a head: what gates everywhere, the rest only in tiles where a box can be.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../head.h"
#include "../network.h"
#include "../strides.h"
#include "task.h"

enum { CELLS = 24 /* computed together if a box can be in one of them */ };

static wisp_status make_head(wisp_plan *plan, wisp_step *step, wisp_error *error) {
  return wisp_lower_make(plan, step, 1, error); /* to real numbers */
}

/* Computes quads [first, last) for `n` cells from cell `at` on. */
static void head_cells(const wisp_job *j, int first, int last, int at, int n) {
  const wisp_step *s = j->step;
  const wisp_head *head =
      &j->plan->heads[j->plan->model->tensor[j->plan->model->layer[s->layer].output].head];
  float *logits = (float *)(void *)(j->plan->arena + j->plan->images[s->output].offset);
  const size_t cells = (size_t)(head->height * head->pitch);
  for (int q = first; q < last; q++) {
    float *out[4];
    for (int c = 0; c < 4; c++) {
      const int channel = s->channels[q * 4 + c];
      out[c] = channel >= 0 ? logits + (size_t)channel * cells + at : NULL;
    }
    j->plan->kernels->head(&s->quads[q], j->plan->flip, j->plan->arena + (ptrdiff_t)at * WISP_LANES,
                           out, n);
  }
}

/* Whether one of `channels` channels of `cells` numbers reaches `least` in its first `n`. */
static int any_above(const float *logits, int channels, ptrdiff_t cells, int n, float least) {
  for (int c = 0; c < channels; c++, logits += cells) {
    int any = 0;
    for (int i = 0; i < n; i++) any |= logits[i] >= least;
    if (any) return 1;
  }
  return 0;
}

/* Cells [begin, end). */
static void head_span(const wisp_job *j, int begin, int end) {
  const wisp_step *s = j->step;
  const wisp_head *head =
      &j->plan->heads[j->plan->model->tensor[j->plan->model->layer[s->layer].output].head];
  const int cells = head->height * head->pitch;
  head_cells(j, 0, s->gate_quads, begin, end - begin);
  const wisp_head_form form = wisp_head_form_of(head->kind, head->classes, head->masks);
  const int mask_quads = j->masks ? wisp_planes(form.masks) : 0;
  for (int a = 0; a < head->count; a++) {
    const float *gate = head->logits + (ptrdiff_t)(a * form.channels + form.gate) * cells;
    const int first = s->gate_quads + a * s->box_quads,
              mask = s->gate_quads + head->count * s->box_quads + a * mask_quads;
    for (int at = begin; at < end; at += CELLS) {
      const int n = wisp_min(CELLS, end - at);
      if (!any_above(gate + at, form.gates, cells, n, j->least)) continue;
      head_cells(j, first, first + s->box_quads, at, n);
      head_cells(j, mask, mask + mask_quads, at, n);
    }
  }
}

static void head_task(void *context, int index) {
  const wisp_job *j = context;
  const wisp_step *s = j->step;
  const wisp_part p = wisp_task_part(j, index);
  const int rows = s->span == s->stretch ? p.y1 - p.y0 : 1; /* walked at once */
  for (int y = p.y0; y < p.y1; y += rows)
    head_span(j, y * s->stretch, (y + rows - 1) * s->stretch + s->span);
}

const wisp_step_kind wisp_step_head = {make_head, head_task};
