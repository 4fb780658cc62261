/* reference.c - a network executed by the letter of models/FORMAT.md: one output at a time, by direct indexing.
 * SPDX-License-Identifier: Apache-2.0 */
#include "reference.h"

#include <math.h>

#include "check.h"

typedef struct job {
  reference *r;
  const net *n;
  const net_layer *l;
  const net_tensor *out;
  const wisp_step *step; /* of a layer with constants of its own */
} job;

static size_t place(const net_tensor *t, int channel, int y, int x) {
  return ((size_t)channel * (size_t)t->height + (size_t)y) * (size_t)t->width + (size_t)x;
}

static int byte_at(const job *j, int tensor, int channel, int y, int x) {
  return j->r->bytes[tensor][place(&j->n->tensor[tensor], channel, y, x)];
}

/* ---- convolution ---- */

/* Sum of one tap of one input tensor; `block` is the first of its planes' blocks. */
static int64_t sum_tap(const job *j, int tensor, int block, int y, int x) {
  const net_tensor *t = &j->n->tensor[tensor];
  if (y < 0 || y >= t->height || x < 0 || x >= t->width) return 0; /* padding is real zero */
  int64_t sum = 0;
  for (int c = 0; c < t->channels; c++) {
    const int weight = j->l->weights[(block + c / 4) * 4 + c % 4];
    if (weight) sum += weight * (byte_at(j, tensor, c, y, x) - t->zero_point);
  }
  return sum;
}

/* The same for a depthwise convolution: channel c reads channel c. */
static int64_t sum_depthwise(const job *j, int channel, int y, int x) {
  const net_layer *l = j->l;
  const net_tensor *in = &j->n->tensor[l->inputs[0]];
  const int8_t *weight = l->weights + channel * l->kernel_height * l->kernel_width * 4;
  int64_t sum = 0;
  for (int ky = 0; ky < l->kernel_height; ky++)
    for (int kx = 0; kx < l->kernel_width; kx++, weight += 4) {
      const int row = y * l->stride_y + ky - l->pad_top,
                column = x * l->stride_x + kx - l->pad_left;
      if (row < 0 || row >= in->height || column < 0 || column >= in->width) continue;
      sum += *weight * (byte_at(j, l->inputs[0], channel, row, column) - in->zero_point);
    }
  return sum;
}

/* Sum of weight * (q - zero point) for an output. */
static int64_t sum_window(const job *j, int channel, int y, int x) {
  const net_layer *l = j->l;
  int64_t sum = 0;
  int block = l->blocks / j->out->channels * channel;
  for (int ky = 0; ky < l->kernel_height; ky++)
    for (int kx = 0; kx < l->kernel_width; kx++)
      for (int k = 0; k < l->input_count; k++) {
        sum += sum_tap(j, l->inputs[k], block, y * l->stride_y + ky - l->pad_top,
                       x * l->stride_x + kx - l->pad_left);
        block += wisp_planes(j->n->tensor[l->inputs[k]].channels);
      }
  return sum;
}

static int32_t whole_sum(const job *j, int channel, int64_t sum) {
  return (int32_t)(sum + (int64_t)floor((double)j->l->bias[channel] / (double)j->l->scale[channel] +
                                        0.5));
}

static double activate(const net_layer *l, double x) {
  switch ((wisp_activation)l->activation) {
    case WISP_ACT_NONE: return x;
    case WISP_ACT_RELU: return x > 0 ? x : 0;
    case WISP_ACT_LEAKY: return x > 0 ? x : x * (double)l->slope;
    case WISP_ACT_SILU: return x / (1 + exp(-x));
    case WISP_ACT_HARDSWISH: return x * fmin(fmax(x + 3, 0), 6) / 6;
    case WISP_ACT_SIGMOID: return 1 / (1 + exp(-x));
    case WISP_ACT_HARDSIGMOID: return fmin(fmax(x + 3, 0), 6) / 6;
  }
  return x;
}

