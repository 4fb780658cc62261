/* backward.c - from gradients at the heads to those at every convolution's sums, through a run that was kept.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Backwards, a convolution of stride s is s x s convolutions, one for each phase (y mod s, x mod s) of its input,
 * each with the taps that reach that phase. */
#include "backward.h"

#include <stdlib.h>
#include <string.h>

#include "convolve.h"
#include "depthwise.h"
#include "operations.h"

enum { STRIP_FLOATS = 32768 /* of the gradient a task reads */ };

struct wisp_backward {
  const wisp_net *net;
  const wisp_exec *exec;
  wisp_pool *pool;
  wisp_floats *gradients; /* [layers + 1] of tensors; the picture has none */
  float *arena;
  float *sums;  /* scratch: gradient of the sums with a border */
  float *phase; /* scratch: gradient of one phase of an input */
  float *weights, *bias;
  int32_t *offsets;
};

/* ---- memory ---- */

/* The gradient of a layer's sums, with a border that every tap stays in. */
static wisp_floats view_sums(const wisp_net *net, int number, float *data) {
  const wisp_net_layer *layer = &net->layers[number];
  const wisp_net_tensor *out = &net->tensors[number + 1];
  const int top = layer->window.kernel[0], side = layer->window.kernel[1];
  wisp_floats view = {.channels = layer->channels_out,
                      .height = out->height,
                      .width = out->width,
                      .pitch = out->width + 2 * side};
  view.plane = (size_t)(out->height + 2 * top) * (size_t)view.pitch;
  view.data = data ? data + top * view.pitch + side : NULL;
  return view;
}

static size_t rounded(int channels) {
  return (size_t)(channels + WISP_CONVOLVE_CHANNELS - 1) / WISP_CONVOLVE_CHANNELS *
         WISP_CONVOLVE_CHANNELS;
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

typedef struct sizes {
  size_t arena, sums, phase, weights, bias, taps; /* floats, or taps */
} sizes;

static sizes measure(wisp_backward *b) {
  const wisp_net *net = b->net;
  sizes n = {0};
  for (int t = 1; t <= net->layer_count; t++) {
    const wisp_net_tensor *of = &net->tensors[t];
    b->gradients[t] = (wisp_floats){.channels = of->channels,
                                    .height = of->height,
                                    .width = of->width,
                                    .pitch = of->width,
                                    .plane = (size_t)of->height * (size_t)of->width};
    n.arena += (size_t)of->channels * b->gradients[t].plane + WISP_CONVOLVE_PIXELS;
  }
  for (int i = 0; i < net->layer_count; i++) {
    const wisp_net_layer *layer = &net->layers[i];
    if (!wisp_net_has_weights(layer)) continue;
    const int kernel = wisp_net_kernel_size(layer);
    const wisp_floats sums = view_sums(net, i, NULL);
    n.sums = larger(n.sums, (size_t)sums.channels * sums.plane + WISP_CONVOLVE_PIXELS);
    if (!wisp_net_mixes_channels(layer)) continue;
    n.taps = larger(n.taps, (size_t)layer->channels_out * (size_t)kernel);
    for (int k = 0; k < layer->input_count; k++) {
      const wisp_net_tensor *in = &net->tensors[layer->inputs[k]];
      const size_t plane = (size_t)in->height * (size_t)in->width + WISP_CONVOLVE_PIXELS;
      n.phase = larger(n.phase, (size_t)in->channels * plane);
      n.bias = larger(n.bias, rounded(in->channels));
      n.weights =
          larger(n.weights, rounded(in->channels) * (size_t)layer->channels_out * (size_t)kernel);
    }
  }
  return n;
}

wisp_status wisp_backward_open(wisp_backward **out, const wisp_net *net, const wisp_exec *exec,
                               wisp_pool *pool, wisp_error *error) {
  *out = NULL;
  wisp_backward *b = calloc(1, sizeof *b);
  if (b) {
    *b = (wisp_backward){.net = net, .exec = exec, .pool = pool};
    b->gradients = calloc((size_t)net->layer_count + 1, sizeof *b->gradients);
  }
  if (b && b->gradients) {
    const sizes n = measure(b);
    b->arena = malloc(n.arena * sizeof *b->arena);
    b->sums = malloc(n.sums * sizeof *b->sums);
    b->phase = malloc(n.phase * sizeof *b->phase);
    b->weights = malloc(n.weights * sizeof *b->weights);
    b->bias = calloc(n.bias, sizeof *b->bias);
    b->offsets = malloc(n.taps * sizeof *b->offsets);
  }
  if (!b || !b->arena || !b->sums || !b->phase || !b->weights || !b->bias || !b->offsets) {
    wisp_backward_close(&b);
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for the gradients of %d layers.",
                     net->layer_count);
  }
  float *at = b->arena;
  for (int t = 1; t <= net->layer_count; t++) {
    b->gradients[t].data = at;
    at += (size_t)b->gradients[t].channels * b->gradients[t].plane + WISP_CONVOLVE_PIXELS;
  }
  *out = b;
  return WISP_OK;
}

