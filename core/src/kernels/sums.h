/* sums.h - the sums of a convolution's tile, the one thing that plain and relaxed SIMD do differently.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_KERNELS_SUMS_H
#define WISP_KERNELS_SUMS_H

#include "../kernel.h"
#include "simd.h"

/* i32 [channel][pixel], four pixels a vector. */
typedef wisp_v128 wisp_tile_sums[4][WISP_TILE / 4];

/* start + the products of the quad's stream with WISP_TILE pixels. */
void wisp_sum_tile(const wisp_quad *quad, uint8_t flip, const uint8_t *in, wisp_tile_sums sums);

#endif
