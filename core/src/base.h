/* base.h - the words everyone shares: integers, the requantisation arithmetic, a borrowed tensor view.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_BASE_H
#define WISP_BASE_H

#include <stdint.h>

#include "format.h"

enum {
  WISP_LANES = 4, /* channels in a plane and in a weight block */
  WISP_GREY = 114 /* the letterbox border (Ultralytics YOLOv5, augmentations.py) */
};

static inline int wisp_min(int a, int b) { return a < b ? a : b; }
static inline int wisp_max(int a, int b) { return a > b ? a : b; }
static inline int wisp_clamp(int v, int low, int high) { return wisp_min(wisp_max(v, low), high); }
/* x / by, rounded down and up; by > 0. */
static inline int wisp_floor_div(int x, int by) { return x >= 0 ? x / by : -((by - 1 - x) / by); }
static inline int wisp_ceil_div(int x, int by) { return -wisp_floor_div(-x, by); }
static inline int wisp_planes(int channels) { return (channels + WISP_LANES - 1) / WISP_LANES; }

/* ---- requantisation arithmetic: the definition; kernels/simd.h has the same on eight lanes ---- */

/* The rounded product of two fractions of 32768; not both -32768. */
static inline int wisp_q15(int a, int b) { return (a * b + 0x4000) >> 15; }

static inline int wisp_sat16(int v) { return wisp_clamp(v, -32768, 32767); }

/* u8 [planes][height][pitch][4], borrowed. Pixel (y, x) of plane p is data[p * plane + (y * pitch + x) * 4 + lane].
 * Around each plane lie `pad` rows above and below that hold the zero point; between the end of a row and the
 * start of the next lie pitch - width pixels that do so too and serve both. */
typedef struct wisp_view {
  uint8_t *data; /* pixel (0, 0) of plane 0 */
  int channels, height, width;
  int pitch; /* pixels from row to row */
  int pad;   /* border rows */
  int plane; /* bytes from plane to plane */
} wisp_view;

#endif
