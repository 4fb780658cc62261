/* task.h - what the tasks of all kinds of steps need: their part of a step, rows of images, borders.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_TASK_H
#define WISP_TASK_H

#include <stddef.h>

#include "../steps.h"

/* Rows [y0, y1) and quads or planes [first, last) of a task. */
typedef struct wisp_part {
  int y0, y1, first, last;
} wisp_part;

static inline wisp_part wisp_task_part(const wisp_job *j, int index) {
  const wisp_step *s = j->step;
  const int strip = index / s->chunks, chunk = index % s->chunks,
            height = j->plan->images[s->output].view.height;
  return (wisp_part){strip * s->rows, wisp_min((strip + 1) * s->rows, height), chunk * s->chunk,
                     wisp_min((chunk + 1) * s->chunk, s->units)};
}

static inline uint8_t *wisp_task_row(const wisp_view *v, int plane, int y) {
  return v->data + (ptrdiff_t)plane * v->plane + (ptrdiff_t)y * v->pitch * WISP_LANES;
}

/* Around rows [y0, y1) of a plane. */
void wisp_task_border(const wisp_image *image, int plane, int y0, int y1);
/* Of those: behind pixel `from` of a row and in front of the next row. */
void wisp_task_end_row(const wisp_image *image, int plane, int y, int from);
/* Above a plane and in front of its first row, or below it, if a task has its first or its last rows. */
void wisp_task_ends(const wisp_image *image, int plane, int has_first, int has_last);

#endif
