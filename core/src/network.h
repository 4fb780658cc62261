/* network.h - a .wisp file as it is known so far: the graph and the weights, as models/FORMAT.md describes them.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_NETWORK_H
#define WISP_NETWORK_H

#include "../wisp.h"
#include "base.h"
#include "operation.h"
#include "section.h"
#include "unpack.h"

typedef struct wisp_tensor {
  int channels;
  int zero_point;
  float scale;
  int head; /* the head whose real numbers it holds, or -1; prototypes are bytes */
} wisp_tensor;

typedef struct wisp_layer {
  wisp_operation operation;
  wisp_activation activation;
  int flags; /* WISP_LAYER_* */
  int kernel_height, kernel_width, stride_y, stride_x;
  int pad_top, pad_left, pad_bottom, pad_right;
  float slope;
  int output, residual; /* tensors; residual -1 if there is none */
  int input_count;
  uint16_t *inputs;    /* [input_count] tensors */
  size_t payload_size; /* coded */
  uint32_t payload_crc;
  int present; /* weight blocks */
  /* owned: decoded scales, biases, mask, weights; NULL before its turn and once moved */
  uint8_t *payload;
} wisp_layer;

/* The parts of a convolution's payload; they borrow from it. */
typedef struct wisp_weights_view {
  int channels_out, planes, taps; /* planes of all inputs together */
  int blocks, blocks_present;
  const float *scale, *bias; /* [channels_out] */
  const uint8_t *mask;       /* NULL: every block is present */
  const int8_t *weights;     /* [blocks_present][4] */
} wisp_weights_view;

typedef struct wisp_model_head {
  int tensor, stride;
  wisp_head_kind kind;
  int anchors, masks; /* masks: of an anchor's coefficients; of prototypes, their number */
  float *sizes;       /* [anchors][2] */
} wisp_model_head;

struct wisp_model {
  enum {
    WISP_READS_PREAMBLE,
    WISP_READS_HEADER,
    WISP_READS_PAYLOAD,
    WISP_IS_COMPLETE,
    WISP_IS_BROKEN
  } state;
  wisp_section section; /* what is being read */
  wisp_error broken;    /* why, if it is */
  uint8_t preamble[WISP_PREAMBLE];
  uint8_t *section_bytes; /* owned while a section is read */
  size_t size, header_size;
  uint32_t header_crc;
  int next_layer;             /* whose payload is being read */
  int weights_moved;          /* whether a detector takes them as they arrive */
  wisp_unpack *unpack;        /* owned while payloads are read */
  wisp_unpack_state unpacked; /* what it last said */
  uint8_t *lanes;             /* owned, of that layer */

  int input_height, input_width, stride, block;
  int tensors, layers, heads, classes;
  int masks, prototypes; /* how many there are, 0: none; the head that they are */
  wisp_tensor *tensor;   /* [tensors]; 0 is the input */
  wisp_layer *layer;     /* [layers] */
  wisp_model_head *head; /* [heads] */
  char **class_name;     /* [classes] */
  char *provenance;
};

/* Whether the header has arrived and was sound. */
static inline int wisp_model_has_header(const wisp_model *model) {
  return model->state == WISP_READS_PAYLOAD || model->state == WISP_IS_COMPLETE;
}

/* Whether all of a layer has arrived. */
static inline int wisp_model_has_layer(const wisp_model *model, int layer) {
  return wisp_model_has_header(model) && layer < model->next_layer;
}

static inline int wisp_block_present(const wisp_weights_view *view, int block) {
  return !view->mask || (view->mask[block / 8] >> block % 8 & 1);
}

#endif
