/* flatten.h - pictures with transparency, laid on a colour.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_FLATTEN_H
#define WISP_FLATTEN_H

#include <stddef.h>
#include <stdint.h>

/* Lays `n` RGBA pixels, not multiplied by A, on the colour 0xRRGGBB, in place. Each product with A / 255 is rounded on
 * its own, as it is where a canvas keeps colours multiplied by A: the bytes are then the same. Opaque pixels are only
 * looked at. */
void flatten(uint8_t *rgba, size_t n, uint32_t colour);

#endif
