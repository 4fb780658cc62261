/* payload.c - the weights of a layer: the parts of the payload, and the promises the kernels rely on.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "error.h"
#include "model.h"

enum { MAX_BLOCKS = 1 << 28 };

/* Everything but the pointers; blocks is -1 if there are too many to count. */
static wisp_weights_view shape(const wisp_model *model, int layer) {
  const wisp_layer *l = &model->layer[layer];
  wisp_weights_view v = {.channels_out = model->tensor[l->output].channels,
                         .taps = l->kernel_height * l->kernel_width};
  for (int k = 0; k < l->input_count; k++)
    v.planes += wisp_planes(model->tensor[l->inputs[k]].channels);
  const double blocks = (double)v.channels_out * v.taps * v.planes;
  v.blocks = blocks <= MAX_BLOCKS ? (int)blocks : -1;
  return v;
}

static size_t mask_size(const wisp_layer *l, int blocks) {
  return l->flags & WISP_LAYER_MASKED ? ((size_t)blocks + 7) / 8 : 0;
}

void wisp_payload_bounds(const wisp_model *model, int layer, size_t *least, size_t *most) {
  const wisp_layer *l = &model->layer[layer];
  const wisp_weights_view v = shape(model, layer);
  const size_t fixed = (size_t)v.channels_out * 8;
  if (v.blocks < 0) {
    *least = 1;
    *most = 0; /* no size fits */
    return;
  }
  *most = fixed + mask_size(l, v.blocks) + (size_t)v.blocks * WISP_LANES;
  *least = l->flags & WISP_LAYER_MASKED ? fixed + mask_size(l, v.blocks) : *most;
}

wisp_weights_view wisp_payload_view(const wisp_model *model, int layer) {
  const wisp_layer *l = &model->layer[layer];
  wisp_weights_view v = shape(model, layer);
  const size_t mask = mask_size(l, v.blocks), fixed = (size_t)v.channels_out * 8;
  v.scale = (const float *)(const void *)l->payload;
  v.bias = v.scale + v.channels_out;
  v.mask = mask ? l->payload + fixed : NULL;
  v.weights = (const int8_t *)l->payload + fixed + mask;
  v.blocks_present = (int)((l->payload_size - fixed - mask) / WISP_LANES);
  return v;
}

static int count_present(const wisp_weights_view *v) {
  int present = 0;
  for (int b = 0; b < v->blocks; b++) present += wisp_block_present(v, b);
  return present;
}

/* Lanes of a plane that hold a channel, for each plane of the inputs side by side. */
static void fill_lanes(const wisp_model *model, const wisp_layer *l, uint8_t *lanes) {
  for (int k = 0; k < l->input_count; k++) {
    int left = model->tensor[l->inputs[k]].channels;
    for (; left > 0; left -= WISP_LANES) *lanes++ = (uint8_t)wisp_min(left, WISP_LANES);
  }
}

static wisp_status check_channel(int layer, int channel, const wisp_weights_view *v,
                                 double weight_sum, wisp_error *error) {
  const float scale = v->scale[channel], bias = v->bias[channel];
  if (!(scale > 0) || !isfinite(scale) || !isfinite(bias))
    return wisp_fail(error, WISP_ERR_FORMAT, "Channel %d of layer %d has the scale %g and bias %g.",
                     channel, layer, (double)scale, (double)bias);
  if (!(weight_sum * 255 + fabs((double)bias / scale) < (1 << 30)))
    return wisp_fail(error, WISP_ERR_LIMIT, "Channel %d of layer %d could overflow its 32-bit sum.",
                     channel, layer);
  return WISP_OK;
}

wisp_status wisp_payload_check(const wisp_model *model, int layer, wisp_error *error) {
  const wisp_weights_view v = wisp_payload_view(model, layer);
  if (v.mask) {
    const int unused = (8 - v.blocks % 8) % 8, stray = v.mask[(v.blocks - 1) / 8] >> (8 - unused);
    const uint8_t *end = model->layer[layer].payload + model->layer[layer].payload_size;
    if (stray || count_present(&v) != v.blocks_present ||
        (const uint8_t *)v.weights + v.blocks_present * WISP_LANES != end)
      return wisp_fail(error, WISP_ERR_FORMAT,
                       "The mask of layer %d does not agree with its %d blocks.", layer,
                       v.blocks_present);
  }
  uint8_t *lanes = malloc((size_t)v.planes);
  if (!lanes)
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory to check layer %d.", layer);
  fill_lanes(model, &model->layer[layer], lanes);
  wisp_status status = WISP_OK;
  const int8_t *weight = v.weights;
  for (int channel = 0, block = 0; status == WISP_OK && channel < v.channels_out; channel++) {
    double sum = 0; /* of up to 2^28 blocks */
    for (int i = 0; i < v.taps * v.planes; i++, block++) {
      if (!wisp_block_present(&v, block)) continue;
      for (int lane = 0; lane < WISP_LANES; lane++, weight++) {
        sum += abs(*weight);
        if (*weight < WISP_WEIGHT_MIN || *weight > WISP_WEIGHT_MAX ||
            (*weight && lane >= lanes[i % v.planes])) {
          status = wisp_fail(
              error, WISP_ERR_FORMAT,
              "A weight of layer %d is %d in lane %d; 7 bits and 0 past the channels fit.", layer,
              *weight, lane);
        }
      }
    }
    if (status == WISP_OK) status = check_channel(layer, channel, &v, sum, error);
  }
  free(lanes);
  return status;
}
