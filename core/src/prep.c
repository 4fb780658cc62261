/* prep.c - frame -> input: letterbox as YOLOv5 does, straight into the network's bytes.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The size and place are those of letterbox() in Ultralytics YOLOv5 (utils/augmentations.py); the pixels those of OpenCV's
 * resize with INTER_LINEAR on bytes (imgproc/src/resize.cpp): positions at pixel centres, weights of 11 bits, rows
 * first. Bytes 0 ... 255 are the quantised input themselves: its scale is 1/255. */
#include <math.h>

#include "stages.h"

enum { WEIGHT_BITS = 11, WEIGHT_ONE = 1 << WEIGHT_BITS, COLOURS = 3, COLUMNS = 256 /* worked on at once */ };

/* Where the resized picture lies in the input, in pixels, and how it maps to the source. */
typedef struct placement {
  int left, top, width, height;
  double step_x, step_y; /* source pixels a pixel */
} placement;

typedef struct job {
  const wisp_frame *frame;
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
  *fit = (wisp_fit){(float)scale, (float)((width - frame->width * scale) / 2), (float)((height - frame->height * scale) / 2),
                    frame->width, frame->height};
  return p;
}

/* A position between two source pixels: the first, the distance to the second (0 at the edge), the second's weight. */
typedef struct tap {
  int first, next, weight;
} tap;

static tap tap_at(int position, double step, int size) {
  const float source = (float)((position + 0.5) * step - 0.5);
  int first = (int)floorf(source);
  float fraction = source - (float)first;
  if (first < 0) first = 0, fraction = 0;
  if (first >= size - 1) first = size - 1, fraction = 0;
  return (tap){first, first < size - 1, round_even((double)(fraction * WEIGHT_ONE))};
}

/* Colour sums of source row `row` at the taps, times WEIGHT_ONE. */
static void blend_row(const uint8_t *row, const tap *taps, int width, int32_t *out) {
  for (int x = 0; x < width; x++, out += COLOURS) {
    const uint8_t *a = row + (ptrdiff_t)taps[x].first * 4, *b = a + taps[x].next * 4;
    const int weight = taps[x].weight;
    for (int c = 0; c < COLOURS; c++) out[c] = a[c] * (WEIGHT_ONE - weight) + b[c] * weight;
  }
}

/* Rounds as OpenCV's vertical pass: each product loses 16 bits on its own. */
static uint8_t blend(int32_t above, int32_t below, int weight) {
  const int32_t sum = (((WEIGHT_ONE - weight) * (above >> 4)) >> 16) + ((weight * (below >> 4)) >> 16);
  return (uint8_t)((sum + 2) >> 2);
}

/* Channel (dy * block + dx) * 3 + c of cell (y, x) is colour c of the pixel (y * block + dy, x * block + dx). */
static void store(const job *j, int y, int x, const uint8_t colours[COLOURS]) {
  const wisp_view *v = j->input;
  int channel = ((y % j->block) * j->block + x % j->block) * COLOURS;
  uint8_t *cell = v->data + ((ptrdiff_t)(y / j->block) * v->pitch + x / j->block) * WISP_LANES;
  for (int c = 0; c < COLOURS; c++, channel++)
    cell[(ptrdiff_t)(channel / WISP_LANES) * v->plane + channel % WISP_LANES] = colours[c] ^ j->flip;
}

static void grey_row(const job *j, int y, int from, int to) {
  static const uint8_t grey[COLOURS] = {WISP_GREY, WISP_GREY, WISP_GREY};
  for (int x = from; x < to; x++) store(j, y, x, grey);
}

static const uint8_t *source_row(const wisp_frame *frame, int y) { return frame->rgba + (size_t)y * frame->stride; }

/* Columns [x0, x0 + n) of the picture in rows [y0, y1) of the input. Two blended source rows are kept, since neighbouring
 * rows mostly share them. */
static void resize(const job *j, int x0, int n, int y0, int y1) {
  const placement *at = &j->at;
  tap taps[COLUMNS];
  int32_t rows[2][COLUMNS * COLOURS];
  int kept[2] = {-1, -1};
  for (int x = 0; x < n; x++) taps[x] = tap_at(x0 + x, at->step_x, j->frame->width);
  for (int y = y0; y < y1; y++) {
    const tap ty = tap_at(y - at->top, at->step_y, j->frame->height);
    const int wanted[2] = {ty.first, ty.first + ty.next};
    for (int k = 0; k < 2; k++) {
      if (kept[wanted[k] & 1] == wanted[k]) continue;
      blend_row(source_row(j->frame, wanted[k]), taps, n, rows[wanted[k] & 1]);
      kept[wanted[k] & 1] = wanted[k];
    }
    const int32_t *above = rows[wanted[0] & 1], *below = rows[wanted[1] & 1];
    for (int x = 0; x < n; x++) {
      uint8_t colours[COLOURS];
      for (int c = 0; c < COLOURS; c++) colours[c] = blend(above[x * COLOURS + c], below[x * COLOURS + c], ty.weight);
      store(j, y, at->left + x0 + x, colours);
    }
  }
}

/* A task is some rows of the view. */
static void prep_task(void *context, int index) {
  const job *j = context;
  const placement *at = &j->at;
  const int width = j->input->width * j->block, first = index * j->rows * j->block;
  const int end = wisp_min((index + 1) * j->rows, j->input->height) * j->block;
  for (int y = first; y < end; y++) {
    const int inside = y >= at->top && y < at->top + at->height;
    grey_row(j, y, 0, inside ? at->left : width);
    if (inside) grey_row(j, y, at->left + at->width, width);
  }
  const int y0 = wisp_max(first, at->top), y1 = wisp_min(end, at->top + at->height);
  for (int x = 0; x < at->width; x += COLUMNS) resize(j, x, wisp_min(COLUMNS, at->width - x), y0, y1);
}

void wisp_prep(const wisp_frame *frame, int block, uint8_t flip, wisp_pool *pool, const wisp_view *input, wisp_fit *fit) {
  job j = {.frame = frame, .input = input, .block = block, .flip = flip};
  j.at = place(frame, input->height * block, input->width * block, fit);
  j.rows = wisp_max(1, (input->height + 15) / 16);
  wisp_pool_run(pool, prep_task, &j, (input->height + j.rows - 1) / j.rows);
}
