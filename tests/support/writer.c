/* writer.c - a quantised network to its .wisp bytes, part by part as models/FORMAT.md lists them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "writer.h"

#include "check.h"
#include "pack/encode.h"

enum { PREAMBLE = 24, LANES = 4, RESIDUAL = 1, MASKED = 2 };

typedef struct bytes {
  uint8_t *data;
  size_t size, capacity;
} bytes;

static void put_u8(bytes *b, int value) {
  if (b->size == b->capacity) {
    b->capacity = b->capacity ? b->capacity * 2 : 4096;
    b->data = realloc(b->data, b->capacity);
    if (!b->data) exit(1);
  }
  b->data[b->size++] = (uint8_t)value;
}

static void put_u16(bytes *b, int value) {
  put_u8(b, value & 255);
  put_u8(b, value >> 8 & 255);
}

static void put_u32(bytes *b, uint32_t value) {
  put_u16(b, (int)(value & 0xffff));
  put_u16(b, (int)(value >> 16));
}

static void put_f32(bytes *b, float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  put_u32(b, bits);
}

static void put_text(bytes *b, const char *text) {
  while (*text) put_u8(b, *text++);
}

static void set_u32(uint8_t *at, uint32_t value) {
  for (int i = 0; i < 4; i++) at[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t get_u32(const uint8_t *at) {
  return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

uint32_t net_crc(const uint8_t *data, size_t size) {
  uint32_t crc = 0xffffffff;
  for (size_t i = 0; i < size; i++) {
    crc ^= data[i];
    for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
  }
  return ~crc;
}

/* ---- parts ---- */

/* The coded payload of a layer, empty for one without weights. */
static bytes code_payload(wisp_encode *encode, const net_layer *l) {
  bytes b = {0};
  if (l->blocks == 0) return b;
  const wisp_encode_layer layer = {.channels_out = l->channels,
                                   .kernel_height = l->window[0],
                                   .kernel_width = l->window[1],
                                   .planes = l->planes,
                                   .masked = l->masked,
                                   .lanes = l->lanes,
                                   .scale = l->scale,
                                   .bias = l->bias,
                                   .blocks = l->weights};
  size_t size;
  const uint8_t *coded = wisp_encode_run(encode, &layer, &size);
  if (!coded) exit(1);
  for (size_t i = 0; i < size; i++) put_u8(&b, coded[i]);
  return b;
}

/* Blocks that the file holds: with a mask, those that are not four zeros. */
static uint32_t count_present(const net_layer *l) {
  static const int8_t zeros[LANES];
  uint32_t present = 0;
  for (int b = 0; b < l->blocks; b++)
    present += !l->masked || memcmp(l->weights + b * LANES, zeros, LANES) != 0;
  return present;
}

static void put_layer(bytes *b, const net_layer *l, const bytes *payload) {
  put_u8(b, l->operation);
  put_u8(b, l->activation);
  put_u8(b, (l->residual >= 0 ? RESIDUAL : 0) | (l->masked ? MASKED : 0));
  put_u8(b, l->input_count);
  put_u8(b, l->kernel_height);
  put_u8(b, l->kernel_width);
  put_u8(b, l->stride_y);
  put_u8(b, l->stride_x);
  put_u8(b, l->pad_top);
  put_u8(b, l->pad_left);
  put_u8(b, l->pad_bottom);
  put_u8(b, l->pad_right);
  put_f32(b, l->slope);
  put_u16(b, l->output);
  for (int k = 0; k < l->input_count; k++) put_u16(b, l->inputs[k]);
  if (l->residual >= 0) put_u16(b, l->residual);
  put_u32(b, (uint32_t)payload->size);
  put_u32(b, payload->size ? net_crc(payload->data, payload->size) : 0);
  put_u32(b, count_present(l));
}

static void put_head(bytes *b, const net_head *h) {
  put_u16(b, h->tensor);
  put_u16(b, h->stride);
  put_u8(b, h->kind);
  put_u8(b, h->anchors);
  put_u16(b, h->masks);
  for (int i = 0; i < h->anchors; i++) {
    put_f32(b, h->sizes[i][0]);
    put_f32(b, h->sizes[i][1]);
  }
}

static void put_header(bytes *b, const net *n, const bytes *payloads) {
  static const char provenance[] = "{\"source\":\"a test\"}";
  put_u16(b, n->height);
  put_u16(b, n->width);
  put_u16(b, n->stride);
  put_u8(b, n->block);
  put_u8(b, 0);
  put_u16(b, n->tensors);
  put_u16(b, n->layers);
  put_u16(b, n->heads);
  put_u16(b, n->classes);
  for (int i = 0; i < n->tensors; i++) {
    put_u16(b, n->tensor[i].channels);
    put_u8(b, n->tensor[i].zero_point);
    put_u8(b, 0);
    put_f32(b, n->tensor[i].scale);
  }
  for (int i = 0; i < n->layers; i++) put_layer(b, &n->layer[i], &payloads[i]);
  for (int i = 0; i < n->heads; i++) put_head(b, &n->head[i]);
  for (int i = 0; i < n->classes; i++) {
    char name[24];
    put_u16(b, snprintf(name, sizeof name, "class %d", i));
    put_text(b, name);
  }
  put_u32(b, sizeof provenance - 1);
  put_text(b, provenance);
}

