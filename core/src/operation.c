/* operation.c - what each operation and each activation of models/FORMAT.md is: a row says in what they differ.
 * SPDX-License-Identifier: Apache-2.0 */
#include "operation.h"

#include <stddef.h>

#include "base.h"

wisp_operation_row wisp_operation_row_of(wisp_operation operation) {
  switch (operation) {
    case WISP_OP_CONV:
      return (wisp_operation_row){.name = "conv",
                                  .most_inputs = WISP_MAX_INPUTS,
                                  .weighs = 1,
                                  .mixes = 1,
                                  .sizing = WISP_SIZED_BY_WINDOW,
                                  .step = WISP_STEP_CONV};
    case WISP_OP_MAXPOOL:
      return (wisp_operation_row){.name = "maxpool",
                                  .most_inputs = 1,
                                  .moves = 1,
                                  .sizing = WISP_SIZED_BY_WINDOW,
                                  .step = WISP_STEP_MAXPOOL};
    case WISP_OP_UPSAMPLE:
      return (wisp_operation_row){.name = "upsample",
                                  .most_inputs = 1,
                                  .moves = 1,
                                  .sizing = WISP_SIZED_BY_FACTOR,
                                  .step = WISP_STEP_UPSAMPLE};
    case WISP_OP_DEPTHWISE:
      return (wisp_operation_row){.name = "depthwise",
                                  .most_inputs = 1,
                                  .weighs = 1,
                                  .sizing = WISP_SIZED_BY_WINDOW,
                                  .step = WISP_STEP_DEPTHWISE};
    case WISP_OP_AVERAGE:
      return (wisp_operation_row){.name = "average",
                                  .most_inputs = 1,
                                  .sizing = WISP_SIZED_TO_ONE,
                                  .step = WISP_STEP_AVERAGE};
    case WISP_OP_SCALE:
      return (wisp_operation_row){.name = "scale",
                                  .most_inputs = 1,
                                  .scales = 1,
                                  .sizing = WISP_SIZED_AS_INPUT,
                                  .step = WISP_STEP_SCALE};
  }
  return (wisp_operation_row){.name = NULL};
}

int wisp_operation_side(wisp_sizing sizing, int side, int kernel, int stride, int padding) {
  switch (sizing) {
    case WISP_SIZED_BY_WINDOW: return wisp_floor_div(side + padding - kernel, stride) + 1;
    case WISP_SIZED_BY_FACTOR: return side * stride;
    case WISP_SIZED_AS_INPUT: return side;
    case WISP_SIZED_TO_ONE: return 1;
  }
  return 0;
}

wisp_activation_row wisp_activation_row_of(wisp_activation activation) {
  switch (activation) {
    case WISP_ACT_NONE: return (wisp_activation_row){.name = "none"};
    case WISP_ACT_RELU: return (wisp_activation_row){.name = "relu"};
    case WISP_ACT_LEAKY: return (wisp_activation_row){.name = "leaky"};
    case WISP_ACT_SILU: return (wisp_activation_row){.name = "silu", .range = WISP_SIGMOID_RANGE};
    case WISP_ACT_HARDSWISH: return (wisp_activation_row){.name = "hardswish", .range = 6};
    case WISP_ACT_SIGMOID:
      return (wisp_activation_row){.name = "sigmoid", .range = WISP_SIGMOID_RANGE, .is_share = 1};
    case WISP_ACT_HARDSIGMOID:
      return (wisp_activation_row){.name = "hardsigmoid", .range = 3, .is_share = 1};
  }
  return (wisp_activation_row){.name = NULL};
}
