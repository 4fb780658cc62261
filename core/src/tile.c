/* tile.c - frame -> tiles: the overlapping parts of a large frame that are looked at by themselves.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The whole frame and its slices are looked at as by SAHI (Akyon et al., 2022). */
#include "stages.h"

/* WISP_TILES_AUTO leaves a frame alone that is up to so many times as wide and high as the input. */
static const double LARGE = 2;

/* Rounded up, but for what is too much only because an overlap such as .2 has no exact float. */
static double round_up(double v) { return ceil(v - 1e-3); }

/* As many as cover `size` pixels with `most` pixels or less each. */
static int count_of(int size, double most, double overlap) {
  if (size <= most) return 1;
  const double count = round_up((size / most - overlap) / (1 - overlap));
  return count < WISP_MAX_TILES ? (int)count : WISP_MAX_TILES;
}

/* Pixels of each of `count` that cover `size`. */
static int side_of(int size, int count, double overlap) {
  return wisp_min(size, (int)round_up(size / (count - (count - 1) * overlap)));
}

wisp_tiles wisp_tile(const wisp_frame *frame, const wisp_options *options, int height, int width) {
  static const wisp_tiles none = {0, 0, 0, 0};
  const double overlap = (double)options->tile_overlap;
  int columns = options->tile_columns, rows = options->tile_rows;
  if (options->tiles == WISP_TILES_NONE) return none;
  if (options->tiles == WISP_TILES_AUTO) {
    const double ratio = fmax((double)frame->width / width, (double)frame->height / height);
    if (ratio <= LARGE) return none;
    const double most =
        sqrt(ratio); /* midway between the frame's own pixels and all of it at once */
    columns = count_of(frame->width, most * width, overlap);
    rows = count_of(frame->height, most * height, overlap);
  }
  if (columns * rows == 1) return none; /* it would be the frame again */
  return (wisp_tiles){columns, rows, side_of(frame->width, columns, overlap),
                      side_of(frame->height, rows, overlap)};
}

/* Where number `index` of `count` begins: the first at 0, the last at the end, the others evenly between. */
static int begin_of(int size, int side, int index, int count) {
  return count > 1 ? (int)((int64_t)(size - side) * index / (count - 1)) : 0;
}

wisp_corner wisp_tile_at(const wisp_tiles *tiles, const wisp_frame *frame, int index) {
  return (wisp_corner){begin_of(frame->width, tiles->width, index % tiles->columns, tiles->columns),
                       begin_of(frame->height, tiles->height, index / tiles->columns, tiles->rows)};
}
