/* payload.c - the weights of a layer: the parts of the payload, and the promises the kernels rely on.
 * SPDX-License-Identifier: Apache-2.0 */
#include "payload.h"

#include <math.h>
#include <stdlib.h>

#include "error.h"
#include "operation.h"

/* Everything but the pointers; blocks is -1 if there are too many. */
static wisp_weights_view shape(const wisp_model *model, int layer) {
  const wisp_layer *l = &model->layer[layer];
  wisp_weights_view v = {.channels_out = model->tensor[l->output].channels,
                         .taps = l->kernel_height * l->kernel_width};
  for (int k = 0; k < l->input_count; k++)
    v.planes += wisp_planes(model->tensor[l->inputs[k]].channels);
  if (!wisp_operation_row_of(l->operation).mixes) v.planes = 1; /* of one channel */
  const double blocks = (double)v.channels_out * v.taps * v.planes;
  v.blocks = blocks <= WISP_MAX_BLOCKS ? (int)blocks : -1;
  v.blocks_present = l->present;
  return v;
}

static size_t mask_size(const wisp_layer *l, int blocks) {
  return l->flags & WISP_LAYER_MASKED ? ((size_t)blocks + 7) / 8 : 0;
}

int wisp_payload_fits(const wisp_model *model, int layer) {
  const wisp_layer *l = &model->layer[layer];
  const wisp_weights_view v = shape(model, layer);
  if (v.blocks < 0 || v.blocks_present > v.blocks) return 0;
  if (!(l->flags & WISP_LAYER_MASKED) && v.blocks_present != v.blocks) return 0;
  return v.blocks_present / WISP_PRESENT_A_BYTE < (int)l->payload_size &&
         v.blocks / WISP_BLOCKS_A_BYTE < (int)l->payload_size;
}

wisp_weights_view wisp_payload_view(const wisp_model *model, int layer) {
  const wisp_layer *l = &model->layer[layer];
  wisp_weights_view v = shape(model, layer);
  if (!l->payload) return v;
  const size_t mask = mask_size(l, v.blocks), fixed = (size_t)v.channels_out * 2 * sizeof(float);
  v.scale = (const float *)(const void *)l->payload;
  v.bias = v.scale + v.channels_out;
  v.mask = mask ? l->payload + fixed : NULL;
  v.weights = (const int8_t *)l->payload + fixed + mask;
  return v;
}

void wisp_payload_drop(wisp_model *model, int layer) {
  free(model->layer[layer].payload);
  model->layer[layer].payload = NULL;
}

/* Lanes of a plane that hold a channel, for each plane of the inputs side by side. */
static void fill_lanes(const wisp_model *model, const wisp_layer *l, uint8_t *lanes) {
  if (!wisp_operation_row_of(l->operation).mixes) {
    *lanes = 1;
    return;
  }
  for (int k = 0; k < l->input_count; k++) {
    int left = model->tensor[l->inputs[k]].channels;
    for (; left > 0; left -= WISP_LANES) *lanes++ = (uint8_t)wisp_min(left, WISP_LANES);
  }
}

static wisp_status no_memory(int layer, wisp_error *error) {
  return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for the weights of layer %d.",
                   layer);
}

wisp_status wisp_payload_start(wisp_model *m, int layer, wisp_error *error) {
  wisp_layer *l = &m->layer[layer];
  const wisp_weights_view v = shape(m, layer);
  const size_t mask = mask_size(l, v.blocks), fixed = (size_t)v.channels_out * 2 * sizeof(float);
  free(m->lanes);
  m->lanes = malloc((size_t)v.planes);
  l->payload = calloc(1, fixed + mask + (size_t)v.blocks_present * WISP_LANES);
  if (!m->unpack) m->unpack = wisp_unpack_open();
  if (!m->lanes || !l->payload || !m->unpack) return no_memory(layer, error);
  fill_lanes(m, l, m->lanes);
  const wisp_unpack_layer parts = {.channels_out = v.channels_out,
                                   .kernel_height = l->kernel_height,
                                   .kernel_width = l->kernel_width,
                                   .planes = v.planes,
                                   .present = v.blocks_present,
                                   .lanes = m->lanes,
                                   .scale = (float *)(void *)l->payload,
                                   .bias = (float *)(void *)l->payload + v.channels_out,
                                   .mask = mask ? l->payload + fixed : NULL,
                                   .weights = (int8_t *)l->payload + fixed + mask};
  if (!wisp_unpack_start(m->unpack, &parts, l->payload_size)) return no_memory(layer, error);
  return WISP_OK;
}

static wisp_status check_channel(int layer, int channel, const wisp_weights_view *v,
                                 double weight_sum, wisp_error *error) {
  const float scale = v->scale[channel], bias = v->bias[channel];
  if (!(scale > 0) || !isfinite(scale) || !isfinite(bias))
    return wisp_fail(error, WISP_ERR_FORMAT, "Channel %d of layer %d has the scale %g and bias %g.",
                     channel, layer, (double)scale, (double)bias);
  if (!(weight_sum * 255 + fabs((double)bias / scale) < WISP_MAX_SUM))
    return wisp_fail(error, WISP_ERR_LIMIT, "Channel %d of layer %d could overflow its 32-bit sum.",
                     channel, layer);
  return WISP_OK;
}

/* The decoder itself keeps weights in range, lanes past the channels at 0 and the mask in agreement. */
wisp_status wisp_payload_check(const wisp_model *model, int layer, wisp_error *error) {
  const wisp_weights_view v = wisp_payload_view(model, layer);
  wisp_status status = WISP_OK;
  const int8_t *weight = v.weights;
  for (int channel = 0, block = 0; status == WISP_OK && channel < v.channels_out; channel++) {
    double sum = 0; /* of up to 2^25 blocks */
    for (int i = 0; i < v.taps * v.planes; i++, block++) {
      if (!wisp_block_present(&v, block)) continue;
      for (int lane = 0; lane < WISP_LANES; lane++) sum += abs(*weight++);
    }
    status = check_channel(layer, channel, &v, sum, error);
  }
  return status;
}
