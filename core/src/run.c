/* run.c - input -> heads: walks the plan's steps, each as tasks of some rows and some channels.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "stages.h"

enum { CELLS = 24 /* of a head, computed together if a box can be in one of them */ };

typedef struct job {
  const wisp_plan *plan;
  const wisp_step *step;
  float objectness; /* least logit with which a box can pass */
} job;

/* Rows [y0, y1) and quads or planes [first, last) of a task. */
typedef struct part {
  int y0, y1, first, last;
} part;

static part part_of(const job *j, int index, int units) {
  const wisp_step *s = j->step;
  const int strip = index / s->chunks, chunk = index % s->chunks,
            height = j->plan->images[s->output].view.height;
  return (part){strip * s->rows, wisp_min((strip + 1) * s->rows, height), chunk * s->chunk,
                wisp_min((chunk + 1) * s->chunk, units)};
}

static uint8_t *row_of(const wisp_view *v, int plane, int y) {
  return v->data + (ptrdiff_t)plane * v->plane + (ptrdiff_t)y * v->pitch * WISP_LANES;
}

/* Writes the border beside rows [y0, y1) of a plane, and above and below it if they are its first and last. */
static void fill_border(const wisp_image *image, int plane, int y0, int y1) {
  const wisp_view *v = &image->view;
  const size_t beside = (size_t)(v->pitch - v->width) * WISP_LANES;
  for (int y = y0; y < y1 && beside > 0; y++)
    memset(row_of(v, plane, y) + v->width * WISP_LANES, image->border, beside);
  const size_t rows = (size_t)(v->pad * v->pitch) * WISP_LANES;
  if (y0 == 0) {
    const size_t before = rows + (size_t)image->margin * WISP_LANES;
    memset(row_of(v, plane, 0) - before, image->border, before);
  }
  if (y1 == v->height) memset(row_of(v, plane, v->height), image->border, rows);
}

/* ---- steps ---- */

static void pick_task(void *context, int index) {
  const job *j = context;
  const wisp_layer *l = &j->plan->model->layer[j->step->layer];
  const wisp_image *out = &j->plan->images[j->step->output];
  const wisp_view *in = &j->plan->images[j->step->inputs[0]].view;
  const int planes = wisp_planes(in->channels);
  const part p = part_of(j, index, wisp_planes(out->view.channels));
  for (int plane = p.first; plane < p.last; plane++) {
    const int phase = plane / planes, y_of = phase / l->stride_x, x_of = phase % l->stride_x;
    const int width = wisp_ceil_div(in->width - x_of, l->stride_x);
    for (int y = p.y0; y < p.y1; y++) {
      const int source = y * l->stride_y + y_of, found = source < in->height ? width : 0;
      uint8_t *row = row_of(&out->view, plane, y);
      if (found > 0)
        j->plan->kernels->pick(row_of(in, plane % planes, source) + x_of * WISP_LANES, l->stride_x,
                               found, row);
      memset(row + found * WISP_LANES, out->border, (size_t)(out->view.width - found) * WISP_LANES);
    }
    fill_border(out, plane, p.y0, p.y1);
  }
}

static void conv_task(void *context, int index) {
  const job *j = context;
  const wisp_step *s = j->step;
  const wisp_image *out = &j->plan->images[s->output];
  const wisp_view *residual = s->residual >= 0 ? &j->plan->images[s->residual].view : NULL;
  const part p = part_of(j, index, s->quad_count);
  const int pitch = out->view.pitch, n = (p.y1 - p.y0) * pitch;
  for (int q = p.first; q < p.last; q++) {
    j->plan->kernels->conv(
        &s->quads[q], &s->finish, j->plan->arena + (ptrdiff_t)p.y0 * pitch * WISP_LANES,
        residual ? row_of(residual, q, p.y0) : NULL, row_of(&out->view, q, p.y0), n);
    fill_border(out, q, p.y0, p.y1);
  }
}

static void depthwise_task(void *context, int index) {
  const job *j = context;
  const wisp_step *s = j->step;
  const wisp_image *out = &j->plan->images[s->output];
  const wisp_view *residual = s->residual >= 0 ? &j->plan->images[s->residual].view : NULL;
  const part p = part_of(j, index, wisp_planes(out->view.channels));
  const int pitch = out->view.pitch, n = (p.y1 - p.y0) * pitch;
  for (int plane = p.first; plane < p.last; plane++) {
    j->plan->kernels->depthwise(
        &s->filters[plane], &s->finish, j->plan->arena + (ptrdiff_t)p.y0 * pitch * WISP_LANES,
        residual ? row_of(residual, plane, p.y0) : NULL, row_of(&out->view, plane, p.y0), n);
    fill_border(out, plane, p.y0, p.y1);
  }
}

