/* header.c - the header of a .wisp file: bytes to a graph that is known to be sound.
 * SPDX-License-Identifier: Apache-2.0 */
#include "header.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cursor.h"
#include "error.h"
#include "heads.h"
#include "operation.h"
#include "payload.h"
#include "text.h"

/* A string of its own, or NULL without memory. */
static char *string_of(const uint8_t *text, size_t size) {
  char *string = malloc(size + 1);
  if (!string) return NULL;
  memcpy(string, text, size);
  string[size] = 0;
  return string;
}

static wisp_status no_memory(wisp_error *error) {
  return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for the model's header.");
}

/* ---- parts ---- */

static wisp_status read_input(wisp_model *m, wisp_cursor *c, wisp_error *error) {
  m->input_height = wisp_cursor_u16(c);
  m->input_width = wisp_cursor_u16(c);
  m->stride = wisp_cursor_u16(c);
  m->block = wisp_cursor_u8(c);
  wisp_cursor_zeros(c, 1);
  if (m->block != 1 && m->block != 2)
    return wisp_fail(error, WISP_ERR_FORMAT,
                     "The model's input has blocks of %d pixels; 1 or 2 are known.", m->block);
  if (m->stride == 0 || m->stride % m->block)
    return wisp_fail(error, WISP_ERR_FORMAT,
                     "The model's stride %d is no multiple of its block %d.", m->stride, m->block);
  if (m->input_height == 0 || m->input_width == 0 || m->input_height % m->stride ||
      m->input_width % m->stride)
    return wisp_fail(error, WISP_ERR_FORMAT,
                     "The model's input %dx%d is no multiple of its stride %d.", m->input_height,
                     m->input_width, m->stride);
  return WISP_OK;
}

static wisp_status read_counts(wisp_model *m, wisp_cursor *c, wisp_error *error) {
  const int tensors = wisp_cursor_u16(c), layers = wisp_cursor_u16(c), heads = wisp_cursor_u16(c),
            classes = wisp_cursor_u16(c);
  if (tensors < 2 || layers < 1 || heads < 1 || classes < 1)
    return wisp_fail(
        error, WISP_ERR_FORMAT,
        "The model has %d tensors, %d layers, %d heads and %d classes; each is needed.", tensors,
        layers, heads, classes);
  if (tensors > WISP_MAX_TENSORS || layers > WISP_MAX_LAYERS || heads > WISP_MAX_HEADS ||
      classes > WISP_MAX_CLASSES)
    return wisp_fail(error, WISP_ERR_LIMIT,
                     "The model has %d tensors, %d layers, %d heads and %d classes; too many.",
                     tensors, layers, heads, classes);
  m->tensor = calloc((size_t)tensors, sizeof *m->tensor);
  m->layer = calloc((size_t)layers, sizeof *m->layer);
  m->head = calloc((size_t)heads, sizeof *m->head);
  m->class_name = calloc((size_t)classes, sizeof *m->class_name);
  if (!m->tensor || !m->layer || !m->head || !m->class_name) return no_memory(error);
  m->tensors = tensors;
  m->layers = layers;
  m->heads = heads;
  m->classes = classes;
  return WISP_OK;
}

static wisp_status read_tensor(wisp_model *m, wisp_cursor *c, int i, wisp_error *error) {
  wisp_tensor *t = &m->tensor[i];
  t->channels = wisp_cursor_u16(c);
  t->zero_point = wisp_cursor_u8(c);
  wisp_cursor_zeros(c, 1);
  t->scale = wisp_cursor_f32(c);
  t->head = -1;
  if (t->channels < 1 || t->channels > WISP_MAX_CHANNELS)
    return wisp_fail(error, WISP_ERR_LIMIT, "Tensor %d has %d channels; 1 to %d are possible.", i,
                     t->channels, WISP_MAX_CHANNELS);
  if (!(t->scale > 0) || !isfinite(t->scale))
    return wisp_fail(error, WISP_ERR_FORMAT, "Tensor %d has the scale %g; it must be positive.", i,
                     (double)t->scale);
  return WISP_OK;
}

