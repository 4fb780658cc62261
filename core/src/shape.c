/* shape.c - the size of the input at hand: how much of each image there is, and the tasks that fill it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "strides.h"

enum {
  STRIP_BYTES = 512 << 10, /* of input that a task keeps in the second-level cache */
  PIECE_BYTES = 24 << 10,  /* of input that a piece of a task keeps in the first-level cache */
  PIECE_STEP = 48,         /* pixels: no kernel computes more of a piece than it has */
  WORTH = 95               /* per cent: rows are walked by themselves if they cost as little */
};

/* ---- sizes ---- */

/* 0 if nothing would be left of the image. */
static int set_size(wisp_plan *plan, int image, int height, int width) {
  wisp_view *v = &plan->images[image].view;
  v->height = height;
  v->width = width;
  return height > 0 && width > 0;
}

static int is_same_size(const wisp_view *a, const wisp_view *b) {
  return a->height == b->height && a->width == b->width;
}

/* The image of a tensor's phases. */
static int set_phases(wisp_plan *plan, int phases, int tensor) {
  const wisp_image *p = &plan->images[phases];
  const wisp_view *whole = &plan->images[tensor].view;
  return set_size(plan, phases, wisp_ceil_div(whole->height, p->stride_y),
                  wisp_ceil_div(whole->width, p->stride_x));
}

/* Whether what a layer reads, and what it adds, still goes together. */
static int is_joined(const wisp_plan *plan, const wisp_step *step) {
  const wisp_layer *l = &plan->model->layer[step->layer];
  const wisp_image *images = plan->images;
  for (int k = 1; k < l->input_count; k++)
    if (!wisp_fits(l, &images[l->inputs[k]].view, &images[l->inputs[0]].view)) return 0;
  return step->residual < 0 ||
         is_same_size(&images[step->residual].view, &images[step->output].view);
}

static int set_step(wisp_plan *plan, wisp_step *step) {
  if (step->kind == &wisp_step_sort) return set_phases(plan, step->output, step->inputs[0]);
  const wisp_layer *l = &plan->model->layer[step->layer];
  const wisp_size size = wisp_output_size(l, &plan->images[l->inputs[0]].view);
  if (!set_size(plan, step->output, size.height, size.width)) return 0;
  if (step->phases >= 0 && !set_phases(plan, step->phases, step->output)) return 0;
  return is_joined(plan, step);
}

/* ---- tasks ---- */

static int units_of(const wisp_plan *plan, const wisp_step *step) {
  if (step->kind == &wisp_step_head) return 1;
  const int image = step->kind == &wisp_step_sort ? step->inputs[0] : step->output;
  return wisp_planes(plan->images[image].view.channels);
}

/* As many pixels as keep what the taps of a convolution read of them in cache. */
static int piece_of(const wisp_plan *plan, const wisp_step *step) {
  const wisp_layer *l = &plan->model->layer[step->layer];
  int planes = 0;
  for (int k = 0; k < l->input_count; k++)
    planes += wisp_planes(plan->model->tensor[l->inputs[k]].channels);
  const int rows = planes * l->kernel_height * wisp_min(l->kernel_width, l->stride_x);
  const int pixels = PIECE_BYTES / WISP_LANES / rows;
  return wisp_clamp(pixels / PIECE_STEP * PIECE_STEP, PIECE_STEP, WISP_PIECE);
}

/* Of a walk of `n` pixels, in hundredths of a tile's time: kernels compute whole tiles, the last in part for
 * nothing. */
static int walk_cost(const wisp_kernels *kernels, int n) {
  const int rest = n % kernels->tile;
  return n / kernels->tile * 100 + (rest == 0                   ? 0
                                    : rest * 2 <= kernels->tile ? kernels->half_cost
                                                                : 100);
}

/* Flat or row by row. */
static void set_walk(const wisp_plan *plan, wisp_step *step) {
  const wisp_view *out = &plan->images[step->output].view;
  const int piece = step->kind == &wisp_step_conv ? piece_of(plan, step) : 0;
  const int flat = walk_cost(plan->kernels, out->height * out->pitch),
            by_row = out->height * walk_cost(plan->kernels, out->width);
  const int is_flat = (int64_t)by_row * 100 > (int64_t)flat * WORTH || out->width > WISP_PIECE;
  const int stretches = wisp_max(1, piece / out->width);
  step->stretch = out->pitch;
  step->span = is_flat ? out->pitch : out->width;
  step->piece = is_flat ? piece : stretches * out->pitch;
}

/* Strips of rows whose input stays in cache, and enough tasks for every thread to have some to choose from. */
static void set_tasks(const wisp_plan *plan, wisp_step *step) {
  const wisp_view *out = &plan->images[step->output].view;
  int64_t row_bytes = 0;
  for (int k = 0; k < step->input_count; k++) {
    const wisp_view *in = &plan->images[step->inputs[k]].view;
    const int planes = step->kind == &wisp_step_depthwise ? 1 : wisp_planes(in->channels);
    row_bytes += (int64_t)planes * in->pitch * WISP_LANES;
  }
  const int wanted = plan->threads > 1 ? 4 * plan->threads : 1;
  step->units = units_of(plan, step);
  const int by_cache = wisp_clamp((int)(STRIP_BYTES / row_bytes), 1, out->height);
  const int by_threads = wisp_ceil_div(out->height, wisp_ceil_div(wanted, step->units));
  step->strips = wisp_ceil_div(out->height, wisp_min(by_cache, by_threads));
  step->rows = wisp_ceil_div(out->height, step->strips);
  step->strips = wisp_ceil_div(out->height, step->rows);
  step->chunks = wisp_min(step->units, wisp_ceil_div(wanted, step->strips));
  step->chunk = wisp_ceil_div(step->units, step->chunks);
  step->chunks = wisp_ceil_div(step->units, step->chunk);
  set_walk(plan, step);
}

/* Those of the input at hand. */
static void set_prototypes(wisp_plan *plan) {
  const int tensor = plan->model->head[plan->model->prototypes].tensor;
  const wisp_tensor *of = &plan->model->tensor[tensor];
  const wisp_view *view = &plan->images[tensor].view;
  plan->prototypes = (wisp_prototypes){.count = plan->model->masks,
                                       .height = view->height,
                                       .width = view->width,
                                       .view = *view,
                                       .scale = of->scale,
                                       .zero_point = of->zero_point,
                                       .flip = plan->flip};
}

static int try_shape(wisp_plan *plan, int height, int width) {
  const int block = plan->model->block;
  int fits = set_size(plan, 0, height / block, width / block);
  for (int s = 0; fits && s < plan->step_count; s++) fits = set_step(plan, &plan->steps[s]);
  if (!fits) return 0;
  for (int i = 0; i < plan->model->heads; i++) {
    const wisp_view *v = &plan->images[plan->model->head[i].tensor].view;
    plan->heads[i].height = v->height;
    plan->heads[i].width = v->width;
  }
  if (plan->model->masks) set_prototypes(plan);
  for (int s = 0; s < plan->step_count; s++) set_tasks(plan, &plan->steps[s]);
  plan->shape[0] = height;
  plan->shape[1] = width;
  return 1;
}

int wisp_shape_make(wisp_plan *plan, int height, int width) {
  if (plan->shape[0] == height && plan->shape[1] == width) return 1;
  if (try_shape(plan, height, width)) return 1;
  const int at_hand[2] = {plan->shape[0], plan->shape[1]};
  try_shape(plan, at_hand[0], at_hand[1]);
  return 0;
}
