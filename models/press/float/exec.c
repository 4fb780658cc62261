/* exec.c - picture -> every tensor, in float: walks the layers over memory planned for one size.
 * SPDX-License-Identifier: Apache-2.0 */
#include "exec.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "convolve.h"
#include "core/src/arena.h"
#include "depthwise.h"
#include "operations.h"

/* Numbers of input that a strip of output rows reads: they stay in the second-level cache meanwhile. */
enum { STRIP_FLOATS = 32768 };

typedef struct step {
  const wisp_net_layer *layer;
  wisp_convolve convolve;
  float *weights,
      *bias; /* as convolve.h has them; of a depthwise convolution as the net has them */
  int32_t *offsets;
  int strip;            /* output rows a task */
  ptrdiff_t row, plane; /* floats to the input's next row and channel, as the convolution sees it */
  /* a horizontal stride > 1: the input by columns modulo stride, f32 [channels_in][rows][stride][n] */
  float *unzipped;
  int rows, n;
  wisp_floats sums; /* where they are kept: what the activation is given */
} step;

struct wisp_exec {
  const wisp_net *net;
  wisp_pool *pool;
  int keeps;             /* everything, and the sums */
  int top, bottom, side; /* border of every tensor but the heads */
  wisp_floats *tensors;  /* [layers + 1] */
  step *steps;           /* [layers] */
  float *arena;
};

/* ---- plan ---- */

static void measure_border(wisp_exec *exec) {
  for (int i = 0; i < exec->net->layer_count; i++) {
    const wisp_net_layer *layer = &exec->net->layers[i];
    if (!wisp_net_has_weights(layer)) continue;
    exec->top = wisp_max(exec->top, layer->window.pad[0]);
    exec->bottom = wisp_max(exec->bottom, layer->window.pad[2]);
    exec->side = wisp_max(exec->side, wisp_max(layer->window.pad[1], layer->window.pad[3]));
  }
}

/* Floats a tensor takes; sets all of its view but the address. */
static uint64_t measure_tensor(const wisp_exec *exec, int tensor, wisp_floats *view) {
  const wisp_net_tensor *of = &exec->net->tensors[tensor];
  const int border = of->is_head ? 0 : exec->top + exec->bottom,
            side = of->is_head ? 0 : exec->side;
  *view = (wisp_floats){.channels = of->channels,
                        .height = of->height,
                        .width = of->width,
                        .pitch = of->width + side};
  view->plane = (size_t)(of->height + border) * (size_t)view->pitch;
  return (uint64_t)side + (uint64_t)of->channels * view->plane + WISP_CONVOLVE_PIXELS;
}

/* Floats the input takes unzipped, 0 where it need not be. */
static uint64_t measure_unzipped(wisp_exec *exec, int number) {
  step *s = &exec->steps[number];
  const wisp_net_layer *layer = s->layer = &exec->net->layers[number];
  const wisp_window *window = &layer->window;
  if (!wisp_net_mixes_channels(layer) || window->stride[1] == 1) return 0;
  s->rows = window->pad[0] + exec->net->tensors[layer->inputs[0]].height + window->pad[2];
  s->n = exec->net->tensors[number + 1].width + (window->kernel[1] - 1) / window->stride[1];
  const uint64_t row = (uint64_t)window->stride[1] * (uint64_t)s->n;
  return (uint64_t)layer->channels_in * (uint64_t)s->rows * row + WISP_CONVOLVE_PIXELS;
}

static void mark_read(wisp_span *tensor, int layer) {
  tensor->last = wisp_max(tensor->last, layer);
}

/* What lives how long, in floats and layers; the picture is there from -1 on. [layers + 1] tensors, then [layers]
 * unzipped inputs, then [layers] sums. */
static void measure_all(wisp_exec *exec, wisp_span *spans) {
  const wisp_net *net = exec->net;
  const int n = net->layer_count;
  for (int t = 0; t <= n; t++) {
    const int stays = exec->keeps || net->tensors[t].is_output;
    const uint64_t size = measure_tensor(exec, t, &exec->tensors[t]);
    spans[t] = (wisp_span){.size = size, .first = t - 1, .last = stays ? INT32_MAX : t - 1};
  }
  for (int i = 0; i < n; i++) {
    const wisp_net_layer *layer = &net->layers[i];
    for (int k = 0; k < layer->input_count; k++) mark_read(&spans[layer->inputs[k]], i);
    if (layer->residual >= 0) mark_read(&spans[layer->residual], i);
    spans[n + 1 + i] = (wisp_span){.size = measure_unzipped(exec, i), .first = i, .last = i};
    if (exec->keeps && wisp_net_has_weights(layer))
      spans[2 * n + 1 + i] = (wisp_span){
          .size = measure_tensor(exec, i + 1, &exec->steps[i].sums), .first = i, .last = INT32_MAX};
  }
}