static wisp_status check_window(const wisp_layer *l, int i, wisp_error *error) {
  const int kernel_ok = l->kernel_height >= 1 && l->kernel_height <= WISP_MAX_KERNEL &&
                        l->kernel_width >= 1 && l->kernel_width <= WISP_MAX_KERNEL;
  const int stride_ok = l->stride_y >= 1 && l->stride_y <= WISP_MAX_STRIDE && l->stride_x >= 1 &&
                        l->stride_x <= WISP_MAX_STRIDE;
  if (!kernel_ok || !stride_ok)
    return wisp_fail(
        error, WISP_ERR_LIMIT,
        "Layer %d has a %dx%d kernel with stride %dx%d; at most %d and %d are possible.", i,
        l->kernel_height, l->kernel_width, l->stride_y, l->stride_x, WISP_MAX_KERNEL,
        WISP_MAX_STRIDE);
  if (l->pad_top >= l->kernel_height || l->pad_bottom >= l->kernel_height ||
      l->pad_left >= l->kernel_width || l->pad_right >= l->kernel_width)
    return wisp_fail(error, WISP_ERR_FORMAT, "Layer %d has a padding as wide as its %dx%d kernel.",
                     i, l->kernel_height, l->kernel_width);
  return WISP_OK;
}

static wisp_status read_layer(wisp_model *m, wisp_cursor *c, int i, wisp_error *error) {
  wisp_layer *l = &m->layer[i];
  l->operation = (wisp_operation)wisp_cursor_u8(c);
  l->activation = (wisp_activation)wisp_cursor_u8(c);
  l->flags = wisp_cursor_u8(c);
  l->input_count = wisp_cursor_u8(c);
  l->kernel_height = wisp_cursor_u8(c);
  l->kernel_width = wisp_cursor_u8(c);
  l->stride_y = wisp_cursor_u8(c);
  l->stride_x = wisp_cursor_u8(c);
  l->pad_top = wisp_cursor_u8(c);
  l->pad_left = wisp_cursor_u8(c);
  l->pad_bottom = wisp_cursor_u8(c);
  l->pad_right = wisp_cursor_u8(c);
  l->slope = wisp_cursor_f32(c);
  l->output = wisp_cursor_u16(c);
  l->residual = -1;
  if (!wisp_operation_row_of(l->operation).name)
    return wisp_fail(error, WISP_ERR_UNSUPPORTED,
                     "Layer %d is operation %d, which this version does not know; update wisp.", i,
                     l->operation);
  if (!wisp_activation_row_of(l->activation).name ||
      l->flags & ~(WISP_LAYER_RESIDUAL | WISP_LAYER_MASKED))
    return wisp_fail(error, WISP_ERR_UNSUPPORTED,
                     "Layer %d has activation %d and flags %d, not known here; update wisp.", i,
                     l->activation, l->flags);
  if (l->input_count < 1) return wisp_fail(error, WISP_ERR_FORMAT, "Layer %d reads no tensor.", i);
  if (!(l->slope >= 0 && l->slope < 1) || (l->slope > 0 && l->activation != WISP_ACT_LEAKY))
    return wisp_fail(
        error, WISP_ERR_FORMAT,
        "Layer %d has activation %d with the slope %g; only leaky ReLU has one, below 1.", i,
        l->activation, (double)l->slope);
  l->inputs = calloc((size_t)l->input_count, sizeof *l->inputs);
  if (!l->inputs) return no_memory(error);
  for (int k = 0; k < l->input_count; k++) l->inputs[k] = (uint16_t)wisp_cursor_u16(c);
  if (l->flags & WISP_LAYER_RESIDUAL) l->residual = wisp_cursor_u16(c);
  l->payload_size = wisp_cursor_u32(c);
  l->payload_crc = wisp_cursor_u32(c);
  const uint32_t present = wisp_cursor_u32(c);
  l->present = present <= INT32_MAX ? (int)present : INT32_MAX;
  return check_window(l, i, error);
}

/* Planning takes time by the square of them. */
static wisp_status check_reads(const wisp_model *m, wisp_error *error) {
  int reads = 0;
  for (int i = 0; i < m->layers; i++) reads += m->layer[i].input_count;
  if (reads <= WISP_MAX_READS) return WISP_OK;
  return wisp_fail(error, WISP_ERR_LIMIT, "The layers read %d tensors; up to %d are possible.",
                   reads, WISP_MAX_READS);
}

static wisp_status read_texts(wisp_model *m, wisp_cursor *c, wisp_error *error) {
  for (int i = 0; i < m->classes; i++) {
    const size_t size = (size_t)wisp_cursor_u16(c);
    const uint8_t *name = wisp_cursor_take(c, size);
    if (c->overrun) return WISP_OK; /* it is told later */
    if (!wisp_is_text(name, size))
      return wisp_fail(error, WISP_ERR_FORMAT, "The name of class %d is no UTF-8.", i);
    m->class_name[i] = string_of(name, size);
    if (!m->class_name[i]) return no_memory(error);
  }
  const size_t size = wisp_cursor_u32(c);
  const uint8_t *provenance = wisp_cursor_take(c, size);
  if (c->overrun) return WISP_OK;
  if (!wisp_is_object(provenance, size))
    return wisp_fail(error, WISP_ERR_FORMAT,
                     "The model's provenance of %zu bytes is no JSON object.", size);
  m->provenance = string_of(provenance, size);
  return m->provenance ? WISP_OK : no_memory(error);
}

