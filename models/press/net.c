/* net.c - a folded network: the sizes of its tensors, and its end.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net.h"

#include <stdlib.h>

#include "core/src/error.h"

/* ---- operations ---- */

static wisp_operation_row row_of(const wisp_net_layer *layer) {
  return wisp_operation_row_of(layer->operation);
}

int wisp_net_has_weights(const wisp_net_layer *layer) { return row_of(layer).weighs; }

int wisp_net_mixes_channels(const wisp_net_layer *layer) { return row_of(layer).mixes; }

int wisp_net_keeps_channels(const wisp_net_layer *layer) { return !row_of(layer).weighs; }

int wisp_net_keeps_range(const wisp_net_layer *layer) { return row_of(layer).moves; }

int wisp_net_is_per_channel(const wisp_net_layer *layer) {
  return row_of(layer).weighs && !row_of(layer).mixes;
}

/* ---- sizes ---- */

static int same_size(const wisp_net_tensor *a, const wisp_net_tensor *b) {
  return a->height == b->height && a->width == b->width;
}

/* Along one axis: 0 y, 1 x. */
static int output_side(const wisp_net_layer *layer, int side, int axis) {
  const wisp_window *window = &layer->window;
  return wisp_operation_side(row_of(layer).sizing, side, window->kernel[axis], window->stride[axis],
                             window->pad[axis] + window->pad[axis + 2]);
}

static wisp_status measure_layer(wisp_net *net, wisp_net_layer *layer, wisp_error *error) {
  const wisp_net_tensor *in = &net->tensors[layer->inputs[0]];
  wisp_net_tensor *out = &net->tensors[wisp_net_output(net, layer)];
  for (int i = 1; i < layer->input_count; i++) {
    const wisp_net_tensor *other = &net->tensors[layer->inputs[i]];
    const wisp_beside beside = row_of(layer).beside;
    if (wisp_operation_fits(beside, other->height, in->height) &&
        wisp_operation_fits(beside, other->width, in->width))
      continue;
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "Node %d (%s) can't read a tensor of %dx%d beside one of %dx%d; is the input "
                     "size a multiple of "
                     "the network's stride?",
                     layer->node, row_of(layer).name, other->width, other->height, in->width,
                     in->height);
  }
  out->height = output_side(layer, in->height, 0);
  out->width = output_side(layer, in->width, 1);
  if (out->height < 1 || out->width < 1)
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "Node %d has a kernel larger than its input of %dx%d.", layer->node, in->width,
                     in->height);
  if (out->height > WISP_MAX_SIDE || out->width > WISP_MAX_SIDE)
    return wisp_fail(error, WISP_ERR_LIMIT, "Node %d yields %dx%d; sides up to %d are possible.",
                     layer->node, out->width, out->height, WISP_MAX_SIDE);
  if (layer->residual >= 0 && !same_size(out, &net->tensors[layer->residual]))
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "Node %d yields %dx%d, but is added to a tensor of %dx%d.", layer->node,
                     out->width, out->height, net->tensors[layer->residual].width,
                     net->tensors[layer->residual].height);
  return WISP_OK;
}

static wisp_status check_head(const wisp_net *net, int number, wisp_error *error) {
  const wisp_yolo_head *head = &net->heads[number];
  const wisp_net_tensor *tensor = &net->tensors[head->tensor];
  if (tensor->height * head->stride == net->height && tensor->width * head->stride == net->width)
    return WISP_OK;
  return wisp_fail(error, WISP_ERR_ARGUMENT,
                   "Head %d of stride %d has %dx%d cells on an input of %dx%d.", number,
                   head->stride, tensor->width, tensor->height, net->width, net->height);
}

int wisp_net_masks(const wisp_net *net) {
  for (int i = 0; i < net->head_count; i++)
    if (net->heads[i].kind == WISP_HEAD_PROTOTYPES) return net->heads[i].masks;
  return 0;
}

