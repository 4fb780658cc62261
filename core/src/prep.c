/* prep.c - frame -> input: letterbox as YOLOv5 does, straight into the network's bytes.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The size and place are those of letterbox() in Ultralytics YOLOv5 (utils/augmentations.py);
 * the pixels those of OpenCV's resize with INTER_LINEAR on bytes (imgproc/src/resize.cpp):
 * positions at pixel centres, weights of 11 bits. Bytes 0 ... 255 are the quantised input
 * themselves: its scale is 1/255. */
#include <math.h>
#include <string.h>

#include "stages.h"

enum { COLUMNS = 256 /* of the input, worked on at once; even */ };

/* Where the resized picture lies in the input, in pixels, and how it maps to the source. */
typedef struct placement {
  int left, top, width, height;
  double step_x, step_y; /* source pixels a pixel */
  int is_half;           /* both are 2: no pixel lies beyond an edge, every weight is a half */
} placement;

typedef struct job {
  const wisp_frame *frame;
  const wisp_kernels *kernels;
  const wisp_view *input;
  placement at;
  int block;
  uint8_t flip;
  int rows; /* of the view, a task */
} job;

/* Python's round(): halves to even. */
static int round_even(double v) { return (int)nearbyint(v); }

static placement place(const wisp_frame *frame, int height, int width, wisp_fit *fit) {
  const double by_height = (double)height / frame->height, by_width = (double)width / frame->width;
  const double scale = by_height < by_width ? by_height : by_width;
  placement p;
  p.width = wisp_clamp(round_even(frame->width * scale), 1, width);
  p.height = wisp_clamp(round_even(frame->height * scale), 1, height);
  p.left = round_even((width - p.width) / 2.0 - 0.1);
  p.top = round_even((height - p.height) / 2.0 - 0.1);
  p.step_x = (double)frame->width / p.width;
  p.step_y = (double)frame->height / p.height;
  p.is_half = frame->width == 2 * p.width && frame->height == 2 * p.height;
  *fit = (wisp_fit){(float)scale, (float)((width - frame->width * scale) / 2),
                    (float)((height - frame->height * scale) / 2), frame->width, frame->height};
  return p;
}

void wisp_rect(const wisp_frame *frame, int stride, int *height, int *width) {
  wisp_fit fit;
  const placement p = place(frame, *height, *width, &fit);
  *height = wisp_ceil_div(p.height, stride) * stride;
  *width = wisp_ceil_div(p.width, stride) * stride;
}

/* Between which two neighbours a position lies, as if there were some beyond the edges: `at` is the first's index. */
static wisp_blend blend_at(int position, double step) {
  const float source = (float)((position + 0.5) * step - 0.5);
  const float first = floorf(source);
  const int second = round_even((double)((source - first) * WISP_BLEND_ONE));
  return (wisp_blend){(int32_t)first, (int16_t)(WISP_BLEND_ONE - second), (int16_t)second};
}

/* Kernels read two pixels a blend; at a row's ends all weight is on its first or last. */
static wisp_blend pixel_blend(int position, double step, int size) {
  wisp_blend t = blend_at(position, step);
  if (t.at < 0 || size == 1) t = (wisp_blend){0, WISP_BLEND_ONE, 0};
  if (t.at >= size - 1 && size > 1) t = (wisp_blend){size - 2, 0, WISP_BLEND_ONE};
  t.at *= 4;
  return t;
}

/* Columns [x0, x1) of the input as they are made: where the picture begins and ends among them,
 * and the rows at hand. */
typedef struct columns {
  int x0, x1, begin, end;
  wisp_blend blends[COLUMNS];
  int kept[2]; /* source rows that `blended` holds, by parity: neighbours mostly share them */
  int16_t blended[2][COLUMNS * 4];
  uint8_t rgba[2][COLUMNS * 4];
} columns;

