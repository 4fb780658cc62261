/* head.h - what the channels of a head are, by its kind: models/FORMAT.md, "Head kinds".
 * SPDX-License-Identifier: Apache-2.0
 *
 * A head has `anchors` times the same run of channels: numbers of the box, perhaps objectness, one for each class, in a
 * network with masks their coefficients. Prototypes, of which masks are made, have no anchors. A new kind is a code in
 * format.h, a row here, a function in decode.c, and what the compiler then asks for. */
#ifndef WISP_HEAD_H
#define WISP_HEAD_H

#include "format.h"

/* Where things stand among the channels of one anchor. All but the coefficients are logits. */
typedef struct wisp_head_form {
  int channels;   /* of an anchor, of prototypes all; 0: there is no such kind */
  int box;        /* how many say where the box is: the first ones; 0: the kind has no boxes */
  int objectness; /* -1: the kind has none */
  int classes;    /* the channel of class 0; the others follow */
  int gate,
      gates; /* the first and how many of those that gate: no score is above the greatest of them */
  int masks; /* how many coefficients of a mask there are: the last ones */
} wisp_head_form;

/* The row of a kind: so many numbers of a box, then objectness if it has it, the classes, the coefficients. */
static inline wisp_head_form wisp_head_row(int box, int has_objectness, int classes, int masks) {
  const int first = box + (has_objectness ? 1 : 0);
  return (wisp_head_form){.channels = first + classes + masks,
                          .box = box,
                          .objectness = has_objectness ? box : -1,
                          .classes = first,
                          .gate = box,
                          .gates = has_objectness ? 1 : classes,
                          .masks = masks};
}

static inline wisp_head_form wisp_head_form_of(wisp_head_kind kind, int classes, int masks) {
  switch (kind) {
    case WISP_HEAD_YOLOV5: return wisp_head_row(4, 1, classes, masks);
    case WISP_HEAD_YOLOV8: return wisp_head_row(4 * WISP_BINS_A_SIDE, 0, classes, masks);
    case WISP_HEAD_PROTOTYPES: return (wisp_head_form){.channels = masks, .objectness = -1};
  }
  return (wisp_head_form){.channels = 0};
}

/* Of the whole head; 0: there is no such kind. */
static inline int wisp_head_channels(wisp_head_kind kind, int anchors, int classes, int masks) {
  const wisp_head_form form = wisp_head_form_of(kind, classes, masks);
  return form.box ? anchors * form.channels : form.channels;
}

#endif
