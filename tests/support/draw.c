/* draw.c - random small networks of every shape the FORMAT allows.
 * SPDX-License-Identifier: Apache-2.0 */
#include "draw.h"

#include <math.h>

#include "base.h"
#include "check.h"
#include "head.h"
#include "operation.h"
#include "pack/encode.h"

enum {
  LARGEST = 64,        /* side of a drawn tensor */
  MOST_MACS = 3000000, /* of a drawn layer */
  MOST_LAYERS = 8      /* of an operation with those around it, and the heads */
};

static const int channel_counts[] = {1, 2, 3, 4, 5, 6, 8, 12, 16, 25};
static const int kernels[] = {1, 1, 1, 2, 3, 3, 3, 5, 6, 7};

#define DRAW_FROM(list) ((list)[random_int(0, (int)(sizeof(list) / sizeof *(list)) - 1)])

/* ---- tensors ---- */

static int add_tensor(net *n, int channels, int height, int width) {
  const int activations[] = {0, 0, 10, 128, 255};
  net_tensor *t = &n->tensor[n->tensors];
  t->channels = channels;
  t->height = height;
  t->width = width;
  t->zero_point = random_chance(0.5) ? random_int(0, 255) : DRAW_FROM(activations);
  t->scale = (float)(random_real(0.5, 16) / 255);
  return n->tensors++;
}

static int add_tensor_like(net *n, int like, int height, int width) {
  const int t = add_tensor(n, n->tensor[like].channels, height, width);
  n->tensor[t].zero_point = n->tensor[like].zero_point;
  n->tensor[t].scale = n->tensor[like].scale;
  return t;
}

/* ---- weights ---- */

static int lanes_of(int channels, int plane) {
  return wisp_min(channels - plane * WISP_LANES, WISP_LANES);
}

/* Writes the weights of every block of one output channel from `block` on; returns the next channel's first block. */
static int draw_channel(const net *n, net_layer *l, int block, double density, int largest) {
  const int taps = l->kernel_height * l->kernel_width;
  for (int tap = 0; tap < taps && l->operation == WISP_OP_DEPTHWISE; tap++)
    l->weights[block++ * 4] = (int8_t)random_int(-wisp_min(largest + 1, 64), wisp_max(largest, 0));
  if (l->operation == WISP_OP_DEPTHWISE) return block;
  for (int tap = 0; tap < l->kernel_height * l->kernel_width; tap++)
    for (int k = 0; k < l->input_count; k++) {
      const int channels = n->tensor[l->inputs[k]].channels;
      for (int plane = 0; plane < wisp_planes(channels); plane++, block++) {
        l->present[block] = !l->masked || random_chance(density);
        for (int lane = 0; lane < lanes_of(channels, plane) && l->present[block]; lane++)
          l->weights[block * 4 + lane] =
              (int8_t)(largest < 0 ? DRAW_FROM(((int[]){-64, 63}))
                                   : random_int(-wisp_min(largest + 1, 64), largest));
      }
    }
  return block;
}

/* Sums come out with a deviation of about a third of what the output can hold, or now and then far too large. */
static void draw_weights(net *n, net_layer *l, double reach) {
  static const double densities[] = {0, 0.1, 0.5, 0.9};
  net_make_weights(n, l);
  l->masked = l->operation == WISP_OP_CONV && random_chance(0.6);
  const double density = l->masked ? DRAW_FROM(densities) : 1;
  const int largest = random_chance(0.15) ? -1 : DRAW_FROM(((int[]){0, 1, 7, 63, 63, 63}));
  const int channels = n->tensor[l->output].channels;
  for (int c = 0, block = 0; c < channels; c++) block = draw_channel(n, l, block, density, largest);
  const double terms = fmax(1, l->blocks / (double)channels * WISP_LANES * density);
  const double deviation = (largest < 0 ? 64 : largest / 1.7 + 0.6) * 120 * sqrt(terms);
  const double gain = random_chance(0.1) ? 3 : random_real(0.1, 0.5);
  for (int c = 0; c < channels; c++) {
    l->scale[c] = wisp_encode_scale((float)(gain * reach / deviation * random_real(0.5, 1.5)));
    l->bias[c] = wisp_encode_bias((float)(reach * random_real(-0.3, 0.3)));
  }
}

