/* wisp_testing.h - what tests and measurements force of a detector, beside wisp.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_TESTING_H
#define WISP_TESTING_H

#include "wisp.h"

typedef enum wisp_kernel_set {
  WISP_KERNELS_BEST = 0,   /* the fastest of this build in this engine, as a probe finds */
  WISP_KERNELS_SCALAR = 1, /* the definition; slow */
  WISP_KERNELS_NARROW = 2, /* relaxed builds: dot products with 16-bit sums, fast everywhere */
  WISP_KERNELS_FUSED =
      3 /* relaxed builds: dot products with 32-bit sums, fast with VNNI and on Arm */
} wisp_kernel_set;

/* wisp_settings.forced; borrowed by the call. */
typedef struct wisp_forced {
  wisp_kernel_set kernels;
  int signed_bytes; /* -1: as the engine's dot product needs it; 0, 1: so */
} wisp_forced;

/* Nothing: the best kernels, bytes as they need them. */
wisp_forced wisp_default_forced(void);

#endif
