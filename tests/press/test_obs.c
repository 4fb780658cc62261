/* test_obs.c - blocks go in the order, and at the loss, that solving each case anew finds; the budget is met at the
 * least loss.
 * SPDX-License-Identifier: Apache-2.0 */
#include "prune/obs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "prune/allocate.h"
#include "round/solve.h"

enum {
  CHANNELS = 10 /* of the input: the last block has two lanes */,
  TAPS = 2 * CHANNELS,
  ROWS = 5
};

typedef struct problem {
  wisp_net net;
  wisp_net_layer layer;
  wisp_net_tensor tensors[1];
  int input;
  wisp_moments moments;
  wisp_blocks blocks;
  float weights[ROWS * TAPS];
  double covariance[TAPS][TAPS]; /* damped */
} problem;

/* Inputs that say much about each other. */
static void fill_moments(problem *p) {
  float windows[400][24], mix[TAPS][6];
  for (int k = 0; k < TAPS; k++)
    for (int c = 0; c < 6; c++) mix[k][c] = (float)random_real(-1, 1);
  memset(windows, 0, sizeof windows);
  for (int s = 0; s < 400; s++) {
    float causes[6];
    for (int c = 0; c < 6; c++) causes[c] = (float)random_real(-1, 1);
    for (int k = 0; k < TAPS; k++) {
      windows[s][k] = 0.5f + (float)random_real(-0.4, 0.4);
      for (int c = 0; c < 6; c++) windows[s][k] += mix[k][c] * causes[c];
    }
  }
  CHECK_EQ(wisp_moments_open(&p->moments, TAPS), WISP_OK);
  wisp_moments_add(&p->moments, windows[0], NULL, 400, NULL);
}

static void open_problem(problem *p, int block) {
  *p = (problem){.layer = {.window = {{1, 2}, {1, 1}, {0}},
                           .channels_in = CHANNELS,
                           .channels_out = ROWS,
                           .input_count = 1}};
  p->tensors[0].channels = CHANNELS;
  p->net.tensors = p->tensors;
  p->layer.inputs = &p->input;
  fill_moments(p);
  CHECK_EQ(wisp_blocks_open(&p->blocks, &p->net, &p->layer, block), WISP_OK);
  for (int i = 0; i < ROWS * TAPS; i++) p->weights[i] = (float)random_real(-1, 1);
  double energy = 0;
  for (int i = 0; i < TAPS; i++)
    for (int j = 0; j < TAPS; j++)
      p->covariance[i][j] = (double)wisp_moment_covariance(&p->moments, i, j);
  for (int i = 0; i < TAPS; i++) energy += p->covariance[i][i] / TAPS;
  for (int i = 0; i < TAPS; i++) p->covariance[i][i] += 0.01 * energy;
}

static void close_problem(problem *p) {
  wisp_moments_close(&p->moments);
  wisp_blocks_close(&p->blocks);
}

/* The least of d' C d over the changes d that take the weights of `gone` to zero: eliminate the others. */
static double least_loss(const problem *p, const float *weights, const char *gone) {
  double a[TAPS][TAPS];
  memcpy(a, p->covariance, sizeof a);
  for (int k = 0; k < TAPS; k++)
    for (int i = 0; i < TAPS && !gone[k]; i++) {
      double share = a[i][k] / a[k][k];
      for (int j = 0; j < TAPS && i != k; j++) a[i][j] -= share * a[k][j];
    }
  double loss = 0;
  for (int i = 0; i < TAPS; i++)
    for (int j = 0; j < TAPS; j++)
      if (gone[i] && gone[j]) loss += (double)weights[i] * a[i][j] * (double)weights[j];
  return loss;
}

static void mark(const problem *p, int block, char *gone, char value) {
  for (int lane = 0; lane < 4 && p->blocks.taps[block][lane] >= 0; lane++)
    gone[p->blocks.taps[block][lane]] = value;
}