static wisp_status plan_memory(wisp_exec *exec, wisp_span *spans, wisp_error *error) {
  const wisp_net *net = exec->net;
  measure_border(exec);
  measure_all(exec, spans);
  const uint64_t total = wisp_arena_place(spans, 3 * net->layer_count + 1);
  if (total > INT32_MAX / sizeof *exec->arena)
    return wisp_fail(error, WISP_ERR_LIMIT,
                     "The tensors of a %dx%d picture take %llu numbers; use a smaller input.",
                     net->width, net->height, (unsigned long long)total);
  exec->arena = calloc(total, sizeof *exec->arena);
  if (!exec->arena)
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for %.1f MB of tensors.",
                     4e-6 * (double)total);
  for (int t = 0; t <= net->layer_count; t++) {
    wisp_floats *view = &exec->tensors[t], *sums = t ? &exec->steps[t - 1].sums : NULL;
    const int before = net->tensors[t].is_head ? 0 : exec->side + exec->top * view->pitch;
    view->data = exec->arena + spans[t].offset + before;
    if (sums && sums->plane)
      sums->data = exec->arena + spans[2 * net->layer_count + t].offset + before;
  }
  for (int i = 0; i < net->layer_count; i++)
    if (exec->steps[i].n)
      exec->steps[i].unzipped = exec->arena + spans[net->layer_count + 1 + i].offset;
  return WISP_OK;
}

/* ---- steps ---- */

/* Where tap (c, ky, kx) lies from the window's origin. */
static void fill_offsets(const wisp_exec *exec, step *s) {
  const wisp_net_layer *layer = s->layer;
  const int stride = layer->window.stride[1];
  int channels = 0;
  int32_t *offset = s->offsets;
  for (int i = 0; i < layer->input_count; i++) {
    const wisp_floats *in = &exec->tensors[layer->inputs[i]];
    ptrdiff_t start =
        s->unzipped ? channels * s->plane : in->data - exec->tensors[layer->inputs[0]].data;
    for (int c = 0; c < in->channels; c++, start += s->plane)
      for (int ky = 0; ky < layer->window.kernel[0]; ky++)
        for (int kx = 0; kx < layer->window.kernel[1]; kx++) {
          const int column = s->unzipped ? kx % stride * s->n + kx / stride : kx;
          *offset++ = (int32_t)(start + ky * s->row + column);
        }
    channels += in->channels;
  }
}

static wisp_status open_weights(wisp_exec *exec, int number, wisp_error *error) {
  step *s = &exec->steps[number];
  const wisp_net_layer *layer = s->layer;
  const size_t taps = (size_t)wisp_net_taps(layer);
  const size_t rounded = (size_t)(layer->channels_out + WISP_CONVOLVE_CHANNELS - 1) /
                         WISP_CONVOLVE_CHANNELS * WISP_CONVOLVE_CHANNELS;
  s->weights = malloc(rounded * taps * sizeof *s->weights);
  s->bias = malloc(rounded * sizeof *s->bias);
  s->offsets = malloc(taps * sizeof *s->offsets);
  if (!s->weights || !s->bias || !s->offsets)
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for the weights of node %d.",
                     layer->node);
  wisp_exec_reweigh(exec, number, layer->weights, layer->bias);
  return WISP_OK;
}

