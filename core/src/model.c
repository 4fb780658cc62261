/* model.c - a .wisp file as it arrives: preamble, header, payloads, each checked when it is complete.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "header.h"
#include "operation.h"
#include "payload.h"

static uint32_t read_u32(const uint8_t *b) {
  return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

wisp_status wisp_model_open(wisp_model **out) {
  *out = calloc(1, sizeof **out);
  if (!*out) return WISP_ERR_MEMORY;
  wisp_section_start(&(*out)->section, (*out)->preamble, sizeof(*out)->preamble);
  return WISP_OK;
}

void wisp_model_close(wisp_model **out) {
  wisp_model *m = *out;
  if (!m) return;
  *out = NULL;
  wisp_header_free(m);
  wisp_unpack_close(&m->unpack);
  free(m->section_bytes);
  free(m->lanes);
  free(m);
}

/* ---- sections ---- */

static wisp_status start_section(wisp_model *m, size_t size, const char *what, wisp_error *error) {
  m->section_bytes = malloc(size ? size : 1);
  if (!m->section_bytes)
    return wisp_fail(error, WISP_ERR_MEMORY,
                     "There is no memory for the %zu bytes of the model's %s.", size, what);
  wisp_section_start(&m->section, m->section_bytes, size);
  return WISP_OK;
}

static wisp_status end_preamble(wisp_model *m, wisp_error *error) {
  const uint8_t *b = m->preamble;
  if (memcmp(b, "WISP", 4) != 0)
    return wisp_fail(error, WISP_ERR_FORMAT,
                     "This is no .wisp file: it begins with the bytes %02x %02x %02x %02x.", b[0],
                     b[1], b[2], b[3]);
  if (read_u32(b + 4) != WISP_FORMAT_VERSION)
    return wisp_fail(
        error, WISP_ERR_VERSION,
        "This .wisp file has version %u, this wisp reads version %d; make it again with "
        "\"wisp press MODEL.onnx --calib PICTURES\".",
        read_u32(b + 4), WISP_FORMAT_VERSION);
  if (wisp_section_crc(0, b, 20) != read_u32(b + 20))
    return wisp_fail(error, WISP_ERR_CHECKSUM,
                     "The first bytes of the model are damaged; download it again.");
  m->header_size = read_u32(b + 8);
  m->header_crc = read_u32(b + 12);
  m->size = read_u32(b + 16);
  if (m->header_size > WISP_MAX_HEADER || m->size > WISP_MAX_FILE)
    return wisp_fail(error, WISP_ERR_LIMIT,
                     "The model has a header of %zu bytes and %zu in all; %d and %d are possible.",
                     m->header_size, m->size, WISP_MAX_HEADER, WISP_MAX_FILE);
  m->state = WISP_READS_HEADER;
  return start_section(m, m->header_size, "header", error);
}

/* Goes on with the next layer that has a payload. */
static wisp_status next_payload(wisp_model *m, wisp_error *error) {
  while (m->next_layer < m->layers && m->layer[m->next_layer].payload_size == 0) m->next_layer++;
  m->state = m->next_layer < m->layers ? WISP_READS_PAYLOAD : WISP_IS_COMPLETE;
  if (m->state == WISP_READS_PAYLOAD) return wisp_payload_start(m, m->next_layer, error);
  wisp_unpack_close(&m->unpack);
  free(m->lanes);
  m->lanes = NULL;
  return WISP_OK;
}

/* Returns whether the part of the file that is being read is complete. */
static int take_piece(wisp_model *m, const uint8_t **input, size_t *left) {
  if (m->state != WISP_READS_PAYLOAD) return wisp_section_feed(&m->section, input, left);
  m->unpacked = wisp_unpack_feed(m->unpack, input, left);
  return m->unpacked != WISP_UNPACK_READS;
}

