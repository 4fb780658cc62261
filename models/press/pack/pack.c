/* pack.c - a quantised net -> the bytes of a .wisp file, as models/FORMAT.md lays them down.
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/src/section.h"
#include "core/src/text.h"
#include "corridor.h"
#include "encode.h"
#include "net.h"

enum { MASKED_FROM = 64 /* one block in that many is zero */ };

/* ---- bytes ---- */

typedef struct writer {
  uint8_t *bytes;
  size_t size, cap;
  int failed; /* no memory, some time */
} writer;

static uint8_t *append(writer *w, size_t n) {
  if (w->size + n > w->cap) {
    const size_t cap = (w->size + n) * 3 / 2 + 256;
    uint8_t *moved = w->failed ? NULL : realloc(w->bytes, cap);
    if (!moved) {
      w->failed = 1;
      return NULL;
    }
    w->bytes = moved;
    w->cap = cap;
  }
  w->size += n;
  return w->bytes + w->size - n;
}

static void put_bytes(writer *w, const void *from, size_t n) {
  uint8_t *to = append(w, n);
  if (to && n) memcpy(to, from, n);
}

static void put_u8(writer *w, int v) { put_bytes(w, &(uint8_t){(uint8_t)v}, 1); }

static void put_u16(writer *w, int v) {
  put_u8(w, v & 255);
  put_u8(w, v >> 8);
}

static void put_u32(writer *w, uint32_t v) {
  put_u16(w, (int)(v & 65535));
  put_u16(w, (int)(v >> 16));
}

static void put_f32(writer *w, float v) {
  uint32_t bits;
  memcpy(&bits, &v, sizeof bits);
  put_u32(w, bits);
}

/* ---- payload ---- */

static int8_t weight_at(const wisp_net_layer *layer, int o, int channel, int ky, int kx) {
  size_t row = (size_t)o * (size_t)layer->channels_in + (size_t)channel;
  row = row * (size_t)layer->window.kernel[0] + (size_t)ky;
  return layer->quantised.weights[row * (size_t)layer->window.kernel[1] + (size_t)kx];
}

/* Of a depthwise convolution: each weight is a block of its own. */
static int8_t *lay_weights(const wisp_net_layer *layer, size_t blocks) {
  int8_t *laid = calloc(blocks, WISP_LANES);
  for (size_t i = 0; i < blocks && laid; i++) laid[i * WISP_LANES] = layer->quantised.weights[i];
  return laid;
}

/* The blocks at one kernel position, plane by plane of each input; lanes past a tensor's channels are zero. */
static int8_t *put_planes(const wisp_net *net, const wisp_net_layer *layer, int o, int ky, int kx,
                          int8_t *to) {
  int first = 0;
  for (int i = 0; i < layer->input_count; i++) {
    const wisp_net_tensor *in = &net->tensors[layer->inputs[i]];
    for (int place = 0; place < wisp_planes(in->channels) * WISP_LANES; place++)
      *to++ = place < in->channels
                  ? weight_at(layer, o, first + wisp_net_channel_at(in, place), ky, kx)
                  : 0;
    first += in->channels;
  }
  return to;
}

/* Of all inputs side by side. What is read channel by channel counts as one plane of one lane. */
static int count_planes(const wisp_net *net, const wisp_net_layer *layer) {
  if (wisp_net_is_per_channel(layer)) return 1;
  int planes = 0;
  for (int i = 0; i < layer->input_count; i++)
    planes += wisp_planes(net->tensors[layer->inputs[i]].channels);
  return planes;
}

static size_t count_blocks(const wisp_net *net, const wisp_net_layer *layer) {
  return (size_t)layer->channels_out * (size_t)wisp_net_kernel_size(layer) *
         (size_t)count_planes(net, layer);
}

/* Every block, in the format's order: i8 [blocks][4], `malloc`ed. */
static int8_t *lay_blocks(const wisp_net *net, const wisp_net_layer *layer, size_t blocks) {
  if (wisp_net_is_per_channel(layer)) return lay_weights(layer, blocks);
  int8_t *laid = malloc(blocks * WISP_LANES), *to = laid;
  const wisp_net_tensor *out = &net->tensors[wisp_net_output(net, layer)];
  for (int place = 0; place < layer->channels_out && laid; place++)
    for (int ky = 0; ky < layer->window.kernel[0]; ky++)
      for (int kx = 0; kx < layer->window.kernel[1]; kx++)
        to = put_planes(net, layer, wisp_net_channel_at(out, place), ky, kx, to);
  return laid;
}

static int is_zero(const int8_t *block) { return !(block[0] | block[1] | block[2] | block[3]); }

