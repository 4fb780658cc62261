/* operation.h - what each operation and each activation of models/FORMAT.md is: a row says in what they differ.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A new one is a code in format.h and a row in operation.c. What else it needs the compiler names: every switch over
 * these enumerations lists them all and has no default. */
#ifndef WISP_OPERATION_H
#define WISP_OPERATION_H

#include "format.h"

/* How a side of the output follows from that of the first input. */
typedef enum wisp_sizing {
  WISP_SIZED_BY_WINDOW, /* floor((side + padding - kernel) / stride) + 1 */
  WISP_SIZED_BY_FACTOR, /* side * stride */
  WISP_SIZED_AS_INPUT,
  WISP_SIZED_TO_ONE
} wisp_sizing;

/* What a plan makes of it: a task in run.c. */
typedef enum wisp_step_kind {
  WISP_STEP_SORT, /* a tensor -> its phases, if no convolution writes it; no operation of its own */
  WISP_STEP_CONV,
  WISP_STEP_HEAD, /* a convolution that writes a head */
  WISP_STEP_MAXPOOL,
  WISP_STEP_UPSAMPLE,
  WISP_STEP_DEPTHWISE,
  WISP_STEP_AVERAGE,
  WISP_STEP_SCALE
} wisp_step_kind;

typedef struct wisp_operation_row {
  const char *name; /* static; NULL: there is no such operation */
  int most_inputs; /* tensors it reads, of one height and width, side by side along channels; see `scales` */
  int weighs; /* has a payload; only then an activation and a residual, and another number of channels */
  int mixes; /* every channel of the output reads all of the inputs, and a block is four of them, which may be
                     * absent; otherwise channel c reads channel c */
  int scales; /* it reads one tensor more: of 1x1, a factor for each channel of the first */
  int moves;  /* its bytes are bytes of its input, as are its channels */
  wisp_sizing sizing;
  wisp_step_kind step;
} wisp_operation_row;

wisp_operation_row wisp_operation_row_of(wisp_operation operation);

/* A side of the output; less than 1 where the window is larger than what it slides over. `padding`: of both ends. */
int wisp_operation_side(wisp_sizing sizing, int side, int kernel, int stride, int padding);

typedef struct wisp_activation_row {
  const char *name; /* static; NULL: there is no such activation */
  int range;    /* of |x| in which it is neither constant nor a line; 0: it has two lines at most */
  int is_share; /* it yields 0 ... 1, to which nothing is added */
} wisp_activation_row;

wisp_activation_row wisp_activation_row_of(wisp_activation activation);

#endif
