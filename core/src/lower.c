/* lower.c - turns the weight blocks of a convolution into the streams that kernels walk (kernel.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "group.h"
#include "head.h"
#include "payload.h"
#include "strides.h"

typedef struct lowering {
  wisp_weights_view view;
  int positions;     /* taps * planes: blocks of a channel */
  int32_t *distance; /* [positions] bytes from an output pixel's place to the four channels there */
  int *zero_point;   /* [planes] */
  int *first;        /* [channels] index of the channel's first present block */
  /* [4][positions] of the quad at hand; NULL where all four weights are zero */
  const int8_t **block;
  int wide_sums; /* of the kernels */
  wisp_group *grouping;
  wisp_group_block *run; /* [positions] blocks of the list at hand */
  int *sizes;            /* [positions] of its groups */
  int32_t *words;        /* the streams of all quads */
  size_t count, capacity;
} lowering;

static void close_lowering(lowering *lo) {
  free(lo->distance);
  free(lo->zero_point);
  free(lo->first);
  free(lo->block);
  wisp_group_close(&lo->grouping);
  free(lo->run);
  free(lo->sizes);
  free(lo->words);
}

/* ---- where each position lies ---- */

/* Distances of one input's planes at the tap (ky, kx), from the pixel index of the output. */
static void set_distances(const wisp_plan *plan, const wisp_layer *l, int image, int planes, int ky,
                          int kx, int32_t *out) {
  const wisp_view *v = &plan->images[image].view;
  const int y = ky - l->pad_top, x = kx - l->pad_left;
  const int down = wisp_floor_div(y, l->stride_y), right = wisp_floor_div(x, l->stride_x);
  const int phase = (y - down * l->stride_y) * l->stride_x + (x - right * l->stride_x);
  for (int p = 0; p < planes; p++)
    out[p] = (int32_t)(v->data - plan->arena) + (phase * planes + p) * v->plane +
             (down * v->pitch + right) * WISP_LANES;
}

static void set_positions(const wisp_plan *plan, const wisp_step *step, lowering *lo) {
  const wisp_layer *l = &plan->model->layer[step->layer];
  int32_t *distance = lo->distance;
  for (int ky = 0; ky < l->kernel_height; ky++)
    for (int kx = 0; kx < l->kernel_width; kx++)
      for (int k = 0; k < l->input_count; k++) {
        const int planes = wisp_planes(plan->model->tensor[l->inputs[k]].channels);
        set_distances(plan, l, step->inputs[k], planes, ky, kx, distance);
        distance += planes;
      }
  int *zero_point = lo->zero_point;
  for (int k = 0; k < l->input_count; k++) {
    const wisp_tensor *t = &plan->model->tensor[l->inputs[k]];
    for (int p = 0; p < wisp_planes(t->channels); p++) *zero_point++ = t->zero_point;
  }
  for (int c = 0, present = 0; c < lo->view.channels_out; c++) {
    lo->first[c] = present;
    for (int i = 0; i < lo->positions; i++)
      present += wisp_block_present(&lo->view, c * lo->positions + i);
  }
}

static wisp_status open_lowering(lowering *lo, const wisp_plan *plan, const wisp_step *step) {
  *lo = (lowering){.view = wisp_payload_view(plan->model, step->layer),
                   .wide_sums = plan->kernels->wide_sums};
  lo->positions = lo->view.taps * lo->view.planes;
  lo->distance = calloc((size_t)lo->positions, sizeof *lo->distance);
  lo->zero_point = calloc((size_t)lo->view.planes, sizeof *lo->zero_point);
  lo->first = calloc((size_t)lo->view.channels_out, sizeof *lo->first);
  lo->block = calloc((size_t)lo->positions * 4, sizeof *lo->block);
  lo->grouping = wisp_group_open(lo->positions);
  lo->run = calloc((size_t)lo->positions + 1, sizeof *lo->run);
  lo->sizes = calloc((size_t)lo->positions, sizeof *lo->sizes);
  /* The most words: a group for each block, and the counts of each quad's six lists. */
  lo->capacity = (size_t)lo->view.blocks_present * 4 + (size_t)step->quad_count * 6 + 1;
  lo->words = malloc(lo->capacity * sizeof *lo->words);
  if (!lo->distance || !lo->zero_point || !lo->first || !lo->block) return WISP_ERR_MEMORY;
  if (!lo->grouping || !lo->run || !lo->sizes || !lo->words) return WISP_ERR_MEMORY;
  set_positions(plan, step, lo);
  return WISP_OK;
}

/* ---- one quad ---- */

