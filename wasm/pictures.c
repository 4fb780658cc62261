/* pictures.c - the flat door over pixels.h: what web/src/reading/pictures-wasm.js may call in the module that decodes
 * picture files under Node.
 * SPDX-License-Identifier: Apache-2.0
 *
 * One module instance decodes one file after the other. */
#include <emscripten/emscripten.h>
#include <stdlib.h>

#include "pixels.h"

static struct {
  uint8_t *file;
  pixels image;
} door;

/* What the last file and its pixels held. */
EMSCRIPTEN_KEEPALIVE void pictures_release(void) {
  free(door.file);
  free(door.image.rgba);
  door.file = door.image.rgba = NULL;
}

/* Room for the bytes of a file; 0 without memory. */
EMSCRIPTEN_KEEPALIVE uint8_t *pictures_room(size_t size) {
  pictures_release();
  return door.file = malloc(size + 1);
}

/* Decodes that file; a pixels_status. */
EMSCRIPTEN_KEEPALIVE int pictures_decode(size_t size, double max_pixels) {
  return pixels_decode(&door.image, door.file, size, max_pixels);
}

EMSCRIPTEN_KEEPALIVE const uint8_t *pictures_rgba(void) { return door.image.rgba; }
EMSCRIPTEN_KEEPALIVE int pictures_width(void) { return door.image.width; }
EMSCRIPTEN_KEEPALIVE int pictures_height(void) { return door.image.height; }
EMSCRIPTEN_KEEPALIVE double pictures_lacking(void) { return door.image.lacking; }
/* UTF-8 that ends in a zero byte; 0 unless the file is damaged. */
EMSCRIPTEN_KEEPALIVE const char *pictures_why(void) { return door.image.why; }
