/* test_backward.c - gradients are what small changes of the biases do to the heads.
 * SPDX-License-Identifier: Apache-2.0 */
#include "float/backward.h"

#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "corridor.h"
#include "small_net.h"

typedef struct gradients {
  const wisp_net *net;
  double *of_bias[64]; /* by layer, by channel */
} gradients;

static void watch(void *context, int layer, const wisp_floats *gradient) {
  gradients *g = context;
  g->of_bias[layer] = check_allocate((size_t)gradient->channels * sizeof **g->of_bias);
  for (int c = 0; c < gradient->channels; c++)
    for (int y = 0; y < gradient->height; y++)
      for (int x = 0; x < gradient->width; x++)
        g->of_bias[layer][c] +=
            (double)gradient->data[(size_t)c * gradient->plane + (size_t)(y * gradient->pitch + x)];
}

/* Random numbers [heads], each as long as its head. */
static void seed_heads(const wisp_net *net, const wisp_backward *backward, float **seeds) {
  for (int h = 0; h < net->head_count; h++) {
    wisp_floats head = wisp_backward_head(backward, h);
    size_t n = (size_t)head.channels * head.plane;
    seeds[h] = check_allocate(n * sizeof **seeds);
    for (size_t i = 0; i < n; i++) head.data[i] = seeds[h][i] = (float)random_real(-1, 1);
  }
}

/* The seeds' product with the heads. */
static double product(const wisp_net *net, const wisp_exec *exec, float **seeds) {
  double sum = 0;
  for (int h = 0; h < net->head_count; h++) {
    wisp_floats head = wisp_exec_tensor(exec, net->heads[h].tensor);
    const float *seed = seeds[h];
    for (int c = 0; c < head.channels; c++)
      for (int y = 0; y < head.height; y++)
        for (int x = 0; x < head.width; x++)
          sum += (double)head.data[(size_t)c * head.plane + (size_t)(y * head.pitch + x)] *
                 (double)*seed++;
  }
  return sum;
}

static wisp_view random_picture(const wisp_net *net) {
  const wisp_net_tensor *in = &net->tensors[0];
  wisp_view view = {.channels = in->channels,
                    .height = in->height,
                    .width = in->width,
                    .pitch = in->width,
                    .plane = in->height * in->width * WISP_LANES};
  size_t n = (size_t)wisp_planes(in->channels) * (size_t)view.plane;
  view.data = check_allocate(n);
  for (size_t i = 0; i < n; i++) view.data[i] = (uint8_t)random_int(0, 255);
  return view;
}

/* The change of the product when a bias moves both ways. */
static double measured(wisp_net *net, wisp_exec *exec, const wisp_view *picture, float **seeds,
                       int number, int channel, float move) {
  wisp_net_layer *layer = &net->layers[number];
  float bias = layer->bias[channel];
  double sides[2];
  for (int side = 0; side < 2; side++) {
    layer->bias[channel] = bias + (side ? move : -move);
    wisp_exec_reweigh(exec, number, layer->weights, layer->bias);
    wisp_exec_run(exec, picture, NULL, NULL);
    sides[side] = product(net, exec, seeds);
  }
  layer->bias[channel] = bias;
  wisp_exec_reweigh(exec, number, layer->weights, layer->bias);
  return (sides[1] - sides[0]) / (2 * (double)move);
}

/* Closes the graph. */
static void test_graph(const char *name, wisp_graph *graph, int threads) {
  CHECK_CASE("%s", name);
  wisp_net *net;
  wisp_pool *pool;
  wisp_exec *exec;
  wisp_backward *backward;
  float *seeds[16];
  if (!CHECK_EQ(wisp_fold(graph, &net, NULL), WISP_OK)) return;
  wisp_graph_close(&graph);
  CHECK_EQ(wisp_pool_open(&pool, threads), WISP_OK);
  CHECK_EQ(wisp_exec_open(&exec, net, pool, 1, NULL), WISP_OK);
  CHECK_EQ(wisp_backward_open(&backward, net, exec, pool, NULL), WISP_OK);
  wisp_view picture = random_picture(net);
  const float *weights[64];
  gradients g = {.net = net};
  for (int i = 0; i < net->layer_count; i++) weights[i] = net->layers[i].weights;
  seed_heads(net, backward, seeds);
  wisp_exec_run(exec, &picture, NULL, NULL);
  wisp_backward_run(backward, weights, watch, &g);
  int close = 0, tried = 0;
  for (int i = 0; i < net->layer_count; i++)
    for (int k = 0; k < 3 && wisp_net_has_weights(&net->layers[i]); k++, tried++) {
      int c = random_int(0, net->layers[i].channels_out - 1);
      double got = g.of_bias[i][c];
      double want = measured(net, exec, &picture, seeds, i, c, 3e-4f);
      close += fabs(got - want) <= 0.05 * fabs(want) + 0.05;
    }
  CHECK(tried > 20);
  if (!CHECK(close >= tried - tried / 5)) /* a kink of an activation or a pool may lie between */
    printf("%d of %d gradients are right\n", close, tried);
  for (int i = 0; i < net->layer_count; i++) free(g.of_bias[i]);
  for (int h = 0; h < net->head_count; h++) free(seeds[h]);
  free(picture.data);
  wisp_backward_close(&backward);
  wisp_backward_close(&backward);
  wisp_exec_close(&exec);
  wisp_pool_close(&pool);
  wisp_net_close(&net);
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  for (int i = 0; i < STEM_COUNT; i++) {
    const int side = STEMS[i].window.stride[0] * 12;
    test_graph(STEMS[i].name, random_net(&STEMS[i], side, side + side / 3), 1 + i % 3);
  }
  for (int i = 0; i < 6; i++) test_graph("squeezed", random_squeezed(i % 2, 32, 48), 1 + i % 3);
  for (int i = 0; i < 6; i++) test_graph("ghosts", random_ghost(32, 48), 1 + i % 3);
  for (int i = 0; i < 6; i++) test_graph("shuffles", random_lite(32, 48), 1 + i % 3);
  return check_end();
}