/* Finds the blocks of channel `channel` (-1: none) as row `row` of the quad. */
static void find_blocks(lowering *lo, int channel, int row) {
  const int8_t **block = lo->block + (size_t)row * (size_t)lo->positions;
  memset(block, 0, (size_t)lo->positions * sizeof *block);
  if (channel < 0) return;
  static const int8_t zeros[WISP_LANES];
  const int8_t *weights = lo->view.weights + (size_t)lo->first[channel] * WISP_LANES;
  for (int i = 0; i < lo->positions; i++) {
    if (!wisp_block_present(&lo->view, channel * lo->positions + i)) continue;
    if (memcmp(weights, zeros, WISP_LANES) != 0) block[i] = weights;
    weights += WISP_LANES;
  }
}

/* The sum that stands before any product: bias, zero points and the signed representation's 128. */
static int32_t start_of(const lowering *lo, int channel, int row, uint8_t flip) {
  const int8_t **block = lo->block + (size_t)row * (size_t)lo->positions;
  int64_t start =
      (int64_t)floor((double)lo->view.bias[channel] / (double)lo->view.scale[channel] + 0.5);
  for (int i = 0; i < lo->positions; i++) {
    if (!block[i]) continue;
    const int sum = block[i][0] + block[i][1] + block[i][2] + block[i][3];
    start += sum * (flip - lo->zero_point[i % lo->view.planes]);
  }
  return (int32_t)start;
}

/* The greatest size that the channel's sum can have. */
static double bound_of(const lowering *lo, int row, int32_t start) {
  const int8_t **block = lo->block + (size_t)row * (size_t)lo->positions;
  double bound = fabs((double)start);
  for (int i = 0; i < lo->positions; i++)
    for (int lane = 0; block[i] && lane < WISP_LANES; lane++) bound += abs(block[i][lane]) * 255;
  return bound;
}

/* Writes a list: blocks[n], of `channels` channels each. */
static void emit_list(lowering *lo, wisp_group_block *blocks, int n, int channels) {
  const int groups = lo->wide_sums ? wisp_group_all(n, lo->sizes)
                                   : wisp_group_sort(lo->grouping, blocks, n, channels, lo->sizes);
  int32_t *word = lo->words + lo->count;
  *word++ = groups;
  for (int g = 0; g < groups; g++) {
    *word++ = lo->sizes[g];
    for (int k = 0; k < lo->sizes[g]; k++, blocks++) {
      *word++ = blocks->distance;
      for (int c = 0; c < channels; c++, word++) {
        *word = 0;
        if (blocks->weights[c]) memcpy(word, blocks->weights[c], WISP_LANES);
      }
    }
  }
  lo->count = (size_t)(word - lo->words);
}

/* How a pair's blocks are listed. Measured: docs/PERFORMANCE.md. */
enum listing {
  TOGETHER, /* all beside each other; zeros where one channel has none */
  MIXED,    /* blocks of both beside each other, the others alone */
  APART     /* all alone */
};

/* The fastest for `both` blocks that the two channels have and `alone` that one has: wide sums lose little to three
 * lists, narrow sums a group or two a list. */
static enum listing choose_listing(const lowering *lo, int both, int alone) {
  enum { LISTS = 12 }; /* sevenths of what a block of both costs */
  if (lo->wide_sums) return alone * 6 + LISTS < alone * 7 ? MIXED : TOGETHER;
  return (both + alone) * 10 <= (2 * both + alone) * 6 ? TOGETHER : APART;
}

/* Whether position `i` stands in list `list` of the pair. */
static int stands_in(int list, enum listing listing, const int8_t *a, const int8_t *b) {
  if (listing == TOGETHER || (listing == MIXED && a && b)) return list == 0 && (a || b);
  return (list == 1 && a) || (list == 2 && b);
}

/* Writes rows `row` and `row` + 1 of the quad. */
static void emit_pair(lowering *lo, int row) {
  const int8_t *const *a = lo->block + (size_t)row * (size_t)lo->positions;
  const int8_t *const *b = a + lo->positions;
  int both = 0, alone = 0;
  for (int i = 0; i < lo->positions; i++) {
    both += a[i] && b[i];
    alone += !a[i] != !b[i];
  }
  const enum listing listing = choose_listing(lo, both, alone);
  for (int list = 0; list < 3; list++) {
    int n = 0;
    for (int i = 0; i < lo->positions; i++) {
      if (!stands_in(list, listing, a[i], b[i])) continue;
      lo->run[n++] =
          (wisp_group_block){.weights = {list == 2 ? b[i] : a[i], list == 0 ? b[i] : NULL},
                             .distance = lo->distance[i]};
    }
    emit_list(lo, lo->run, n, list == 0 ? 2 : 1);
  }
}

