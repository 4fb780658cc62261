/* picture.h - a picture file to RGBA bytes, for the command.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_PICTURE_H
#define WISP_PICTURE_H

#include <stddef.h>
#include <stdint.h>

typedef struct picture {
  uint8_t *rgba; /* rows without gaps */
  int width, height;
} picture;

/* Decodes PNG, JPEG (upright, as its EXIF says) and binary PNM. Returns NULL, or why not: a static sentence. */
const char *picture_open(picture *out, const uint8_t *bytes, size_t size);
void picture_close(picture *image);

#endif
