/* run.c - input -> heads: walks the plan's steps, each as tasks of some rows and some channels.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "head.h"
#include "network.h"
#include "stages.h"

enum { CELLS = 24 /* of a head, computed together if a box can be in one of them */ };

typedef struct job {
  const wisp_plan *plan;
  const wisp_step *step;
  float least; /* logit with which a box can pass */
} job;

/* Rows [y0, y1) and quads or planes [first, last) of a task. */
typedef struct part {
  int y0, y1, first, last;
} part;

static part part_of(const job *j, int index) {
  const wisp_step *s = j->step;
  const int strip = index / s->chunks, chunk = index % s->chunks,
            height = j->plan->images[s->output].view.height;
  return (part){strip * s->rows, wisp_min((strip + 1) * s->rows, height), chunk * s->chunk,
                wisp_min((chunk + 1) * s->chunk, s->units)};
}

static uint8_t *row_of(const wisp_view *v, int plane, int y) {
  return v->data + (ptrdiff_t)plane * v->plane + (ptrdiff_t)y * v->pitch * WISP_LANES;
}

/* ---- borders ---- */

static void fill_pixels(const wisp_image *image, uint8_t *row, int from, int to) {
  const uint32_t pixel = image->border * 0x01010101u;
  for (int x = from; x < to; x++) memcpy(row + x * WISP_LANES, &pixel, sizeof pixel);
}

/* Behind pixel `from` of a row and in front of the next row. No tap reaches what lies between. */
static void end_row(const wisp_image *image, int plane, int y, int from) {
  const wisp_view *v = &image->view;
  uint8_t *row = row_of(v, plane, y);
  const int behind = v->width + image->margin, before = v->pitch - image->margin;
  fill_pixels(image, row, from, wisp_min(behind, v->pitch));
  fill_pixels(image, row, wisp_max(behind, before), v->pitch);
}

/* Above a plane and in front of its first row, or below it, if a task has its first or its last rows. */
static void fill_ends(const wisp_image *image, int plane, int has_first, int has_last) {
  const wisp_view *v = &image->view;
  const size_t rows = (size_t)(v->pad * v->pitch) * WISP_LANES,
               before = rows + (size_t)image->margin * WISP_LANES;
  if (has_first) memset(row_of(v, plane, 0) - before, image->border, before);
  if (has_last) memset(row_of(v, plane, v->height), image->border, rows);
}

/* Around rows [y0, y1) of a plane. */
static void fill_border(const wisp_image *image, int plane, int y0, int y1) {
  for (int y = y0; y < y1; y++) end_row(image, plane, y, image->view.width);
  fill_ends(image, plane, y0 == 0, y1 == image->view.height);
}

/* ---- phases: a tensor's pixels, sorted by their place in the stride of the convolution that reads it ---- */

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
  uint8_t *to = row_of(&phases->view, y_of * columns * planes + plane, row) + column * WISP_LANES;
  uint8_t *rows[WISP_MAX_STRIDE];
  for (int k = 0; k < columns; k++) {
    const int wraps = x_of + k >= columns, phase = x_of + k - wraps * columns;
    rows[k] = to + (ptrdiff_t)(phase * planes) * phases->view.plane + wraps * WISP_LANES;
  }
  plan->kernels->deal(pixels, n, columns, rows);
}

