/* unpack.h - the entropy decoder: a payload's bytes -> scales, biases, mask and weights, resumable at
 * any byte.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_UNPACK_H
#define WISP_UNPACK_H

#include <stddef.h>
#include <stdint.h>

/* A layer's shape and where its parts go; all is borrowed until the layer is complete. */
typedef struct wisp_unpack_layer {
  int channels_out, kernel_height, kernel_width, planes;
  int present;          /* blocks */
  const uint8_t *lanes; /* [planes] channels in each */
  float *scale, *bias;  /* [channels_out] */
  uint8_t *mask;        /* bits [blocks], zeros; NULL: every block is present */
  int8_t *weights;      /* [present][4], zeros */
} wisp_unpack_layer;

/* One for a file: its layers are read one after the other. */
typedef struct wisp_unpack wisp_unpack;

typedef enum wisp_unpack_state {
  WISP_UNPACK_READS,        /* more bytes are needed */
  WISP_UNPACK_COMPLETE,     /* all is in its place */
  WISP_UNPACK_CONTRADICTION /* all bytes are there and don't make the layer */
} wisp_unpack_state;

/* NULL: no memory. */
wisp_unpack *wisp_unpack_open(void);
void wisp_unpack_close(wisp_unpack **unpack);

/* Starts a layer whose payload has `size` bytes. 0: no memory. */
int wisp_unpack_start(wisp_unpack *unpack, const wisp_unpack_layer *layer, size_t size);

/* Takes bytes of the payload from the front of *input, moving *input and *left on, and decodes what
 * they tell. */
wisp_unpack_state wisp_unpack_feed(wisp_unpack *unpack, const uint8_t **input, size_t *left);

/* CRC-32 of the payload's bytes so far. */
uint32_t wisp_unpack_crc(const wisp_unpack *unpack);

#endif
