/* test_channels.c - a refit is a least-squares fit; whatever channels go, what is left presses, packs and opens; what
 * can't be is refused.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "check.h"
#include "models/press/press.h"
#include "prune/refit.h"
#include "small_net.h"

enum { SIDE = 48, TAPS = 24, ROWS = 5, SAMPLES = 400 };

/* ---- refit ---- */

/* Moments of random inputs of which tap 3 is tap 1 plus twice tap 2. */
static wisp_moments draw_moments(float inputs[SAMPLES][TAPS]) {
  wisp_moments m = {.taps = TAPS, .weight = SAMPLES};
  m.sums = check_allocate(TAPS * sizeof *m.sums);
  m.products = check_allocate(wisp_moment_at(TAPS, 0) * sizeof *m.products);
  for (int s = 0; s < SAMPLES; s++) {
    for (int k = 0; k < TAPS; k++) inputs[s][k] = (float)random_real(-1, 2);
    inputs[s][3] = inputs[s][1] + 2 * inputs[s][2];
    for (int i = 0; i < TAPS; i++) m.sums[i] += inputs[s][i];
    for (int i = 0; i < TAPS; i++)
      for (int j = 0; j <= i; j++) m.products[wisp_moment_at(i, j)] += inputs[s][i] * inputs[s][j];
  }
  return m;
}

/* The variance of what an output loses, over that of the output. */
static double lost(float inputs[SAMPLES][TAPS], const float *before, const float *after) {
  double sums[4] = {0};
  for (int s = 0; s < SAMPLES; s++) {
    double was = 0, miss = 0;
    for (int k = 0; k < TAPS; k++) {
      was += (double)before[k] * (double)inputs[s][k];
      miss += ((double)before[k] - (double)after[k]) * (double)inputs[s][k];
    }
    sums[0] += was, sums[1] += was * was, sums[2] += miss, sums[3] += miss * miss;
  }
  const double n = SAMPLES;
  return (sums[3] / n - sums[2] * sums[2] / n / n) / (sums[1] / n - sums[0] * sums[0] / n / n);
}

static void test_refit(void) {
  CHECK_CASE("refit");
  static float inputs[SAMPLES][TAPS];
  float weights[ROWS * TAPS], after[ROWS * TAPS];
  wisp_moments m = draw_moments(inputs);
  for (int i = 0; i < ROWS * TAPS; i++)
    weights[i] = i % TAPS == 3 || i % TAPS == 5 ? 0.5f : (float)random_real(-1, 1);
  int taps[TAPS], n = 0;
  for (int k = 0; k < TAPS; k++)
    if (k != 3) taps[n++] = k;
  wisp_refit *refit;
  CHECK_EQ(wisp_refit_open(&refit, &m, weights, NULL, ROWS, taps, n), WISP_OK);
  wisp_refit_weights(refit, after);
  for (int o = 0; o < ROWS; o++) {
    CHECK(after[o * TAPS + 3] == 0);
    CHECK(lost(inputs, weights + o * TAPS, after + o * TAPS) < 0.002); /* the damping's */
  }
  CHECK(wisp_refit_loss(refit, 1, 1) > 0.01); /* now it is needed */
  wisp_refit_close(&refit);
  for (int k = 0; k < TAPS; k++) taps[k] = k;
  CHECK_EQ(wisp_refit_open(&refit, &m, weights, NULL, ROWS, taps, TAPS), WISP_OK);
  wisp_refit_weights(refit, after);
  CHECK_SAME(after, weights, sizeof weights);
  CHECK(wisp_refit_loss(refit, 3, 1) < 0.2 * wisp_refit_loss(refit, 5, 1));
  const double first = wisp_refit_loss(refit, 0, 1), all[ROWS] = {1, 1, 1, 1, 1}, one[ROWS] = {1};
  refit->importance = one;
  const double of_one = wisp_refit_loss(refit, 0, 1);
  refit->importance = all;
  CHECK(of_one > 0 && of_one < wisp_refit_loss(refit, 0, 1));
  CHECK_NEAR(wisp_refit_loss(refit, 0, 1), first * refit->variance, 1e-6 * refit->variance);
  wisp_refit_close(&refit);
  free(m.sums);
  free(m.products);
}

