/* test_round.c - least-squares rounding loses less of a convolution than rounding each weight by itself.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "check.h"
#include "round/integers.h"
#include "round/round.h"

enum { TAPS = 27, WINDOWS = 4096, COMMON = 5 };

/* Windows whose taps have few causes in common, as neighbouring pixels have. */
static void draw_windows(float windows[WINDOWS][TAPS], int correlated) {
  float mix[TAPS][COMMON];
  for (int k = 0; k < TAPS; k++)
    for (int c = 0; c < COMMON; c++) mix[k][c] = (float)random_real(-1, 1);
  for (int s = 0; s < WINDOWS; s++) {
    float causes[COMMON];
    for (int c = 0; c < COMMON; c++) causes[c] = (float)random_real(-1, 1);
    for (int k = 0; k < TAPS; k++) {
      windows[s][k] = 1 + (float)random_real(-0.3, 0.3);
      for (int c = 0; c < COMMON && correlated; c++) windows[s][k] += mix[k][c] * causes[c];
    }
  }
}

static wisp_moments open_moments(float windows[WINDOWS][TAPS]) {
  wisp_moments moments = {.taps = TAPS, .weight = WINDOWS};
  moments.sums = check_allocate(TAPS * sizeof *moments.sums);
  moments.products =
      check_allocate(wisp_moment_at(TAPS + WISP_MOMENT_STRIP, 0) * sizeof *moments.products);
  for (int s = 0; s < WINDOWS; s++)
    for (int i = 0; i < TAPS; i++) {
      moments.sums[i] += windows[s][i];
      for (int j = 0; j <= i; j++)
        moments.products[wisp_moment_at(i, j)] += windows[s][i] * windows[s][j];
    }
  return moments;
}

/* The variance of what a convolution loses when its weights become integers. */
static double lost(float windows[WINDOWS][TAPS], const float *weights, const int8_t *integers) {
  double sum = 0, squares = 0;
  for (int s = 0; s < WINDOWS; s++) {
    double loss = 0;
    for (int k = 0; k < TAPS; k++)
      loss += ((double)weights[k] - integers[k]) * (double)windows[s][k];
    sum += loss;
    squares += loss * loss;
  }
  return squares / WINDOWS - sum / WINDOWS * (sum / WINDOWS);
}

static void test_round(void) {
  static float windows[WINDOWS][TAPS];
  float step[TAPS], weights[TAPS];
  int8_t integers[TAPS], nearest[TAPS];
  double by_squares = 0, by_nearest = 0;
  for (int k = 0; k < TAPS; k++) step[k] = 1;
  CHECK_CASE("rounding correlated inputs");
  draw_windows(windows, 1);
  wisp_moments moments = open_moments(windows);
  wisp_rounder *rounder;
  if (!CHECK_EQ(wisp_round_open(&rounder, &moments, step, NULL, 0), WISP_OK)) return;
  for (int channel = 0; channel < 50; channel++) {
    for (int k = 0; k < TAPS; k++)
      weights[k] = channel % 2 && k % 3 ? 0 : (float)random_real(-8, 7);
    for (int k = 0; k < TAPS; k++) nearest[k] = (int8_t)lrintf(weights[k]);
    double told = wisp_round(rounder, weights, -8, 7, integers);
    for (int k = 0; k < TAPS; k++)
      CHECK(integers[k] >= -8 && integers[k] <= 7 && (weights[k] != 0 || integers[k] == 0));
    double real = lost(windows, weights, integers);
    CHECK(told >= real * 0.99); /* the damping adds a little */
    by_squares += real;
    by_nearest += lost(windows, weights, nearest);
  }
  printf("variance lost by least squares %.3g, by nearest %.3g\n", by_squares, by_nearest);
  CHECK(by_squares < 0.5 * by_nearest);
  wisp_round_close(&rounder);
  free(moments.sums);
  free(moments.products);
}

/* Inputs that say nothing about each other leave each weight where it is nearest. */
static void test_round_independent(void) {
  CHECK_CASE("rounding independent inputs");
  wisp_moments moments = {.taps = TAPS, .weight = 1};
  moments.sums = check_allocate(TAPS * sizeof *moments.sums);
  moments.products =
      check_allocate(wisp_moment_at(TAPS + WISP_MOMENT_STRIP, 0) * sizeof *moments.products);
  float step[TAPS], weights[TAPS];
  int8_t integers[TAPS];
  wisp_rounder *rounder;
  for (int k = 0; k < TAPS; k++) {
    step[k] = (float)random_real(0.5, 2);
    moments.products[wisp_moment_at(k, k)] = (float)random_real(0, 3);
    weights[k] = (float)random_real(-70, 70);
  }
  if (!CHECK_EQ(wisp_round_open(&rounder, &moments, step, NULL, 0), WISP_OK)) return;
  wisp_round(rounder, weights, WISP_WEIGHT_MIN, WISP_WEIGHT_MAX, integers);
  for (int k = 0; k < TAPS; k++)
    CHECK_EQ(integers[k], wisp_clamp((int)lrintf(weights[k]), WISP_WEIGHT_MIN, WISP_WEIGHT_MAX));
  wisp_round_close(&rounder);
  free(moments.sums);
  free(moments.products);
}

/* Weights without tails would get steps much finer than their spread; zeros don't count in that. */
static void test_finest(void) {
  float weights[TAPS], energy[TAPS], scratch[TAPS];
  int8_t rounded[TAPS];
  double squares = 0;
  int count = 0;
  CHECK_CASE("the finest scale");
  for (int k = 0; k < TAPS; k++) {
    energy[k] = 1;
    weights[k] = k % 3 == 0 ? 0 : (float)random_real(-1, 1);
    squares += (double)weights[k] * (double)weights[k];
    count += weights[k] != 0;
  }
  wisp_integers channel = {.taps = TAPS, .bits = 7, .energy = energy, .scratch = scratch};
  CHECK(wisp_integers_run(&channel, weights, 0, rounded, NULL) < 0.02f);
  channel.finest = 0.1f;
  float scale = wisp_integers_run(&channel, weights, 0, rounded, NULL);
  CHECK_NEAR(scale, 0.1 * sqrt(squares / count), 1e-3);
  for (int k = 0; k < TAPS; k++) CHECK(abs(rounded[k]) < 32);
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  test_round();
  test_round_independent();
  test_finest();
  return check_end();
}