/* ---- layers ---- */

static net_layer *add_layer(net *n, int operation, int input) {
  net_layer *l = &n->layer[n->layers++];
  *l = (net_layer){.operation = operation, .input_count = 1, .residual = -1};
  l->inputs[0] = input;
  l->kernel_height = l->kernel_width = l->stride_y = l->stride_x = 1;
  return l;
}

static int out_side(int side, int before, int after, int kernel, int stride) {
  return (side + before + after - kernel) / stride + 1;
}

/* Draws a window that fits a tensor of the given size. */
static void draw_window(net_layer *l, int height, int width) {
  const int strides[] = {1, 1, 1, 2, 2, 3};
  l->stride_y = DRAW_FROM(strides);
  l->stride_x = random_chance(0.7) ? l->stride_y : DRAW_FROM(strides);
  do {
    l->kernel_height = DRAW_FROM(kernels);
    l->kernel_width = random_chance(0.7) ? l->kernel_height : DRAW_FROM(kernels);
    const int usual = random_chance(0.6);
    l->pad_top = usual ? l->kernel_height / 2 : random_int(0, l->kernel_height - 1);
    l->pad_left = usual ? l->kernel_width / 2 : random_int(0, l->kernel_width - 1);
    l->pad_bottom = usual ? (l->kernel_height - 1) / 2 : random_int(0, l->kernel_height - 1);
    l->pad_right = usual ? (l->kernel_width - 1) / 2 : random_int(0, l->kernel_width - 1);
  } while (height + l->pad_top + l->pad_bottom < l->kernel_height ||
           width + l->pad_left + l->pad_right < l->kernel_width);
}

static int draw_input(const net *n) {
  if (random_chance(0.6)) return n->tensors - 1;
  return random_int(0, n->tensors - 1);
}

/* Adds tensors of the same size as the first input, perhaps one of them twice. */
static void draw_operands(const net *n, net_layer *l) {
  const net_tensor *first = &n->tensor[l->inputs[0]];
  for (int t = 0; t < n->tensors && l->input_count < NET_INPUTS; t++) {
    const int fits = n->tensor[t].height == first->height && n->tensor[t].width == first->width;
    if (fits && random_chance(0.3)) l->inputs[l->input_count++] = t;
  }
}

/* A tensor that the layer's output, of the given size, can be added to; -1 if there is none. */
static int draw_residual(const net *n, int height, int width) {
  const int start = random_int(0, n->tensors - 1);
  for (int i = 0; i < n->tensors; i++) {
    const int t = (start + i) % n->tensors;
    if (n->tensor[t].height == height && n->tensor[t].width == width) return t;
  }
  return -1;
}

static void fit_macs(const net *n, net_layer *l, int *channels, int height, int width) {
  double planes = 0;
  for (int k = 0; k < l->input_count; k++) planes += wisp_planes(n->tensor[l->inputs[k]].channels);
  const double each = planes * 4 * l->kernel_height * l->kernel_width * height * width;
  *channels = wisp_max(1, wisp_min(*channels, (int)(MOST_MACS / each)));
}