/* Fills the quad's numbers. 0 if a sum in units could leave 32 bits, where truncation is not the same everywhere. */
static int set_numbers(lowering *lo, int channel, int row, wisp_quad *quad, double unit,
                       uint8_t flip) {
  quad->start[row] = start_of(lo, channel, row, flip);
  quad->scale[row] = (float)((double)lo->view.scale[channel] / unit);
  return bound_of(lo, row, quad->start[row]) * quad->scale[row] < 2147483000.0;
}

static wisp_status lower_quad(lowering *lo, const int channels[4], wisp_quad *quad, double unit,
                              uint8_t flip) {
  for (int c = 0; c < 4; c++) {
    find_blocks(lo, channels[c], c);
    if (channels[c] >= 0 && !set_numbers(lo, channels[c], c, quad, unit, flip))
      return WISP_ERR_LIMIT;
  }
  for (int c = 0; c < 4; c += 2) emit_pair(lo, c);
  return WISP_OK;
}

/* ---- which channels stand together ---- */

/* Those that gate of all anchors first, then what else each anchor has, so that a task can stop after the first where
 * no box can be; then each anchor's coefficients, so that it can leave them out. */
static void order_channels(wisp_step *step, const wisp_head_form *form, int anchors) {
  const int boxes = form->channels - form->masks, mask_quads = wisp_planes(form->masks);
  const int behind = step->gate_quads + anchors * step->box_quads;
  for (int a = 0; a < anchors; a++) {
    int *gates = step->channels + a * form->gates,
        *others = step->channels + (step->gate_quads + a * step->box_quads) * 4,
        *masks = step->channels + (behind + a * mask_quads) * 4;
    for (int k = 0; k < form->channels; k++) {
      const int is_gate = k >= form->gate && k < form->gate + form->gates;
      *(is_gate ? gates++ : k < boxes ? others++ : masks++) = a * form->channels + k;
    }
  }
}

/* A convolution that makes no head is one run of channels without a gate. */
static wisp_status choose_channels(wisp_plan *plan, wisp_step *step) {
  const wisp_model *m = plan->model;
  const wisp_tensor *out = &m->tensor[m->layer[step->layer].output];
  const int is_head = step->kind == &wisp_step_head;
  const wisp_head_form form = is_head
                                  ? wisp_head_form_of(m->head[out->head].kind, m->classes, m->masks)
                                  : (wisp_head_form){.channels = out->channels};
  const int anchors = is_head ? m->head[out->head].anchors : 1;
  step->gate_quads = wisp_planes(anchors * form.gates);
  step->box_quads = wisp_planes(form.channels - form.gates - form.masks);
  step->quad_count = step->gate_quads + anchors * (step->box_quads + wisp_planes(form.masks));
  step->quads = calloc((size_t)step->quad_count, sizeof *step->quads);
  step->channels = malloc((size_t)step->quad_count * 4 * sizeof *step->channels);
  if (!step->quads || !step->channels) return WISP_ERR_MEMORY;
  memset(step->channels, -1, (size_t)step->quad_count * 4 * sizeof *step->channels);
  order_channels(step, &form, anchors);
  return WISP_OK;
}

/* Hands the streams over to the step. `starts` is where each quad's begins. */
static void keep_streams(wisp_plan *plan, wisp_step *step, lowering *lo, const size_t *starts) {
  int32_t *words = realloc(lo->words, (lo->count ? lo->count : 1) * sizeof *words);
  step->words = words ? words : lo->words;
  lo->words = NULL;
  for (int q = 0; q < step->quad_count; q++) step->quads[q].stream = step->words + starts[q];
  const wisp_view *out = &plan->images[step->output].view;
  plan->macs += (double)lo->view.blocks_present * WISP_LANES * out->height * out->width;
  plan->memory += lo->count * sizeof *words + (size_t)step->quad_count * sizeof *step->quads;
}

wisp_status wisp_lower_make(wisp_plan *plan, wisp_step *step, double unit, wisp_error *error) {
  lowering lo = {.words = NULL};
  wisp_status status = choose_channels(plan, step);
  if (status == WISP_OK) status = open_lowering(&lo, plan, step);
  size_t *starts = status == WISP_OK ? malloc((size_t)step->quad_count * sizeof *starts) : NULL;
  if (!starts) status = WISP_ERR_MEMORY;
  for (int q = 0; status == WISP_OK && q < step->quad_count; q++) {
    starts[q] = lo.count;
    status = lower_quad(&lo, step->channels + q * 4, &step->quads[q], unit, plan->flip);
  }
  if (status == WISP_OK) keep_streams(plan, step, &lo, starts);
  free(starts);
  close_lowering(&lo);
  if (status == WISP_ERR_LIMIT)
    return wisp_fail(error, status,
                     "The weights of layer %d are too large for its output's steps of %g.",
                     step->layer, unit);
  if (status != WISP_OK)
    return wisp_fail(error, status, "There is no memory for the weights of layer %d.", step->layer);
  return WISP_OK;
}