void wisp_backward_close(wisp_backward **out) {
  wisp_backward *b = *out;
  if (!b) return;
  *out = NULL;
  free(b->gradients);
  free(b->arena);
  free(b->sums);
  free(b->phase);
  free(b->weights);
  free(b->bias);
  free(b->offsets);
  free(b);
}

wisp_floats wisp_backward_head(const wisp_backward *b, int head) {
  return b->gradients[b->net->heads[head].tensor];
}

/* ---- convolutions ---- */

typedef struct phase_job {
  wisp_backward *b;
  wisp_convolve convolve;
  const wisp_floats *to;   /* gradient of the input */
  int stride[2], phase[2]; /* y, x */
  int strip;
} phase_job;

/* A strip of rows of the phase, added to the gradient of the input. */
static void phase_task(void *context, int index) {
  const phase_job *j = context;
  const wisp_floats *out = &j->convolve.output;
  const int first = index * j->strip, rows = wisp_min(j->strip, out->height - first);
  wisp_convolve_rows(&j->convolve, first, rows);
  for (int c = 0; c < out->channels; c++)
    for (int y = first; y < first + rows; y++) {
      const float *from = out->data + (size_t)c * out->plane + y * out->pitch;
      float *to = j->to->data + (size_t)c * j->to->plane +
                  (y * j->stride[0] + j->phase[0]) * j->to->pitch + j->phase[1];
      for (int x = 0; x < out->width; x++) to[x * j->stride[1]] += from[x];
    }
}

/* The taps that reach the phase: their weights for the input's channels, and where their sums lie. */
static int fill_taps(wisp_backward *b, const wisp_net_layer *layer, const float *weights, int first,
                     int channels, const phase_job *j, const wisp_floats *sums) {
  const wisp_window *w = &layer->window;
  const int all = wisp_net_taps(layer), kernel = wisp_net_kernel_size(layer);
  int taps = 0;
  int reach[2][WISP_MAX_KERNEL], n[2] = {0, 0};
  for (int axis = 0; axis < 2; axis++)
    for (int k = 0; k < w->kernel[axis]; k++)
      if ((j->phase[axis] + w->pad[axis] - k) % w->stride[axis] == 0) reach[axis][n[axis]++] = k;
  const int count = layer->channels_out * n[0] * n[1];
  for (int o = 0; o < layer->channels_out; o++)
    for (int a = 0; a < n[0]; a++)
      for (int d = 0; d < n[1]; d++, taps++) {
        const int ky = reach[0][a], kx = reach[1][d];
        const int row = (j->phase[0] + w->pad[0] - ky) / w->stride[0];
        const int column = (j->phase[1] + w->pad[1] - kx) / w->stride[1];
        b->offsets[taps] =
            (int32_t)((ptrdiff_t)o * (ptrdiff_t)sums->plane + row * sums->pitch + column);
        const float *from =
            weights + (size_t)o * (size_t)all + (size_t)(first * kernel + ky * w->kernel[1] + kx);
        for (int c = 0; c < (int)rounded(channels); c++)
          b->weights[((size_t)(c / WISP_CONVOLVE_CHANNELS) * (size_t)count + (size_t)taps) *
                         WISP_CONVOLVE_CHANNELS +
                     (size_t)(c % WISP_CONVOLVE_CHANNELS)] = c < channels ? from[c * kernel] : 0;
      }
  return taps;
}

static void reach_phase(wisp_backward *b, const wisp_net_layer *layer, const float *weights,
                        int first, phase_job *j, const wisp_floats *sums) {
  const wisp_floats *to = j->to;
  wisp_floats out = {.data = b->phase,
                     .channels = to->channels,
                     .height = (to->height - j->phase[0] + j->stride[0] - 1) / j->stride[0],
                     .width = (to->width - j->phase[1] + j->stride[1] - 1) / j->stride[1]};
  if (out.height < 1 || out.width < 1) return;
  out.pitch = out.width;
  out.plane = (size_t)out.height * (size_t)out.width;
  j->convolve = (wisp_convolve){.weights = b->weights,
                                .bias = b->bias,
                                .offsets = b->offsets,
                                .taps = fill_taps(b, layer, weights, first, to->channels, j, sums),
                                .input = sums->data,
                                .input_step = (size_t)sums->pitch,
                                .activation = WISP_ACT_NONE,
                                .output = out};
  const int share = (out.height + wisp_pool_threads(b->pool) - 1) / wisp_pool_threads(b->pool);
  j->strip = wisp_clamp(STRIP_FLOATS / wisp_max(1, sums->channels * sums->pitch), 1, share);
  wisp_pool_run(b->pool, phase_task, j, (out.height + j->strip - 1) / j->strip);
}