static void open_convolution(wisp_exec *exec, int number) {
  step *s = &exec->steps[number];
  const wisp_net_layer *layer = s->layer;
  const wisp_window *window = &layer->window;
  const wisp_floats *in = &exec->tensors[layer->inputs[0]], *out = &exec->tensors[number + 1];
  s->row = s->unzipped ? (ptrdiff_t)window->stride[1] * s->n : in->pitch;
  s->plane = s->unzipped ? s->rows * s->row : (ptrdiff_t)in->plane;
  fill_offsets(exec, s);
  s->convolve = (wisp_convolve){
      .weights = s->weights,
      .bias = s->bias,
      .offsets = s->offsets,
      .taps = wisp_net_taps(layer),
      .input = s->unzipped ? s->unzipped : in->data - window->pad[0] * in->pitch - window->pad[1],
      .input_step = (size_t)s->row * (size_t)window->stride[0],
      .activation = layer->activation,
      .slope = layer->slope,
      .output = *out};
  if (layer->residual >= 0) s->convolve.residual = exec->tensors[layer->residual];
  if (exec->keeps) { /* the rest is done afterwards */
    s->convolve.activation = WISP_ACT_NONE;
    s->convolve.residual.data = NULL;
    s->convolve.output = s->sums;
  }
  const int rows = STRIP_FLOATS / wisp_max(1, layer->channels_in * in->pitch * window->stride[0]);
  const int share =
      (out->height + wisp_pool_threads(exec->pool) - 1) / wisp_pool_threads(exec->pool);
  s->strip = wisp_clamp(rows, 1, share);
}

static wisp_status open_steps(wisp_exec *exec, wisp_error *error) {
  const size_t n = (size_t)exec->net->layer_count;
  exec->tensors = calloc(n + 1, sizeof *exec->tensors);
  exec->steps = calloc(n, sizeof *exec->steps);
  wisp_span *spans = calloc(3 * n + 1, sizeof *spans);
  wisp_status status = WISP_ERR_MEMORY;
  if (exec->tensors && exec->steps && spans) status = plan_memory(exec, spans, error);
  else wisp_fail(error, status, "There is no memory to plan %zu layers.", n);
  free(spans);
  for (int i = 0; i < exec->net->layer_count && status == WISP_OK; i++) {
    const wisp_net_layer *layer = exec->steps[i].layer;
    if (wisp_net_has_weights(layer)) status = open_weights(exec, i, error);
    if (status == WISP_OK && wisp_net_mixes_channels(layer)) open_convolution(exec, i);
  }
  return status;
}

wisp_status wisp_exec_open(wisp_exec **out, const wisp_net *net, wisp_pool *pool, int keeps,
                           wisp_error *error) {
  *out = NULL;
  wisp_exec *exec = calloc(1, sizeof *exec);
  if (!exec) return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for the float executor.");
  exec->net = net;
  exec->pool = pool;
  exec->keeps = keeps;
  const wisp_status status = open_steps(exec, error);
  if (status != WISP_OK) wisp_exec_close(&exec);
  *out = exec;
  return status;
}

void wisp_exec_close(wisp_exec **out) {
  wisp_exec *exec = *out;
  if (!exec) return;
  *out = NULL;
  for (int i = 0; i < exec->net->layer_count && exec->steps; i++) {
    free(exec->steps[i].weights);
    free(exec->steps[i].bias);
    free(exec->steps[i].offsets);
  }
  free(exec->tensors);
  free(exec->steps);
  free(exec->arena);
  free(exec);
}

/* ---- run ---- */

/* A layer's place in the arena held other things before: its border is cleared first. */
static void clear_border(const wisp_exec *exec, const wisp_floats *view) {
  const size_t side = (size_t)exec->side, above = (size_t)(exec->top * view->pitch) + side;
  for (int c = 0; c < view->channels; c++) {
    float *row = view->data + (size_t)c * view->plane;
    memset(row - above, 0, above * sizeof *row);
    for (int y = 0; y < view->height; y++, row += view->pitch)
      memset(row + view->width, 0, side * sizeof *row);
    memset(row, 0, (size_t)(exec->bottom * view->pitch) * sizeof *row);
  }
}

/* What a task of a layer reads. */
typedef struct job {
  const wisp_net *net;
  int number;
  const step *step;
  const wisp_floats *tensors, *out;
} job;

static void strip_task(void *context, int index) {
  const step *s = ((const job *)context)->step;
  const int first = index * s->strip;
  wisp_convolve_rows(&s->convolve, first, wisp_min(s->strip, s->convolve.output.height - first));
}

static void unzip_task(void *context, int channel) {
  const job *j = context;
  const step *s = j->step;
  const wisp_window *window = &s->layer->window;
  const int *input = s->layer->inputs;
  float *to = s->unzipped + (size_t)channel * (size_t)(s->rows * window->stride[1] * s->n);
  for (; channel >= j->tensors[*input].channels; input++) channel -= j->tensors[*input].channels;
  const wisp_floats *in = &j->tensors[*input];
  const float *from =
      in->data + (size_t)channel * in->plane - window->pad[0] * in->pitch - window->pad[1];
  wisp_convolve_unzip(from, in->pitch, s->rows, window->stride[1], s->n, to);
}