/* Channels of each of the planes, `malloc`ed. */
static uint8_t *lay_lanes(const wisp_net *net, const wisp_net_layer *layer, int planes) {
  uint8_t *lanes = malloc((size_t)planes), *to = lanes;
  if (lanes && wisp_net_is_per_channel(layer)) *to = 1;
  for (int i = 0; i < layer->input_count && lanes && !wisp_net_is_per_channel(layer); i++)
    for (int left = net->tensors[layer->inputs[i]].channels; left > 0; left -= WISP_LANES)
      *to++ = (uint8_t)wisp_min(left, WISP_LANES);
  return lanes;
}

/* Scales, then biases, in the format's order, `malloc`ed. */
static float *lay_channels(const wisp_net *net, const wisp_net_layer *layer) {
  const wisp_net_tensor *out = &net->tensors[wisp_net_output(net, layer)];
  const int n = layer->channels_out;
  float *laid = malloc(2 * (size_t)n * sizeof *laid);
  for (int place = 0; place < n && laid; place++) {
    laid[place] = layer->quantised.scale[wisp_net_channel_at(out, place)];
    laid[n + place] = layer->quantised.bias[wisp_net_channel_at(out, place)];
  }
  return laid;
}

/* What the header says of a payload. */
typedef struct coded {
  int masked;
  size_t present, size; /* blocks, bytes */
  uint32_t crc;
} coded;

/* A mask is worth its bits where some blocks are zero. */
static coded put_payload(writer *w, const wisp_net *net, const wisp_net_layer *layer,
                         wisp_encode *encode) {
  coded c = {0};
  const size_t n = count_blocks(net, layer);
  size_t absent = 0;
  const int planes = count_planes(net, layer);
  int8_t *blocks = lay_blocks(net, layer, n);
  uint8_t *lanes = lay_lanes(net, layer, planes);
  float *channels = lay_channels(net, layer);
  for (size_t b = 0; b < n && blocks; b++) absent += (size_t)is_zero(blocks + b * WISP_LANES);
  c.masked = wisp_net_mixes_channels(layer) && absent * MASKED_FROM > n;
  c.present = c.masked ? n - absent : n;
  const wisp_encode_layer parts = {.channels_out = layer->channels_out,
                                   .kernel_height = layer->window.kernel[0],
                                   .kernel_width = layer->window.kernel[1],
                                   .planes = planes,
                                   .masked = c.masked,
                                   .lanes = lanes,
                                   .scale = channels,
                                   .bias = channels ? channels + layer->channels_out : NULL,
                                   .blocks = blocks};
  const uint8_t *bytes =
      blocks && lanes && channels ? wisp_encode_run(encode, &parts, &c.size) : NULL;
  if (bytes) {
    c.crc = wisp_section_crc(0, bytes, c.size);
    put_bytes(w, bytes, c.size);
  }
  w->failed |= !bytes;
  free(blocks);
  free(lanes);
  free(channels);
  return c;
}

/* ---- header ---- */

static void put_counts(writer *w, const wisp_net *net) {
  put_u16(w, net->height);
  put_u16(w, net->width);
  put_u16(w, net->stride);
  put_u8(w, net->cell);
  put_u8(w, 0);
  put_u16(w, net->layer_count + 1);
  put_u16(w, net->layer_count);
  put_u16(w, net->head_count);
  put_u16(w, net->class_count);
}

static void put_tensor(writer *w, const wisp_net_tensor *tensor) {
  put_u16(w, tensor->channels);
  put_u8(w, tensor->zero_point);
  put_u8(w, 0);
  put_f32(w, tensor->scale);
}

static void put_layer(writer *w, const wisp_net_layer *layer, int number, const coded *payload) {
  const wisp_window *window = &layer->window;
  const int flags =
      (layer->residual >= 0 ? WISP_LAYER_RESIDUAL : 0) | (payload->masked ? WISP_LAYER_MASKED : 0);
  put_u8(w, layer->operation);
  put_u8(w, layer->activation);
  put_u8(w, flags);
  put_u8(w, layer->input_count);
  for (int axis = 0; axis < 2; axis++) put_u8(w, window->kernel[axis]);
  for (int axis = 0; axis < 2; axis++) put_u8(w, window->stride[axis]);
  for (int side = 0; side < 4; side++) put_u8(w, window->pad[side]);
  put_f32(w, layer->slope);
  put_u16(w, number + 1);
  for (int i = 0; i < layer->input_count; i++) put_u16(w, layer->inputs[i]);
  if (layer->residual >= 0) put_u16(w, layer->residual);
  put_u32(w, (uint32_t)payload->size);
  put_u32(w, payload->crc);
  put_u32(w, (uint32_t)payload->present);
}