/* The output in steps of its tensor, by FORMAT.md's formula in double precision; the bias in whole sums. */
static double exact_steps(const job *j, int channel, int y, int x, int64_t sum) {
  double real = activate(j->l, (double)j->l->scale[channel] * whole_sum(j, channel, sum));
  if (j->l->residual >= 0) {
    const net_tensor *residual = &j->n->tensor[j->l->residual];
    real += (double)residual->scale *
            (byte_at(j, j->l->residual, channel, y, x) - residual->zero_point);
  }
  const double steps = real / (double)j->out->scale + j->out->zero_point;
  return steps < 0 ? 0 : steps > 255 ? 255 : steps;
}

/* The sum through the definition of wisp_finish. */
static uint8_t finish(const job *j, int channel, int y, int x, int64_t sum) {
  static const int32_t no_blocks[6] = {0};
  const float *scale =
      j->step->quads ? j->step->quads[channel / 4].scale : j->step->filters[channel / 4].scale;
  const wisp_quad alone = {no_blocks, {whole_sum(j, channel, sum)}, {scale[channel % 4]}};
  wisp_finish f = j->step->finish;
  f.flip = 0;
  uint8_t residual[4] = {0}, out[4];
  if (j->l->residual >= 0) residual[0] = (uint8_t)byte_at(j, j->l->residual, channel, y, x);
  wisp_kernels_scalar()->conv(&alone, &f, out, j->l->residual >= 0 ? residual : NULL, out, 1);
  return out[0];
}

static void convolve(const job *j) {
  for (int c = 0; c < j->out->channels; c++)
    for (int y = 0; y < j->out->height; y++)
      for (int x = 0; x < j->out->width; x++) {
        const int64_t sum = j->l->operation == WISP_OP_DEPTHWISE ? sum_depthwise(j, c, y, x)
                                                                 : sum_window(j, c, y, x);
        const uint8_t byte = finish(j, c, y, x, sum);
        double *worst = &j->r->worst[j->l->activation];
        *worst = fmax(*worst, fabs(byte - exact_steps(j, c, y, x, sum)));
        j->r->bytes[j->l->output][place(j->out, c, y, x)] = byte;
      }
}

static void convolve_head(const job *j, float *logits) {
  for (int c = 0; c < j->out->channels; c++)
    for (int y = 0; y < j->out->height; y++)
      for (int x = 0; x < j->out->width; x++)
        logits[place(j->out, c, y, x)] =
            (float)whole_sum(j, c, sum_window(j, c, y, x)) * j->l->scale[c];
}

/* ---- moves ---- */

static uint8_t maximum(const job *j, int channel, int y, int x) {
  const net_layer *l = j->l;
  const net_tensor *in = &j->n->tensor[l->inputs[0]];
  int best = -1;
  for (int ky = 0; ky < l->kernel_height; ky++)
    for (int kx = 0; kx < l->kernel_width; kx++) {
      const int row = y * l->stride_y + ky - l->pad_top,
                column = x * l->stride_x + kx - l->pad_left;
      if (row >= 0 && row < in->height && column >= 0 && column < in->width)
        best = wisp_max(best, byte_at(j, l->inputs[0], channel, row, column));
    }
  return (uint8_t)best;
}

static uint8_t nearest(const job *j, int channel, int y, int x) {
  const net_layer *l = j->l;
  const int own = l->input_count > 1 ? y % l->stride_y * l->stride_x + x % l->stride_x : 0;
  return (uint8_t)byte_at(j, l->inputs[own], channel, y / l->stride_y, x / l->stride_x);
}

/* ---- squeeze-and-excitation ---- */

/* Notes how far `byte` is from the exact steps. */
static uint8_t compared(const job *j, int byte, double steps) {
  double *worst = &j->r->worst[WISP_ACT_NONE];
  *worst = fmax(*worst, fabs(byte - fmin(fmax(steps + j->out->zero_point, 0), 255)));
  return (uint8_t)byte;
}

