/* conv.c - a convolution of all channels, written as it is or sorted for a strided one, or both.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../strides.h"
#include "phases.h"
#include "task.h"

static wisp_status make_conv(wisp_plan *plan, wisp_step *step, wisp_error *error) {
  double unit;
  const wisp_status status = wisp_finish_make(plan, step, &unit, error);
  return status == WISP_OK ? wisp_lower_make(plan, step, unit, error) : status;
}

/* Some pixels for all channels before the next, so that their input stays in the first-level cache. */
static void conv_task(void *context, int index) {
  const wisp_job *j = context;
  const wisp_plan *plan = j->plan;
  const wisp_step *s = j->step;
  const wisp_image *out = &plan->images[s->output],
                   *phases = s->phases >= 0 ? &plan->images[s->phases] : NULL;
  const wisp_view *residual = s->residual >= 0 ? &plan->images[s->residual].view : NULL;
  const wisp_part p = wisp_task_part(j, index);
  const int pitch = out->view.pitch, end = (p.y1 - p.y0) * pitch, is_kept = out->size > 0;
  const int is_flat = s->span == s->stretch;
  uint8_t unkept[WISP_PIECE * WISP_LANES] = {0};
  for (int at = 0; at < end; at += s->piece)
    for (int q = p.first; q < p.last; q++)
      for (int from = at; from < wisp_min(at + s->piece, end); from += is_flat ? s->piece : pitch) {
        const int n = is_flat ? wisp_min(s->piece, end - from) : s->span, bytes = from * WISP_LANES;
        uint8_t *to = is_kept ? wisp_task_row(&out->view, q, p.y0) + bytes : unkept;
        plan->kernels->conv(&s->quads[q], &s->finish,
                            plan->arena + (ptrdiff_t)p.y0 * pitch * WISP_LANES + bytes,
                            residual ? wisp_task_row(residual, q, p.y0) + bytes : NULL, to, n);
        if (phases) wisp_phases_deal(plan, phases, &out->view, q, p.y0, from, n, to);
      }
  for (int q = p.first; q < p.last; q++) {
    if (is_kept) wisp_task_border(out, q, p.y0, p.y1);
    if (phases) wisp_phases_border(phases, &out->view, q, p.y0, p.y1);
  }
}

const wisp_step_kind wisp_step_conv = {make_conv, conv_task};