/* Sorts `n` pixels of a plane, walked flat from pixel `at` of row `y` on. */
static void deal_flat(const wisp_plan *plan, const wisp_image *phases, const wisp_view *whole,
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

/* Around what rows [y0, y1) of a plane became. Rows and columns that the last phases lack are border too. */
static void fill_phases(const wisp_image *phases, const wisp_view *whole, int plane, int y0,
                        int y1) {
  const int has_last = y1 == whole->height,
            end = has_last ? phases->view.height * phases->stride_y : y1;
  for (int y = y0; y < end; y++)
    for (int x = 0; x < phases->stride_x; x++)
      end_row(phases, phase_plane(phases, whole, plane, y, x), y / phases->stride_y,
              y < y1 ? wisp_ceil_div(whole->width - x, phases->stride_x) : 0);
  for (int y = 0; y < phases->stride_y; y++)
    for (int x = 0; x < phases->stride_x; x++)
      fill_ends(phases, phase_plane(phases, whole, plane, y, x), y0 == 0, has_last);
}

/* ---- steps ---- */

static void sort_task(void *context, int index) {
  const job *j = context;
  const wisp_image *phases = &j->plan->images[j->step->output];
  const wisp_view *in = &j->plan->images[j->step->inputs[0]].view;
  const part p = part_of(j, index);
  const int y0 = p.y0 * phases->stride_y, y1 = wisp_min(p.y1 * phases->stride_y, in->height);
  for (int plane = p.first; plane < p.last; plane++) {
    for (int y = y0; y < y1; y++)
      deal_row(j->plan, phases, in, plane, y, 0, in->width, row_of(in, plane, y));
    fill_phases(phases, in, plane, y0, y1);
  }
}

/* Some pixels for all channels before the next, so that their input stays in the first-level cache. */
static void conv_task(void *context, int index) {
  const job *j = context;
  const wisp_plan *plan = j->plan;
  const wisp_step *s = j->step;
  const wisp_image *out = &plan->images[s->output],
                   *phases = s->phases >= 0 ? &plan->images[s->phases] : NULL;
  const wisp_view *residual = s->residual >= 0 ? &plan->images[s->residual].view : NULL;
  const part p = part_of(j, index);
  const int pitch = out->view.pitch, end = (p.y1 - p.y0) * pitch, is_kept = out->size > 0;
  const int is_flat = s->span == s->stretch;
  uint8_t unkept[WISP_PIECE * WISP_LANES] = {0};
  for (int at = 0; at < end; at += s->piece)
    for (int q = p.first; q < p.last; q++)
      for (int from = at; from < wisp_min(at + s->piece, end); from += is_flat ? s->piece : pitch) {
        const int n = is_flat ? wisp_min(s->piece, end - from) : s->span, bytes = from * WISP_LANES;
        uint8_t *to = is_kept ? row_of(&out->view, q, p.y0) + bytes : unkept;
        plan->kernels->conv(&s->quads[q], &s->finish,
                            plan->arena + (ptrdiff_t)p.y0 * pitch * WISP_LANES + bytes,
                            residual ? row_of(residual, q, p.y0) + bytes : NULL, to, n);
        if (phases) deal_flat(plan, phases, &out->view, q, p.y0, from, n, to);
      }
  for (int q = p.first; q < p.last; q++) {
    if (is_kept) fill_border(out, q, p.y0, p.y1);
    if (phases) fill_phases(phases, &out->view, q, p.y0, p.y1);
  }
}

static void depthwise_task(void *context, int index) {
  const job *j = context;
  const wisp_step *s = j->step;
  const wisp_image *out = &j->plan->images[s->output];
  const wisp_view *residual = s->residual >= 0 ? &j->plan->images[s->residual].view : NULL;
  const part p = part_of(j, index);
  const int rows = s->span == s->stretch ? p.y1 - p.y0 : 1; /* walked at once */
  for (int plane = p.first; plane < p.last; plane++) {
    for (int y = p.y0; y < p.y1; y += rows)
      j->plan->kernels->depthwise(&s->filters[plane], &s->finish,
                                  j->plan->arena + (ptrdiff_t)y * s->stretch * WISP_LANES,
                                  residual ? row_of(residual, plane, y) : NULL,
                                  row_of(&out->view, plane, y), (rows - 1) * s->stretch + s->span);
    fill_border(out, plane, p.y0, p.y1);
  }
}

static void maxpool_task(void *context, int index) {
  const job *j = context;
  const wisp_layer *l = &j->plan->model->layer[j->step->layer];
  const wisp_image *out = &j->plan->images[j->step->output];
  const wisp_view *in = &j->plan->images[j->step->inputs[0]].view;
  const wisp_maxpool_shape shape = {in->height,       in->width,       in->pitch,
                                    l->kernel_height, l->kernel_width, l->stride_y,
                                    l->stride_x,      l->pad_top,      l->pad_left};
  const part p = part_of(j, index);
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
  const part p = part_of(j, index);
  for (int plane = p.first; plane < p.last; plane++) {
    for (int y = p.y0; y < p.y1; y++)
      j->plan->kernels->upsample(row_of(in, plane, y / l->stride_y), in->width, l->stride_x,
                                 row_of(&out->view, plane, y));
    fill_border(out, plane, p.y0, p.y1);
  }
}

static void average_task(void *context, int index) {
  const job *j = context;
  const wisp_layer *l = &j->plan->model->layer[j->step->layer];
  const wisp_tensor *tensor = j->plan->model->tensor;
  const wisp_image *out = &j->plan->images[j->step->output];
  const wisp_view *in = &j->plan->images[j->step->inputs[0]].view;
  const wisp_average average = {in->height,
                                in->width,
                                in->pitch,
                                j->step->ratio,
                                tensor[l->inputs[0]].zero_point,
                                tensor[l->output].zero_point,
                                j->plan->flip};
  const part p = part_of(j, index);
  for (int plane = p.first; plane < p.last; plane++) {
    j->plan->kernels->average(&average, row_of(in, plane, 0), row_of(&out->view, plane, 0));
    fill_border(out, plane, 0, 1);
  }
}

static void scale_task(void *context, int index) {
  const job *j = context;
  const wisp_step *s = j->step;
  const wisp_image *out = &j->plan->images[s->output];
  const wisp_view *in = &j->plan->images[s->inputs[0]].view,
                  *by = &j->plan->images[s->inputs[1]].view;
  const int zero_point = j->plan->model->tensor[s->inputs[1]].zero_point;
  const part p = part_of(j, index);
  for (int plane = p.first; plane < p.last; plane++) {
    const uint8_t *bytes = row_of(by, plane, 0);
    int16_t factors[WISP_LANES];
    for (int lane = 0; lane < WISP_LANES; lane++)
      factors[lane] = (int16_t)wisp_factor(bytes[lane] ^ j->plan->flip, zero_point, s->ratio);
    for (int y = p.y0; y < p.y1; y++)
      j->plan->kernels->scale(&s->finish, factors, row_of(in, plane, y),
                              row_of(&out->view, plane, y), out->view.width);
    fill_border(out, plane, p.y0, p.y1);
  }
}

/* ---- heads: what gates everywhere, the rest only in tiles where a box can be ---- */

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
static void head_span(const job *j, int begin, int end) {
  const wisp_step *s = j->step;
  const wisp_head *head =
      &j->plan->heads[j->plan->model->tensor[j->plan->model->layer[s->layer].output].head];
  const int cells = head->height * head->pitch;
  head_cells(j, 0, s->gate_quads, begin, end - begin);
  const wisp_head_form form = wisp_head_form_of(head->kind, head->classes);
  const int quads = (s->quad_count - s->gate_quads) / head->count;
  for (int a = 0; a < head->count; a++) {
    const float *gate = head->logits + (ptrdiff_t)(a * form.channels + form.gate) * cells;
    const int first = s->gate_quads + a * quads;
    for (int at = begin; at < end; at += CELLS) {
      const int n = wisp_min(CELLS, end - at);
      if (any_above(gate + at, form.gates, cells, n, j->least))
        head_cells(j, first, first + quads, at, n);
    }
  }
}

static void head_task(void *context, int index) {
  const job *j = context;
  const wisp_step *s = j->step;
  const part p = part_of(j, index);
  const int rows = s->span == s->stretch ? p.y1 - p.y0 : 1; /* walked at once */
  for (int y = p.y0; y < p.y1; y += rows)
    head_span(j, y * s->stretch, (y + rows - 1) * s->stretch + s->span);
}

static wisp_task task_of(wisp_step_kind kind) {
  switch (kind) {
    case WISP_STEP_SORT: return sort_task;
    case WISP_STEP_CONV: return conv_task;
    case WISP_STEP_HEAD: return head_task;
    case WISP_STEP_MAXPOOL: return maxpool_task;
    case WISP_STEP_UPSAMPLE: return upsample_task;
    case WISP_STEP_DEPTHWISE: return depthwise_task;
    case WISP_STEP_AVERAGE: return average_task;
    case WISP_STEP_SCALE: return scale_task;
  }
  return NULL;
}

void wisp_run(wisp_plan *plan, int first, int last, wisp_pool *pool, float confidence,
              double (*clock)(void)) {
  if (first == 0) memset(plan->layer_ms, 0, (size_t)plan->model->layers * sizeof *plan->layer_ms);
  double before = clock ? clock() : 0;
  for (int p = 0; first == 0 && p < wisp_planes(plan->images[0].view.channels); p++)
    fill_border(&plan->images[0], p, 0, plan->images[0].view.height);
  for (int s = first; s < last; s++) {
    const wisp_step *step = &plan->steps[s];
    job j = {plan, step, wisp_least_logit(confidence)};
    wisp_pool_run(pool, task_of(step->kind), &j, step->strips * step->chunks);
    const double now = clock ? clock() : 0;
    plan->layer_ms[step->layer] += now - before;
    before = now;
  }
}
