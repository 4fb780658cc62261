/* picture.h - a picture file to RGBA bytes, for the command.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_PICTURE_H
#define WISP_PICTURE_H

#include <stddef.h>
#include <stdint.h>

typedef struct picture {
  uint8_t *rgba; /* opaque, rows without gaps */
  int width, height;
  char why[160]; /* a sentence without its stop, where it could not be opened */
} picture;

/* Decodes JPEG, PNG, GIF, BMP and binary PNM, upright as EXIF says, with the first frame of an animation and the colour
 * `background`, 0xRRGGBB, where it is transparent. Returns whether it could. */
int picture_open(picture *out, const uint8_t *bytes, size_t size, double max_pixels,
                 uint32_t background);
void picture_close(picture *image);

#endif
