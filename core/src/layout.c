/* layout.c - the images and steps of a plan and their geometry: sizes, borders, pitches.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "error.h"
#include "network.h"
#include "strides.h"

static wisp_status no_memory(wisp_error *error) {
  return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory to plan the network.");
}

/* ---- lists that are sized for the worst case: every layer a strided convolution ---- */

static wisp_status make_lists(wisp_plan *plan, wisp_error *error) {
  const wisp_model *m = plan->model;
  int images = m->tensors, steps = m->layers;
  for (int i = 0; i < m->layers; i++) {
    const int splits =
        m->layer[i].stride_y > 1 || m->layer[i].stride_x > 1 ? m->layer[i].input_count : 0;
    images += splits;
    steps += splits;
  }
  plan->images = calloc((size_t)images, sizeof *plan->images);
  plan->steps = calloc((size_t)steps, sizeof *plan->steps);
  plan->heads = calloc((size_t)m->heads, sizeof *plan->heads);
  plan->layer_ms = calloc((size_t)m->layers, sizeof *plan->layer_ms);
  if (!plan->images || !plan->steps || !plan->heads || !plan->layer_ms) return no_memory(error);
  plan->image_count = m->tensors;
  for (int i = 0; i < images; i++) plan->images[i].pitch_of = i;
  return WISP_OK;
}

static wisp_step *add_step(wisp_plan *plan, const wisp_step_kind *kind, int layer, int inputs,
                           int output) {
  wisp_step *step = &plan->steps[plan->step_count];
  *step = (wisp_step){.kind = kind, .layer = layer, .output = output, .residual = -1, .phases = -1};
  step->inputs = calloc((size_t)inputs, sizeof *step->inputs);
  if (!step->inputs) return NULL;
  step->input_count = inputs;
  plan->images[output].first = plan->step_count++;
  return step;
}

/* ---- geometry ---- */

static int pitch_owner(const wisp_plan *plan, int image) {
  while (plan->images[image].pitch_of != image) image = plan->images[image].pitch_of;
  return image;
}

static void unite(wisp_plan *plan, int a, int b) {
  plan->images[pitch_owner(plan, b)].pitch_of = pitch_owner(plan, a);
}

static void set_size(wisp_plan *plan, int image, int channels, int height, int width,
                     uint8_t zero_point) {
  wisp_image *i = &plan->images[image];
  i->view.channels = channels;
  i->view.height = height;
  i->view.width = width;
  i->border = zero_point ^ plan->flip;
}

/* Rows or columns that the taps of a convolution reach beyond its input or the phases of it at most, whatever the size:
 * past the end it depends on how much the input has beyond whole strides. */
static int reach(int kernel, int stride, int before, int after) {
  int most = -wisp_floor_div(-before, stride);
  for (int rest = 0; rest < stride; rest++) {
    const int past = wisp_floor_div(rest + before + after - kernel, stride) + 1 +
                     wisp_floor_div(kernel - 1 - before, stride) - (rest > 0);
    most = wisp_max(most, past);
  }
  return most;
}

/* Room around `image` for the border that a convolution's taps reach. */
static void make_border(wisp_plan *plan, const wisp_layer *l, int image) {
  wisp_image *i = &plan->images[image];
  i->view.pad =
      wisp_max(i->view.pad, reach(l->kernel_height, l->stride_y, l->pad_top, l->pad_bottom));
  i->margin = wisp_max(i->margin, reach(l->kernel_width, l->stride_x, l->pad_left, l->pad_right));
}

/* A new image for the phases of `tensor`, as `layer` reads it. */
static int add_phases(wisp_plan *plan, const wisp_layer *l, int tensor) {
  const wisp_view *in = &plan->images[tensor].view;
  const int phases = plan->image_count++;
  set_size(plan, phases, wisp_planes(in->channels) * WISP_LANES * l->stride_y * l->stride_x,
           wisp_ceil_div(in->height, l->stride_y), wisp_ceil_div(in->width, l->stride_x),
           (uint8_t)plan->model->tensor[tensor].zero_point);
  plan->images[phases].stride_y = l->stride_y;
  plan->images[phases].stride_x = l->stride_x;
  return phases;
}

/* The convolution that writes `tensor`, if one does. */
static wisp_step *convolution_of(wisp_plan *plan, int tensor) {
  wisp_step *writer = &plan->steps[plan->images[tensor].first];
  return tensor > 0 && writer->kind == &wisp_step_conv ? writer : NULL;
}

/* The image that a convolution reads for its input `tensor`: itself, or its phases, which the convolution before it
 * writes beside or instead of the tensor; another step is followed by one that sorts. */
