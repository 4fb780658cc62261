/* pixels.c - Wuffs as a translation unit of its own: JPEG, PNG, GIF, BMP and binary PNM, from memory.
 * SPDX-License-Identifier: Apache-2.0 */
#include "pixels.h"

#include <stdlib.h>
#include <string.h>

#include "core/wisp.h"

#define WUFFS_IMPLEMENTATION
#define WUFFS_CONFIG__STATIC_FUNCTIONS
#define WUFFS_CONFIG__MODULES
#define WUFFS_CONFIG__MODULE__ADLER32
#define WUFFS_CONFIG__MODULE__BASE
#define WUFFS_CONFIG__MODULE__BMP
#define WUFFS_CONFIG__MODULE__CRC32
#define WUFFS_CONFIG__MODULE__DEFLATE
#define WUFFS_CONFIG__MODULE__GIF
#define WUFFS_CONFIG__MODULE__JPEG
#define WUFFS_CONFIG__MODULE__NETPBM
#define WUFFS_CONFIG__MODULE__PNG
#define WUFFS_CONFIG__MODULE__ZLIB
#include <wuffs.c>

/* A format, and how many pixels a byte of it can stand for at most: what promises more is damaged, and no memory is
 * taken for it. */
typedef struct format {
  int32_t fourcc;
  wuffs_base__image_decoder *(*alloc)(void);
  double densest;
} format;

static const format formats[] = {
    /* each block of 8 x 8 pixels has a bit */
    {WUFFS_BASE__FOURCC__JPEG, wuffs_jpeg__decoder__alloc_as__wuffs_base__image_decoder, 8 * 64},
    /* DEFLATE makes 1032 bytes of one, and each may hold 8 pixels */
    {WUFFS_BASE__FOURCC__PNG, wuffs_png__decoder__alloc_as__wuffs_base__image_decoder, 1032 * 8},
    /* a code of 12 bits is a string of up to 4096 pixels */
    {WUFFS_BASE__FOURCC__GIF, wuffs_gif__decoder__alloc_as__wuffs_base__image_decoder, 4096 / 1.5},
    /* two bytes are a run of up to 255 pixels */
    {WUFFS_BASE__FOURCC__BMP, wuffs_bmp__decoder__alloc_as__wuffs_base__image_decoder, 255 / 2.0},
    {WUFFS_BASE__FOURCC__NPBM, wuffs_netpbm__decoder__alloc_as__wuffs_base__image_decoder, 8},
};

/* What is to be decoded. */
typedef struct file {
  const format *format;
  const uint8_t *bytes;
  size_t size;
  double max_pixels;
} file;

static const format *format_of(const uint8_t *bytes, size_t size) {
  const wuffs_base__slice_u8 begin = {(uint8_t *)bytes, size};
  const int32_t fourcc = wuffs_base__magic_number_guess_fourcc(begin, true);
  for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
    if (formats[i].fourcc == fourcc) return &formats[i];
  return NULL;
}

static pixels_status damaged(pixels *out, const char *why) {
  out->why = why;
  return PIXELS_DAMAGED;
}

/* "#jpeg: bad header" without what stands before the words. */
static const char *words_of(wuffs_base__status status) {
  const char *colon = strchr(status.repr, ':');
  return colon ? colon + 2 : status.repr + 1;
}

/* What the header says, and whether that can be. */
static pixels_status read_header(pixels *out, const file *f, wuffs_base__image_decoder *decoder,
                                 wuffs_base__io_buffer *source, wuffs_base__pixel_config *config) {
  wuffs_base__image_config image = {0};
  const wuffs_base__status status =
      wuffs_base__image_decoder__decode_image_config(decoder, &image, source);
  if (status.repr) return damaged(out, words_of(status));
  const uint32_t width = wuffs_base__pixel_config__width(&image.pixcfg),
                 height = wuffs_base__pixel_config__height(&image.pixcfg);
  const double count = (double)width * (double)height;
  if (count == 0) return damaged(out, "it has no pixels");
  out->width = (int)wuffs_base__u32__min(width, INT32_MAX);
  out->height = (int)wuffs_base__u32__min(height, INT32_MAX);
  if (count > f->max_pixels || width > WISP_MAX_FRAME_SIDE || height > WISP_MAX_FRAME_SIDE)
    return PIXELS_TOO_LARGE;
  if (count > (double)f->size * f->format->densest)
    return damaged(out, "its bytes are too few for its size");
  wuffs_base__pixel_config__set(config, WUFFS_BASE__PIXEL_FORMAT__RGBA_NONPREMUL,
                                WUFFS_BASE__PIXEL_SUBSAMPLING__NONE, width, height);
  return PIXELS_OK;
}

/* The first frame into out->rgba. What was decoded before an error stays there. */
static wuffs_base__status read_frame(pixels *out, wuffs_base__image_decoder *decoder,
                                     wuffs_base__io_buffer *source,
                                     const wuffs_base__pixel_config *config,
                                     wuffs_base__slice_u8 work) {
  wuffs_base__pixel_buffer buffer;
  const wuffs_base__slice_u8 room = {out->rgba,
                                     (size_t)wuffs_base__pixel_config__pixbuf_len(config)};
  const wuffs_base__status status = wuffs_base__pixel_buffer__set_from_slice(&buffer, config, room);
  if (status.repr) return status;
  return wuffs_base__image_decoder__decode_frame(decoder, &buffer, source,
                                                 WUFFS_BASE__PIXEL_BLEND__SRC, work, NULL);
}

