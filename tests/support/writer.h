/* writer.h - a quantised network as plain arrays, and its .wisp bytes as models/FORMAT.md has them.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Written from the FORMAT alone and shared with no other writer or reader, but for the press's entropy coder. */
#ifndef WISP_TEST_WRITER_H
#define WISP_TEST_WRITER_H

#include <stddef.h>
#include <stdint.h>

enum { NET_TENSORS = 64, NET_LAYERS = 48, NET_HEADS = 4, NET_INPUTS = 255, NET_ANCHORS = 3 };

typedef struct net_tensor {
  int channels, zero_point;
  float scale;
  int height, width; /* not written; at the network's own input size */
} net_tensor;

typedef struct net_layer {
  int operation, activation; /* FORMAT.md's codes */
  int masked;
  int input_count, inputs[NET_INPUTS];
  int kernel_height, kernel_width, stride_y, stride_x;
  int pad_top, pad_left, pad_bottom, pad_right;
  float slope;
  int output, residual;  /* residual: -1 if there is none */
  int channels;          /* of the output, as the arrays below have them */
  int planes, window[2]; /* of the inputs; the kernel: as the arrays have them */
  int blocks;            /* in FORMAT.md's order; 0 without weights */
  uint8_t *lanes;        /* [planes] channels in each */
  float *scale, *bias;   /* [channels], as wisp_encode_scale and _bias round */
  uint8_t *present;      /* [blocks] */
  int8_t *weights;       /* [blocks][4], zeros where a block is absent */
} net_layer;

typedef struct net_head {
  int kind, tensor, stride, anchors, masks;
  float sizes[NET_ANCHORS][2];
} net_head;

typedef struct net {
  int height, width, stride, block;
  int tensors, layers, heads, classes;
  net_tensor tensor[NET_TENSORS];
  net_layer layer[NET_LAYERS];
  net_head head[NET_HEADS];
} net;

/* Allocates the arrays of a convolution once its shape and inputs are set: every block present, everything 0. */
void net_make_weights(net *n, net_layer *layer);
void net_free(net *n);

/* The file; to be freed. Classes are called "class 0" and so on. */
uint8_t *net_write(const net *n, size_t *size);

/* Byte offset of the header's end, so of the first payload. */
size_t net_header_end(const uint8_t *file);

/* Sets all checksums of a file right again that a test has changed, as far as its parts can still be found. */
void net_repair(uint8_t *file, size_t size);

/* CRC-32 as in zlib, bit by bit. */
uint32_t net_crc(const uint8_t *bytes, size_t size);

#endif
