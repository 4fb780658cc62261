/* student.c - the network in integers so far, layer by layer over all pictures at once.
 * SPDX-License-Identifier: Apache-2.0 */
#include "student.h"

#include <stdlib.h>

struct wisp_student {
  const wisp_net *net;
  const wisp_view *pictures;
  int count;
  wisp_pool *pool;
  wisp_exec *exec;
  int *last;       /* [layers + 1]: the last layer that reads a tensor */
  uint8_t **bytes; /* [layers + 1][pictures]; NULL where there are none */
};

/* ---- bytes ---- */

typedef struct moving {
  const wisp_net_tensor *tensor;
  wisp_floats floats;
  uint8_t *bytes;
} moving;

static void store_task(void *context, int channel) {
  const moving *m = context;
  const int height = m->floats.height, width = m->floats.width;
  uint8_t *to = m->bytes + (size_t)channel * (size_t)height * (size_t)width;
  for (int y = 0; y < height; y++, to += width) {
    const float *row = m->floats.data + (size_t)channel * m->floats.plane + y * m->floats.pitch;
    for (int x = 0; x < width; x++) to[x] = (uint8_t)wisp_net_byte(m->tensor, row[x]);
  }
}

static void load_task(void *context, int channel) {
  const moving *m = context;
  const int height = m->floats.height, width = m->floats.width, zero = m->tensor->zero_point;
  const uint8_t *from = m->bytes + (size_t)channel * (size_t)height * (size_t)width;
  for (int y = 0; y < height; y++, from += width) {
    float *row = m->floats.data + (size_t)channel * m->floats.plane + y * m->floats.pitch;
    for (int x = 0; x < width; x++) row[x] = (float)(from[x] - zero) * m->tensor->scale;
  }
}

/* ---- open and close ---- */

wisp_status wisp_student_open(wisp_student **out, const wisp_net *net, const wisp_view *pictures,
                              int count, wisp_pool *pool, wisp_error *error) {
  *out = NULL;
  const size_t tensors = (size_t)net->layer_count + 1;
  wisp_student *s = calloc(1, sizeof *s);
  if (s) {
    *s = (wisp_student){.net = net, .pictures = pictures, .count = count, .pool = pool};
    s->last = calloc(tensors, sizeof *s->last);
    s->bytes = calloc(tensors * (size_t)count, sizeof *s->bytes);
  }
  if (!s || !s->last || !s->bytes) {
    wisp_student_close(&s);
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for %d pictures.", count);
  }
  for (int i = 0; i < net->layer_count; i++) {
    for (int k = 0; k < net->layers[i].input_count; k++) s->last[net->layers[i].inputs[k]] = i;
    if (net->layers[i].residual >= 0) s->last[net->layers[i].residual] = i;
  }
  const wisp_status status = wisp_exec_open(&s->exec, net, pool, 0, error);
  if (status != WISP_OK) wisp_student_close(&s);
  *out = s;
  return status;
}

static void drop(wisp_student *s, int tensor) {
  for (int p = 0; p < s->count; p++) {
    uint8_t **bytes = &s->bytes[(size_t)tensor * (size_t)s->count + (size_t)p];
    free(*bytes);
    *bytes = NULL;
  }
}

void wisp_student_close(wisp_student **out) {
  wisp_student *s = *out;
  if (!s) return;
  *out = NULL;
  for (int t = 0; t <= s->net->layer_count && s->bytes; t++) drop(s, t);
  free(s->bytes);
  free(s->last);
  wisp_exec_close(&s->exec);
  free(s);
}

/* ---- run ---- */

static void load_tensor(wisp_student *s, int tensor, int picture) {
  if (tensor == 0) {
    wisp_exec_picture(s->exec, &s->pictures[picture]);
    return;
  }
  moving m = {&s->net->tensors[tensor], wisp_exec_blank(s->exec, tensor),
              s->bytes[(size_t)tensor * (size_t)s->count + (size_t)picture]};
  wisp_pool_run(s->pool, load_task, &m, m.floats.channels);
}

wisp_exec *wisp_student_load(wisp_student *s, int layer, int picture) {
  const wisp_net_layer *of = &s->net->layers[layer];
  for (int i = 0; i < of->input_count; i++) load_tensor(s, of->inputs[i], picture);
  if (of->residual >= 0) load_tensor(s, of->residual, picture);
  return s->exec;
}

/* The executor gets the integers of a convolution. */
static wisp_status reweigh(const wisp_net *net, int number, wisp_exec *exec) {
  const wisp_net_layer *layer = &net->layers[number];
  const size_t taps = (size_t)wisp_net_taps(layer);
  float *weights = malloc((size_t)layer->channels_out * taps * sizeof *weights);
  if (!weights) return WISP_ERR_MEMORY;
  wisp_net_dequantise(net, layer, weights);
  wisp_exec_reweigh(exec, number, weights, layer->quantised.bias);
  free(weights);
  return WISP_OK;
}

wisp_status wisp_student_run(wisp_student *s, int layer, wisp_error *error) {
  const wisp_net_tensor *out = &s->net->tensors[layer + 1];
  const size_t size = (size_t)out->channels * (size_t)out->height * (size_t)out->width;
  wisp_status status = WISP_OK;
  if (wisp_net_has_weights(&s->net->layers[layer])) status = reweigh(s->net, layer, s->exec);
  for (int p = 0; p < s->count && !out->is_head && status == WISP_OK; p++) {
    uint8_t *bytes = malloc(size);
    s->bytes[(size_t)(layer + 1) * (size_t)s->count + (size_t)p] = bytes;
    if (!bytes) status = WISP_ERR_MEMORY;
    if (status != WISP_OK) break;
    wisp_student_load(s, layer, p);
    wisp_exec_layer(s->exec, layer);
    moving m = {out, wisp_exec_tensor(s->exec, layer + 1), bytes};
    wisp_pool_run(s->pool, store_task, &m, out->channels);
  }
  for (int t = 0; t <= layer; t++)
    if (s->last[t] == layer) drop(s, t);
  if (status == WISP_OK) return WISP_OK;
  return wisp_fail(error, status,
                   "There is no memory for what node %d makes of %d pictures; give fewer.",
                   s->net->layers[layer].node, s->count);
}
