/* finish_scalar.h - how a 32-bit sum becomes a byte, the definition: activation (curves.h), residual, output scale.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_KERNELS_FINISH_SCALAR_H
#define WISP_KERNELS_FINISH_SCALAR_H

#include <stddef.h>

#include "curves.h"

/* The definition of wisp_finish; `residual` may be NULL. */
static inline uint8_t wisp_finish_one(const wisp_finish *f, int32_t sum, float scale,
                                      const uint8_t *residual) {
  int y = wisp_curve(f, wisp_sat16((int32_t)((float)sum * scale)));
  if (residual) {
    const int r = (*residual ^ f->flip) - f->residual_zero;
    y = wisp_sat16(y + wisp_q15(r * 128, f->residual_scale));
  }
  return (uint8_t)(wisp_clamp(wisp_q15(y, f->out_scale) + f->out_zero, 0, 255) ^ f->flip);
}

#endif
