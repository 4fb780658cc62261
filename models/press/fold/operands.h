/* operands.h - what a node yields while a graph is folded: tensors side by side, of which some channels are picked.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_OPERANDS_H
#define WISP_OPERANDS_H

#include "net.h"

/* One of the tensors that stand side by side. */
typedef struct wisp_operand {
  int tensor;
  int focus; /* the picture's channels are wanted in Focus's order */
} wisp_operand;

typedef struct wisp_operands {
  wisp_operand *items;
  int count;
  int channels; /* of the node */
  int *picks;   /* [channels] of the items' channels side by side; NULL: all of them in order */
} wisp_operands;

void wisp_operands_close(wisp_operands *operands);

/* Each fills `out` and returns 0 without memory. */
int wisp_operands_copy(wisp_operands *out, const wisp_operands *of);
int wisp_operands_concat(wisp_operands *out, const wisp_operands *const *inputs, int n,
                         const wisp_net *net);
/* Channel i is channel picks[i] of `of`; tensors that nobody picks of are left out. */
int wisp_operands_select(wisp_operands *out, const wisp_operands *of, const int *picks, int n,
                         const wisp_net *net);

/* `out` has other tensors in place of those of `in`, channel by channel, some with fewer: its picks follow. */
void wisp_operands_follow(wisp_operands *out, const wisp_operands *in, const wisp_net *net);

/* Weights for the picked channels -> weights for all of the items', zeros among them: f32 [rows][width][taps],
 * `malloc`ed. `used` [width] tells which are picked. NULL without memory. */
float *wisp_operands_spread(const wisp_operands *operands, const wisp_net *net,
                            const float *weights, int rows, int taps, uint8_t *used);

#endif
