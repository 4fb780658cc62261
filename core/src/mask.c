/* mask.c - boxes -> masks: coefficients times prototypes, enlarged to source pixels and cropped, as run lengths.
 * SPDX-License-Identifier: Apache-2.0
 *
 * models/FORMAT.md, "Masks". Only the cells that a box covers are computed. Between the centres of two cells the score
 * is a straight line, so that it passes a half at one place: a line of source pixels costs as much as it has cells. */
#include <math.h>
#include <stdlib.h>

#include "error.h"
#include "head.h"
#include "logistic.h"
#include "stages.h"

enum {
  HIGH = 64, /* a coefficient has 13 bits: weights of 7 bits, times HIGH and times 1 */
  MOST = 63 * HIGH,
  PIECE = 128 /* cells of a row, computed at once */
};
static const float LARGEST = 1e30f; /* of what a file may make as large as it likes */

/* Pixels of the source along an axis, those of the box among them, and the cells they lie between. */
typedef struct axis {
  int size, begin, end; /* pixels: of the source; the box's */
  int corner, whole;    /* likewise: of the frame before the source; of all of the frame */
  int before, first,
      last; /* cells: of the prototypes before the source's; of the source, that the box touches */
  int edge; /* the source's last cell */
  double step; /* cells a pixel */
} axis;

typedef struct place {
  int cell, next;
  float share; /* of the next */
} place;

/* Between which two cells a pixel lies; beyond the outermost there is the same again. */
static place place_of(const axis *a, int pixel) {
  const float at = fmaxf((float)((pixel + 0.5) * a->step - 0.5), 0);
  const int cell = wisp_min((int)at, a->edge);
  return (place){cell, wisp_min(cell + 1, a->edge), at - (float)cell};
}

static axis axis_of(int cells, double gain, int size, int corner, int whole, float low,
                    float high) {
  const double pad = (cells - size * gain) / 2;
  const int before = (int)pad, count = wisp_max((int)(cells - pad) - before, 1);
  axis a = {.size = size,
            .corner = corner,
            .whole = whole,
            .before = before,
            .edge = count - 1,
            .step = (double)count / size};
  a.begin = wisp_clamp((int)nearbyintf(low), 0, size);
  a.end = wisp_clamp((int)nearbyintf(high), a.begin, size);
  a.first = place_of(&a, a.begin).cell;
  a.last = place_of(&a, wisp_max(a.end - 1, a.begin)).next;
  return a;
}

/* ---- scores of cells ---- */

/* The coefficients of a box's prediction, times its objectness, as YOLOv5's non_max_suppression leaves them. */
static void find_coefficients(const wisp_head *heads, int prediction, float *out) {
  const wisp_head *head = heads;
  for (; prediction >= wisp_predictions(head); head++) prediction -= wisp_predictions(head);
  const wisp_head_form form = wisp_head_form_of(head->kind, head->classes, head->masks);
  const int row = prediction / head->width, anchor = row / head->height;
  const ptrdiff_t cells = (ptrdiff_t)head->height * head->pitch,
                  cell = row % head->height * head->pitch + prediction % head->width;
  const float *first = head->logits + anchor * form.channels * cells + cell;
  const float object = form.objectness < 0 ? 1 : wisp_sigmoid(first[form.objectness * cells]);
  const float *of = first + (form.channels - form.masks) * cells;
  for (int k = 0; k < form.masks; k++, of += cells) {
    const float c = *of * object;
    out[k] = c > -LARGEST ? fminf(c, LARGEST) : -LARGEST;
  }
}

/* A quad whose first two channels are a mask: the upper and the lower bits of its coefficients. */
typedef struct product {
  wisp_quad quad;
  int32_t words[WISP_MAX_MASKS / WISP_LANES * 4 + 6];
} product;

static void set_product(product *p, const wisp_prototypes *of, const float *coefficients) {
  float most = 0;
  for (int k = 0; k < of->count; k++) most = fmaxf(most, fabsf(coefficients[k]));
  const float unit = most > 0 ? most / MOST : 1;
  int sums[2] = {0, 0};
  int32_t *word = p->words;
  *word++ = wisp_planes(of->count); /* groups of one block */
  for (int plane = 0; plane < wisp_planes(of->count); plane++, word += 4) {
    int8_t weights[2][WISP_LANES] = {{0}};
    for (int k = plane * WISP_LANES, lane = 0; lane < WISP_LANES && k < of->count; k++, lane++) {
      const int c = (int)floorf(coefficients[k] / unit + 0.5f);
      weights[0][lane] = (int8_t)wisp_floor_div(c + HIGH / 2, HIGH);
      weights[1][lane] = (int8_t)(c - weights[0][lane] * HIGH);
      for (int i = 0; i < 2; i++) sums[i] += weights[i][lane];
    }
    word[0] = 1;
    word[1] = plane * of->view.plane;
    memcpy(word + 2, weights, sizeof weights);
  }
  memset(word, 0, 5 * sizeof *word);
  const float low = fminf(unit * of->scale, LARGEST / HIGH);
  const int shift = of->flip - of->zero_point;
  p->quad = (wisp_quad){p->words, {sums[0] * shift, sums[1] * shift}, {low * HIGH, low}};
}