/* The source row `y` blended along itself. A picture one pixel wide has no second pixel to read. */
static const int16_t *blended_row(const job *j, columns *c, int y) {
  int16_t *out = c->blended[y & 1];
  if (c->kept[y & 1] == y) return out;
  c->kept[y & 1] = y;
  const uint8_t *row = j->frame->rgba + (size_t)y * j->frame->stride;
  uint8_t twice[8];
  if (j->frame->width == 1) {
    memcpy(twice, row, 4);
    memcpy(twice + 4, row, 4);
    row = twice;
  }
  j->kernels->blend_row(row, c->blends, c->end - c->begin, out);
  return out;
}

static void make_row(const job *j, columns *c, int y, uint8_t *rgba) {
  const placement *at = &j->at;
  memset(rgba, WISP_GREY, (size_t)(c->x1 - c->x0) * 4);
  if (y < at->top || y >= at->top + at->height || c->begin >= c->end) return;
  if (at->is_half) {
    const uint8_t *upper = j->frame->rgba + (size_t)(y - at->top) * 2 * j->frame->stride +
                           (size_t)(c->begin - at->left) * 8;
    j->kernels->halve(upper, upper + j->frame->stride, c->end - c->begin,
                      rgba + (c->begin - c->x0) * 4);
    return;
  }
  const wisp_blend t = blend_at(y - at->top, at->step_y);
  const int last = j->frame->height -
                   1; /* beyond the edges lies the same row again, weighed as if it were another */
  const int16_t *above = blended_row(j, c, wisp_clamp(t.at, 0, last));
  const int16_t *below = t.weight2 ? blended_row(j, c, wisp_clamp(t.at + 1, 0, last)) : above;
  j->kernels->blend_rows(above, below, t.weight, c->end - c->begin, rgba + (c->begin - c->x0) * 4);
}

/* One pixel a cell: three channels and an idle lane. */
static void store_pixels(const job *j, const uint8_t *rgba, int n, uint8_t *out) {
  for (int i = 0; i < n * WISP_LANES; i++) out[i] = rgba[i] ^ j->flip;
}

/* One row of cells. */
static void make_cells(const job *j, columns *c, int y) {
  const wisp_view *v = j->input;
  for (int dy = 0; dy < j->block; dy++) make_row(j, c, y * j->block + dy, c->rgba[dy]);
  uint8_t *out = v->data + ((ptrdiff_t)y * v->pitch + c->x0 / j->block) * WISP_LANES;
  uint8_t *const planes[3] = {out, out + v->plane, out + 2 * (ptrdiff_t)v->plane};
  if (j->block == 2) j->kernels->fold(c->rgba[0], c->rgba[1], (c->x1 - c->x0) / 2, j->flip, planes);
  else store_pixels(j, c->rgba[0], c->x1 - c->x0, out);
}

static void prep_task(void *context, int index) {
  const job *j = context;
  const placement *at = &j->at;
  const int width = j->input->width * j->block,
            last = wisp_min((index + 1) * j->rows, j->input->height);
  columns c;
  for (c.x0 = 0; c.x0 < width; c.x0 += COLUMNS) {
    c.x1 = wisp_min(c.x0 + COLUMNS, width);
    c.begin = wisp_max(c.x0, at->left);
    c.end = wisp_min(c.x1, at->left + at->width);
    c.kept[0] = c.kept[1] = -1;
    for (int x = c.begin; x < c.end; x++)
      c.blends[x - c.begin] = pixel_blend(x - at->left, at->step_x, j->frame->width);
    for (int y = index * j->rows; y < last; y++) make_cells(j, &c, y);
  }
}

void wisp_prep(const wisp_frame *frame, const wisp_kernels *kernels, int block, uint8_t flip,
               wisp_pool *pool, const wisp_view *input, wisp_fit *fit) {
  job j = {.frame = frame, .kernels = kernels, .input = input, .block = block, .flip = flip};
  j.at = place(frame, input->height * block, input->width * block, fit);
  j.rows = wisp_max(1, (input->height + 15) / 16);
  wisp_pool_run(pool, prep_task, &j, (input->height + j.rows - 1) / j.rows);
}
