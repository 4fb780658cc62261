/* move.c - layers that only move numbers: from which place of the input each output comes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "operations.h"

typedef struct place {
  int y, x, input;
} place;

/* Where the number at (y, x) of a channel of the output stands in that channel of an input; `in` is the first. */
typedef place source(const wisp_net_layer *layer, const wisp_floats *in, int channel, int y, int x);

static inline void run(const wisp_net *net, int number, const wisp_floats *tensors, int channel,
                       source *source_of) {
  const wisp_net_layer *layer = &net->layers[number];
  const wisp_floats *in = &tensors[layer->inputs[0]], *out = &tensors[number + 1];
  for (int y = 0; y < out->height; y++)
    for (int x = 0; x < out->width; x++) {
      const place from = source_of(layer, in, channel, y, x);
      wisp_float_row(out, channel, y)[x] =
          wisp_float_row(&tensors[layer->inputs[from.input]], channel, from.y)[from.x];
    }
}

static inline void reverse(const wisp_net *net, int number, const wisp_floats *tensors,
                           const wisp_floats *gradients, int channel, source *source_of) {
  const wisp_net_layer *layer = &net->layers[number];
  const wisp_floats *in = &tensors[layer->inputs[0]], *gradient = &gradients[number + 1];
  for (int y = 0; y < gradient->height; y++)
    for (int x = 0; x < gradient->width; x++) {
      const place from = source_of(layer, in, channel, y, x);
      const wisp_floats *to = &gradients[layer->inputs[from.input]];
      if (to->data)
        wisp_float_row(to, channel, from.y)[from.x] += wisp_float_row(gradient, channel, y)[x];
    }
}

/* The largest of the window as far as that lies on the input, and of equal numbers the first. */
static inline place largest(const wisp_net_layer *layer, const wisp_floats *in, int channel, int y,
                            int x) {
  const wisp_window *w = &layer->window;
  const int top = y * w->stride[0] - w->pad[0], left = x * w->stride[1] - w->pad[1];
  const int bottom = wisp_min(top + w->kernel[0], in->height);
  const int right = wisp_min(left + w->kernel[1], in->width);
  place at = {wisp_max(top, 0), wisp_max(left, 0), 0};
  float most = wisp_float_row(in, channel, at.y)[at.x];
  for (int i = wisp_max(top, 0); i < bottom; i++)
    for (int k = wisp_max(left, 0); k < right; k++)
      if (wisp_float_row(in, channel, i)[k] > most) {
        most = wisp_float_row(in, channel, i)[k];
        at = (place){i, k, 0};
      }
  return at;
}

static inline place nearest(const wisp_net_layer *layer, const wisp_floats *in, int channel, int y,
                            int x) {
  (void)in, (void)channel;
  const int *factor = layer->window.stride;
  const int turn = layer->input_count > 1 ? y % factor[0] * factor[1] + x % factor[1] : 0;
  return (place){y / factor[0], x / factor[1], turn};
}

#define MOVES(name, source_of)                                                            \
  static void run_##name(const wisp_net *net, int number, const wisp_floats *tensors,     \
                         int channel) {                                                   \
    run(net, number, tensors, channel, source_of);                                        \
  }                                                                                       \
  static void reverse_##name(const wisp_net *net, int number, const wisp_floats *tensors, \
                             const wisp_floats *gradients, int channel) {                 \
    reverse(net, number, tensors, gradients, channel, source_of);                         \
  }                                                                                       \
  const wisp_float_operation wisp_float_##name = {run_##name, reverse_##name, NULL};
MOVES(maxpool, largest)
MOVES(upsample, nearest)