static void maxpool_task(void *context, int index) {
  const job *j = context;
  const wisp_layer *l = &j->plan->model->layer[j->step->layer];
  const wisp_image *out = &j->plan->images[j->step->output];
  const wisp_view *in = &j->plan->images[j->step->inputs[0]].view;
  const wisp_pool_shape shape = {in->height,       in->width,       in->pitch,
                                 l->kernel_height, l->kernel_width, l->stride_y,
                                 l->stride_x,      l->pad_top,      l->pad_left};
  const part p = part_of(j, index, wisp_planes(out->view.channels));
  for (int plane = p.first; plane < p.last; plane++) {
    for (int y = p.y0; y < p.y1; y++)
      j->plan->kernels->maxpool(&shape, row_of(in, plane, 0), j->plan->flip, y,
                                row_of(&out->view, plane, y), out->view.width);
    fill_border(out, plane, p.y0, p.y1);
  }
}

static void upsample_task(void *context, int index) {
  const job *j = context;
  const wisp_layer *l = &j->plan->model->layer[j->step->layer];
  const wisp_image *out = &j->plan->images[j->step->output];
  const wisp_view *in = &j->plan->images[j->step->inputs[0]].view;
  const part p = part_of(j, index, wisp_planes(out->view.channels));
  for (int plane = p.first; plane < p.last; plane++) {
    for (int y = p.y0; y < p.y1; y++)
      j->plan->kernels->upsample(row_of(in, plane, y / l->stride_y), in->width, l->stride_x,
                                 row_of(&out->view, plane, y));
    fill_border(out, plane, p.y0, p.y1);
  }
}

/* ---- heads: objectness everywhere, the rest only in tiles where a box can be ---- */

/* Computes quads [first, last) for `n` cells from cell `at` on. */
static void head_cells(const job *j, int first, int last, int at, int n) {
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

static int any_above(const float *logits, int n, float least) {
  for (int i = 0; i < n; i++)
    if (logits[i] >= least) return 1;
  return 0;
}

static void head_task(void *context, int index) {
  const job *j = context;
  const wisp_step *s = j->step;
  const wisp_head *head =
      &j->plan->heads[j->plan->model->tensor[j->plan->model->layer[s->layer].output].head];
  const part p = part_of(j, index, 1);
  const int begin = p.y0 * head->pitch, end = p.y1 * head->pitch,
            cells = head->height * head->pitch;
  head_cells(j, 0, s->objectness_quads, begin, end - begin);
  const int quads = (s->quad_count - s->objectness_quads) / head->count;
  for (int a = 0; a < head->count; a++) {
    const float *objectness = head->logits + (ptrdiff_t)(a * (5 + head->classes) + 4) * cells;
    const int first = s->objectness_quads + a * quads;
    for (int at = begin; at < end; at += CELLS) {
      const int n = wisp_min(CELLS, end - at);
      if (any_above(objectness + at, n, j->objectness)) head_cells(j, first, first + quads, at, n);
    }
  }
}

void wisp_run(wisp_plan *plan, int first, int last, wisp_pool *pool, float confidence,
              double (*clock)(void)) {
  static const wisp_task tasks[] = {pick_task,    conv_task,     head_task,
                                    maxpool_task, upsample_task, depthwise_task};
  if (first == 0) memset(plan->layer_ms, 0, (size_t)plan->model->layers * sizeof *plan->layer_ms);
  double before = clock ? clock() : 0;
  for (int p = 0; first == 0 && p < wisp_planes(plan->images[0].view.channels); p++)
    fill_border(&plan->images[0], p, 0, plan->images[0].view.height);
  for (int s = first; s < last; s++) {
    const wisp_step *step = &plan->steps[s];
    job j = {plan, step, wisp_least_logit(confidence)};
    wisp_pool_run(pool, tasks[step->kind], &j, step->strips * step->chunks);
    const double now = clock ? clock() : 0;
    plan->layer_ms[step->layer] += now - before;
    before = now;
  }
}