static int operand(wisp_plan *plan, int layer, int tensor) {
  const wisp_layer *l = &plan->model->layer[layer];
  if (l->stride_y == 1 && l->stride_x == 1) return tensor;
  wisp_step *writer = convolution_of(plan, tensor);
  if (writer && writer->phases < 0) {
    writer->phases = add_phases(plan, l, tensor);
    plan->images[writer->phases].first = plan->images[tensor].first;
    return writer->phases;
  }
  const wisp_image *there = writer ? &plan->images[writer->phases] : NULL;
  if (there && there->stride_y == l->stride_y && there->stride_x == l->stride_x)
    return writer->phases;
  const int phases = add_phases(plan, l, tensor);
  wisp_step *sort = add_step(plan, &wisp_step_sort, layer, 1, phases);
  if (!sort) return -1;
  sort->inputs[0] = tensor;
  return phases;
}

static wisp_status refuse_sizes(const wisp_plan *plan, int layer, const wisp_view *a,
                                const wisp_view *b, wisp_error *error) {
  return wisp_fail(error, WISP_ERR_FORMAT,
                   "Layer %d joins tensors of %dx%d and %dx%d at an input of %dx%d.", layer,
                   a->height, a->width, b->height, b->width, plan->height, plan->width);
}

static wisp_status check_inputs(const wisp_plan *plan, int layer, wisp_error *error) {
  const wisp_layer *l = &plan->model->layer[layer];
  const wisp_view *first = &plan->images[l->inputs[0]].view;
  for (int k = 1; k < l->input_count; k++) {
    const wisp_view *other = &plan->images[l->inputs[k]].view;
    if (!wisp_fits(l, other, first)) return refuse_sizes(plan, layer, first, other, error);
  }
  return WISP_OK;
}

/* A layer with weights: its taps walk all its images with one index. */
static wisp_status add_conv(wisp_plan *plan, const wisp_step_kind *kind, int layer,
                            wisp_error *error) {
  const wisp_layer *l = &plan->model->layer[layer];
  int operands[WISP_MAX_INPUTS];
  for (int k = 0; k < l->input_count; k++) {
    operands[k] = operand(plan, layer, l->inputs[k]);
    if (operands[k] < 0) return no_memory(error);
  }
  wisp_step *step = add_step(plan, kind, layer, l->input_count, l->output);
  if (!step) return no_memory(error);
  for (int k = 0; k < l->input_count; k++) {
    step->inputs[k] = operands[k];
    make_border(plan, l, operands[k]);
    unite(plan, operands[k], l->output);
  }
  step->residual = l->residual;
  if (l->residual < 0) return WISP_OK;
  unite(plan, l->residual, l->output);
  const wisp_view *residual = &plan->images[l->residual].view, *out = &plan->images[l->output].view;
  if (residual->height == out->height && residual->width == out->width) return WISP_OK;
  return refuse_sizes(plan, layer, residual, out, error);
}

/* A layer without weights, which reads its tensors row by row. */
static wisp_status add_rows(wisp_plan *plan, const wisp_step_kind *kind, int layer,
                            wisp_error *error) {
  const wisp_layer *l = &plan->model->layer[layer];
  wisp_step *step = add_step(plan, kind, layer, l->input_count, l->output);
  if (!step) return no_memory(error);
  for (int k = 0; k < l->input_count; k++) step->inputs[k] = l->inputs[k];
  return WISP_OK;
}

#define STEP(word, code, name, ...) [code] = &wisp_step_##name,
static const wisp_step_kind *const STEPS[] = {WISP_OPERATION_ROWS(STEP)};

static wisp_status add_layer(wisp_plan *plan, int layer, wisp_error *error) {
  const wisp_layer *l = &plan->model->layer[layer];
  const wisp_tensor *out = &plan->model->tensor[l->output];
  const wisp_size size = wisp_output_size(l, &plan->images[l->inputs[0]].view);
  if (wisp_min(size.height, size.width) < 1 || wisp_max(size.height, size.width) > WISP_MAX_SIDE)
    return wisp_fail(error, WISP_ERR_LIMIT,
                     "Layer %d would be %dx%d at an input of %dx%d; 1 to %d are possible.", layer,
                     size.height, size.width, plan->height, plan->width, WISP_MAX_SIDE);
  set_size(plan, l->output, out->channels, size.height, size.width, (uint8_t)out->zero_point);
  const wisp_operation_row row = wisp_operation_row_of(l->operation);
  const wisp_step_kind *kind = out->head >= 0 ? &wisp_step_head : STEPS[l->operation];
  if (check_inputs(plan, layer, error) != WISP_OK) return WISP_ERR_FORMAT;
  return row.weighs ? add_conv(plan, kind, layer, error) : add_rows(plan, kind, layer, error);
}