static void test_order(int block) {
  CHECK_CASE("blocks of 1x%d", block);
  problem p;
  wisp_obs obs;
  open_problem(&p, block);
  CHECK_EQ(p.blocks.count, 2 * ((CHANNELS + block - 1) / block));
  if (!CHECK_EQ(wisp_obs_open(&obs, &p.moments, p.weights, ROWS, &p.blocks, 0.8f, NULL), WISP_OK))
    return;
  for (int o = 0; o < ROWS; o++) {
    char gone[TAPS] = {0}, taken[TAPS] = {0};
    const float *weights = p.weights + o * TAPS;
    CHECK_EQ(obs.steps[o], (int)(0.8f * (float)obs.blocks));
    for (int k = 0; k < obs.steps[o]; k++) {
      double least = INFINITY;
      for (int b = 0; b < obs.blocks; b++) {
        if (taken[b]) continue;
        mark(&p, b, gone, 1);
        least = fmin(least, least_loss(&p, weights, gone));
        mark(&p, b, gone, 0);
      }
      int chosen = obs.order[o * obs.blocks + k];
      mark(&p, chosen, gone, 1);
      taken[chosen] = 1;
      CHECK_NEAR(least_loss(&p, weights, gone), least, 1e-3 * least + 1e-6);
      CHECK_NEAR((double)obs.loss[o * obs.blocks + k], least, 1e-3 * least + 1e-6);
    }
  }
  wisp_obs_close(&obs);
  close_problem(&p);
}

static double total_loss(const wisp_allocate_layer *layers, int count, double *share) {
  double loss = 0, removed = 0, all = 0;
  for (int i = 0; i < count; i++)
    for (int c = 0; c < layers[i].obs->channels; c++) {
      int k = layers[i].removed[c];
      removed += k;
      all += layers[i].obs->blocks;
      if (k)
        loss += layers[i].sensitivity[c] / 2 *
                (double)layers[i].obs->loss[c * layers[i].obs->blocks + k - 1];
    }
  *share = removed / all;
  return loss;
}

/* Two layers, of which one matters a hundred times as much. */
static void test_allocation(void) {
  CHECK_CASE("allocation");
  problem p;
  wisp_obs obs[2];
  wisp_allocate_layer layers[2];
  double sensitivity[2][ROWS], share;
  int removed[2][ROWS] = {{0}};
  open_problem(&p, 1);
  for (int i = 0; i < 2; i++) {
    for (int c = 0; c < ROWS; c++) sensitivity[i][c] = (i ? 1 : 100) * random_real(0.5, 2);
    CHECK_EQ(wisp_obs_open(&obs[i], &p.moments, p.weights, ROWS, &p.blocks, 0.9f, NULL), WISP_OK);
    layers[i] = (wisp_allocate_layer){&obs[i], sensitivity[i], 1000, 0, removed[i]};
  }
  wisp_allocate_evenly(layers, 2, 0.4);
  double even = total_loss(layers, 2, &share);
  CHECK_NEAR(share, 0.4, 0.001);
  wisp_allocate_by_loss(layers, 2, 0.4);
  double best = total_loss(layers, 2, &share);
  printf("loss evenly %.4g, by loss %.4g at %.3f\n", even, best, share);
  CHECK(share >= 0.4 && share < 0.5);
  CHECK(best < 0.7 * even);
  layers[0].fixed = 1;
  wisp_allocate_by_loss(layers, 2, 0.3);
  for (int c = 0; c < ROWS; c++) CHECK_EQ(removed[0][c], 0);
  for (int i = 0; i < 2; i++) wisp_obs_close(&obs[i]);
  close_problem(&p);
}

static void test_solve(void) {
  CHECK_CASE("solving and inverting");
  problem p;
  open_problem(&p, 4);
  float factor[TAPS * TAPS], pivots[TAPS], x[TAPS];
  double inverse[TAPS * TAPS], column[TAPS];
  for (int i = 0; i < TAPS; i++)
    for (int j = 0; j < TAPS; j++) {
      factor[i * TAPS + j] = (float)p.covariance[i][j];
      inverse[i * TAPS + j] = p.covariance[i][j];
    }
  wisp_solve_factor(factor, TAPS, 1e-6f, pivots);
  for (int i = 0; i < TAPS; i++) x[i] = p.weights[i];
  wisp_solve_factored(factor, pivots, TAPS, x);
  wisp_solve_invert(inverse, column, TAPS, NULL);
  for (int i = 0; i < TAPS; i++) {
    double back = 0;
    for (int j = 0; j < TAPS; j++) back += p.covariance[i][j] * (double)x[j];
    CHECK_NEAR(back, (double)p.weights[i], 1e-3);
    for (int j = 0; j < TAPS; j++) {
      double sum = 0;
      for (int k = 0; k < TAPS; k++)
        sum += p.covariance[i][k] * inverse[k >= j ? k * TAPS + j : j * TAPS + k];
      CHECK_NEAR(sum, i == j ? 1 : 0, 1e-8);
    }
  }
  close_problem(&p);
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  test_solve();
  test_order(4);
  test_order(2);
  test_order(1);
  test_allocation();
  return check_end();
}