/* ---- the graph ---- */

static wisp_status check_weights(const wisp_model *m, int i, wisp_error *error) {
  const wisp_layer *l = &m->layer[i];
  if (m->tensor[l->output].head >= 0 && (l->activation != WISP_ACT_NONE || l->residual >= 0))
    return wisp_fail(error, WISP_ERR_FORMAT,
                     "Layer %d makes a head; it can't have an activation or a residual.", i);
  const wisp_activation_row activation = wisp_activation_row_of(l->activation);
  if (l->residual >= 0 && activation.is_share)
    return wisp_fail(error, WISP_ERR_FORMAT, "Layer %d adds a residual to a %s.", i,
                     activation.name);
  if (l->residual >= 0 && m->tensor[l->residual].channels != m->tensor[l->output].channels)
    return wisp_fail(error, WISP_ERR_FORMAT,
                     "Layer %d adds tensor %d to tensor %d; their channels differ.", i, l->residual,
                     l->output);
  if (l->payload_size > m->size || !wisp_payload_fits(m, i))
    return wisp_fail(error, WISP_ERR_FORMAT,
                     "Layer %d has %zu bytes for %d weight blocks, which can't be at its shape.", i,
                     l->payload_size, l->present);
  return WISP_OK;
}

static wisp_status check_no_weights(const wisp_layer *l, int i, wisp_error *error) {
  if (!l->flags && l->activation == WISP_ACT_NONE && l->payload_size == 0 && l->payload_crc == 0 &&
      l->present == 0)
    return WISP_OK;
  return wisp_fail(error, WISP_ERR_FORMAT,
                   "Layer %d is a %s; it can't have weights, a residual or an activation.", i,
                   wisp_operation_row_of(l->operation).name);
}

/* Of an operation without a window. */
static wisp_status check_windowless(const wisp_layer *l, int i, wisp_error *error) {
  const wisp_operation_row row = wisp_operation_row_of(l->operation);
  if (row.sizing == WISP_SIZED_BY_WINDOW) return WISP_OK;
  if (l->kernel_height != 1 || l->kernel_width != 1)
    return wisp_fail(error, WISP_ERR_FORMAT,
                     "Layer %d is a %s with a %dx%d kernel; only 1x1 is possible.", i, row.name,
                     l->kernel_height, l->kernel_width);
  if (row.sizing != WISP_SIZED_BY_FACTOR && (l->stride_y != 1 || l->stride_x != 1))
    return wisp_fail(error, WISP_ERR_FORMAT,
                     "Layer %d is a %s with a stride of %dx%d; only 1x1 is possible.", i, row.name,
                     l->stride_y, l->stride_x);
  return WISP_OK;
}

/* What the operation reads and writes, by its row. */
static wisp_status check_layer(const wisp_model *m, int i, wisp_error *error) {
  const wisp_layer *l = &m->layer[i];
  const wisp_operation_row row = wisp_operation_row_of(l->operation);
  const wisp_tensor *in = &m->tensor[l->inputs[0]], *out = &m->tensor[l->output];
  if (!wisp_operation_takes(&row, l->input_count, l->stride_y, l->stride_x))
    return wisp_fail(error, WISP_ERR_FORMAT,
                     "Layer %d is a %s that reads %d tensors, which it can't.", i, row.name,
                     l->input_count);
  const wisp_status status = check_windowless(l, i, error);
  if (status != WISP_OK) return status;
  if (!row.mixes &&
      (l->flags & WISP_LAYER_MASKED || out->head >= 0 || out->channels > in->channels))
    return wisp_fail(error, WISP_ERR_FORMAT,
                     "Layer %d is a %s of %d channels to %d; it can't have more than it reads, a "
                     "mask, or make a head.",
                     i, row.name, in->channels, out->channels);
  for (int k = 0; k < l->input_count && !row.weighs; k++) {
    const wisp_tensor *read = &m->tensor[l->inputs[k]];
    if (read->channels != out->channels)
      return wisp_fail(error, WISP_ERR_FORMAT,
                       "Layer %d is a %s of %d channels to %d; it keeps their number.", i, row.name,
                       read->channels, out->channels);
    if (row.moves && (read->zero_point != out->zero_point || read->scale != out->scale))
      return wisp_fail(error, WISP_ERR_FORMAT,
                       "Layer %d moves bytes between tensors %d and %d, which differ.", i,
                       l->inputs[k], l->output);
  }
  return row.weighs ? check_weights(m, i, error) : check_no_weights(l, i, error);
}

