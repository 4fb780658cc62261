/* squeeze.c - what squeeze-and-excitation needs, in float: the mean of a plane, a factor for each channel, and back.
 * SPDX-License-Identifier: Apache-2.0 */
#include "squeeze.h"

static float *row_of(const wisp_floats *t, int channel, int y) {
  return t->data + (size_t)channel * t->plane + (ptrdiff_t)y * t->pitch;
}

void wisp_squeeze_mean(const wisp_floats *in, const wisp_floats *out, int channel) {
  double sum = 0;
  for (int y = 0; y < in->height; y++) {
    const float *row = row_of(in, channel, y);
    for (int x = 0; x < in->width; x++) sum += (double)row[x];
  }
  *row_of(out, channel, 0) = (float)(sum / in->height / in->width);
}

void wisp_squeeze_mean_back(const wisp_floats *gradient, const wisp_floats *to, int channel) {
  const float each = *row_of(gradient, channel, 0) / (float)to->height / (float)to->width;
  for (int y = 0; y < to->height; y++) {
    float *row = row_of(to, channel, y);
    for (int x = 0; x < to->width; x++) row[x] += each;
  }
}

void wisp_squeeze_scale(const wisp_floats *in, const wisp_floats *by, const wisp_floats *out,
                        int channel) {
  const float factor = *row_of(by, channel, 0);
  for (int y = 0; y < out->height; y++) {
    const float *from = row_of(in, channel, y);
    float *to = row_of(out, channel, y);
    for (int x = 0; x < out->width; x++) to[x] = from[x] * factor;
  }
}

void wisp_squeeze_scale_back(const wisp_floats *gradient, const wisp_floats *in,
                             const wisp_floats *by, const wisp_floats *to_image,
                             const wisp_floats *to_factors, int channel) {
  const float factor = *row_of(by, channel, 0);
  double sum = 0;
  for (int y = 0; y < gradient->height; y++) {
    const float *from = row_of(gradient, channel, y), *image = row_of(in, channel, y);
    float *to = to_image ? row_of(to_image, channel, y) : NULL;
    for (int x = 0; x < gradient->width; x++) {
      if (to) to[x] += from[x] * factor;
      sum += (double)from[x] * (double)image[x];
    }
  }
  if (to_factors) *row_of(to_factors, channel, 0) += (float)sum;
}
