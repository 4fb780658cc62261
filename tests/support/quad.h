/* quad.h - random convolution quads, as plain arrays and as the stream that kernels walk.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_TEST_QUAD_H
#define WISP_TEST_QUAD_H

#include "kernel.h"

enum { QUAD_POSITIONS = 40, QUAD_SPREAD = 600 /* pixels that distances reach over */ };
enum quad_kind { QUAD_RANDOM, QUAD_ALL_MIN, QUAD_ALL_MAX, QUAD_EXTREMES, QUAD_ZEROS, QUAD_KINDS };

/* Four channels of a convolution as plain arrays, and the stream that says the same. */
typedef struct quad_case {
  int positions;
  int32_t distance[QUAD_POSITIONS];
  int8_t weights[4][QUAD_POSITIONS][WISP_LANES];
  int present[4][QUAD_POSITIONS];
  int32_t words[4 * QUAD_POSITIONS * 4 + 16];
  wisp_quad quad;
} quad_case;

/* A share `density` of the blocks is there. Bit 0 of `shape`: blocks that only channel 0 or 1 has stand
 * among those of both, bit 1: of channels 2 and 3. Groups are as long as 16-bit sums allow, or one a list if sums are
 * `wide`. */
void quad_draw(quad_case *q, int positions, double density, enum quad_kind kind, int shape,
               int wide);

#endif