static void draw_conv(net *n, int input, int operation) {
  const int depthwise = operation == WISP_OP_DEPTHWISE;
  net_layer *l = add_layer(n, operation, input);
  if (!depthwise && random_chance(0.4)) draw_operands(n, l);
  draw_window(l, n->tensor[input].height, n->tensor[input].width);
  const int height =
      out_side(n->tensor[input].height, l->pad_top, l->pad_bottom, l->kernel_height, l->stride_y);
  const int width =
      out_side(n->tensor[input].width, l->pad_left, l->pad_right, l->kernel_width, l->stride_x);
  const int from = n->tensor[input].channels;
  int channels = DRAW_FROM(channel_counts);
  if (depthwise) channels = random_chance(0.7) ? from : random_int(1, from);
  l->activation = random_int(0, WISP_ACT_COUNT - 1);
  if (l->activation == WISP_ACT_LEAKY) l->slope = (float)random_real(0, 0.99);
  if (random_chance(0.4)) l->residual = draw_residual(n, height, width);
  if (l->residual >= 0 && wisp_activation_row_of(l->activation).is_share)
    l->activation = WISP_ACT_SILU;
  if (depthwise && l->residual >= 0 && n->tensor[l->residual].channels > from) l->residual = -1;
  if (l->residual >= 0) channels = n->tensor[l->residual].channels;
  else if (!depthwise) fit_macs(n, l, &channels, height, width);
  l->output = add_tensor(n, channels, height, width);
  net_tensor *out = &n->tensor[l->output];
  const int is_share = wisp_activation_row_of(l->activation).is_share;
  if (is_share) out->scale = (float)(random_real(1, 1.1) / 255);
  draw_weights(n, l, is_share ? 8 : 255 * (double)out->scale);
}

static int draw_maxpool(net *n, int input, int same) {
  net_layer *l = add_layer(n, WISP_OP_MAXPOOL, input);
  if (same) {
    l->kernel_height = l->kernel_width = 5;
    l->pad_top = l->pad_left = l->pad_bottom = l->pad_right = 2;
  } else {
    draw_window(l, n->tensor[input].height, n->tensor[input].width);
  }
  const int height =
      out_side(n->tensor[input].height, l->pad_top, l->pad_bottom, l->kernel_height, l->stride_y);
  const int width =
      out_side(n->tensor[input].width, l->pad_left, l->pad_right, l->kernel_width, l->stride_x);
  l->output = add_tensor_like(n, input, height, width);
  return l->output;
}

static net_layer *draw_upsample(net *n, int input) {
  const int height = n->tensor[input].height, width = n->tensor[input].width;
  net_layer *l = add_layer(n, WISP_OP_UPSAMPLE, input);
  l->stride_y = random_int(1, wisp_clamp(LARGEST / height, 1, 4));
  l->stride_x = random_int(1, wisp_clamp(LARGEST / width, 1, 4));
  l->output = add_tensor_like(n, input, height * l->stride_y, width * l->stride_x);
  return l;
}

/* Pixels of a tensor and of what a pool makes of it take turns. */
static void draw_turns(net *n, int input) {
  const int pool = draw_maxpool(n, input, 1);
  net_layer *l = draw_upsample(n, input);
  for (int k = 1; k < l->stride_y * l->stride_x; k++)
    l->inputs[l->input_count++] = random_chance(0.5) ? pool : input;
}

static int add_conv(net *n, int input, int channels, int kernel, int stride, int activation) {
  net_layer *l = add_layer(n, WISP_OP_CONV, input);
  l->kernel_height = l->kernel_width = kernel;
  l->stride_y = l->stride_x = stride;
  l->pad_top = l->pad_left = l->pad_bottom = l->pad_right = kernel / 2;
  l->activation = activation;
  const int height = out_side(n->tensor[input].height, kernel / 2, kernel / 2, kernel, stride);
  const int width = out_side(n->tensor[input].width, kernel / 2, kernel / 2, kernel, stride);
  l->output = add_tensor(n, channels, height, width);
  const int is_share = wisp_activation_row_of(l->activation).is_share;
  if (is_share) n->tensor[l->output].scale = (float)(random_real(1, 1.1) / 255);
  draw_weights(n, l, is_share ? 8 : 255 * (double)n->tensor[l->output].scale);
  return l->output;
}

