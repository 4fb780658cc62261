/* flatten.c - pictures with transparency, laid on a colour.
 * SPDX-License-Identifier: Apache-2.0 */
#include "flatten.h"

#include <string.h>

enum { RUN = 1024 /* pixels looked at before anything is decided */, OPAQUE = 255 };

/* By whole pixels, which compilers know to take several of at once. */
static int is_opaque(const uint8_t *rgba, size_t n) {
  uint32_t all = UINT32_MAX, pixel;
  for (size_t i = 0; i < n; i++) {
    memcpy(&pixel, rgba + i * 4, 4);
    all &= pixel;
  }
  uint8_t bytes[4];
  memcpy(bytes, &all, 4);
  return bytes[3] == OPAQUE;
}

/* c * a / 255, rounded to nearest. */
static unsigned share(unsigned c, unsigned a) { return (c * a * 2 + 255) / 510; }

static void lay(uint8_t *pixel, const uint8_t colour[3]) {
  const unsigned a = pixel[3];
  for (int c = 0; c < 3; c++)
    pixel[c] = (uint8_t)(share(pixel[c], a) + share(colour[c], OPAQUE - a));
  pixel[3] = OPAQUE;
}

void flatten(uint8_t *rgba, size_t n, uint32_t colour) {
  const uint8_t rgb[3] = {(uint8_t)(colour >> 16), (uint8_t)(colour >> 8), (uint8_t)colour};
  for (size_t at = 0; at < n; at += RUN) {
    const size_t count = n - at < RUN ? n - at : RUN;
    if (is_opaque(rgba + at * 4, count)) continue;
    for (size_t i = at; i < at + count; i++)
      if (rgba[i * 4 + 3] != OPAQUE) lay(rgba + i * 4, rgb);
  }
}
