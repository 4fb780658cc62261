/* reference.h - a network executed by the letter of models/FORMAT.md: one output at a time, by direct indexing.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_TEST_REFERENCE_H
#define WISP_TEST_REFERENCE_H

#include "steps.h"
#include "writer.h"

typedef struct reference {
  uint8_t *bytes[NET_TENSORS]; /* [channels][height][width], without any flip; NULL for heads */
  float *logits[NET_HEADS];    /* [channels][height][width] */
  double worst
      [WISP_ACT_COUNT]; /* how far a byte is at most from the exact real output, in steps of it */
} reference;

/* `input` is tensor 0, [channels][height][width]. `plan` lends the fixed-point constants with
 * which a sum becomes a byte; everything else comes from `n`. */
void reference_run(reference *r, const net *n, const wisp_plan *plan, const uint8_t *input);
void reference_free(reference *r);

#endif