static void put_head(writer *w, const wisp_yolo_head *head) {
  put_u16(w, head->tensor);
  put_u16(w, head->stride);
  put_u8(w, head->kind);
  put_u8(w, head->anchor_count);
  put_u16(w, head->masks);
  for (int i = 0; i < 2 * head->anchor_count; i++) put_f32(w, head->anchors[i]);
}

/* The layers' headers, while their payloads gather in `payloads`. */
static void put_layers(writer *w, const wisp_net *net, writer *payloads) {
  wisp_encode *encode = wisp_encode_open();
  payloads->failed |= !encode;
  for (int i = 0; i < net->layer_count && encode; i++) {
    const wisp_net_layer *layer = &net->layers[i];
    coded payload = {0};
    if (wisp_net_has_weights(layer)) payload = put_payload(payloads, net, layer, encode);
    put_layer(w, layer, i, &payload);
  }
  wisp_encode_close(&encode);
}

static void put_header(writer *w, const wisp_net *net, const char *provenance, writer *payloads) {
  put_counts(w, net);
  for (int t = 0; t <= net->layer_count; t++) put_tensor(w, &net->tensors[t]);
  put_layers(w, net, payloads);
  for (int i = 0; i < net->head_count; i++) put_head(w, &net->heads[i]);
  for (int i = 0; i < net->class_count; i++) {
    put_u16(w, (int)strlen(net->classes[i]));
    put_bytes(w, net->classes[i], strlen(net->classes[i]));
  }
  put_u32(w, (uint32_t)strlen(provenance));
  put_bytes(w, provenance, strlen(provenance));
}

static void put_preamble(writer *w, const writer *header, const writer *payloads) {
  put_bytes(w, "WISP", 4);
  put_u32(w, WISP_FORMAT_VERSION);
  put_u32(w, (uint32_t)header->size);
  put_u32(w, wisp_section_crc(0, header->bytes, header->size));
  put_u32(w, (uint32_t)(WISP_PREAMBLE + header->size + payloads->size));
  if (!w->failed) put_u32(w, wisp_section_crc(0, w->bytes, w->size));
}

/* ---- file ---- */

static wisp_status check(const wisp_net *net, const char *provenance, wisp_error *error) {
  if (!wisp_net_is_quantised(net))
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "The network has no integers yet; quantise it before packing.");
  const size_t length = provenance ? strlen(provenance) : 0;
  if (!wisp_is_object((const uint8_t *)provenance, length))
    return wisp_fail(error, WISP_ERR_ARGUMENT, "The provenance of %zu bytes is no JSON object.",
                     length);
  int reads = 0;
  for (int i = 0; i < net->layer_count; i++) {
    const wisp_net_layer *layer = &net->layers[i];
    reads += layer->input_count;
    if (wisp_net_has_weights(layer) && count_blocks(net, layer) > WISP_MAX_BLOCKS)
      return wisp_fail(error, WISP_ERR_LIMIT, "Node %d has %zu blocks of weights; up to %d fit.",
                       layer->node, count_blocks(net, layer), WISP_MAX_BLOCKS);
  }
  if (reads > WISP_MAX_READS)
    return wisp_fail(error, WISP_ERR_LIMIT, "The layers read %d tensors; up to %d are possible.",
                     reads, WISP_MAX_READS);
  return WISP_OK;
}

static wisp_status join(writer *file, const writer *header, const writer *payloads,
                        wisp_error *error) {
  const double whole = (double)header->size + (double)payloads->size + WISP_PREAMBLE;
  if (header->size > WISP_MAX_HEADER || whole > WISP_MAX_FILE)
    return wisp_fail(error, WISP_ERR_LIMIT,
                     "A file of %.0f bytes, %zu of them header, is over the format's limits.",
                     whole, header->size);
  if (!header->failed && !payloads->failed) {
    put_preamble(file, header, payloads);
    put_bytes(file, header->bytes, header->size);
    put_bytes(file, payloads->bytes, payloads->size);
  }
  if (header->failed || payloads->failed || file->failed)
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for the bytes of the file.");
  return WISP_OK;
}

wisp_status wisp_pack(const wisp_net *net, const char *provenance, uint8_t **bytes, size_t *size,
                      wisp_error *error) {
  *bytes = NULL;
  *size = 0;
  wisp_status status = check(net, provenance, error);
  if (status != WISP_OK) return status;
  writer file = {0}, header = {0}, payloads = {0};
  put_header(&header, net, provenance, &payloads);
  status = join(&file, &header, &payloads, error);
  free(header.bytes);
  free(payloads.bytes);
  if (status != WISP_OK) {
    free(file.bytes);
    return status;
  }
  *bytes = file.bytes;
  *size = file.size;
  return WISP_OK;
}
