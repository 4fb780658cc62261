/* head.h - what the channels of a head are, by its kind: models/FORMAT.md, "Head kinds".
 * SPDX-License-Identifier: Apache-2.0
 *
 * A head has `anchors` times the same run of channels: numbers of the box, perhaps objectness, one for each class. A
 * new kind is a code in format.h, a row here, a function in decode.c, and what the compiler then asks for. */
#ifndef WISP_HEAD_H
#define WISP_HEAD_H

#include "format.h"

/* Where things stand among the channels of one anchor. All are logits. */
typedef struct wisp_head_form {
  int channels;   /* of an anchor; 0: there is no such kind */
  int box;        /* how many say where the box is: the first ones */
  int objectness; /* -1: the kind has none */
  int classes;    /* the channel of class 0; the others follow */
  int gate,
      gates; /* the first and how many of those that gate: no score is above the greatest of them */
} wisp_head_form;

/* The row of a kind: so many numbers of a box, then objectness if it has it, then the classes. */
static inline wisp_head_form wisp_head_row(int box, int has_objectness, int classes) {
  const int first = box + (has_objectness ? 1 : 0);
  return (wisp_head_form){.channels = first + classes,
                          .box = box,
                          .objectness = has_objectness ? box : -1,
                          .classes = first,
                          .gate = box,
                          .gates = has_objectness ? 1 : classes};
}

static inline wisp_head_form wisp_head_form_of(wisp_head_kind kind, int classes) {
  switch (kind) {
    case WISP_HEAD_YOLOV5: return wisp_head_row(4, 1, classes);
    case WISP_HEAD_YOLOV8: return wisp_head_row(4 * WISP_BINS_A_SIDE, 0, classes);
  }
  return (wisp_head_form){.channels = 0};
}

/* Of the whole head; 0: there is no such kind. */
static inline int wisp_head_channels(wisp_head_kind kind, int anchors, int classes) {
  return anchors * wisp_head_form_of(kind, classes).channels;
}

#endif
