/* kernel.c - the table of kernels: the scalar twins, and the set this build was compiled for.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernel.h"

#define SCALAR_SLOT(name, type) .name = wisp_k_##name##__scalar,
static const wisp_kernels scalar = {
    .name = "scalar", .any_sign = 1, .wide_sums = 1, WISP_KERNEL_ROWS(SCALAR_SLOT)};

#if WISP_SIMD
#define SIMD_SLOT(name, type) .name = wisp_k_##name##__simd,
static const wisp_kernels simd = {.name = WISP_RELAXED ? "relaxed" : "simd",
                                  .any_sign = !WISP_RELAXED,
                                  .wide_sums = !WISP_RELAXED,
                                  WISP_KERNEL_ROWS(SIMD_SLOT)};
#endif

const wisp_kernels *wisp_kernels_scalar(void) { return &scalar; }

const wisp_kernels *wisp_kernels_best(void) {
#if WISP_SIMD
  return &simd;
#else
  return &scalar;
#endif
}