static int draw_average(net *n, int input) {
  net_layer *l = add_layer(n, WISP_OP_AVERAGE, input);
  l->output = add_tensor(n, n->tensor[input].channels, 1, 1);
  return l->output;
}

/* The channels of `input` times the numbers of `by`. The output holds at least a tenth of what could come of it. */
static void draw_scale(net *n, int input, int by) {
  net_layer *l = add_layer(n, WISP_OP_SCALE, input);
  l->inputs[l->input_count++] = by;
  l->output =
      add_tensor(n, n->tensor[input].channels, n->tensor[input].height, n->tensor[input].width);
  const double unit = (double)n->tensor[input].scale * (double)n->tensor[by].scale;
  n->tensor[l->output].scale = (float)(unit * random_real(25, 255));
}

/* Squeeze-and-excitation, with two convolutions or one between the mean and the product, or none. */
static void draw_squeeze(net *n, int input) {
  const int channels = n->tensor[input].channels;
  int by = draw_average(n, input);
  if (random_chance(0.5)) by = add_conv(n, by, DRAW_FROM(channel_counts), 1, 1, WISP_ACT_RELU);
  if (n->tensor[by].channels != channels || random_chance(0.7))
    by = add_conv(n, by, channels, 1, 1, random_chance(0.5) ? WISP_ACT_HARDSIGMOID : WISP_ACT_SILU);
  draw_scale(n, input, by);
}

/* Three max-pools in a row and a convolution over all four tensors. */
static void draw_sppf(net *n, int input) {
  int all[4] = {input};
  for (int i = 1; i < 4; i++) all[i] = draw_maxpool(n, all[i - 1], 1);
  net_layer *l = add_layer(n, WISP_OP_CONV, input);
  l->input_count = 4;
  memcpy(l->inputs, all, sizeof all);
  l->activation = WISP_ACT_SILU;
  l->output =
      add_tensor(n, DRAW_FROM(channel_counts), n->tensor[input].height, n->tensor[input].width);
  draw_weights(n, l, 255 * (double)n->tensor[l->output].scale);
}

/* With coefficients of as many masks. */
static void draw_head(net *n, int input, wisp_head_kind kind, int masks) {
  net_layer *l = add_layer(n, WISP_OP_CONV, input);
  l->kernel_height = l->kernel_width = random_chance(0.7) ? 1 : 3;
  l->pad_top = l->pad_bottom = l->pad_left = l->pad_right = l->kernel_height / 2;
  net_head *h = &n->head[n->heads];
  h->kind = kind;
  h->anchors = random_int(1, NET_ANCHORS);
  h->stride = random_int(1, 32);
  h->masks = masks;
  for (int i = 0; i < h->anchors; i++)
    for (int k = 0; k < 2; k++) h->sizes[i][k] = (float)random_real(4, 60);
  h->tensor = l->output = add_tensor(n, wisp_head_channels(kind, h->anchors, n->classes, masks),
                                     n->tensor[input].height, n->tensor[input].width);
  n->tensor[l->output].scale = 1;
  n->tensor[l->output].zero_point = 0;
  n->heads++;
  draw_weights(n, l, 8);
}

/* A tensor of bytes that masks are made of, which other layers may read too. */
static void draw_prototypes(net *n, int tensor) {
  n->head[n->heads++] = (net_head){.kind = WISP_HEAD_PROTOTYPES,
                                   .tensor = tensor,
                                   .stride = 1,
                                   .masks = n->tensor[tensor].channels};
}

/* ---- networks ---- */

static void draw_start(net *n, int height, int width, int stride, int block, int classes) {
  memset(n, 0, sizeof *n);
  n->height = height;
  n->width = width;
  n->stride = stride;
  n->block = block;
  n->classes = classes;
  n->tensors = 1;
  n->tensor[0] = (net_tensor){3 * block * block, 0, 1.0f / 255, height / block, width / block};
}

