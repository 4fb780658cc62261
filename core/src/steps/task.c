/* task.c - the border around what a task writes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "task.h"

#include <string.h>

static void fill_pixels(const wisp_image *image, uint8_t *row, int from, int to) {
  const uint32_t pixel = image->border * 0x01010101u;
  for (int x = from; x < to; x++) memcpy(row + x * WISP_LANES, &pixel, sizeof pixel);
}

/* No tap reaches what lies between. */
void wisp_task_end_row(const wisp_image *image, int plane, int y, int from) {
  const wisp_view *v = &image->view;
  uint8_t *row = wisp_task_row(v, plane, y);
  const int behind = v->width + image->margin, before = v->pitch - image->margin;
  fill_pixels(image, row, from, wisp_min(behind, v->pitch));
  fill_pixels(image, row, wisp_max(behind, before), v->pitch);
}

void wisp_task_ends(const wisp_image *image, int plane, int has_first, int has_last) {
  const wisp_view *v = &image->view;
  const size_t rows = (size_t)(v->pad * v->pitch) * WISP_LANES,
               before = rows + (size_t)image->margin * WISP_LANES;
  if (has_first) memset(wisp_task_row(v, plane, 0) - before, image->border, before);
  if (has_last) memset(wisp_task_row(v, plane, v->height), image->border, rows);
}

void wisp_task_border(const wisp_image *image, int plane, int y0, int y1) {
  for (int y = y0; y < y1; y++) wisp_task_end_row(image, plane, y, image->view.width);
  wisp_task_ends(image, plane, y0 == 0, y1 == image->view.height);
}