/* ---- networks ---- */

static wisp_press *press_of(wisp_graph *graph) {
  wisp_press *press;
  CHECK_EQ(wisp_press_open(&press), WISP_OK);
  wisp_graph *own = wisp_press_graph(press), given = *own;
  *own = *graph;
  *graph = given;
  wisp_graph_close(&graph);
  CHECK_EQ(wisp_press_fold(press, 2, NULL), WISP_OK);
  return press;
}

static void observe_random(wisp_press *press, int n) {
  uint8_t *rgba = check_allocate(SIDE * SIDE * 4);
  for (; n > 0; n--) {
    random_bytes(rgba, SIDE * SIDE * 4);
    const wisp_frame frame = {rgba, SIDE, SIDE, SIDE * 4};
    CHECK_EQ(wisp_press_observe(press, &frame, NULL), WISP_OK);
  }
  free(rgba);
}

/* What is left presses and packs, whatever went. */
static void test_net(wisp_graph *graph, double share) {
  CHECK_CASE("%.2f of a random network", share);
  wisp_press *press = press_of(graph);
  observe_random(press, 4);
  double saved = -1;
  const uint8_t *bytes;
  size_t size;
  wisp_error error = {0};
  wisp_press_settings settings = wisp_press_default_settings();
  CHECK_EQ(wisp_press_quantise(press, &settings, NULL, &error), WISP_OK);
  CHECK_EQ(wisp_press_channels(press, share, &saved, &error), WISP_OK);
  CHECK(saved >= 0 && saved < share + 0.3);
  CHECK_EQ(wisp_press_pack(press, "{}", &bytes, &size, &error), WISP_ERR_ARGUMENT);
  CHECK_EQ(wisp_press_quantise(press, &settings, NULL, &error), WISP_ERR_ARGUMENT);
  observe_random(press, 4);
  CHECK_EQ(wisp_press_quantise(press, &settings, NULL, &error), WISP_OK);
  CHECK_EQ(wisp_press_pack(press, "{}", &bytes, &size, &error), WISP_OK);
  wisp_model *model;
  CHECK_EQ(wisp_model_open(&model), WISP_OK);
  if (!CHECK_EQ(wisp_model_feed(model, bytes, size, &error), WISP_OK))
    printf("%s\n", error.message);
  wisp_model_close(&model);
  wisp_press_close(&press);
}

static void test_errors(void) {
  CHECK_CASE("errors");
  wisp_press *press = press_of(random_net(&STEMS[1], SIDE, SIDE));
  wisp_error error = {0};
  double saved;
  CHECK_EQ(wisp_press_channels(press, 0.5, &saved, &error), WISP_ERR_ARGUMENT);
  CHECK(strstr(error.message, "No calibration picture"));
  observe_random(press, 1);
  CHECK_EQ(wisp_press_channels(press, 0.9, &saved, &error), WISP_ERR_ARGUMENT);
  CHECK(strstr(error.message, "0 to 0.7"));
  wisp_press_close(&press);
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  test_refit();
  for (int i = 0; i < STEM_COUNT; i++) test_net(random_net(&STEMS[i], SIDE, SIDE), 0.1 * (i % 6));
  for (int i = 0; i < 3; i++) test_net(random_ghost(SIDE, SIDE), 0.2);
  for (int i = 0; i < 3; i++) test_net(random_lite(SIDE, SIDE), 0.3);
  for (int i = 0; i < 6; i++) test_net(random_squeezed(i % 2, SIDE, SIDE), 0.1 * i);
  test_errors();
  return check_end();
}