/* A layer that reads `input`. */
static void draw_layer(net *n, int input, wisp_operation operation) {
  const int pixels = n->tensor[input].height * n->tensor[input].width;
  switch (operation) {
    case WISP_OP_CONV:
    case WISP_OP_DEPTHWISE: draw_conv(n, input, operation); break;
    case WISP_OP_MAXPOOL:
      if (random_chance(0.5) && pixels <= 256) draw_sppf(n, input);
      else draw_maxpool(n, input, 0);
      break;
    case WISP_OP_UPSAMPLE:
      if (random_chance(0.5) && pixels <= 256) draw_turns(n, input);
      else draw_upsample(n, input);
      break;
    case WISP_OP_AVERAGE: draw_average(n, input); break;
    case WISP_OP_SCALE: draw_squeeze(n, input); break;
  }
}

/* Half of the layers are convolutions, the others of any operation that there is. */
static wisp_operation draw_operation(void) {
  wisp_operation operation = WISP_OP_CONV;
  if (random_chance(0.5)) do
      operation = (wisp_operation)random_int(1, 255);
    while (!wisp_operation_row_of(operation).name);
  return operation;
}

void draw_net(net *n) {
  const int stride = DRAW_FROM(((int[]){8, 16, 32, 32})), block = random_int(1, 2);
  draw_start(n, stride * random_int(1, 64 / stride), stride * random_int(1, 64 / stride), stride,
             block, random_int(1, 6));
  draw_conv(n, 0, WISP_OP_CONV);
  for (int left = random_int(1, 12); left > 0 && n->layers + MOST_LAYERS < NET_LAYERS; left--)
    draw_layer(n, draw_input(n), draw_operation());
  const int body = n->tensors, prototypes = random_int(body / 2, body - 1),
            channels = n->tensor[prototypes].channels;
  const int masks = random_chance(0.4) && channels <= WISP_MAX_MASKS ? channels : 0;
  for (int left = random_int(1, 3); left > 0; left--)
    draw_head(n, random_int(body / 2, body - 1),
              random_chance(0.3) ? WISP_HEAD_YOLOV8 : WISP_HEAD_YOLOV5, masks);
  if (masks > 0) draw_prototypes(n, prototypes);
}

void draw_small_net(net *n) {
  random_start(7);
  draw_start(n, 32, 32, 32, 2, 2);
  const int stem = add_conv(n, 0, 6, 3, 1, WISP_ACT_SILU),
            down = add_conv(n, stem, 8, 3, 2, WISP_ACT_SILU);
  const int pooled = draw_maxpool(n, down, 1);
  const int deep = add_conv(n, pooled, 8, 3, 2, WISP_ACT_LEAKY);
  n->layer[n->layers - 1].slope = 0.1f;
  draw_upsample(n, deep);
  net_layer *up = &n->layer[n->layers - 1];
  up->stride_y = up->stride_x = 2;
  n->tensor[up->output].height = n->tensor[up->output].width = 8;
  net_layer *joined = add_layer(n, WISP_OP_CONV, up->output);
  joined->inputs[joined->input_count++] = down;
  joined->output = add_tensor(n, 8, 8, 8);
  joined->residual = down;
  draw_weights(n, joined, 4);
  draw_head(n, joined->output, WISP_HEAD_YOLOV5, 0);
}

/* ---- pictures ---- */

uint8_t *draw_picture(int width, int height) {
  uint8_t *rgba = check_allocate((size_t)width * (size_t)height * 4);
  const int kind = random_int(0, 3), phase = random_int(0, 255);
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++)
      for (int c = 0; c < 4; c++) {
        const int smooth = (x * (3 + c) + y * 2 + phase * c) & 255;
        rgba[((size_t)y * (size_t)width + (size_t)x) * 4 + (size_t)c] =
            (uint8_t)(kind == 0   ? phase
                      : kind == 1 ? smooth
                                  : (int)(random_bits() & 255));
      }
  return rgba;
}