/* Every tensor is written once, before it is read; heads are written and not read. */
static wisp_status check_graph(const wisp_model *m, wisp_error *error) {
  uint8_t written[WISP_MAX_TENSORS] = {1};
  for (int i = 0; i < m->layers; i++) {
    const wisp_layer *l = &m->layer[i];
    for (int k = 0; k <= l->input_count; k++) {
      const int t = k < l->input_count ? l->inputs[k] : l->residual;
      if (t < 0) continue;
      if (t >= m->tensors || !written[t] || m->tensor[t].head >= 0)
        return wisp_fail(error, WISP_ERR_FORMAT,
                         "Layer %d reads tensor %d, which no layer before it has written.", i, t);
    }
    if (l->output >= m->tensors || written[l->output])
      return wisp_fail(error, WISP_ERR_FORMAT,
                       "Layer %d writes tensor %d, which is not there or already written.", i,
                       l->output);
    const wisp_status status = check_layer(m, i, error);
    if (status != WISP_OK) return status;
    written[l->output] = 1;
  }
  for (int t = 0; t < m->tensors; t++)
    if (!written[t]) return wisp_fail(error, WISP_ERR_FORMAT, "No layer writes tensor %d.", t);
  return WISP_OK;
}

static wisp_status check_input(const wisp_model *m, wisp_error *error) {
  const wisp_tensor *input = &m->tensor[0];
  const int channels = 3 * m->block * m->block;
  if (input->channels != channels)
    return wisp_fail(error, WISP_ERR_FORMAT,
                     "The model's input has %d channels; blocks of %d pixels have %d.",
                     input->channels, m->block, channels);
  if (input->scale != 1.0f / 255 || input->zero_point != 0)
    return wisp_fail(
        error, WISP_ERR_FORMAT,
        "The model's input has the scale %g and zero point %d; pixels have 1/255 and 0.",
        (double)input->scale, input->zero_point);
  return WISP_OK;
}

static wisp_status check_size(const wisp_model *m, wisp_error *error) {
  uint64_t size = sizeof m->preamble + m->header_size;
  for (int i = 0; i < m->layers; i++) size += m->layer[i].payload_size;
  if (size != m->size)
    return wisp_fail(error, WISP_ERR_FORMAT,
                     "The parts of the model have %.0f bytes, but its preamble says %zu.",
                     (double)size, m->size);
  return WISP_OK;
}

wisp_status wisp_header_parse(wisp_model *m, const uint8_t *bytes, size_t size, wisp_error *error) {
  wisp_cursor c = {bytes, bytes + size, 0, NULL};
  wisp_status status = read_input(m, &c, error);
  if (status == WISP_OK) status = read_counts(m, &c, error);
  for (int i = 0; status == WISP_OK && i < m->tensors; i++) status = read_tensor(m, &c, i, error);
  for (int i = 0; status == WISP_OK && i < m->layers; i++) status = read_layer(m, &c, i, error);
  if (status == WISP_OK) status = check_reads(m, error);
  if (status == WISP_OK) status = wisp_heads_read(m, &c, error);
  if (status == WISP_OK) status = read_texts(m, &c, error);
  if (c.overrun || (status == WISP_OK && c.at != c.end))
    return wisp_fail(error, WISP_ERR_FORMAT, "The model's header does not fill its %zu bytes.",
                     size);
  if (status == WISP_OK && c.reserved)
    return wisp_fail(
        error, WISP_ERR_UNSUPPORTED,
        "Byte %d of the model's header is %d, which this version knows as 0; update wisp.",
        (int)(c.reserved - bytes), *c.reserved);
  if (status == WISP_OK) status = check_input(m, error);
  if (status == WISP_OK) status = check_graph(m, error);
  if (status == WISP_OK) status = check_size(m, error);
  return status;
}

void wisp_header_free(wisp_model *m) {
  for (int i = 0; i < m->layers; i++) {
    free(m->layer[i].inputs);
    free(m->layer[i].payload);
  }
  for (int i = 0; i < m->heads; i++) free(m->head[i].sizes);
  for (int i = 0; i < m->classes; i++) free(m->class_name[i]);
  free(m->tensor);
  free(m->layer);
  free(m->head);
  free(m->class_name);
  free(m->provenance);
}
