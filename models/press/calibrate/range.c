/* range.c - observed values -> the bytes of each tensor: its scale and zero point.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "corridor.h"
#include "float/operations.h"
#include "observe.h"

/* Of a byte; its square is still a number. */
static const float LEAST_STEP = 1e-12f;

static void set_range(wisp_net_tensor *tensor, float low, float high, float least) {
  tensor->scale = fmaxf((high - low) / WISP_BYTE_MAX, least);
  tensor->zero_point = wisp_clamp((int)lrintf(-low / tensor->scale), 0, WISP_BYTE_MAX);
}

/* What remains of a value once it is a byte. */
static float rounded(const wisp_net_tensor *tensor, float value) {
  return (wisp_net_byte(tensor, value) - (float)tensor->zero_point) * tensor->scale;
}

/* ---- the least squared error ---- */

/* What clipping counts more than rounding: the largest values are where objects are. Tried: 1, 4, 16, 64 and no
 * clipping at all; the logits of yolov5n suffer least at 4. */
static const double CLIPPED = 4;

static double range_error(const wisp_spread *spread, float low, float high) {
  wisp_net_tensor tensor;
  set_range(&tensor, low, high, LEAST_STEP);
  const float width = 2 * spread->reach / WISP_BINS;
  double error = 0;
  for (int i = 0; i < WISP_BINS; i++) {
    if (!spread->bins[i]) continue;
    const float value = ((float)i + 0.5f) * width - spread->reach;
    const double miss = (double)value - (double)rounded(&tensor, value);
    error += spread->bins[i] * miss * miss * (value < low || value > high ? CLIPPED : 1);
  }
  return error;
}

/* The best fraction of `high` while `low` stays, or of `low` if `high` stays. */
static float best_end(const wisp_spread *spread, float end, float other) {
  float best = end;
  double least = INFINITY;
  for (int i = 100; i >= 20; i--) {
    const float tried = end * (float)i / 100;
    const double error =
        tried > other ? range_error(spread, other, tried) : range_error(spread, tried, other);
    if (error >= least) continue;
    least = error;
    best = tried;
  }
  return best;
}

/* ---- tensors ---- */

/* The most that an output of the layer could ever be before its activation. */
static double reach_of(const wisp_net *net, const wisp_net_layer *layer) {
  double most = 0;
  const int kernel = wisp_net_kernel_size(layer);
  const float *weights = layer->weights;
  for (int o = 0; o < layer->channels_out; o++) {
    double reach = fabs((double)layer->bias[o]);
    for (int i = 0; i < layer->input_count; i++) {
      double sum = 0;
      for (int k = wisp_net_channels_read(net, layer, i) * kernel; k > 0; k--)
        sum += fabs((double)*weights++);
      reach += sum * WISP_BYTE_MAX * (double)net->tensors[layer->inputs[i]].scale;
    }
    most = fmax(most, reach);
  }
  return most;
}

/* The least step of a byte that the runtime's fixed-point numbers can make, for tensors that were all but
 * constant: a sum has 32 bits of 1/128 steps, with room to spare, and the curves have 32767 steps to 10. */
static float least_step(const wisp_net *net, int number) {
  const wisp_net_layer *layer = &net->layers[number];
  const wisp_float_operation *operation = wisp_float_operation_of(layer->operation);
  if (operation->least_step) return fmaxf(operation->least_step(net, number), LEAST_STEP);
  const int curved = wisp_activation_row_of(layer->activation).range > 0;
  const float step = (float)(reach_of(net, layer) / (1 << 22));
  return fmaxf(step, curved ? 1.0f / 3072 : LEAST_STEP);
}

/* Zero is always in the range: `spread` began there. */
static void range_tensor(wisp_net *net, int number, const wisp_spread *spread,
                         wisp_ranging ranging) {
  float low = spread->low, high = spread->high;
  if (ranging == WISP_RANGE_MSE) {
    high = high > 0 ? best_end(spread, high, low) : 0;
    low = low < 0 ? best_end(spread, low, high) : 0;
  }
  set_range(&net->tensors[number], low, high, least_step(net, number - 1));
}

/* What a layer moves takes one range: that of all that it reads. */
static void share_range(wisp_net *net, const wisp_net_layer *layer, wisp_net_tensor *out) {
  float low = 0, high = 0;
  for (int i = 0; i < layer->input_count; i++) {
    const wisp_net_tensor *in = &net->tensors[layer->inputs[i]];
    low = fminf(low, (0 - (float)in->zero_point) * in->scale);
    high = fmaxf(high, (WISP_BYTE_MAX - (float)in->zero_point) * in->scale);
  }
  const wisp_net_tensor first = net->tensors[layer->inputs[0]];
  out->scale = first.scale;
  out->zero_point = first.zero_point;
  if (layer->input_count == 1) return;
  set_range(out, low, high, LEAST_STEP);
  for (int i = 0; i < layer->input_count; i++) {
    net->tensors[layer->inputs[i]].scale = out->scale;
    net->tensors[layer->inputs[i]].zero_point = out->zero_point;
  }
}

void wisp_range(wisp_net *net, const wisp_observer *seen, wisp_ranging ranging) {
  net->tensors[0].scale = 1.0f / WISP_BYTE_MAX;
  net->tensors[0].zero_point = 0;
  for (int t = 1; t <= net->layer_count; t++) {
    const wisp_net_layer *layer = &net->layers[t - 1];
    wisp_net_tensor *tensor = &net->tensors[t];
    if (tensor->is_head) {
      tensor->scale = 1;
      tensor->zero_point = 0;
    } else if (wisp_net_keeps_range(layer)) {
      share_range(net, layer, tensor);
    } else {
      range_tensor(net, t, &seen->spreads[t], ranging);
    }
  }
}
