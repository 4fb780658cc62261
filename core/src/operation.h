/* operation.h - the operations and activations of models/FORMAT.md: a row says code, name, and in what it differs.
 * SPDX-License-Identifier: Apache-2.0
 *
 * What a new row needs besides, the compiler or the linker names: it is listed nowhere else. */
#ifndef WISP_OPERATION_H
#define WISP_OPERATION_H

#include "base.h"
#include "format.h"

/* How a side of the output follows from that of the first input. */
typedef enum wisp_sizing {
  WISP_SIZED_BY_WINDOW, /* floor((side + padding - kernel) / stride) + 1 */
  WISP_SIZED_BY_FACTOR, /* side * stride */
  WISP_SIZED_AS_INPUT,
  WISP_SIZED_TO_ONE
} wisp_sizing;

/* What a layer reads beside its first tensor. */
typedef enum wisp_beside {
  WISP_BESIDE_ALIKE, /* tensors of the same height and width, side by side along channels */
  WISP_BESIDE_PIXEL  /* a tensor of 1x1 */
} wisp_beside;

typedef struct wisp_operation_row {
  const char *name; /* static; NULL: there is no such operation */
  int inputs[2];    /* tensors that it reads: at least, at most */
  wisp_beside beside;
  int weighs; /* has a payload; only then an activation and a residual, and another number of channels */
  /* Every channel of the output reads all of the inputs, and a block is four of them, which may be absent; otherwise
   * channel c reads channel c. */
  int mixes;
  int moves; /* its bytes are bytes of its inputs, as are its channels */
  wisp_sizing sizing;
} wisp_operation_row;

/* "u8 operation": ROW(word, code, name, what differs). */
#define WISP_OPERATION_ROWS(ROW)                                                           \
  ROW(CONV, 1, conv, .inputs = {1, WISP_MAX_INPUTS}, .weighs = 1, .mixes = 1)              \
  ROW(MAXPOOL, 2, maxpool, .inputs = {1, 1}, .moves = 1)                                   \
  ROW(UPSAMPLE, 3, upsample, .inputs = {1, WISP_MAX_STRIDE * WISP_MAX_STRIDE}, .moves = 1, \
      .sizing = WISP_SIZED_BY_FACTOR)                                                      \
  ROW(DEPTHWISE, 4, depthwise, .inputs = {1, 1}, .weighs = 1)                              \
  ROW(AVERAGE, 5, average, .inputs = {1, 1}, .sizing = WISP_SIZED_TO_ONE)                  \
  ROW(SCALE, 6, scale, .inputs = {2, 2}, .beside = WISP_BESIDE_PIXEL, .sizing = WISP_SIZED_AS_INPUT)

typedef enum wisp_operation {
#define WISP_OPERATION_CODE(word, code, ...) WISP_OP_##word = code,
  WISP_OPERATION_ROWS(WISP_OPERATION_CODE)
#undef WISP_OPERATION_CODE
} wisp_operation;

wisp_operation_row wisp_operation_row_of(wisp_operation operation);

/* Whether a layer of the operation reads `n` tensors: one that is sized by a factor reads one, or one for each pixel of
 * the output that comes of one of the input. */
static inline int wisp_operation_takes(const wisp_operation_row *row, int n, int stride_y,
                                       int stride_x) {
  return n >= row->inputs[0] && n <= row->inputs[1] &&
         (row->sizing != WISP_SIZED_BY_FACTOR || n == 1 || n == (int64_t)stride_y * stride_x);
}

/* A side of the output; less than 1 where the window is larger than what it slides over. `padding`: of both ends. */
static inline int wisp_operation_side(wisp_sizing sizing, int side, int kernel, int stride,
                                      int padding) {
  switch (sizing) {
    case WISP_SIZED_BY_WINDOW: return wisp_floor_div(side + padding - kernel, stride) + 1;
    case WISP_SIZED_BY_FACTOR: return side * stride;
    case WISP_SIZED_AS_INPUT: return side;
    case WISP_SIZED_TO_ONE: return 1;
  }
  return 0;
}

/* Whether a tensor has the side that one beside a first one must have. */
static inline int wisp_operation_fits(wisp_beside beside, int side, int first) {
  switch (beside) {
    case WISP_BESIDE_ALIKE: return side == first;
    case WISP_BESIDE_PIXEL: return side == 1;
  }
  return 0;
}

typedef struct wisp_activation_row {
  const char *name; /* static; NULL: there is no such activation */
  int range;    /* of |x| in which it is neither constant nor a line; 0: it has two lines at most */
  int is_share; /* it yields 0 ... 1, to which nothing is added */
} wisp_activation_row;

enum { WISP_SIGMOID_RANGE = 10 };

/* "u8 activation": ROW(word, code, name, what differs). Its curve stands in kernels/curves.h. */
#define WISP_ACTIVATION_ROWS(ROW)                                      \
  ROW(NONE, 0, none, .range = 0)                                       \
  ROW(RELU, 1, relu, .range = 0)                                       \
  ROW(LEAKY, 2, leaky, .range = 0)                                     \
  ROW(SILU, 3, silu, .range = WISP_SIGMOID_RANGE)                      \
  ROW(HARDSWISH, 4, hardswish, .range = 6)                             \
  ROW(SIGMOID, 5, sigmoid, .range = WISP_SIGMOID_RANGE, .is_share = 1) \
  ROW(HARDSIGMOID, 6, hardsigmoid, .range = 3, .is_share = 1)

typedef enum wisp_activation {
#define WISP_ACTIVATION_CODE(word, code, ...) WISP_ACT_##word = code,
  WISP_ACTIVATION_ROWS(WISP_ACTIVATION_CODE)
#undef WISP_ACTIVATION_CODE
} wisp_activation;

#define WISP_ACTIVATION_ONE(...) +1
enum { WISP_ACT_COUNT = WISP_ACTIVATION_ROWS(WISP_ACTIVATION_ONE) };
#undef WISP_ACTIVATION_ONE

wisp_activation_row wisp_activation_row_of(wisp_activation activation);

#endif