/* Of `n` cells of a row of the prototypes from (y, x) on. */
static void score_bytes(const product *p, const wisp_kernels *kernels, const wisp_prototypes *of,
                        int y, int x, int n, float *scores) {
  const uint8_t *row = of->view.data + ((ptrdiff_t)y * of->view.pitch + x) * WISP_LANES;
  float high[PIECE] = {0}, low[PIECE] = {0};
  for (int at = 0; at < n; at += PIECE) {
    const int some = wisp_min(n - at, PIECE);
    float *const out[4] = {high, low, NULL, NULL};
    kernels->head(&p->quad, of->flip, row + at * WISP_LANES, out, some);
    for (int i = 0; i < some; i++) scores[at + i] = wisp_sigmoid(high[i] + low[i]);
  }
}

static void score_reals(const wisp_prototypes *of, const float *coefficients, int y, int x, int n,
                        float *scores) {
  for (int i = 0; i < n; i++) {
    const float *real = of->reals + y * of->pitch + x + i;
    float sum = 0;
    for (int k = 0; k < of->count; k++) sum += coefficients[k] * real[(size_t)k * of->plane];
    scores[i] = wisp_sigmoid(sum);
  }
}

/* Fills room->scores with the cells of the source that the box touches, rows without gaps. */
static void score_cells(wisp_mask_room *room, const wisp_prototypes *of,
                        const wisp_kernels *kernels, const float *coefficients, const axis *down,
                        const axis *across) {
  const int n = across->last - across->first + 1, x = across->before + across->first;
  product p;
  if (!of->reals) set_product(&p, of, coefficients);
  for (int y = down->first; y <= down->last; y++) {
    float *scores = room->scores + (ptrdiff_t)(y - down->first) * n;
    if (of->reals) score_reals(of, coefficients, down->before + y, x, n, scores);
    else score_bytes(&p, kernels, of, down->before + y, x, n, scores);
  }
}

/* ---- run lengths ---- */

typedef struct run_writer {
  wisp_mask_room *room;
  uint32_t length; /* of the one at hand */
  int value;       /* which is of zeros or ones */
  int failed;
} run_writer;

/* Room for `n` runs more; 0 without memory. */
static int reserve_runs(wisp_mask_room *room, size_t n) {
  if (n <= room->cap - room->count) return 1;
  const size_t cap = (room->count + n) * 2 + 4096;
  uint32_t *more = realloc(room->runs, cap * sizeof *more);
  if (!more) return 0;
  room->runs = more;
  room->cap = cap;
  return 1;
}

static void end_run(run_writer *r) {
  wisp_mask_room *room = r->room;
  r->failed |= !reserve_runs(room, 1);
  if (r->failed) return;
  room->runs[room->count++] = r->length;
  r->length = 0;
  r->value = !r->value;
}

static void put(run_writer *r, int value, int n) {
  if (n <= 0 || r->failed) return;
  if (value != r->value) end_run(r);
  r->length += (uint32_t)n;
}

/* room->starts: for each cell, from which of the box's pixels on it is the nearer of the two that they lie between. */
static void find_starts(wisp_mask_room *room, const axis *along) {
  int cell = along->first;
  room->starts[0] = along->begin;
  for (int pixel = along->begin; pixel < along->end; pixel++)
    while (cell < place_of(along, pixel).cell) room->starts[++cell - along->first] = pixel;
  while (cell <= along->last) room->starts[++cell - along->first] = along->end;
}

/* The pixels from the centre of a cell, of score `a`, to that of the next, of score `b`. */
static void put_between(run_writer *r, const axis *along, int cell, float a, float b) {
  const int *starts = r->room->starts + cell - along->first;
  const int begin = starts[0], end = starts[1], is_set = a > 0.5f;
  if (is_set == (b > 0.5f)) {
    put(r, is_set, end - begin);
    return;
  }
  const double passes =
      ((double)cell + (0.5 - (double)a) / ((double)b - (double)a) + 0.5) / along->step - 0.5;
  const int at = wisp_clamp((int)(is_set ? ceil(passes) : floor(passes) + 1), begin, end);
  put(r, is_set, at - begin);
  put(r, !is_set, end - at);
}

