/* squeeze.c - squeeze-and-excitation in float: the mean of each channel, a factor for each channel, and back.
 * SPDX-License-Identifier: Apache-2.0 */
#include "operations.h"

/* ---- average: in [height][width] -> out [1][1] ---- */

static void run_average(const wisp_net *net, int number, const wisp_floats *tensors, int channel) {
  const wisp_floats *in = &tensors[net->layers[number].inputs[0]];
  double sum = 0;
  for (int y = 0; y < in->height; y++) {
    const float *row = wisp_float_row(in, channel, y);
    for (int x = 0; x < in->width; x++) sum += (double)row[x];
  }
  *wisp_float_row(&tensors[number + 1], channel, 0) = (float)(sum / in->height / in->width);
}

static void reverse_average(const wisp_net *net, int number, const wisp_floats *tensors,
                            const wisp_floats *gradients, int channel) {
  (void)tensors;
  const wisp_floats *to = &gradients[net->layers[number].inputs[0]];
  if (!to->data) return;
  const float each =
      *wisp_float_row(&gradients[number + 1], channel, 0) / (float)to->height / (float)to->width;
  for (int y = 0; y < to->height; y++) {
    float *row = wisp_float_row(to, channel, y);
    for (int x = 0; x < to->width; x++) row[x] += each;
  }
}

static float least_average(const wisp_net *net, int number) {
  return net->tensors[net->layers[number].inputs[0]].scale / 127; /* core/src/steps/squeeze.c */
}

const wisp_float_operation wisp_float_average = {run_average, reverse_average, least_average};

/* ---- scale: an image, times a factor for each channel ---- */

static void run_scale(const wisp_net *net, int number, const wisp_floats *tensors, int channel) {
  const int *inputs = net->layers[number].inputs;
  const wisp_floats *in = &tensors[inputs[0]], *out = &tensors[number + 1];
  const float factor = *wisp_float_row(&tensors[inputs[1]], channel, 0);
  for (int y = 0; y < out->height; y++) {
    const float *from = wisp_float_row(in, channel, y);
    float *to = wisp_float_row(out, channel, y);
    for (int x = 0; x < out->width; x++) to[x] = from[x] * factor;
  }
}

/* To the image, by its factors; to the factors, by the image that was scaled. */
static void reverse_scale(const wisp_net *net, int number, const wisp_floats *tensors,
                          const wisp_floats *gradients, int channel) {
  const int *inputs = net->layers[number].inputs;
  const wisp_floats *gradient = &gradients[number + 1], *to_image = &gradients[inputs[0]],
                    *to_factors = &gradients[inputs[1]];
  const float factor = *wisp_float_row(&tensors[inputs[1]], channel, 0);
  double sum = 0;
  for (int y = 0; y < gradient->height; y++) {
    const float *from = wisp_float_row(gradient, channel, y),
                *image = wisp_float_row(&tensors[inputs[0]], channel, y);
    float *to = to_image->data ? wisp_float_row(to_image, channel, y) : NULL;
    for (int x = 0; x < gradient->width; x++) {
      if (to) to[x] += from[x] * factor;
      sum += (double)from[x] * (double)image[x];
    }
  }
  if (to_factors->data) *wisp_float_row(to_factors, channel, 0) += (float)sum;
}

static float least_scale(const wisp_net *net, int number) {
  const int *inputs = net->layers[number].inputs;
  return 2.001f * net->tensors[inputs[0]].scale * net->tensors[inputs[1]].scale;
}

const wisp_float_operation wisp_float_scale = {run_scale, reverse_scale, least_scale};
