/* picture.c - a picture file to RGBA bytes: stb_image decodes, EXIF says which side is up.
 * SPDX-License-Identifier: Apache-2.0 */
#include "picture.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define STBI_NO_STDIO
#include <stb_image.h>

enum { MAX_PIXELS = 1 << 28, ORIENTATION = 0x0112, UPRIGHT = 1 };

/* ---- EXIF: a TIFF directory in the first APP1 segment of a JPEG file ---- */

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

/* 1 ... 8 as EXIF counts; 1 without one. */
static int orientation(const uint8_t *b, size_t size) {
  if (size < 4 || b[0] != 0xff || b[1] != 0xd8) return UPRIGHT;
  for (size_t at = 2; at + 4 <= size && b[at] == 0xff && b[at + 1] != 0xda;) {
    const size_t length = (size_t)b[at + 2] << 8 | b[at + 3]; /* counts itself */
    if (length < 2 || at + 2 + length > size) return UPRIGHT;
    if (b[at + 1] == 0xe1 && length > 16 && memcmp(b + at + 4, "Exif\0\0", 6) == 0) {
      const tiff t = {b + at + 10, length - 8, b[at + 10] == 'I'};
      return tiff_orientation(&t);
    }
    at += 2 + length;
  }
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

const char *picture_open(picture *out, const uint8_t *bytes, size_t size) {
  int width, height, channels;
  *out = (picture){NULL, 0, 0};
  if (size > INT_MAX) return "it is larger than 2 GiB";
  if (!stbi_info_from_memory(bytes, (int)size, &width, &height, &channels))
    return "it is no PNG, JPEG or binary PNM file";
  if ((int64_t)width * height > MAX_PIXELS) return "it has more than 2^28 pixels";
  uint8_t *stored = stbi_load_from_memory(bytes, (int)size, &width, &height, &channels, 4);
  if (!stored) return stbi_failure_reason();
  out->rgba = turned(stored, orientation(bytes, size), &width, &height);
  if (!out->rgba) return "there is no memory to turn it upright";
  out->width = width;
  out->height = height;
  return NULL;
}

void picture_close(picture *image) {
  free(image->rgba);
  image->rgba = NULL;
}