static wisp_status end_header(wisp_model *m, wisp_error *error) {
  if (m->section.crc != m->header_crc)
    return wisp_fail(error, WISP_ERR_CHECKSUM, "The model's header is damaged; download it again.");
  const wisp_status status = wisp_header_parse(m, m->section_bytes, m->header_size, error);
  free(m->section_bytes);
  m->section_bytes = NULL;
  return status == WISP_OK ? next_payload(m, error) : status;
}

static wisp_status end_payload(wisp_model *m, wisp_error *error) {
  wisp_layer *layer = &m->layer[m->next_layer];
  if (wisp_unpack_crc(m->unpack) != layer->payload_crc)
    return wisp_fail(error, WISP_ERR_CHECKSUM,
                     "The weights of layer %d are damaged; download the model again.",
                     m->next_layer);
  if (m->unpacked != WISP_UNPACK_COMPLETE)
    return wisp_fail(error, WISP_ERR_FORMAT, "The %zu bytes of layer %d don't make its %d blocks.",
                     layer->payload_size, m->next_layer, layer->present);
  const wisp_status status = wisp_payload_check(m, m->next_layer, error);
  m->next_layer++;
  return status == WISP_OK ? next_payload(m, error) : status;
}

wisp_status wisp_model_feed(wisp_model *m, const void *bytes, size_t size, wisp_error *error) {
  const uint8_t *input = bytes;
  wisp_status status = WISP_OK;
  wisp_error why = {0};
  if (m->state == WISP_IS_BROKEN)
    return wisp_fail(error, m->broken.status, "%s", m->broken.message);
  while (status == WISP_OK && m->state != WISP_IS_COMPLETE) {
    if (!take_piece(m, &input, &size)) return WISP_OK;
    if (m->state == WISP_READS_PREAMBLE) status = end_preamble(m, &why);
    else if (m->state == WISP_READS_HEADER) status = end_header(m, &why);
    else status = end_payload(m, &why);
  }
  if (status == WISP_OK && size > 0)
    status = wisp_fail(&why, WISP_ERR_FORMAT,
                       "The file goes on for %zu bytes after the end of the model.", size);
  if (status == WISP_OK) return WISP_OK;
  m->state = WISP_IS_BROKEN;
  m->broken = why;
  return wisp_fail(error, status, "%s", why.message);
}

/* ---- what is known ---- */

size_t wisp_model_size(const wisp_model *m) { return m->size; }

wisp_status wisp_model_describe(const wisp_model *m, wisp_model_info *info) {
  if (!wisp_model_has_header(m)) return WISP_ERR_TRUNCATED;
  *info = (wisp_model_info){m->input_height, m->input_width, m->stride, m->classes,
                            m->layers,       m->heads,       m->masks,  m->provenance};
  return WISP_OK;
}

const char *wisp_model_class(const wisp_model *m, int label) {
  return wisp_model_has_header(m) && label >= 0 && label < m->classes ? m->class_name[label] : NULL;
}

wisp_status wisp_model_layer(const wisp_model *m, int index, wisp_layer_info *info) {
  if (!wisp_model_has_header(m)) return WISP_ERR_TRUNCATED;
  if (index < 0 || index >= m->layers) return WISP_ERR_ARGUMENT;
  const wisp_layer *l = &m->layer[index];
  const wisp_operation_row row = wisp_operation_row_of(l->operation);
  *info = (wisp_layer_info){.operation = row.name,
                            .activation = wisp_activation_row_of(l->activation).name,
                            .channels_out = m->tensor[l->output].channels,
                            .kernel_height = l->kernel_height,
                            .kernel_width = l->kernel_width,
                            .stride = l->stride_y,
                            .is_head = m->tensor[l->output].head >= 0,
                            .bytes = l->payload_size};
  const int joined = row.mixes ? l->input_count : 1;
  for (int k = 0; k < joined; k++) info->channels_in += m->tensor[l->inputs[k]].channels;
  if (l->payload_size > 0) {
    const wisp_weights_view v = wisp_payload_view(m, index);
    info->blocks = v.blocks;
    info->blocks_present = v.blocks_present;
  }
  return WISP_OK;
}