/* ---- the file ---- */

uint8_t *net_write(const net *n, size_t *size) {
  bytes b = {0}, payloads[NET_LAYERS];
  wisp_encode *encode = wisp_encode_open();
  if (!encode) exit(1);
  for (int i = 0; i < n->layers; i++) payloads[i] = code_payload(encode, &n->layer[i]);
  wisp_encode_close(&encode);
  put_text(&b, "WISP");
  put_u32(&b, 2);
  while (b.size < PREAMBLE) put_u8(&b, 0);
  put_header(&b, n, payloads);
  set_u32(b.data + 8, (uint32_t)(b.size - PREAMBLE));
  for (int i = 0; i < n->layers; i++) {
    for (size_t k = 0; k < payloads[i].size; k++) put_u8(&b, payloads[i].data[k]);
    free(payloads[i].data);
  }
  set_u32(b.data + 16, (uint32_t)b.size);
  net_repair(b.data, b.size);
  *size = b.size;
  return b.data;
}

size_t net_header_end(const uint8_t *file) { return PREAMBLE + get_u32(file + 8); }

/* The layer records of a header; `at` is the next one. */
typedef struct walk {
  uint8_t *at, *end, *payload, *file_end;
} walk;

/* Repairs the checksum of one layer's payload; 0 if the layer or its payload reaches past the end. */
static int repair_layer(walk *w) {
  if (w->end - w->at < 18) return 0;
  uint8_t *sizes = w->at + 18 + 2 * (w->at[3] + (w->at[2] & RESIDUAL));
  if (w->end - w->at < 30 + 2 * (w->at[3] + (w->at[2] & RESIDUAL))) return 0;
  const size_t size = get_u32(sizes);
  if ((size_t)(w->file_end - w->payload) < size) return 0;
  if (size > 0) set_u32(sizes + 4, net_crc(w->payload, size));
  w->payload += size;
  w->at = sizes + 12;
  return 1;
}

void net_repair(uint8_t *file, size_t size) {
  if (size < PREAMBLE) return;
  const size_t header = get_u32(file + 8);
  if (header <= size - PREAMBLE && header >= 16) {
    walk w = {file + PREAMBLE + 16, file + PREAMBLE + header, file + PREAMBLE + header,
              file + size};
    const size_t tensors = (file[PREAMBLE + 8] | (size_t)file[PREAMBLE + 9] << 8) * 8;
    int layers = file[PREAMBLE + 10] | file[PREAMBLE + 11] << 8;
    w.at = tensors < header - 16 ? w.at + tensors : w.end;
    while (layers-- > 0 && repair_layer(&w)) continue;
    set_u32(file + 12, net_crc(file + PREAMBLE, header));
  }
  set_u32(file + 20, net_crc(file, 20));
}

/* ---- arrays ---- */

void net_make_weights(net *n, net_layer *l) {
  const size_t channels = (size_t)n->tensor[l->output].channels;
  l->planes = 0;
  const int depthwise = l->operation == 4; /* a channel reads one channel: a block of one lane */
  for (int k = 0; k < l->input_count; k++)
    l->planes += (n->tensor[l->inputs[k]].channels + LANES - 1) / LANES;
  l->lanes = check_allocate((size_t)l->planes);
  uint8_t *lanes = l->lanes;
  if (depthwise) l->planes = *lanes = 1;
  for (int k = 0; k < l->input_count && !depthwise; k++)
    for (int left = n->tensor[l->inputs[k]].channels; left > 0; left -= LANES)
      *lanes++ = (uint8_t)(left < LANES ? left : LANES);
  l->channels = (int)channels;
  l->window[0] = l->kernel_height;
  l->window[1] = l->kernel_width;
  l->blocks = l->channels * l->kernel_height * l->kernel_width * l->planes;
  l->scale = check_allocate(channels * sizeof *l->scale);
  l->bias = check_allocate(channels * sizeof *l->bias);
  l->present = check_allocate((size_t)l->blocks);
  l->weights = check_allocate((size_t)l->blocks * LANES);
  memset(l->present, 1, (size_t)l->blocks);
}

void net_free(net *n) {
  for (int i = 0; i < NET_LAYERS; i++) {
    free(n->layer[i].lanes);
    free(n->layer[i].scale);
    free(n->layer[i].bias);
    free(n->layer[i].present);
    free(n->layer[i].weights);
  }
  memset(n, 0, sizeof *n);
}
