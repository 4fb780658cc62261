/* reactor.c - what the WASI reactor has beside runtime.c: picture files and RGB to RGBA, and the clock.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A reactor is a module whose functions are called, as JavaScript calls those of the other doors: wasm/python does.
 * Its runtime is the reactor's only one: what is read here goes into a runtime_frame_buffer by its caller. */
#define _POSIX_C_SOURCE 200112L /* clock_gettime */
#include <emscripten/emscripten.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "picture.h"
#include "record.h"

/* What became of a picture file. */
typedef struct reactor_picture {
  pixels_status status;
  pixels image;
} reactor_picture;

static struct {
  uint8_t *room;
  reactor_picture picture;
} door;

double emscripten_get_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static const char *const STATUS[] = {
    [PIXELS_OK] = "ok",         [PIXELS_UNKNOWN] = "unknown", [PIXELS_TOO_LARGE] = "too-large",
    [PIXELS_MEMORY] = "memory", [PIXELS_DAMAGED] = "damaged", [PIXELS_LACKING] = "lacking"};

static const record_field PICTURE[] = {RECORD_WORD("status", reactor_picture, status, STATUS),
                                       RECORD_ADDRESS("rgba", reactor_picture, image.rgba),
                                       RECORD_FIELD("width", reactor_picture, image.width),
                                       RECORD_FIELD("height", reactor_picture, image.height),
                                       RECORD_FIELD("lacking", reactor_picture, image.lacking),
                                       RECORD_FIELD("why", reactor_picture, image.why)};

/* The text that record.h describes. */
EMSCRIPTEN_KEEPALIVE const char *reactor_records(void) {
  static const record RECORDS[] = {RECORD("picture", reactor_picture, PICTURE)};
  return record_tell(RECORDS, sizeof RECORDS / sizeof *RECORDS);
}

/* What the room and the last picture held. */
EMSCRIPTEN_KEEPALIVE void reactor_release(void) {
  free(door.room);
  door.room = NULL;
  picture_close(&door.picture.image);
}

/* Room for the bytes of a picture file, or for pixels; 0 without memory. */
EMSCRIPTEN_KEEPALIVE uint8_t *reactor_room(size_t size) {
  reactor_release();
  return door.room = malloc(size + 1); /* widening reads four bytes a pixel */
}

/* "picture": the file in the room, upright, on the colour 0xRRGGBB where it is transparent; valid until release. */
EMSCRIPTEN_KEEPALIVE const reactor_picture *reactor_read(size_t size, double max_pixels,
                                                         uint32_t background) {
  pixels *image = &door.picture.image;
  door.picture.status = picture_open(image, door.room, size, max_pixels, background);
  return &door.picture;
}

/* The `n` RGB pixels in the room, or BGR ones, as opaque RGBA. */
EMSCRIPTEN_KEEPALIVE void reactor_widen(uint8_t *rgba, size_t n, int bgr) {
  for (size_t i = 0; i < n; i++) {
    uint32_t pixel;
    memcpy(&pixel, door.room + i * 3, 4);
    if (bgr) pixel = (pixel & 0xff) << 16 | (pixel & 0xff00) | (pixel >> 16 & 0xff);
    pixel |= 0xff000000;
    memcpy(rgba + i * 4, &pixel, 4);
  }
}
