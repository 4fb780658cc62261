/* merge.c - boxes of a frame and of its tiles -> candidates: each as the view has it that shows it largest and whole.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Overlapping tiles show the same thing twice, and what a tile's edge cuts is mostly a poor box. These rules say whose
 * box counts; what is left over is NMS's. A box gives way
 *   to a tile that shows its place whole, whatever that finds there, if it is the whole frame's, which shows it
 *   smaller, or cut by an edge of its own tile;
 *   to a tile that shows nearly all of its place and finds nothing of it there, if it is the whole frame's;
 *   to a box of its class that covers most of it and is larger or not cut, if it is cut. */
#include <stdlib.h>

#include "stages.h"

static const float NEAR = 0.02f;      /* of a tile's longer side: an edge that close cuts a box */
static const float MOST = 0.5f;       /* of a box's area */
static const float NEARLY_ALL = 0.9f; /* likewise */

/* ---- gather ---- */

static int by_score(const void *left, const void *right) {
  const wisp_seen *a = left, *b = right;
  if (a->box.score != b->box.score) return a->box.score > b->box.score ? -1 : 1;
  return (a->tile > b->tile) - (a->tile < b->tile);
}

int wisp_gather(wisp_seen *seen, int n, const wisp_box *boxes, int count, int tile,
                wisp_corner corner) {
  const float x = (float)corner.x, y = (float)corner.y;
  for (int i = 0; i < count; i++) {
    const wisp_box *b = &boxes[i];
    seen[n++] = (wisp_seen){
        {b->x1 + x, b->y1 + y, b->x2 + x, b->y2 + y, b->score, b->label, b->prediction}, tile};
  }
  if (n <= WISP_MAX_CANDIDATES) return n;
  qsort(seen, (size_t)n, sizeof *seen, by_score);
  return WISP_MAX_CANDIDATES;
}

/* ---- merge ---- */

typedef struct views {
  const wisp_tiles *tiles;
  const wisp_frame *frame;
  int class_agnostic;
  float near; /* pixels */
} views;

static int is_one_class(const views *v, const wisp_box *a, const wisp_box *b) {
  return v->class_agnostic || a->label == b->label;
}

/* Along one side: whether [from, to] ends within `near` of an end of [begin, begin + side] that is not the frame's. */
static int is_near(float from, float to, int begin, int side, int size, float near) {
  return (begin > 0 && from < (float)begin + near) ||
         (begin + side < size && to > (float)(begin + side) - near);
}

static int is_cut_by(const views *v, const wisp_box *b, int tile) {
  const wisp_corner at = wisp_tile_at(v->tiles, v->frame, tile);
  return is_near(b->x1, b->x2, at.x, v->tiles->width, v->frame->width, v->near) ||
         is_near(b->y1, b->y2, at.y, v->tiles->height, v->frame->height, v->near);
}

static int is_cut(const views *v, const wisp_seen *s) {
  return s->tile >= 0 && is_cut_by(v, &s->box, s->tile);
}

/* A box beyond an inner edge is cut by it too. */
static int is_shown_whole(const views *v, const wisp_seen *s) {
  for (int i = 0; i < v->tiles->columns * v->tiles->rows; i++)
    if (i != s->tile && !is_cut_by(v, &s->box, i)) return 1;
  return 0;
}

static float area(const wisp_box *b) { return (b->x2 - b->x1) * (b->y2 - b->y1); }

static float shared_area(const wisp_box *a, const wisp_box *b) {
  const float width = fminf(a->x2, b->x2) - fmaxf(a->x1, b->x1),
              height = fminf(a->y2, b->y2) - fmaxf(a->y1, b->y1);
  return width > 0 && height > 0 ? width * height : 0;
}

/* Whether a tile has a box of that class which is mostly a part of this one, or the other way round. */
static int has_part(const views *v, const wisp_seen *seen, int n, int tile, const wisp_box *of) {
  for (int i = 0; i < n; i++) {
    const wisp_box *b = &seen[i].box;
    if (seen[i].tile == tile && is_one_class(v, b, of) &&
        shared_area(b, of) > MOST * fminf(area(b), area(of)))
      return 1;
  }
  return 0;
}

/* Of a box of the whole frame. */
static int is_refuted(const views *v, const wisp_seen *seen, int n, const wisp_box *b) {
  for (int i = 0; i < v->tiles->columns * v->tiles->rows; i++) {
    const wisp_corner at = wisp_tile_at(v->tiles, v->frame, i);
    const wisp_box tile = {(float)at.x, (float)at.y, (float)(at.x + v->tiles->width),
                           (float)(at.y + v->tiles->height), .score = 0};
    if (shared_area(&tile, b) >= NEARLY_ALL * area(b) && !has_part(v, seen, n, i, b)) return 1;
  }
  return 0;
}

/* Whether another view has more of what `cut` is a part of. */
static int has_fuller(const views *v, const wisp_seen *seen, int n, const wisp_seen *cut) {
  for (int i = 0; i < n; i++) {
    const wisp_seen *s = &seen[i];
    if (s->tile == cut->tile || !is_one_class(v, &s->box, &cut->box)) continue;
    if (shared_area(&s->box, &cut->box) <= MOST * area(&cut->box)) continue;
    if (area(&s->box) > area(&cut->box) || !is_cut(v, s)) return 1;
  }
  return 0;
}

/* Leaves out what a tile shows whole and its own view does not, or smaller. Returns how many are left. */
static int drop_shown(const views *v, wisp_seen *seen, int n) {
  int left = 0;
  for (int i = 0; i < n; i++) {
    const int is_best = seen[i].tile >= 0 && !is_cut(v, &seen[i]);
    if (is_best || !is_shown_whole(v, &seen[i])) seen[left++] = seen[i];
  }
  return left;
}

static int gives_way(const views *v, const wisp_seen *seen, int n, const wisp_seen *s) {
  if (s->tile < 0) return is_refuted(v, seen, n, &s->box);
  return is_cut(v, s) && has_fuller(v, seen, n, s);
}

int wisp_merge(wisp_seen *seen, int n, const wisp_tiles *tiles, const wisp_frame *frame,
               const wisp_options *options, wisp_box *candidates) {
  const float side = (float)wisp_max(tiles->width, tiles->height);
  const views v = {tiles, frame, options->class_agnostic, NEAR * side};
  const int left = drop_shown(&v, seen, n);
  int count = 0;
  for (int i = 0; i < left; i++)
    if (!gives_way(&v, seen, left, &seen[i])) candidates[count++] = seen[i].box;
  return count;
}
