/* test_range.c - the bytes of a tensor reach as far as its values, or as far as pays.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "calibrate/observe.h"
#include "check.h"
#include "corridor.h"

/* A net of one convolution, and what it was seen to yield. */
typedef struct little {
  float weight, bias;
  int input;
  wisp_net_layer layer;
  wisp_net_tensor tensors[2];
  wisp_net net;
  uint32_t bins[WISP_BINS];
  wisp_spread spreads[2];
  wisp_observer seen;
} little;

static little *open_little(int activation, float low, float high, float reach) {
  little *l = check_allocate(sizeof *l);
  l->weight = 1;
  l->layer = (wisp_net_layer){.operation = WISP_OP_CONV,
                              .activation = activation,
                              .window = {{1, 1}, {1, 1}, {0}},
                              .inputs = &l->input,
                              .input_count = 1,
                              .residual = -1,
                              .channels_in = 1,
                              .channels_out = 1,
                              .weights = &l->weight,
                              .bias = &l->bias};
  l->tensors[0] = l->tensors[1] = (wisp_net_tensor){.channels = 1, .height = 1, .width = 1};
  l->net = (wisp_net){.cell = 1, .tensors = l->tensors, .layers = &l->layer, .layer_count = 1};
  l->spreads[1] = (wisp_spread){.low = low, .high = high, .reach = reach, .bins = l->bins};
  l->seen = (wisp_observer){.net = &l->net, .pictures = 1, .spreads = l->spreads};
  return l;
}

static void test_ends(void) {
  CHECK_CASE("from smallest to largest");
  little *l = open_little(WISP_ACT_SILU, -0.25f, 10, 16);
  wisp_range(&l->net, &l->seen, WISP_RANGE_MINMAX);
  CHECK_NEAR((double)l->tensors[0].scale, 1.0 / 255, 1e-9);
  CHECK_EQ(l->tensors[0].zero_point, 0);
  CHECK_NEAR((double)l->tensors[1].scale, 10.25 / 255, 1e-6);
  CHECK_EQ(l->tensors[1].zero_point, 6); /* 0.25 / (10.25 / 255) = 6.2 */
  free(l);
}

/* What was constant still has steps that the runtime can make. */
static void test_constant(int activation) {
  CHECK_CASE("constant, activation %d", activation);
  little *l = open_little(activation, 0, 0, 0);
  wisp_range(&l->net, &l->seen, WISP_RANGE_MSE);
  CHECK(l->tensors[1].scale >= 1.0f / (1 << 22));
  CHECK(activation == WISP_ACT_RELU || l->tensors[1].scale * 255 >= 10.0f / 32767);
  free(l);
}

/* A lone value far off: seen by one way, cut off by the other. */
static void test_outlier(void) {
  CHECK_CASE("an outlier");
  little *l = open_little(WISP_ACT_RELU, 0, 16, 16);
  for (int i = 0; i < WISP_BINS / 32; i++) l->bins[WISP_BINS / 2 + i] = 100000; /* 0 ... 1 */
  l->bins[WISP_BINS - 1] = 1;
  wisp_range(&l->net, &l->seen, WISP_RANGE_MINMAX);
  CHECK_NEAR((double)l->tensors[1].scale * 255, 16, 1e-4);
  wisp_range(&l->net, &l->seen, WISP_RANGE_MSE);
  CHECK((double)l->tensors[1].scale * 255 < 10);
  free(l);
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  test_ends();
  for (int activation = 0; activation < WISP_ACT_COUNT; activation++)
    if (activation != WISP_ACT_NONE && activation != WISP_ACT_LEAKY) test_constant(activation);
  test_outlier();
  return check_end();
}