/* out->rgba stays, with the pixels that are there, also where it fails. */
static pixels_status decode_with(pixels *out, const file *f, wuffs_base__image_decoder *decoder) {
  wuffs_base__io_buffer source = wuffs_base__ptr_u8__reader((uint8_t *)f->bytes, f->size, true);
  wuffs_base__pixel_config config;
  const pixels_status header = read_header(out, f, decoder, &source, &config);
  if (header != PIXELS_OK) return header;
  if ((uint64_t)out->width * (uint64_t)out->height > PTRDIFF_MAX / 4) return PIXELS_MEMORY;
  const size_t length = (size_t)out->width * (size_t)out->height * 4;
  const uint64_t work_length = wuffs_base__image_decoder__workbuf_len(decoder).max_incl;
  /* frames of a GIF may leave out some of the picture; what nobody touches of new memory costs nothing */
  out->rgba = f->format->fourcc == WUFFS_BASE__FOURCC__GIF ? calloc(length, 1) : malloc(length);
  const wuffs_base__slice_u8 work = {
      work_length < SIZE_MAX ? malloc((size_t)work_length + 1) : NULL, (size_t)work_length};
  if (!out->rgba || !work.ptr) {
    free(work.ptr);
    return PIXELS_MEMORY;
  }
  const wuffs_base__status status = read_frame(out, decoder, &source, &config, work);
  free(work.ptr);
  if (status.repr == NULL) return PIXELS_OK;
  const int ends = status.repr == wuffs_jpeg__error__truncated_input ||
                   status.repr == wuffs_jpeg__error__short_sos_bitstream;
  damaged(out, words_of(status));
  return ends ? PIXELS_LACKING : PIXELS_DAMAGED;
}

static pixels_status decode_once(pixels *out, const file *f) {
  *out = (pixels){NULL, 0, 0, 0, NULL};
  wuffs_base__image_decoder *decoder = f->format->alloc();
  if (!decoder) return PIXELS_MEMORY;
  const pixels_status status = decode_with(out, f, decoder);
  free(decoder);
  return status;
}

/* ---- a JPEG without its end marker ---- */

enum { TAIL = 512 /* bytes */, SCAN = 0xda };

/* Whether the header is whole: a scan begins. */
static int jpeg_has_scan(const uint8_t *b, size_t size) {
  for (size_t at = 2; at + 4 <= size && b[at] == 0xff;) {
    const size_t end = at + 2 + ((size_t)b[at + 2] << 8 | b[at + 3]);
    if (b[at + 1] == SCAN) return end < size;
    at = end;
  }
  return 0;
}

/* The file with arbitrary bits behind it, or with their opposites, then an end marker. */
static pixels_status decode_longer(pixels *out, const file *f, uint8_t opposite) {
  uint8_t *longer = malloc(f->size + TAIL + 2);
  if (!longer) return PIXELS_MEMORY;
  memcpy(longer, f->bytes, f->size);
  uint8_t *tail = longer + f->size;
  uint32_t random = 1;
  for (int i = 0; i < TAIL; i++) {
    random = random * 1664525u + 1013904223u;
    tail[i] = (uint8_t)(random >> 24 ^ opposite) & 0xfe; /* 0xff would begin a marker */
  }
  memcpy(tail + TAIL, "\xff\xd9", 2);
  const file all = {f->format, longer, f->size + TAIL + 2, f->max_pixels};
  const pixels_status status = decode_once(out, &all);
  free(longer);
  return status;
}

/* The first row that differs; the height if none does. */
static int first_difference(const pixels *a, const pixels *b) {
  const size_t row = (size_t)a->width * 4;
  size_t same = 0;
  while (same < (size_t)a->height && memcmp(a->rgba + same * row, b->rgba + same * row, row) == 0)
    same++;
  return (int)same;
}

/* Pixels that change with what stands behind the file are not in it. */
static pixels_status decode_cut(pixels *out, file f) {
  while (f.size > 0 && f.bytes[f.size - 1] == 0xff) f.size--; /* half a marker */
  pixels other = {NULL, 0, 0, 0, NULL};
  pixels_status status = decode_longer(out, &f, 0);
  decode_longer(&other, &f, 0xff);
  if (!out->rgba || !other.rgba) status = PIXELS_MEMORY;
  else {
    const int whole = jpeg_has_scan(f.bytes, f.size) ? first_difference(out, &other) : 0;
    out->lacking = 1 - (double)whole / out->height;
    if (whole < out->height) status = PIXELS_LACKING;
  }
  free(other.rgba);
  return status;
}

pixels_status pixels_decode(pixels *out, const uint8_t *bytes, size_t size, double max_pixels) {
  *out = (pixels){NULL, 0, 0, 0, NULL};
  const file f = {format_of(bytes, size), bytes, size, max_pixels};
  if (!f.format) return PIXELS_UNKNOWN;
  pixels_status status = decode_once(out, &f);
  if (status == PIXELS_LACKING) {
    free(out->rgba);
    status = decode_cut(out, f);
  }
  if (status == PIXELS_OK) return PIXELS_OK;
  free(out->rgba);
  out->rgba = NULL;
  return status;
}