/* From the sums of a convolution to its inputs. */
static void reach_inputs(wisp_backward *b, const wisp_net_layer *layer, const float *weights,
                         const wisp_floats *sums) {
  int first = 0;
  for (int i = 0; i < layer->input_count; i++) {
    phase_job j = {.b = b, .to = &b->gradients[layer->inputs[i]]};
    j.stride[0] = layer->window.stride[0];
    j.stride[1] = layer->window.stride[1];
    for (j.phase[0] = 0; layer->inputs[i] && j.phase[0] < j.stride[0]; j.phase[0]++)
      for (j.phase[1] = 0; j.phase[1] < j.stride[1]; j.phase[1]++)
        reach_phase(b, layer, weights, first, &j, sums);
    first += b->net->tensors[layer->inputs[i]].channels;
  }
}

typedef struct layer_job {
  wisp_backward *b;
  int number;
  const float *weights;
  wisp_floats sums;
} layer_job;

/* A channel of the gradient passes the residual and the activation. */
static void sums_task(void *context, int channel) {
  const layer_job *j = context;
  const wisp_net_layer *layer = &j->b->net->layers[j->number];
  const wisp_floats *gradient = &j->b->gradients[j->number + 1];
  if (layer->residual > 0) {
    const wisp_floats *to = &j->b->gradients[layer->residual];
    const size_t at = (size_t)channel * to->plane;
    for (size_t i = 0; i < to->plane; i++) to->data[at + i] += gradient->data[at + i];
  }
  const size_t margin = (size_t)(layer->window.kernel[0] * j->sums.pitch + layer->window.kernel[1]);
  memset(j->sums.data + (size_t)channel * j->sums.plane - margin, 0, j->sums.plane * sizeof(float));
  const wisp_floats kept = wisp_exec_sums(j->b->exec, j->number);
  wisp_convolve_derive(&kept, layer->activation, layer->slope, gradient, &j->sums, channel);
}

static void depthwise_task(void *context, int channel) {
  const layer_job *j = context;
  const wisp_net_layer *layer = &j->b->net->layers[j->number];
  wisp_depthwise_back(layer, j->weights, &j->sums, &j->b->gradients[layer->inputs[0]], channel);
}

static void reverse_convolution(wisp_backward *b, int number, const float *weights,
                                wisp_backward_watch *watch, void *context) {
  const wisp_net_layer *layer = &b->net->layers[number];
  layer_job j = {b, number, weights, view_sums(b->net, number, b->sums)};
  wisp_pool_run(b->pool, sums_task, &j, layer->channels_out);
  watch(context, number, &j.sums);
  if (wisp_net_mixes_channels(layer)) reach_inputs(b, layer, weights, &j.sums);
  else if (layer->inputs[0]) wisp_pool_run(b->pool, depthwise_task, &j, layer->channels_out);
}

/* ---- all layers ---- */

static void channel_task(void *context, int channel) {
  const layer_job *j = context;
  const wisp_float_operation *operation =
      wisp_float_operation_of(j->b->net->layers[j->number].operation);
  operation->reverse(j->b->net, j->number, wisp_exec_tensors(j->b->exec), j->b->gradients, channel);
}

static void reverse(wisp_backward *b, int number, const float *weights, wisp_backward_watch *watch,
                    void *context) {
  const wisp_net_layer *layer = &b->net->layers[number];
  layer_job j = {.b = b, .number = number};
  if (wisp_net_has_weights(layer)) reverse_convolution(b, number, weights, watch, context);
  else wisp_pool_run(b->pool, channel_task, &j, layer->channels_out);
}

void wisp_backward_run(wisp_backward *b, const float *const *weights, wisp_backward_watch *watch,
                       void *context) {
  for (int t = 1; t <= b->net->layer_count; t++)
    if (!b->net->tensors[t].is_output)
      memset(b->gradients[t].data, 0,
             (size_t)b->gradients[t].channels * b->gradients[t].plane * sizeof(float));
  for (int i = b->net->layer_count - 1; i >= 0; i--) reverse(b, i, weights[i], watch, context);
}