/* ---- pitches, bytes, lifetimes ---- */

static size_t bytes_of(int count, int each) {
  const int64_t bytes = (int64_t)count * each;
  return bytes < WISP_ARENA_MAX ? (size_t)bytes : WISP_ARENA_MAX;
}

static void set_pitches(wisp_plan *plan) {
  for (int i = 0; i < plan->image_count; i++) {
    wisp_view *owner = &plan->images[pitch_owner(plan, i)].view;
    owner->pitch = wisp_max(owner->pitch, plan->images[i].view.width + plan->images[i].margin);
  }
  for (int i = 0; i < plan->image_count; i++) {
    wisp_view *v = &plan->images[i].view;
    v->pitch = plan->images[pitch_owner(plan, i)].view.pitch;
    /* Planes a multiple of 512 bytes apart would share few sets of the first-level cache. */
    const int pixels = (v->height + 2 * v->pad) * v->pitch + 2 * plan->images[i].margin,
              lines = pixels * WISP_LANES / 64 + 1;
    v->plane = (lines + (lines % 8 == 0)) * 64;
    plan->images[i].size = bytes_of(wisp_planes(v->channels), v->plane);
  }
}

static void set_heads(wisp_plan *plan) {
  const wisp_model *m = plan->model;
  for (int i = 0; i < m->heads; i++) {
    const wisp_model_head *h = &m->head[i];
    if (h->kind == WISP_HEAD_PROTOTYPES) continue;
    wisp_image *image = &plan->images[h->tensor];
    const wisp_view *v = &image->view;
    plan->heads[i] = (wisp_head){.kind = h->kind,
                                 .anchors = h->sizes,
                                 .count = h->anchors,
                                 .classes = m->classes,
                                 .height = v->height,
                                 .width = v->width,
                                 .stride = h->stride,
                                 .pitch = v->pitch,
                                 .masks = h->masks};
    image->size = bytes_of(v->channels, v->height * v->pitch * (int)sizeof(float));
  }
}

static void set_lifetimes(wisp_plan *plan) {
  for (int s = 0; s < plan->step_count; s++) {
    const wisp_step *step = &plan->steps[s];
    plan->images[step->output].last = wisp_max(plan->images[step->output].last, s);
    for (int k = 0; k < step->input_count; k++) plan->images[step->inputs[k]].last = s;
    if (step->residual >= 0) plan->images[step->residual].last = s;
  }
  for (int i = 0; i < plan->model->heads; i++)
    plan->images[plan->model->head[i].tensor].last = plan->step_count;
  for (int s = 0; s < plan->step_count; s++) {
    const wisp_step *step = &plan->steps[s];
    wisp_image *output = &plan->images[step->output];
    if (step->phases >= 0 && output->last == s) output->size = 0; /* nobody reads it */
  }
}

/* Going back from the boxes finds what they need; the rest is for masks. */
static wisp_status find_steps_for_masks(wisp_plan *plan, wisp_error *error) {
  const wisp_model *m = plan->model;
  uint8_t *needed = calloc((size_t)plan->image_count, 1);
  if (!needed) return no_memory(error);
  for (int i = 0; i < m->heads; i++)
    needed[m->head[i].tensor] = m->head[i].kind != WISP_HEAD_PROTOTYPES;
  for (int s = plan->step_count - 1; s >= 0; s--) {
    wisp_step *step = &plan->steps[s];
    step->for_masks =
        m->masks && !needed[step->output] && (step->phases < 0 || !needed[step->phases]);
    if (step->for_masks) continue;
    for (int k = 0; k < step->input_count; k++) needed[step->inputs[k]] = 1;
    if (step->residual >= 0) needed[step->residual] = 1;
  }
  free(needed);
  return WISP_OK;
}

wisp_status wisp_layout_make(wisp_plan *plan, wisp_error *error) {
  const wisp_model *m = plan->model;
  wisp_status status = make_lists(plan, error);
  if (status != WISP_OK) return status;
  set_size(plan, 0, m->tensor[0].channels, plan->height / m->block, plan->width / m->block,
           (uint8_t)m->tensor[0].zero_point);
  for (int i = 0; status == WISP_OK && i < m->layers; i++) status = add_layer(plan, i, error);
  if (status != WISP_OK) return status;
  set_pitches(plan);
  set_heads(plan);
  set_lifetimes(plan);
  return find_steps_for_masks(plan, error);
}
