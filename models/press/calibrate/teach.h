/* teach.h - what the float network says of the pictures: how much each sum matters to its boxes, and what the sums
 * are at some places, which a smaller network shall reach.
 * SPDX-License-Identifier: Apache-2.0
 *
 * The loss is what a head loses when its logits move: the curvature of the cross entropy of objectness and, as far
 * as there is an object, of classes and place. With h the curvature of each logit, the gradient of a random
 * +-sqrt(h) is, squared and averaged, the curvature of each sum inside the network (Hutchinson's estimate). */
#ifndef WISP_TEACH_H
#define WISP_TEACH_H

#include "moments.h"

/* What is kept of a convolution. */
typedef struct wisp_lesson {
  int samples; /* places in a picture */
  int groups;  /* of output channels, equally many in each, that weigh the places differently */
  /* [channels_out]: loss of a picture for a squared error of 1 at every place, times 2 */
  double *sensitivity;
  int16_t (*places)[2]; /* [pictures][samples] y, x */
  float *weights;       /* [pictures][samples][groups] */
  float *targets;       /* [pictures][samples][channels_out]: the sums */
  wisp_moments moments; /* of the windows at those places */
} wisp_lesson;

typedef struct wisp_teacher {
  const wisp_net *net;
  int pictures;
  wisp_lesson *lessons; /* [layers]; empty for what doesn't mix channels */
} wisp_teacher;

/* How many of `count` pictures can be learnt from in the memory that is set aside for it. */
int wisp_teach_pictures(const wisp_net *net, int count);

void wisp_teacher_close(wisp_teacher **teacher);

#endif