/* Line after line of the box's pixels: cell `c` of line `l` is scores[l * line + c * cell]. */
static void put_lines(run_writer *r, const axis *lines, const axis *along, int line, int cell,
                      int is_whole) {
  const float *scores = r->room->scores;
  find_starts(r->room, along);
  if (is_whole) put(r, 0, (lines->corner + lines->begin) * along->whole);
  for (int pixel = lines->begin; pixel < lines->end; pixel++) {
    const place p = place_of(lines, pixel);
    const float *from = scores + (p.cell - lines->first) * line,
                *to = scores + (p.next - lines->first) * line;
    float score = *from + (*to - *from) * p.share;
    if (is_whole) put(r, 0, along->corner + along->begin);
    for (int c = along->first; c <= along->last; c++) {
      from += c < along->last ? cell : 0;
      to += c < along->last ? cell : 0;
      const float next = *from + (*to - *from) * p.share;
      put_between(r, along, c, score, next);
      score = next;
    }
    if (is_whole) put(r, 0, along->whole - along->corner - along->end);
  }
  if (is_whole) put(r, 0, (lines->whole - lines->corner - lines->end) * along->whole);
}

/* ---- all boxes ---- */

static wisp_mask mask_box(run_writer *r, const wisp_head *heads, const wisp_prototypes *of,
                          const wisp_kernels *kernels, const wisp_fit *fit, const wisp_sight *sight,
                          wisp_mask_order order, const wisp_box *box) {
  const double by_height = (double)of->height / fit->height,
               by_width = (double)of->width / fit->width;
  const double gain = by_height < by_width ? by_height : by_width;
  const axis down =
      axis_of(of->height, gain, fit->height, sight->corner.y, sight->height, box->y1, box->y2);
  const axis across =
      axis_of(of->width, gain, fit->width, sight->corner.x, sight->width, box->x1, box->x2);
  float coefficients[WISP_MAX_MASKS];
  find_coefficients(heads, box->prediction, coefficients);
  score_cells(r->room, of, kernels, coefficients, &down, &across);
  const int pitch = across.last - across.first + 1;
  if (order == WISP_MASKS_BY_ROW) put_lines(r, &down, &across, pitch, 1, 0);
  else put_lines(r, &across, &down, 1, pitch, 1);
  if (r->length > 0) end_run(r);
  return (wisp_mask){.x = across.corner + across.begin,
                     .y = down.corner + down.begin,
                     .width = across.end - across.begin,
                     .height = down.end - down.begin};
}

wisp_status wisp_mask_open(wisp_mask_room *room, int height, int width) {
  room->scores = malloc((size_t)height * (size_t)width * sizeof *room->scores);
  room->starts = malloc(((size_t)wisp_max(height, width) + 2) * sizeof *room->starts);
  return room->scores && room->starts ? WISP_OK : WISP_ERR_MEMORY;
}

void wisp_mask_close(wisp_mask_room *room) {
  free(room->scores);
  free(room->starts);
  free(room->runs);
  free(room->held);
  *room = (wisp_mask_room){0};
}

wisp_status wisp_mask_make(wisp_mask_room *room, const wisp_head *heads, const wisp_prototypes *of,
                           const wisp_kernels *kernels, const wisp_fit *fit,
                           const wisp_sight *sight, wisp_mask_order order, wisp_box *boxes, int n) {
  const size_t all = room->held_count + (size_t)n;
  if (all > room->held_cap) {
    wisp_held_mask *more = realloc(room->held, all * 2 * sizeof *more);
    if (!more) return WISP_ERR_MEMORY;
    room->held = more;
    room->held_cap = all * 2;
  }
  for (int i = 0; i < n; i++) {
    const size_t first = room->count;
    run_writer r = {.room = room};
    wisp_mask mask = mask_box(&r, heads, of, kernels, fit, sight, order, &boxes[i]);
    if (r.failed) return WISP_ERR_MEMORY;
    mask.run_count = (int)(room->count - first);
    room->held[room->held_count] = (wisp_held_mask){mask, first, boxes[i].prediction};
    boxes[i].prediction = (int32_t)room->held_count++;
  }
  return WISP_OK;
}

wisp_status wisp_mask_pick(wisp_mask_room *room, size_t first, wisp_box *boxes, int n,
                           wisp_mask *masks) {
  const size_t end = room->count;
  for (int i = 0; i < n; i++) {
    const wisp_held_mask *held = &room->held[boxes[i].prediction];
    const size_t runs = (size_t)held->mask.run_count;
    boxes[i].prediction = held->prediction;
    masks[i] = held->mask;
    if (!reserve_runs(room, runs)) return WISP_ERR_MEMORY;
    if (runs) memcpy(room->runs + room->count, room->runs + held->first, runs * sizeof *room->runs);
    room->count += runs;
  }
  if (room->count > end)
    memmove(room->runs + first, room->runs + end, (room->count - end) * sizeof *room->runs);
  room->count = first + room->count - end;
  room->held_count = 0;
  return WISP_OK;
}

void wisp_mask_place(const wisp_mask_room *room, wisp_mask *masks, int n) {
  size_t at = 0;
  for (int i = 0; i < n; i++) {
    masks[i].runs = room->runs ? room->runs + at : NULL; /* no box may cover a pixel */
    at += (size_t)masks[i].run_count;
  }
}
