/* nms.c - candidates -> boxes: non-maximum suppression, greedy by score, class by class unless told otherwise.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "stages.h"

/* Best score first. Ties are ordered by label and place, so that the result does not depend on the order of arrival. */
static int compare(const void *left, const void *right) {
  const wisp_box *a = left, *b = right;
  if (a->score != b->score) return a->score > b->score ? -1 : 1;
  if (a->label != b->label) return a->label < b->label ? -1 : 1;
  if (a->x1 != b->x1) return a->x1 < b->x1 ? -1 : 1;
  if (a->y1 != b->y1) return a->y1 < b->y1 ? -1 : 1;
  if (a->x2 != b->x2) return a->x2 < b->x2 ? -1 : 1;
  if (a->y2 != b->y2) return a->y2 < b->y2 ? -1 : 1;
  return (a->prediction > b->prediction) - (a->prediction < b->prediction);
}

static float smaller(float a, float b) { return a < b ? a : b; }
static float greater(float a, float b) { return a > b ? a : b; }
static float area(const wisp_box *b) { return (b->x2 - b->x1) * (b->y2 - b->y1); }

static int overlap_more(const wisp_box *a, const wisp_box *b, float iou) {
  const float width = smaller(a->x2, b->x2) - greater(a->x1, b->x1);
  const float height = smaller(a->y2, b->y2) - greater(a->y1, b->y1);
  if (width <= 0 || height <= 0) return 0;
  const float both = width * height;
  return both > iou * (area(a) + area(b) - both);
}

static int is_suppressed(const wisp_box *box, const wisp_box *kept, int n, const wisp_options *o) {
  for (int i = 0; i < n; i++)
    if ((o->class_agnostic || kept[i].label == box->label) && overlap_more(&kept[i], box, o->iou))
      return 1;
  return 0;
}

static float clip(float v, int size) { return smaller(greater(v, 0), (float)size); }

int wisp_nms(wisp_box *boxes, int n, const wisp_options *options, const wisp_fit *fit) {
  qsort(boxes, (size_t)n, sizeof *boxes, compare);
  int kept = 0;
  for (int i = 0; i < n && kept < options->max_detections; i++)
    if (!is_suppressed(&boxes[i], boxes, kept, options)) boxes[kept++] = boxes[i];
  for (int i = 0; i < kept; i++) {
    boxes[i].x1 = clip(boxes[i].x1, fit->width);
    boxes[i].y1 = clip(boxes[i].y1, fit->height);
    boxes[i].x2 = clip(boxes[i].x2, fit->width);
    boxes[i].y2 = clip(boxes[i].y2, fit->height);
  }
  return kept;
}
