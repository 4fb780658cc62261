/* fuzz_unpack.c - any bytes as the payloads of a file: shapes from the first bytes, the rest fed in pieces.
 * SPDX-License-Identifier: Apache-2.0
 *
 * No checksum stands before the decoder here. What it writes lies in memory of exactly its size. */
#include "unpack.h"

#include <stdlib.h>
#include <string.h>

#include "base.h"

enum { SHAPE = 8, LAYERS = 3 };

typedef struct layer {
  wisp_unpack_layer parts;
  uint8_t lanes[8];
  int blocks;
} layer;

/* Of as few bytes as the fuzzer likes: 1 ... 16 channels, kernels of 1 ... 4, 1 ... 8 planes. */
static void draw_shape(layer *l, const uint8_t *b) {
  wisp_unpack_layer *p = &l->parts;
  *p = (wisp_unpack_layer){.channels_out = 1 + b[0] % 16,
                           .kernel_height = 1 + b[1] % 4,
                           .kernel_width = 1 + b[1] / 4 % 4,
                           .planes = 1 + b[2] % 8};
  for (int i = 0; i < p->planes; i++) l->lanes[i] = (uint8_t)(1 + (b[3 + i / 4] >> i % 4 * 2 & 3));
  p->lanes = l->lanes;
  l->blocks = p->channels_out * p->kernel_height * p->kernel_width * p->planes;
  p->present = b[5] & 1 ? (b[6] | b[7] << 8) % (l->blocks + 1) : l->blocks;
}

static int open_parts(layer *l, int masked) {
  wisp_unpack_layer *p = &l->parts;
  p->scale = calloc((size_t)p->channels_out, sizeof *p->scale);
  p->bias = calloc((size_t)p->channels_out, sizeof *p->bias);
  p->mask = masked ? calloc(1, ((size_t)l->blocks + 7) / 8) : NULL;
  p->weights = calloc((size_t)p->present + 1, WISP_LANES);
  return p->scale && p->bias && p->weights && (p->mask || !masked);
}

static void close_parts(layer *l) {
  free(l->parts.scale);
  free(l->parts.bias);
  free(l->parts.mask);
  free(l->parts.weights);
}

/* A complete layer keeps its promises; weights that were not decoded are still 0. */
static void check(const layer *l, wisp_unpack_state state) {
  const wisp_unpack_layer *p = &l->parts;
  int present = 0;
  for (int b = 0; p->mask && b < l->blocks; b++) present += p->mask[b / 8] >> b % 8 & 1;
  if (present > p->present + 1) abort();
  if (state == WISP_UNPACK_COMPLETE && p->mask && present != p->present) abort();
  for (int i = 0; i < p->present * WISP_LANES; i++)
    if (p->weights[i] < WISP_WEIGHT_MIN || p->weights[i] > WISP_WEIGHT_MAX) abort();
}

static void feed(wisp_unpack *unpack, layer *l, const uint8_t *bytes, size_t size, size_t piece) {
  wisp_unpack_state state = WISP_UNPACK_READS;
  if (!wisp_unpack_start(unpack, &l->parts, size)) return;
  for (size_t left = size; left > 0;) {
    if (state != WISP_UNPACK_READS) abort();
    size_t now = left < piece ? left : piece, asked = now;
    state = wisp_unpack_feed(unpack, &bytes, &now);
    if (now != 0) abort();
    left -= asked;
  }
  if (size > 0 && state == WISP_UNPACK_READS) abort();
  check(l, state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  wisp_unpack *unpack = wisp_unpack_open();
  for (int i = 0; unpack && i < LAYERS && size > SHAPE; i++) {
    layer l;
    draw_shape(&l, data);
    const int masked = data[5] & 1;
    const size_t piece = 1 + (size_t)(data[5] >> 1) * 37;
    data += SHAPE;
    size -= SHAPE;
    const size_t taken = i + 1 < LAYERS ? size / 2 : size;
    if (open_parts(&l, masked)) feed(unpack, &l, data, taken, piece);
    close_parts(&l);
    data += taken;
    size -= taken;
  }
  wisp_unpack_close(&unpack);
  return 0;
}
