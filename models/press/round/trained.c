/* trained.c - the ranges that training chose -> bytes and integers, as they were trained.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "corridor.h"
#include "integers.h"
#include "net.h"
#include "pack/encode.h"

enum { BITS = 7 };

static int needs_range(const wisp_net *net, int number) {
  return !wisp_net_keeps_range(&net->layers[number]) && !net->tensors[number + 1].is_head;
}

int wisp_trained(const wisp_net *net) {
  int known = 0;
  for (int i = 0; i < net->layer_count; i++) {
    if (wisp_net_is_per_channel(&net->layers[i])) return 0; /* nothing trains these yet */
    const wisp_net_layer *layer = &net->layers[i];
    if (wisp_net_keeps_range(layer) && layer->input_count > 1) return 0; /* nor these */
    if (!needs_range(net, i)) continue;
    if (net->tensors[i + 1].trained.scale <= 0) return 0;
    known = 1;
  }
  return known;
}

static void take_ranges(wisp_net *net) {
  net->tensors[0].scale = 1.0f / WISP_BYTE_MAX;
  net->tensors[0].zero_point = 0;
  for (int i = 0; i < net->layer_count; i++) {
    wisp_net_tensor *tensor = &net->tensors[i + 1];
    const wisp_net_tensor *in = &net->tensors[net->layers[i].inputs[0]];
    tensor->scale = tensor->is_head ? 1 : in->scale;
    tensor->zero_point = tensor->is_head ? 0 : in->zero_point;
    if (!needs_range(net, i)) continue;
    tensor->scale = tensor->trained.scale;
    tensor->zero_point = tensor->trained.zero_point;
  }
}

/* The weights of one output channel, each times the step of the byte it meets: real [taps]. */
static void weigh(const wisp_net *net, const wisp_net_layer *layer, int o, float *real) {
  const int kernel = wisp_net_kernel_size(layer);
  int k = 0;
  const float *weights = layer->weights + (size_t)o * (size_t)wisp_net_taps(layer);
  for (int i = 0; i < layer->input_count; i++) {
    const wisp_net_tensor *in = &net->tensors[layer->inputs[i]];
    for (int end = k + in->channels * kernel; k < end; k++) real[k] = weights[k] * in->scale;
  }
}

static wisp_status round_channel(wisp_net_layer *layer, int o, const float *real) {
  const int taps = wisp_net_taps(layer);
  int8_t *integers = layer->quantised.weights + (size_t)o * (size_t)taps;
  const float bias = layer->bias[o];
  float most = 0;
  for (int k = 0; k < taps; k++) most = fmaxf(most, fabsf(real[k]));
  const float least = wisp_integers_least_scale(bias);
  const float scale = wisp_encode_scale(fmaxf(most / WISP_WEIGHT_MAX, least));
  for (int k = 0; k < taps; k++) {
    const float unit = fminf(fmaxf(rintf(real[k] / scale), WISP_WEIGHT_MIN), WISP_WEIGHT_MAX);
    integers[k] = (int8_t)unit;
  }
  layer->quantised.scale[o] = scale;
  layer->quantised.bias[o] = wisp_encode_bias(bias);
  return wisp_integers_check(integers, taps, scale, bias);
}

static wisp_status round_layer(const wisp_net *net, wisp_net_layer *layer, wisp_error *error) {
  float *real = malloc((size_t)wisp_net_taps(layer) * sizeof *real);
  wisp_status status = real && wisp_net_open_quantised(layer) ? WISP_OK : WISP_ERR_MEMORY;
  layer->account.bits = BITS;
  for (int o = 0; o < layer->channels_out && status == WISP_OK; o++) {
    weigh(net, layer, o, real);
    status = round_channel(layer, o, real);
  }
  free(real);
  if (status == WISP_ERR_MEMORY)
    return wisp_fail(error, status, "There is no memory to round node %d.", layer->node);
  if (status != WISP_OK)
    return wisp_fail(error, status, "The sums of node %d don't fit 32 bits.", layer->node);
  return WISP_OK;
}

wisp_status wisp_trained_quantise(wisp_net *net, wisp_error *error) {
  take_ranges(net);
  wisp_status status = WISP_OK;
  for (int i = 0; i < net->layer_count && status == WISP_OK; i++)
    if (wisp_net_mixes_channels(&net->layers[i])) status = round_layer(net, &net->layers[i], error);
  if (status != WISP_OK) wisp_net_forget_integers(net);
  return status;
}
