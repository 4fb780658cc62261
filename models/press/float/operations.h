/* operations.h - what layers of each operation without weights do to a channel, in float: a row each, in its file.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_OPERATIONS_H
#define WISP_OPERATIONS_H

#include "floats.h"
#include "net.h"

/* All of layer `number`, which writes tensor number + 1. */
typedef struct wisp_float_operation {
  /* Channel `channel` of what it writes. `tensors`: [layers + 1], of the net. */
  void (*run)(const wisp_net *net, int number, const wisp_floats *tensors, int channel);
  /* Adds what the gradient of that channel is for what the layer reads to `gradients`, [layers + 1]; of the picture
   * there is none. */
  void (*reverse)(const wisp_net *net, int number, const wisp_floats *tensors,
                  const wisp_floats *gradients, int channel);
  /* Of a byte of its output: the least that the runtime's fixed-point numbers can make. NULL: that of sums of
   * products, or of bytes that only move. */
  float (*least_step)(const wisp_net *net, int number);
} wisp_float_operation;

/* Convolutions have their own ways (convolve.h, depthwise.h, backward.h): nothing but NULL. */
const wisp_float_operation *wisp_float_operation_of(wisp_operation operation);

static inline float *wisp_float_row(const wisp_floats *t, int channel, int y) {
  return t->data + (size_t)channel * t->plane + (ptrdiff_t)y * t->pitch;
}

#define WISP_FLOAT_DECLARE(word, code, name, ...) \
  extern const wisp_float_operation wisp_float_##name;
WISP_OPERATION_ROWS(WISP_FLOAT_DECLARE)
#undef WISP_FLOAT_DECLARE

#endif