static void channel_task(void *context, int channel) {
  const job *j = context;
  wisp_float_operation_of(j->step->layer->operation)->run(j->net, j->number, j->tensors, channel);
}

static void depthwise_task(void *context, int channel) {
  const job *j = context;
  const step *s = j->step;
  const wisp_net_layer *layer = s->layer;
  const wisp_floats *in = &j->tensors[layer->inputs[0]];
  const wisp_floats *residual = layer->residual >= 0 ? &j->tensors[layer->residual] : NULL;
  const wisp_floats *sums = s->sums.data ? &s->sums : j->out;
  wisp_depthwise_run(layer, s->weights, s->bias[channel], in, sums, channel);
  wisp_convolve_activate(sums, residual, layer->activation, layer->slope, j->out, channel);
}

static void activate_task(void *context, int channel) {
  const job *j = context;
  const wisp_net_layer *layer = j->step->layer;
  const wisp_floats *residual = layer->residual >= 0 ? &j->tensors[layer->residual] : NULL;
  wisp_convolve_activate(&j->step->sums, residual, layer->activation, layer->slope, j->out,
                         channel);
}

static void run_convolution(const wisp_exec *exec, job *j) {
  const step *s = j->step;
  if (s->unzipped) wisp_pool_run(exec->pool, unzip_task, j, s->layer->channels_in);
  wisp_pool_run(exec->pool, strip_task, j, (j->out->height + s->strip - 1) / s->strip);
  if (exec->keeps) wisp_pool_run(exec->pool, activate_task, j, j->out->channels);
}

void wisp_exec_layer(wisp_exec *exec, int number) {
  const step *s = &exec->steps[number];
  const wisp_floats *out = &exec->tensors[number + 1];
  job j = {exec->net, number, s, exec->tensors, out};
  if (!exec->net->tensors[number + 1].is_head) clear_border(exec, out);
  if (wisp_net_mixes_channels(s->layer)) run_convolution(exec, &j);
  else
    wisp_pool_run(exec->pool, wisp_net_has_weights(s->layer) ? depthwise_task : channel_task, &j,
                  out->channels);
}

/* Bytes of the picture -> 0 ... 1, colour by colour. */
static void read_picture(const wisp_view *picture, const wisp_floats *out) {
  for (int c = 0; c < out->channels; c++) {
    const uint8_t *from = picture->data + c / WISP_LANES * picture->plane + c % WISP_LANES;
    float *to = out->data + (size_t)c * out->plane;
    for (int y = 0; y < out->height; y++, from += picture->pitch * WISP_LANES, to += out->pitch)
      for (int x = 0; x < out->width; x++) to[x] = (float)from[x * WISP_LANES] / 255.0f;
  }
}

void wisp_exec_picture(wisp_exec *exec, const wisp_view *picture) {
  clear_border(exec, &exec->tensors[0]);
  read_picture(picture, &exec->tensors[0]);
}

void wisp_exec_run(wisp_exec *exec, const wisp_view *picture,
                   void (*watch)(void *context, int tensor), void *context) {
  wisp_exec_picture(exec, picture);
  if (watch) watch(context, 0);
  for (int i = 0; i < exec->net->layer_count; i++) {
    wisp_exec_layer(exec, i);
    if (watch) watch(context, i + 1);
  }
}

void wisp_exec_reweigh(wisp_exec *exec, int number, const float *weights, const float *bias) {
  step *s = &exec->steps[number];
  const size_t channels = (size_t)s->layer->channels_out, taps = (size_t)wisp_net_taps(s->layer);
  if (wisp_net_is_per_channel(s->layer)) {
    memcpy(s->weights, weights, channels * taps * sizeof *weights);
    memcpy(s->bias, bias, channels * sizeof *bias);
  } else wisp_convolve_weights(weights, bias, (int)channels, (int)taps, s->weights, s->bias);
}

wisp_floats wisp_exec_blank(wisp_exec *exec, int tensor) {
  clear_border(exec, &exec->tensors[tensor]);
  return exec->tensors[tensor];
}

wisp_floats wisp_exec_sums(const wisp_exec *exec, int number) { return exec->steps[number].sums; }

wisp_floats wisp_exec_tensor(const wisp_exec *exec, int tensor) { return exec->tensors[tensor]; }

const wisp_floats *wisp_exec_tensors(const wisp_exec *exec) { return exec->tensors; }
