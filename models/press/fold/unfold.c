/* unfold.c - what a layer's integers stand for, in the shape of the graph's node that the layer came from.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Channels stand as in the file, cells become pixels again, channels that the node picks stand in its order, the parts
 * of a depthwise node side by side. */
#include "unfold.h"

#include <stdlib.h>
#include <string.h>

#include "core/src/error.h"
#include "stem.h"

static int is_same(const wisp_window *a, const wisp_window *b) {
  return memcmp(a, b, sizeof *a) == 0;
}

/* A channel that is read twice has all of its weight in the first place. */
static void gather(const wisp_net_layer *layer, float *all, float *weights) {
  const size_t taps = (size_t)wisp_net_taps(layer), kernel = (size_t)wisp_net_kernel_size(layer);
  const int n = layer->picks ? layer->pick_count : layer->channels_in;
  for (int o = 0; o < layer->channels_out; o++)
    for (int c = 0; c < n; c++, weights += kernel) {
      float *from = all + (size_t)o * taps + (size_t)(layer->picks ? layer->picks[c] : c) * kernel;
      memcpy(weights, from, kernel * sizeof *from);
      memset(from, 0, kernel * sizeof *from);
    }
}

static void scatter(const wisp_net_layer *layer, const float *all, float *weights, float *biases) {
  const size_t kernel = (size_t)wisp_net_kernel_size(layer);
  for (int c = 0; c < layer->channels_out; c++) {
    const int to = layer->picks[c];
    if (to < 0) continue;
    memcpy(weights + (size_t)to * kernel, all + (size_t)c * kernel, kernel * sizeof *all);
    biases[to] = layer->quantised.bias[c];
  }
}

/* Rows and columns as the file has them. */
static void reorder(const wisp_net *net, const wisp_net_layer *layer, const float *all, float *to) {
  const wisp_net_tensor *out = &net->tensors[wisp_net_output(net, layer)];
  const size_t taps = (size_t)wisp_net_taps(layer), kernel = (size_t)wisp_net_kernel_size(layer);
  for (int o = 0; o < layer->channels_out; o++) {
    const float *row = all + (size_t)wisp_net_channel_at(out, o) * taps;
    for (int i = 0; i < layer->input_count; i++) {
      const wisp_net_tensor *in = &net->tensors[layer->inputs[i]];
      const int channels = wisp_net_channels_read(net, layer, i);
      for (int c = 0; c < channels; c++, to += kernel)
        memcpy(to, row + (size_t)wisp_net_channel_at(in, c) * kernel, kernel * sizeof *to);
      row += (size_t)channels * kernel;
    }
  }
}

wisp_status wisp_unfold(const wisp_net *net, const wisp_net_layer *layer, const wisp_window *plain,
                        size_t count, int channels_out, float *weights, float *biases,
                        wisp_error *error) {
  const int is_depthwise = wisp_net_is_per_channel(layer), channels = layer->channels_out;
  const int is_focus = layer->inputs[0] == 0 && net->cell == 2 && is_same(plain, &layer->window),
            is_stem = layer->inputs[0] == 0 && net->cell == 2 && !is_focus;
  const wisp_window due = is_stem ? wisp_stem_window(plain) : *plain;
  const int read = is_depthwise   ? 1
                   : is_stem      ? net->tensors[0].channels / (net->cell * net->cell)
                   : layer->picks ? layer->pick_count
                                  : layer->channels_in;
  const size_t each = (size_t)(read * plain->kernel[0] * plain->kernel[1]);
  if (!is_same(&due, &layer->window) || (!is_depthwise && channels != channels_out) ||
      count != (size_t)channels_out * each)
    return wisp_fail(error, WISP_ERR_UNSUPPORTED,
                     "Node %d is not what it was: its groups or splits were folded, or it lost "
                     "channels. The network can't be given in the shape that it came in.",
                     layer->node);
  const wisp_net_tensor *out = &net->tensors[wisp_net_output(net, layer)];
  const size_t n = (size_t)channels * (size_t)wisp_net_taps(layer);
  float *own = malloc(2 * n * sizeof *own);
  if (!own)
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for the weights of node %d.",
                     layer->node);
  float *all = own + n;
  wisp_net_dequantise(net, layer, own);
  reorder(net, layer, own, all);
  for (int o = 0; o < channels && is_focus; o++)
    wisp_stem_unfocus(all + (size_t)o * (size_t)wisp_net_taps(layer), wisp_net_kernel_size(layer));
  if (is_stem) wisp_stem_plain(all, channels, plain, weights);
  else if (is_depthwise) scatter(layer, all, weights, biases);
  else gather(layer, all, weights);
  for (int o = 0; o < channels && !is_depthwise; o++)
    biases[o] = layer->quantised.bias[wisp_net_channel_at(out, o)];
  free(own);
  return WISP_OK;
}
