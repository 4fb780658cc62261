/* depthwise.c - depthwise convolutions in float.
 * SPDX-License-Identifier: Apache-2.0 */
#include "convolve.h"
#include "operations.h"

static void add_tap(const float *from, int step, float weight, float *to, int n) {
  if (step == 1)
    for (int x = 0; x < n; x++) to[x] += weight * from[x];
  else
    for (int x = 0; x < n; x++) to[x] += weight * from[x * step];
}

static void run(const wisp_net *net, int number, const wisp_floats *tensors, int channel) {
  const wisp_net_layer *layer = &net->layers[number];
  const wisp_window *w = &layer->window;
  const wisp_floats *in = &tensors[layer->inputs[0]], *out = &tensors[number + 1];
  const float *plane = in->data + (size_t)channel * in->plane;
  float *to = out->data + (size_t)channel * out->plane;
  for (int y = 0; y < out->height; y++, to += out->pitch) {
    const float *weight = layer->weights + (size_t)channel * (size_t)wisp_net_taps(layer);
    for (int x = 0; x < out->width; x++) to[x] = layer->bias[channel];
    for (int ky = 0; ky < w->kernel[0]; ky++) {
      const float *row = plane + (y * w->stride[0] - w->pad[0] + ky) * in->pitch - w->pad[1];
      for (int kx = 0; kx < w->kernel[1]; kx++)
        add_tap(row + kx, w->stride[1], *weight++, to, out->width);
    }
  }
  const wisp_floats *residual = layer->residual >= 0 ? &tensors[layer->residual] : NULL;
  wisp_convolve_activate(out, residual, layer->activation, layer->slope, out, channel);
}

const wisp_float_operation wisp_float_depthwise = {.run = run}; /* teach.c refuses its gradient */
