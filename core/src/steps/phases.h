/* phases.h - a tensor's pixels, sorted by their place in the stride of the convolution that reads it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_PHASES_H
#define WISP_PHASES_H

#include "../steps.h"

/* Sorts `n` pixels of plane `plane` of `whole`, walked flat from pixel `at` of row `y` on. */
void wisp_phases_deal(const wisp_plan *plan, const wisp_image *phases, const wisp_view *whole,
                      int plane, int y, int at, int n, const uint8_t *pixels);
/* Around what rows [y0, y1) of a plane became. Rows and columns that the last phases lack are border too. */
void wisp_phases_border(const wisp_image *phases, const wisp_view *whole, int plane, int y0,
                        int y1);

#endif
