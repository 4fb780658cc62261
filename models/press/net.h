/* net.h - a folded network: the layers of models/FORMAT.md, in execution order, with float weights.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Layer i writes tensor i + 1; tensor 0 is the picture. `quantise` adds the integers. */
#ifndef WISP_NET_H
#define WISP_NET_H

#include <math.h>

#include "graph.h"

enum { WISP_BYTE_MAX = 255 };

typedef struct wisp_net_tensor {
  int channels, height, width;
  int is_head;   /* real numbers that no layer reads */
  int is_output; /* a head, or prototypes */
  float scale;   /* real = scale * (q - zero_point); 0 until quantised */
  int zero_point;
  wisp_byte_range trained; /* as the graph told it */
  int *order; /* [channels]: which channel stands at each place of the file; NULL: as they come */
} wisp_net_tensor;

/* What pressing a convolution did to it. An error is the mean square of what its outputs lose before the activation,
 * over their variance; of the inputs that calibration saw. */
typedef struct wisp_net_account {
  int bits;                         /* of a weight */
  int64_t weights, zeros;           /* dense; of them zero */
  int64_t blocks, zero_blocks;      /* of 1x4, as in the file */
  double macs;                      /* multiply-adds of a picture with every block present */
  double error_before, error_after; /* without and with repair of what pruning and rounding break */
  double share;                     /* of what the end result loses, 0 ... 1; of all layers 1 */
} wisp_net_account;

typedef struct wisp_net_layer {
  wisp_operation operation;
  wisp_activation activation;
  float slope;
  wisp_window window;
  int *inputs, input_count; /* tensors, side by side along channels */
  int residual;             /* tensor added after the activation, or -1 */
  int channels_in, channels_out;
  /* [channels_in] 0 where a channel of the inputs is not used: its weights are 0; NULL: all are used */
  uint8_t *channel_used;
  /* Which of them each channel is that the node reads; of a depthwise convolution, which of the node's channels each of
   * its own is, or -1. [pick_count]; NULL: they are the same */
  int *picks, pick_count;
  int node; /* of the graph it began as */
  /* [channels_out][channels_in][kernel y][kernel x]. A depthwise convolution, whose channel c reads channel c of its
   * input, has channels_in 1. */
  float *weights;
  float *bias;   /* [channels_out] */
  float *pruned; /* as weights, some of them zero; NULL where none became so */
  struct {
    int8_t *weights;     /* as above */
    float *scale, *bias; /* [channels_out]; the real value of one unit of the sum */
  } quantised;
  wisp_net_account account;
} wisp_net_layer;

typedef struct wisp_net {
  int height, width; /* of the picture */
  int stride;        /* height and width are multiples of it */
  int cell; /* 1 or 2: tensor 0 holds cells of cell x cell pixels, side by side as channels */
  wisp_net_tensor *tensors; /* [layer_count + 1] */
  wisp_net_layer *layers;
  int layer_count;
  wisp_yolo_head *heads; /* their tensors are the net's */
  int head_count;
  char **classes;
  int class_count;
} wisp_net;

/* Weights of an output channel for each channel that it reads. */
static inline int wisp_net_kernel_size(const wisp_net_layer *layer) {
  return layer->window.kernel[0] * layer->window.kernel[1];
}

/* Multiply-adds to one output: what the weights of an output channel count. */
static inline int wisp_net_taps(const wisp_net_layer *layer) {
  return layer->channels_in * wisp_net_kernel_size(layer);
}

/* What the press asks of a layer instead of its operation's code: of its row in core/src/operation.h. */
int wisp_net_has_weights(const wisp_net_layer *layer);
/* Every output channel reads all channels of all inputs. */
int wisp_net_mixes_channels(const wisp_net_layer *layer);
/* Output channel c is made of channel c of every input, without weights. */
int wisp_net_keeps_channels(const wisp_net_layer *layer);
/* Its numbers only move, so that input and output have one range. */
int wisp_net_keeps_range(const wisp_net_layer *layer);
/* Output channel c reads input channel c alone, with weights of its own. */
int wisp_net_is_per_channel(const wisp_net_layer *layer);

/* Whether weight k of an output channel reads a channel that is used. */
static inline int wisp_net_is_used(const wisp_net_layer *layer, int k) {
  return !layer->channel_used || layer->channel_used[k / wisp_net_kernel_size(layer)];
}

/* How many channels of its input number `input` an output channel reads with weights. */
static inline int wisp_net_channels_read(const wisp_net *net, const wisp_net_layer *layer,
                                         int input) {
  return wisp_net_is_per_channel(layer) ? 1 : net->tensors[layer->inputs[input]].channels;
}

/* How many prototypes there are to make masks of; 0: it finds boxes only. */
int wisp_net_masks(const wisp_net *net);

/* The tensor a layer writes. */
static inline int wisp_net_output(const wisp_net *net, const wisp_net_layer *layer) {
  return (int)(layer - net->layers) + 1;
}

/* A value as a byte of the tensor, which has its range: 0 ... 255, a whole number. */
static inline float wisp_net_byte(const wisp_net_tensor *tensor, float value) {
  const float byte = rintf(value / tensor->scale) + (float)tensor->zero_point;
  return fminf(fmaxf(byte, 0), WISP_BYTE_MAX);
}

/* The weights to round. */
static inline const float *wisp_net_weights(const wisp_net_layer *layer) {
  return layer->pruned ? layer->pruned : layer->weights;
}

/* Sets height and width of every tensor from those of the picture. A sentence where they don't fit. */
wisp_status wisp_net_measure(wisp_net *net, wisp_error *error);

/* Output channel `channel` becomes its `scale` fold, and `bias` more. */
void wisp_net_scale(wisp_net_layer *layer, int channel, float scale, float bias);

/* The weights that a quantised convolution's integers stand for, as `weights` are laid out. */
void wisp_net_dequantise(const wisp_net *net, const wisp_net_layer *layer, float *weights);

/* Whether there are ranges and integers. */
int wisp_net_is_quantised(const wisp_net *net);

/* As if it had never been quantised. */
void wisp_net_forget_integers(wisp_net *net);

/* Channels stand as they come. */
void wisp_net_forget_orders(wisp_net *net);

/* The channel at a place of the file. */
static inline int wisp_net_channel_at(const wisp_net_tensor *tensor, int place) {
  return tensor->order ? tensor->order[place] : place;
}

/* Number `index` of the layers with weights; NULL past the last one, where there are no integers,
 * and without a net. */
const wisp_net_layer *wisp_net_find_quantised(const wisp_net *net, int index);

/* Room for a convolution's integers; 0 without memory. */
int wisp_net_open_quantised(wisp_net_layer *layer);

void wisp_net_close(wisp_net **net);

#endif
