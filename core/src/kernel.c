/* kernel.c - the table of kernels: the scalar twins, the sets this build was compiled for, and the choice among them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernel.h"

#include <stddef.h>
#include <string.h>

#define SCALAR_SLOT(name, type) .name = wisp_k_##name##__scalar,
#define SIMD_SLOT(name, type) .name = wisp_k_##name##__simd,
#define FUSED_SLOT(name, type) .name = wisp_k_##name##__fused,

static const wisp_kernels scalar = {
    .name = "scalar", .any_sign = 1, .wide_sums = 1, .tile = 1, WISP_KERNEL_ROWS(SCALAR_SLOT)};

#if WISP_RELAXED
static const wisp_kernels sets[] = {
    {.name = "relaxed", .tile = 16, .half_cost = 100, WISP_KERNEL_ROWS(SIMD_SLOT)},
    {.name = "relaxed-fused",
     .wide_sums = 1,
     .tile = 24,
     .half_cost = 67,
     WISP_KERNEL_DOT_ROWS(FUSED_SLOT) WISP_KERNEL_OTHER_ROWS(SIMD_SLOT)}};
#elif WISP_SIMD
static const wisp_kernels sets[] = {{.name = "simd",
                                     .any_sign = 1,
                                     .wide_sums = 1,
                                     .tile = 24,
                                     .half_cost = 50,
                                     WISP_KERNEL_ROWS(SIMD_SLOT)}};
#else
#define sets (&scalar)
#endif

enum { SETS = WISP_RELAXED ? 2 : 1 };

const wisp_kernels *wisp_kernels_scalar(void) { return &scalar; }

const wisp_kernels *wisp_kernels_set(int index) {
  return index >= 0 && index < SETS ? &sets[index] : NULL;
}

/* ---- the probe: what a convolution makes of one block of equal weights on bytes of 0xff ---- */

static float probe(const wisp_kernels *kernels, int weight) {
  const int32_t weights = weight * 0x01010101,
                stream[] = {1, 1, 0, weights, weights, 0, 0, 0, 0, 0};
  const wisp_quad quad = {stream, {0}, {1, 1, 1, 1}};
  uint8_t in[WISP_LANES + WISP_OVERREAD];
  float sums[4];
  float *const out[4] = {&sums[0], &sums[1], &sums[2], &sums[3]};
  memset(in, 0xff, sizeof in);
  kernels->head(&quad, 0, in, out, 1);
  return sums[0];
}

wisp_sign wisp_kernels_sign(const wisp_kernels *kernels) {
  const float sum = probe(kernels, 1);
  if (sum == WISP_LANES * 255) return WISP_UNSIGNED;
  return sum == -WISP_LANES ? WISP_SIGNED : WISP_COMPUTES_WRONGLY;
}

/* Whether the fused set is faster than the narrow one here. Weights beyond 7 bits tell, without a clock and in code not
 * optimised yet, what the engine makes of the fused dot product: the exact sum of an instruction of its own
 * (VNNI), or one cut off at 16 bits by pmaddubsw, which is the narrow dot product with more after it. Where bytes are
 * signed (Arm) the fused one is never slower. */
static int fused_is_faster(const wisp_kernels *fused) {
  switch (wisp_kernels_sign(fused)) {
    case WISP_SIGNED: return 1;
    case WISP_UNSIGNED: return probe(fused, 127) == WISP_LANES * 255 * 127;
    default: return 0;
  }
}

const wisp_kernels *wisp_kernels_best(void) {
  return SETS > 1 && fused_is_faster(&sets[SETS - 1]) ? &sets[SETS - 1] : &sets[0];
}
