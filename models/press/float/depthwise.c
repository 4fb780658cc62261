/* depthwise.c - depthwise convolutions in float.
 * SPDX-License-Identifier: Apache-2.0 */
#include "depthwise.h"

static void add_tap(const float *from, int step, float weight, float *to, int n) {
  if (step == 1)
    for (int x = 0; x < n; x++) to[x] += weight * from[x];
  else
    for (int x = 0; x < n; x++) to[x] += weight * from[x * step];
}

void wisp_depthwise_run(const wisp_net_layer *layer, const float *weights, float bias,
                        const wisp_floats *in, const wisp_floats *sums, int channel) {
  const wisp_window *w = &layer->window;
  const float *plane = in->data + (size_t)channel * in->plane;
  float *to = sums->data + (size_t)channel * sums->plane;
  for (int y = 0; y < sums->height; y++, to += sums->pitch) {
    const float *weight = weights + (size_t)channel * (size_t)wisp_net_taps(layer);
    for (int x = 0; x < sums->width; x++) to[x] = bias;
    for (int ky = 0; ky < w->kernel[0]; ky++) {
      const float *row = plane + (y * w->stride[0] - w->pad[0] + ky) * in->pitch - w->pad[1];
      for (int kx = 0; kx < w->kernel[1]; kx++)
        add_tap(row + kx, w->stride[1], *weight++, to, sums->width);
    }
  }
}

/* Where tap k reads of the input along one axis: outputs *first up to *end lie inside. */
static void reach(const wisp_window *w, int axis, int k, int outputs, int inputs, int *first,
                  int *end) {
  const int stride = w->stride[axis], before = w->pad[axis] - k;
  *first = before > 0 ? (before + stride - 1) / stride : 0;
  const int last = inputs - 1 + before;
  *end = last < 0 ? 0 : wisp_min(outputs, last / stride + 1);
}

void wisp_depthwise_back(const wisp_net_layer *layer, const float *weights,
                         const wisp_floats *gradient, const wisp_floats *to, int channel) {
  const wisp_window *w = &layer->window;
  const float *weight = weights + (size_t)channel * (size_t)wisp_net_taps(layer);
  const float *plane = gradient->data + (size_t)channel * gradient->plane;
  float *sum = to->data + (size_t)channel * to->plane;
  for (int ky = 0; ky < w->kernel[0]; ky++)
    for (int kx = 0; kx < w->kernel[1]; kx++, weight++) {
      int top, bottom, left, right;
      reach(w, 0, ky, gradient->height, to->height, &top, &bottom);
      reach(w, 1, kx, gradient->width, to->width, &left, &right);
      for (int y = top; y < bottom; y++) {
        const float *from = plane + y * gradient->pitch;
        float *row = sum + (y * w->stride[0] - w->pad[0] + ky) * to->pitch - w->pad[1] + kx;
        for (int x = left; x < right; x++) row[x * w->stride[1]] += *weight * from[x];
      }
    }
}
