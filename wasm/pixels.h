/* pixels.h - a picture file to RGBA bytes as the file stores them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_PIXELS_H
#define WISP_PIXELS_H

#include <stddef.h>
#include <stdint.h>

typedef enum pixels_status {
  PIXELS_OK = 0,
  PIXELS_UNKNOWN, /* no JPEG, PNG, GIF, BMP or binary PNM */
  PIXELS_TOO_LARGE, /* more than are wanted, or a side beyond WISP_MAX_FRAME_SIDE; nothing was decoded */
  PIXELS_MEMORY,
  PIXELS_DAMAGED, /* or of a kind that the decoder lacks */
  PIXELS_LACKING  /* the file ends before its pixels do */
} pixels_status;

typedef struct pixels {
  /* rows without gaps, not multiplied by A; the caller's to free; NULL unless PIXELS_OK */
  uint8_t *rgba;
  int width, height; /* 0 where the file does not come so far as to say */
  double lacking;    /* PIXELS_LACKING: share of the rows, 0 ... 1 */
  const char *why;   /* PIXELS_DAMAGED: the decoder's words; static */
} pixels;

/* The first frame, neither turned nor laid on a background, with the bytes that libjpeg-turbo and libpng give. A JPEG
 * that lacks only its end marker is whole. */
pixels_status pixels_decode(pixels *out, const uint8_t *bytes, size_t size, double max_pixels);

#endif
