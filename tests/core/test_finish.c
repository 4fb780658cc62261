/* test_finish.c - a sum as a byte: how far every activation is from its exact value, over all sums and many scales.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "check.h"
#include "draw.h"
#include "operation.h"
#include "plan.h"

enum { SPREAD = 20000 /* sums on each side of 0 */ };

/* How far an output may be from the exact one: `steps` of it and `real` in itself, what the curve is off. */
static const struct {
  double steps, real;
} most[WISP_ACT_COUNT] = {{0.53, 0},      {0.53, 0},      {0.8, 0},      {0.55, 0.0007},
                          {0.68, 0.0003}, {1.03, 0.0021}, {1.03, 0.0001}};

/* One layer on one channel and, if `adds`, a second that adds the first's output. */
static void make_net(net *n, int activation, float slope, float scale, int zero_point, int adds) {
  *n = (net){.height = 32,
             .width = 32,
             .stride = 32,
             .block = 1,
             .classes = 1,
             .tensors = 3 + adds,
             .heads = 1};
  n->tensor[0] = (net_tensor){3, 0, 1.0f / 255, 32, 32};
  for (int i = 1; i <= 1 + adds; i++) n->tensor[i] = (net_tensor){1, zero_point, scale, 32, 32};
  n->tensor[2 + adds] = (net_tensor){6, 0, 1, 32, 32};
  n->head[0] = (net_head){WISP_HEAD_YOLOV5, 2 + adds, 8, 1, 0, {{8, 8}}};
  for (int i = 0; i < 2 + adds; i++) {
    net_layer *l = &n->layer[n->layers++];
    *l = (net_layer){.operation = WISP_OP_CONV,
                     .input_count = 1,
                     .inputs = {i},
                     .output = i + 1,
                     .residual = -1};
    l->kernel_height = l->kernel_width = l->stride_y = l->stride_x = 1;
    if (i < 1 + adds) l->activation = activation, l->slope = slope;
    if (i == 1 && adds) l->residual = 1;
    net_make_weights(n, l);
    for (int c = 0; c < n->tensor[i + 1].channels; c++) l->scale[c] = 1;
  }
}

static double activate(int activation, double slope, double x) {
  switch (activation) {
    case WISP_ACT_RELU: return fmax(x, 0);
    case WISP_ACT_LEAKY: return fmax(x, x * slope);
    case WISP_ACT_SILU: return x / (1 + exp(-x));
    case WISP_ACT_HARDSWISH: return x * fmin(fmax(x + 3, 0), 6) / 6;
    case WISP_ACT_SIGMOID: return 1 / (1 + exp(-x));
    case WISP_ACT_HARDSIGMOID: return fmin(fmax(x + 3, 0), 6) / 6;
    default: return x;
  }
}

/* The largest error over sums that cover `reach` real numbers on both sides of 0. */
static double worst_error(const net *n, const wisp_step *step, double reach) {
  static const int32_t no_blocks[6] = {0};
  const net_layer *l = &n->layer[step->layer];
  const net_tensor *out = &n->tensor[l->output];
  const double unit = 1 / (double)step->quads[0].scale[0]; /* each layer's scale is 1 */
  double worst = 0;
  for (int sum = -SPREAD; sum <= SPREAD; sum++) {
    const double real = reach * sum / SPREAD;
    const wisp_quad quad = {no_blocks, {sum}, {(float)(reach / SPREAD / unit)}};
    uint8_t bytes[4], residual[4] = {(uint8_t)(sum * 7)};
    wisp_kernels_scalar()->conv(&quad, &step->finish, bytes, l->residual >= 0 ? residual : NULL,
                                bytes, 1);
    double exact =
        activate(l->activation, (double)l->slope, real) / (double)out->scale + out->zero_point;
    if (l->residual >= 0) exact += residual[0] - n->tensor[l->residual].zero_point;
    worst = fmax(worst, fabs(bytes[0] - fmin(fmax(exact, 0), 255)));
  }
  return worst;
}

static wisp_model *open_model(const net *n) {
  size_t size;
  uint8_t *file = net_write(n, &size);
  wisp_model *model;
  CHECK_EQ(wisp_model_open(&model), WISP_OK);
  CHECK_EQ(wisp_model_feed(model, file, size, NULL), WISP_OK);
  free(file);
  return model;
}

static void test(int activation, double scale, int zero_point, int adds, double *worst) {
  const int is_share = wisp_activation_row_of(activation).is_share;
  const float slope = activation == WISP_ACT_LEAKY ? (float)random_real(0.05, 0.9) : 0;
  net *n = check_allocate(sizeof *n);
  make_net(n, activation, slope, (float)scale, zero_point, adds);
  wisp_model *model = open_model(n);
  wisp_plan *plan;
  wisp_error error = {0};
  CHECK_CASE("%s, scale %g, zero point %d, residual %d", wisp_activation_row_of(activation).name,
             scale, zero_point, adds);
  if (CHECK_EQ(wisp_plan_open(&plan, model, wisp_kernels_scalar(), 32, 32, 1, 0, &error),
               WISP_OK) &&
      CHECK_EQ(wisp_plan_advance(plan, &error), WISP_OK)) {
    const double reach = is_share ? 20 : 600 * scale + 12;
    const double error_steps = worst_error(n, &plan->steps[adds], reach);
    CHECK_NEAR(error_steps, 0, most[activation].steps + most[activation].real / scale);
    if (scale >= 0.003) *worst = fmax(*worst, error_steps);
  } else {
    printf("%s\n", error.message);
  }
  wisp_plan_close(&plan);
  wisp_model_close(&model);
  net_free(n);
  free(n);
}

int main(int argc, char **argv) {
  static const double scales[] = {0.0005, 0.001, 0.003, 0.00392, 0.01, 0.02,
                                  0.05,   0.1,   0.3,   1,       4,    30};
  check_begin(argc, argv);
  for (int activation = 0; activation < WISP_ACT_COUNT; activation++) {
    double worst[2] = {0};
    const int is_share = wisp_activation_row_of((wisp_activation)activation).is_share;
    for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
      const double scale = is_share ? 1 / random_real(200, 255) : scales[i] * random_real(1, 1.5);
      const int zero_point = activation == WISP_ACT_RELU || is_share ? 0 : random_int(0, 128);
      for (int adds = 0; adds < (is_share ? 1 : 2); adds++)
        test(activation, scale, zero_point, adds, &worst[adds]);
    }
    printf("%-9s off by at most %.3f output steps of 0.003 and more, with a residual %.3f\n",
           wisp_activation_row_of(activation).name, worst[0], worst[1]);
  }
  return check_end();
}
