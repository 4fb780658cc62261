/* base.h - the words everyone shares: integers, the requantisation arithmetic, a borrowed tensor view.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_BASE_H
#define WISP_BASE_H

#include <stdint.h>

enum {
  WISP_LANES = 4,       /* channels in a plane and in a weight block */
  WISP_WEIGHT_MIN = -64,
  WISP_WEIGHT_MAX = 63,
  WISP_GREY = 114       /* the letterbox border (Ultralytics YOLOv5, augmentations.py) */
};

/* Codes of models/FORMAT.md. */
enum { WISP_OP_CONV = 1, WISP_OP_MAXPOOL = 2, WISP_OP_UPSAMPLE = 3 };
enum { WISP_ACT_NONE, WISP_ACT_RELU, WISP_ACT_LEAKY, WISP_ACT_SILU, WISP_ACT_HARDSWISH, WISP_ACT_SIGMOID, WISP_ACT_COUNT };
enum { WISP_LAYER_RESIDUAL = 1, WISP_LAYER_MASKED = 2 };
enum { WISP_HEAD_YOLOV5 = 1 };

static inline int wisp_min(int a, int b) { return a < b ? a : b; }
static inline int wisp_max(int a, int b) { return a > b ? a : b; }
static inline int wisp_clamp(int v, int low, int high) { return wisp_min(wisp_max(v, low), high); }
static inline int wisp_planes(int channels) { return (channels + WISP_LANES - 1) / WISP_LANES; }

/* u8 [planes][height][pitch][4], borrowed. Pixel (y, x) of plane p is data[p * plane + (y * pitch + x) * 4 + lane].
 * Around each plane lie `pad` rows above and below that hold the zero point; between the end of a row and the
 * start of the next lie pitch - width pixels that do so too and serve both. */
typedef struct wisp_view {
  uint8_t *data; /* pixel (0, 0) of plane 0 */
  int channels, height, width;
  int pitch;     /* pixels from row to row */
  int pad;       /* border rows */
  int plane;     /* bytes from plane to plane */
} wisp_view;

#endif
