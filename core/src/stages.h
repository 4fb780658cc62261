/* stages.h - the detect corridor on one page: frame -> input -> heads -> candidates -> boxes -> masks.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Each stage is one file of the same name. None calls another; wisp.c walks them. The press walks the first and the
 * last three around its own float executor. */
#ifndef WISP_STAGES_H
#define WISP_STAGES_H

#include <math.h>

#include "../wisp.h"
#include "base.h"
#include "pool.h"
#include "steps.h"

/* How a frame was laid into the network's input: input = source * scale + left (top), in pixels. */
typedef struct wisp_fit {
  float scale;
  float left, top;   /* unrounded, as YOLOv5 maps boxes back */
  int width, height; /* of the source */
} wisp_fit;

enum { WISP_MAX_CANDIDATES = WISP_MAX_DETECTIONS /* YOLOv5's max_nms */ };

/* Before anything is done: what can't be used is refused with WISP_ERR_ARGUMENT. */
wisp_status wisp_check_options(const wisp_options *options, int has_masks, wisp_error *error);
wisp_status wisp_check_frame(const wisp_frame *frame, int index, wisp_error *error);

/* The parts of a frame that are looked at by themselves: `columns` x `rows` of width x height pixels, which overlap.
 * None of a frame that is looked at only whole. */
typedef struct wisp_tiles {
  int columns, rows, width, height;
} wisp_tiles;

/* Its upper left corner, in pixels of the frame. */
typedef struct wisp_corner {
  int x, y;
} wisp_corner;

/* frame -> its tiles, for an input of height x width; and where tile 0 ... columns * rows - 1 lies, row by row. */
wisp_tiles wisp_tile(const wisp_frame *frame, const wisp_options *options, int height, int width);
wisp_corner wisp_tile_at(const wisp_tiles *tiles, const wisp_frame *frame, int index);

/* frame -> the smallest rectangle of whole strides within an input of *height x *width that holds the frame letterboxed
 * there. */
void wisp_rect(const wisp_frame *frame, int stride, int *height, int *width);

/* frame -> input: letterboxed on WISP_GREY, bilinear, blocks of `block` x `block` pixels side by side as channels
 * (models/FORMAT.md). `input` has 3 * block * block channels; `flip` is xor-ed to every byte. */
void wisp_prep(const wisp_frame *frame, const wisp_kernels *kernels, int block, uint8_t flip,
               wisp_pool *pool, const wisp_view *input, wisp_fit *fit);

/* A logit below which no score is above `confidence`: a little less than the exact one, wisp_decode decides. */
static inline float wisp_least_logit(float confidence) {
  if (!(confidence > 1e-30f)) return -INFINITY; /* decode.c's logistic function never falls to 0 */
  return confidence < 1 ? logf(confidence / (1 - confidence)) - 0.01f : INFINITY;
}

/* input -> heads: walks steps [first, last) of the plan, which are ready. Other logits than those that gate (head.h)
 * are written only where one that gates can pass the confidence; prototypes and coefficients only where masks are
 * wanted. `clock` may be NULL. */
void wisp_run(wisp_plan *plan, int first, int last, wisp_pool *pool, const wisp_options *options,
              double (*clock)(void));

/* heads -> candidates, in source pixels, unsuppressed and unsorted; keeps the best `cap` if there are more.
 * Returns their count. */
int wisp_decode(const wisp_head *heads, int n, const wisp_fit *fit, const wisp_options *options,
                wisp_box *candidates, int cap);

/* A box, in pixels of the frame, and the tile that has it; -1: the whole frame. */
typedef struct wisp_seen {
  wisp_box box;
  int tile;
} wisp_seen;

enum { WISP_MAX_SEEN = 2 * WISP_MAX_CANDIDATES };

/* boxes of one view -> those of all, behind the `n` that are there, moved to where the view lies. Up to
 * WISP_MAX_CANDIDATES boxes are taken; of all as many are kept, the best. Returns how many there are now. */
int wisp_gather(wisp_seen *seen, int n, const wisp_box *boxes, int count, int tile,
                wisp_corner corner);

/* boxes of all views -> candidates, without those that another view shows better. Returns their count; `seen` is left
 * in any order. */
int wisp_merge(wisp_seen *seen, int n, const wisp_tiles *tiles, const wisp_frame *frame,
               const wisp_options *options, wisp_box *candidates);

/* candidates -> boxes, best first, suppressed in place: the survivors stand at the front. Returns their count. */
int wisp_nms(wisp_box *candidates, int n, const wisp_options *options, const wisp_fit *fit);

/* A mask of a view that may not count in the end: its first run, and the prediction of its box. */
typedef struct wisp_held_mask {
  wisp_mask mask;
  size_t first;
  int32_t prediction;
} wisp_held_mask;

/* Where masks are made. All zeros at first. */
typedef struct wisp_mask_room {
  float *scores;  /* of the cells of prototypes that the box at hand touches */
  int *starts;    /* of a line's cells among its pixels */
  uint32_t *runs; /* [count] of all masks made since `count` was 0; grows */
  size_t count, cap;
  wisp_held_mask *held; /* [held_count] of the views of the frame at hand; grows */
  size_t held_count, held_cap;
} wisp_mask_room;

/* Of a frame, the part that was looked at. */
typedef struct wisp_sight {
  wisp_corner corner;
  int width, height; /* of the frame */
} wisp_sight;

/* For prototypes of up to that size. WISP_ERR_MEMORY; close it then too. */
wisp_status wisp_mask_open(wisp_mask_room *room, int height, int width);
void wisp_mask_close(wisp_mask_room *room);

/* boxes of a view -> masks, while the heads and prototypes that the boxes come from are there. `kernels` made the
 * prototypes; of real numbers it may be NULL. The masks stay in the room, and the prediction of each box becomes the
 * number of its mask. WISP_ERR_MEMORY. */
wisp_status wisp_mask_make(wisp_mask_room *room, const wisp_head *heads,
                           const wisp_prototypes *prototypes, const wisp_kernels *kernels,
                           const wisp_fit *fit, const wisp_sight *sight, wisp_mask_order order,
                           wisp_box *boxes, int n);

/* masks of all views -> those of the boxes that are left, whose predictions are again what they were. Of the runs from
 * number `first` on, and of the masks in the room, all others go. WISP_ERR_MEMORY. */
wisp_status wisp_mask_pick(wisp_mask_room *room, size_t first, wisp_box *boxes, int n,
                           wisp_mask *masks);

/* Tells each of the `n` masks that were picked since `count` was 0 where its runs are: they have moved as they grew. */
void wisp_mask_place(const wisp_mask_room *room, wisp_mask *masks, int n);

#endif