wisp_status wisp_net_measure(wisp_net *net, wisp_error *error) {
  if (net->height % net->stride || net->width % net->stride)
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "The input is %dx%d pixels; it must be a multiple of %d.", net->width,
                     net->height, net->stride);
  net->tensors[0].height = net->height / net->cell;
  net->tensors[0].width = net->width / net->cell;
  for (int i = 0; i < net->layer_count; i++) {
    const wisp_status status = measure_layer(net, &net->layers[i], error);
    if (status != WISP_OK) return status;
  }
  for (int i = 0; i < net->head_count; i++) {
    const wisp_status status = check_head(net, i, error);
    if (status != WISP_OK) return status;
  }
  return WISP_OK;
}

/* ---- integers ---- */

int wisp_net_open_quantised(wisp_net_layer *layer) {
  const size_t n = (size_t)layer->channels_out;
  if (!layer->quantised.weights)
    layer->quantised.weights = malloc(n * (size_t)wisp_net_taps(layer));
  if (!layer->quantised.scale) layer->quantised.scale = malloc(n * sizeof *layer->quantised.scale);
  if (!layer->quantised.bias) layer->quantised.bias = malloc(n * sizeof *layer->quantised.bias);
  return layer->quantised.weights && layer->quantised.scale && layer->quantised.bias;
}

int wisp_net_is_quantised(const wisp_net *net) { return net->tensors[net->layer_count].scale > 0; }

void wisp_net_forget_integers(wisp_net *net) {
  for (int t = 0; t <= net->layer_count; t++) net->tensors[t].scale = 0;
}

void wisp_net_forget_orders(wisp_net *net) {
  for (int t = 0; t <= net->layer_count; t++) {
    free(net->tensors[t].order);
    net->tensors[t].order = NULL;
  }
}

const wisp_net_layer *wisp_net_find_quantised(const wisp_net *net, int index) {
  if (!net || !wisp_net_is_quantised(net)) return NULL;
  for (int i = 0; i < net->layer_count; i++)
    if (wisp_net_has_weights(&net->layers[i]) && index-- == 0) return &net->layers[i];
  return NULL;
}

void wisp_net_dequantise(const wisp_net *net, const wisp_net_layer *layer, float *weights) {
  const int kernel = wisp_net_kernel_size(layer);
  const int8_t *integers = layer->quantised.weights;
  for (int o = 0; o < layer->channels_out; o++)
    for (int i = 0; i < layer->input_count; i++) {
      const wisp_net_tensor *in = &net->tensors[layer->inputs[i]];
      const float unit = layer->quantised.scale[o] / in->scale;
      const int channels = wisp_net_channels_read(net, layer, i);
      for (int k = channels * kernel; k > 0; k--) *weights++ = unit * (float)*integers++;
    }
}

static void clear_layer(wisp_net_layer *layer) {
  free(layer->inputs);
  free(layer->channel_used);
  free(layer->picks);
  free(layer->weights);
  free(layer->bias);
  free(layer->pruned);
  free(layer->quantised.weights);
  free(layer->quantised.scale);
  free(layer->quantised.bias);
}

void wisp_net_close(wisp_net **out) {
  wisp_net *net = *out;
  if (!net) return;
  *out = NULL;
  for (int i = 0; i < net->layer_count; i++) clear_layer(&net->layers[i]);
  for (int i = 0; i < net->head_count; i++) free(net->heads[i].anchors);
  for (int i = 0; i < net->class_count; i++) free(net->classes[i]);
  if (net->tensors) wisp_net_forget_orders(net);
  free(net->tensors);
  free(net->layers);
  free(net->heads);
  free(net->classes);
  free(net);
}

void wisp_net_scale(wisp_net_layer *layer, int channel, float scale, float bias) {
  const size_t taps = (size_t)wisp_net_taps(layer), o = (size_t)channel;
  for (size_t k = 0; k < taps; k++) layer->weights[o * taps + k] *= scale;
  layer->bias[o] = layer->bias[o] * scale + bias;
}
