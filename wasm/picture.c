/* picture.c - a picture file to RGBA bytes: pixels.c decodes, EXIF says which side is up, transparency gets a ground.
 * SPDX-License-Identifier: Apache-2.0 */
#include "picture.h"

#include <stdlib.h>
#include <string.h>

#include "flatten.h"

enum { ORIENTATION = 0x0112, UPRIGHT = 1 };

/* ---- EXIF: a TIFF directory in the APP1 segment of a JPEG file, in the eXIf chunk of a PNG file ---- */

typedef struct tiff {
  const uint8_t *bytes;
  size_t size;
  int little; /* endian */
} tiff;

static unsigned tiff_u16(const tiff *t, size_t at) {
  if (at + 2 > t->size) return 0;
  const uint8_t *b = t->bytes + at;
  return t->little ? b[0] | (unsigned)b[1] << 8 : b[1] | (unsigned)b[0] << 8;
}

static size_t tiff_u32(const tiff *t, size_t at) {
  const size_t first = tiff_u16(t, at), second = tiff_u16(t, at + 2);
  return t->little ? first | second << 16 : second | first << 16;
}

static int tiff_orientation(const tiff *t) {
  const size_t directory = tiff_u32(t, 4);
  if (directory > t->size) return UPRIGHT;
  const unsigned entries = tiff_u16(t, directory);
  for (unsigned i = 0; i < entries; i++) {
    const size_t entry = directory + 2 + i * 12u; /* u16 tag, u16 type, u32 count, value */
    if (tiff_u16(t, entry) != ORIENTATION) continue;
    const unsigned value = tiff_u16(t, entry + 8);
    return value >= 1 && value <= 8 ? (int)value : UPRIGHT;
  }
  return UPRIGHT;
}

static int directory_orientation(const uint8_t *bytes, size_t size) {
  const tiff t = {bytes, size, size > 0 && bytes[0] == 'I'};
  return tiff_orientation(&t);
}

static int jpeg_orientation(const uint8_t *b, size_t size) {
  for (size_t at = 2; at + 4 <= size && b[at] == 0xff && b[at + 1] != 0xda;) {
    const size_t length = (size_t)b[at + 2] << 8 | b[at + 3]; /* counts itself */
    if (length < 2 || at + 2 + length > size) return UPRIGHT;
    if (b[at + 1] == 0xe1 && length > 16 && memcmp(b + at + 4, "Exif\0\0", 6) == 0) {
      return directory_orientation(b + at + 10, length - 8);
    }
    at += 2 + length;
  }
  return UPRIGHT;
}

static int png_orientation(const uint8_t *b, size_t size) {
  const tiff file = {b, size, 0};
  for (size_t at = 8; at + 8 <= size;) {
    const size_t length = tiff_u32(&file, at);
    if (length > size - at - 8) return UPRIGHT;
    if (memcmp(b + at + 4, "eXIf", 4) == 0) return directory_orientation(b + at + 8, length);
    at += 12 + length;
  }
  return UPRIGHT;
}

/* 1 ... 8 as EXIF counts; 1 without one. */
static int orientation(const uint8_t *bytes, size_t size) {
  if (size > 2 && memcmp(bytes, "\xff\xd8", 2) == 0) return jpeg_orientation(bytes, size);
  if (size > 8 && memcmp(bytes, "\x89PNG", 4) == 0) return png_orientation(bytes, size);
  return UPRIGHT;
}

/* ---- */

/* Pixel (x, y) of the upright picture is at source[first + x * across + y * down]. */
typedef struct walk {
  ptrdiff_t first, across, down;
} walk;

static walk walk_of(int turn, ptrdiff_t w, ptrdiff_t h) {
  const walk walks[8] = {{0, 1, w}, {w - 1, -1, w},       {w * h - 1, -1, -w}, {w * (h - 1), 1, -w},
                         {0, w, 1}, {w * (h - 1), -w, 1}, {w * h - 1, -w, -1}, {w - 1, w, -1}};
  return walks[turn - 1];
}

/* Takes ownership of `stored`; NULL without memory. */
static uint8_t *turned(uint8_t *stored, int turn, int *width, int *height) {
  if (turn == UPRIGHT) return stored;
  const walk step = walk_of(turn, *width, *height);
  const int w = turn > 4 ? *height : *width, h = turn > 4 ? *width : *height;
  uint8_t *upright = malloc((size_t)w * (size_t)h * 4);
  for (int y = 0; upright && y < h; y++) {
    for (int x = 0; x < w; x++) {
      memcpy(upright + ((size_t)y * (size_t)w + (size_t)x) * 4,
             stored + (step.first + x * step.across + y * step.down) * 4, 4);
    }
  }
  free(stored);
  *width = w;
  *height = h;
  return upright;
}

pixels_status picture_open(pixels *out, const uint8_t *bytes, size_t size, double max_pixels,
                           uint32_t background) {
  const pixels_status status = pixels_decode(out, bytes, size, max_pixels);
  if (status != PIXELS_OK) return status;
  out->rgba = turned(out->rgba, orientation(bytes, size), &out->width, &out->height);
  if (!out->rgba) return PIXELS_MEMORY;
  flatten(out->rgba, (size_t)out->width * (size_t)out->height, background);
  return PIXELS_OK;
}

void picture_close(pixels *picture) {
  free(picture->rgba);
  picture->rgba = NULL;
}
