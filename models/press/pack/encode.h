/* encode.h - the entropy coder: scales, biases and weight blocks of a layer -> the bytes of its
 * payload.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_ENCODE_H
#define WISP_ENCODE_H

#include <stddef.h>
#include <stdint.h>

/* A convolution in models/FORMAT.md's order; all is borrowed. */
typedef struct wisp_encode_layer {
  int channels_out, kernel_height, kernel_width, planes;
  int masked;                /* whether blocks of four zeros are absent */
  const uint8_t *lanes;      /* [planes] channels in each */
  const float *scale, *bias; /* [channels_out], as rounded below */
  const int8_t *blocks;      /* [channels_out][kernel y][kernel x][planes][4] */
} wisp_encode_layer;

/* One for a file: what it has learnt of a layer serves the next. */
typedef struct wisp_encode wisp_encode;

/* NULL: no memory. */
wisp_encode *wisp_encode_open(void);
void wisp_encode_close(wisp_encode **encode);

/* The payload, which the coder owns until its next layer; NULL: no memory. */
const uint8_t *wisp_encode_run(wisp_encode *encode, const wisp_encode_layer *layer, size_t *size);

/* The nearest value that the file can hold. */
float wisp_encode_scale(float scale);
float wisp_encode_bias(float bias);

#endif
