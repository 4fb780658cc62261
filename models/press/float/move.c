/* move.c - layers that only move numbers: from which place of the input each output comes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "move.h"

#include <assert.h>

/* The largest of the window at (y, x), as far as that lies on the input. */
static wisp_move_place largest(const wisp_window *w, const wisp_floats *in, const float *channel,
                               int y, int x) {
  const int top = y * w->stride[0] - w->pad[0], left = x * w->stride[1] - w->pad[1];
  const int bottom = wisp_min(top + w->kernel[0], in->height);
  const int right = wisp_min(left + w->kernel[1], in->width);
  wisp_move_place place = {wisp_max(top, 0), wisp_max(left, 0)};
  float most = channel[place.y * in->pitch + place.x];
  for (int i = wisp_max(top, 0); i < bottom; i++)
    for (int k = wisp_max(left, 0); k < right; k++)
      if (channel[i * in->pitch + k] > most) {
        most = channel[i * in->pitch + k];
        place = (wisp_move_place){i, k};
      }
  return place;
}

wisp_move_place wisp_move_source(const wisp_net_layer *layer, const wisp_floats *in, int channel,
                                 int y, int x) {
  const wisp_window *w = &layer->window;
  switch (layer->operation) { /* no default: the compiler names what is missing */
    case WISP_OP_MAXPOOL: return largest(w, in, in->data + (size_t)channel * in->plane, y, x);
    case WISP_OP_UPSAMPLE: return (wisp_move_place){y / w->stride[0], x / w->stride[1]};
    case WISP_OP_CONV:
    case WISP_OP_DEPTHWISE:
    case WISP_OP_AVERAGE:
    case WISP_OP_SCALE: break;
  }
  assert(!"an operation that moves numbers");
  return (wisp_move_place){0, 0};
}

void wisp_move_run(const wisp_net_layer *layer, const wisp_floats *in, const wisp_floats *out,
                   int channel) {
  const float *from = in->data + (size_t)channel * in->plane;
  float *to = out->data + (size_t)channel * out->plane;
  for (int y = 0; y < out->height; y++, to += out->pitch)
    for (int x = 0; x < out->width; x++) {
      const wisp_move_place place = wisp_move_source(layer, in, channel, y, x);
      to[x] = from[place.y * in->pitch + place.x];
    }
}