static uint8_t mean(const job *j, int channel, int y, int x) {
  const net_tensor *in = &j->n->tensor[j->l->inputs[0]];
  (void)y, (void)x;
  int64_t sum = 0;
  for (int row = 0; row < in->height; row++)
    for (int column = 0; column < in->width; column++)
      sum += byte_at(j, j->l->inputs[0], channel, row, column) - in->zero_point;
  const int64_t n = (int64_t)in->height * in->width;
  const int byte =
      wisp_clamp(wisp_mean(sum, n, j->step->finish.ratio) + j->out->zero_point, 0, 255);
  return compared(j, byte, (double)in->scale * (double)sum / (double)n / (double)j->out->scale);
}

static uint8_t product(const job *j, int channel, int y, int x) {
  const net_tensor *in = &j->n->tensor[j->l->inputs[0]], *by = &j->n->tensor[j->l->inputs[1]];
  const uint8_t pixel[WISP_LANES] = {(uint8_t)byte_at(j, j->l->inputs[0], channel, y, x)};
  const int factor = byte_at(j, j->l->inputs[1], channel, 0, 0);
  const int16_t factors[WISP_LANES] = {
      (int16_t)wisp_factor(factor, by->zero_point, j->step->finish.ratio)};
  wisp_finish f = j->step->finish;
  f.flip = 0;
  uint8_t out[WISP_LANES];
  wisp_kernels_scalar()->scale(&f, factors, pixel, out, 1);
  const double exact = (double)in->scale * (double)by->scale * (pixel[0] - in->zero_point) *
                       (factor - by->zero_point);
  return compared(j, out[0], exact / (double)j->out->scale);
}

/* Each byte by itself. */
static void fill(const job *j, uint8_t (*byte_of)(const job *j, int channel, int y, int x)) {
  for (int c = 0; c < j->out->channels; c++)
    for (int y = 0; y < j->out->height; y++)
      for (int x = 0; x < j->out->width; x++)
        j->r->bytes[j->l->output][place(j->out, c, y, x)] = byte_of(j, c, y, x);
}

/* ---- all layers ---- */

static const wisp_step *step_of(const wisp_plan *plan, int layer) {
  for (int s = 0; s < plan->step_count; s++)
    if (plan->steps[s].layer == layer && plan->steps[s].kind != &wisp_step_sort)
      return &plan->steps[s];
  return NULL;
}

static int head_of(const net *n, int tensor) {
  for (int i = 0; i < n->heads; i++)
    if (n->head[i].tensor == tensor && n->head[i].kind != WISP_HEAD_PROTOTYPES) return i;
  return -1;
}

static size_t count(const net_tensor *t) {
  return (size_t)t->channels * (size_t)t->height * (size_t)t->width;
}

void reference_run(reference *r, const net *n, const wisp_plan *plan, const uint8_t *input) {
  memset(r, 0, sizeof *r);
  r->bytes[0] = check_allocate(count(&n->tensor[0]));
  memcpy(r->bytes[0], input, count(&n->tensor[0]));
  for (int i = 0; i < n->layers; i++) {
    const net_layer *l = &n->layer[i];
    const job j = {r, n, l, &n->tensor[l->output], step_of(plan, i)};
    const int head = head_of(n, l->output);
    if (head >= 0) {
      r->logits[head] = check_allocate(count(j.out) * sizeof(float));
      convolve_head(&j, r->logits[head]);
      continue;
    }
    r->bytes[l->output] = check_allocate(count(j.out));
    switch ((wisp_operation)l->operation) {
      case WISP_OP_CONV:
      case WISP_OP_DEPTHWISE: convolve(&j); break;
      case WISP_OP_MAXPOOL: fill(&j, maximum); break;
      case WISP_OP_UPSAMPLE: fill(&j, nearest); break;
      case WISP_OP_AVERAGE: fill(&j, mean); break;
      case WISP_OP_SCALE: fill(&j, product); break;
    }
  }
}

void reference_free(reference *r) {
  for (int i = 0; i < NET_TENSORS; i++) free(r->bytes[i]);
  for (int i = 0; i < NET_HEADS; i++) free(r->logits[i]);
  memset(r, 0, sizeof *r);
}
