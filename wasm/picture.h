/* picture.h - a picture file to RGBA bytes as people see it, for WASI.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_PICTURE_H
#define WISP_PICTURE_H

#include "pixels.h"

/* Decodes as pixels_decode does, then turns the picture upright as EXIF says and lays it, where it is transparent, on
 * the colour `background`, 0xRRGGBB. */
pixels_status picture_open(pixels *out, const uint8_t *bytes, size_t size, double max_pixels,
                           uint32_t background);
void picture_close(pixels *picture);

#endif
