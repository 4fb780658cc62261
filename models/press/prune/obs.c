/* obs.c - in which order the blocks of an output channel are best removed, and what that costs.
 * SPDX-License-Identifier: Apache-2.0 */
#include "obs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "round/solve.h"

enum { LANES = 4 };

/* Part of the mean energy that is added to every tap's: few pictures don't know everything. */
static const double DAMPING = 0.01;

/* What the channels share. */
typedef struct surgery {
  wisp_obs *obs;
  const wisp_blocks *blocks;
  const float *weights;
  const float *inverse; /* [n][n], lower triangle: of the damped covariance */
  int taps, n;          /* all; those in blocks */
  const int *used;      /* [n], ascending */
  int *failed;          /* [channels] */
} surgery;

/* One channel. Taps that are gone are dropped from time to time; `place` is where a tap is now. */
typedef struct patient {
  int taps, n, dead;
  float *inverse;          /* [n][n], lower triangle */
  float *weights;          /* [n] */
  float *columns, *shares; /* [LANES][n] */
  int *tap, *place;        /* [n] and [taps] */
  char *gone;              /* [n] */
} patient;

static int open_patient(patient *p, const surgery *s, int channel) {
  const size_t n = (size_t)s->n, taps = (size_t)s->taps;
  *p = (patient){.taps = s->taps, .n = s->n};
  p->inverse = malloc((n * n + 1) * sizeof *p->inverse);
  p->weights = malloc((n + 1) * sizeof *p->weights);
  p->columns = malloc((2 * LANES * n + 1) * sizeof *p->columns);
  p->tap = malloc((n + taps) * sizeof *p->tap);
  p->gone = calloc(n + 1, 1);
  if (!p->inverse || !p->weights || !p->columns || !p->tap || !p->gone) return 0;
  p->shares = p->columns + LANES * n;
  p->place = p->tap + n;
  for (int i = 0; i < p->n; i++) {
    memcpy(p->inverse + (size_t)i * n, s->inverse + (size_t)i * n, (size_t)(i + 1) * sizeof(float));
    p->tap[i] = s->used[i];
    p->place[s->used[i]] = i;
    p->weights[i] = s->weights[(size_t)channel * taps + (size_t)s->used[i]];
  }
  return 1;
}

static void close_patient(patient *p) {
  free(p->inverse);
  free(p->weights);
  free(p->columns);
  free(p->tap);
  free(p->gone);
}

static float entry(const patient *p, int i, int j) {
  return i >= j ? p->inverse[(size_t)i * (size_t)p->n + (size_t)j]
                : p->inverse[(size_t)j * (size_t)p->n + (size_t)i];
}

/* The block's part of the inverse, inverted in its turn, by elimination; returns its size. */
static int invert_block(const patient *p, const int *taps, int places[LANES],
                        float a[LANES][LANES]) {
  int n = 0;
  for (; n < LANES && taps[n] >= 0; n++) places[n] = p->place[taps[n]];
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) a[i][j] = entry(p, places[i], places[j]);
  for (int k = 0; k < n; k++) {
    const float pivot = fmaxf(a[k][k], 1e-30f);
    a[k][k] = 1;
    for (int j = 0; j < n; j++) a[k][j] /= pivot;
    for (int i = 0; i < n; i++) {
      const float share = a[i][k];
      if (i == k) continue;
      a[i][k] = 0;
      for (int j = 0; j < n; j++) a[i][j] -= share * a[k][j];
    }
  }
  return n;
}

/* What removing a block costs now. */
static float price(const patient *p, const int *taps) {
  int places[LANES];
  float a[LANES][LANES], sum = 0;
  const int n = invert_block(p, taps, places, a);
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) sum += p->weights[places[i]] * a[i][j] * p->weights[places[j]];
  return fmaxf(sum, 0);
}

/* The others make up for the block, and the inverse forgets it. */
static void remove_block(patient *p, const int *taps) {
  int places[LANES];
  float a[LANES][LANES];
  const int n = invert_block(p, taps, places, a);
  for (int q = 0; q < LANES; q++)
    for (int i = 0; i < p->n; i++) p->columns[q * p->n + i] = q < n ? entry(p, i, places[q]) : 0;
  for (int q = 0; q < LANES; q++)
    for (int i = 0; i < p->n; i++) {
      float sum = 0;
      for (int r = 0; r < n; r++) sum += q < n ? a[q][r] * p->columns[r * p->n + i] : 0;
      p->shares[q * p->n + i] = sum;
    }
  float taken[LANES] = {0};
  for (int q = 0; q < n; q++) taken[q] = p->weights[places[q]];
  for (int q = 0; q < n; q++)
    for (int i = 0; i < p->n; i++) p->weights[i] -= p->shares[q * p->n + i] * taken[q];
  const float *c0 = p->columns, *c1 = c0 + p->n, *c2 = c1 + p->n, *c3 = c2 + p->n;
  for (int i = 0; i < p->n; i++) {
    float *row = p->inverse + (size_t)i * (size_t)p->n;
    const float s0 = p->shares[i], s1 = p->shares[p->n + i], s2 = p->shares[2 * p->n + i],
                s3 = p->shares[3 * p->n + i];
    if (p->gone[i]) continue;
    for (int j = 0; j <= i; j++) row[j] -= s0 * c0[j] + s1 * c1[j] + (s2 * c2[j] + s3 * c3[j]);
  }
  for (int q = 0; q < n; q++) {
    p->gone[places[q]] = 1;
    p->weights[places[q]] = 0;
  }
  p->dead += n;
}

/* Drops the rows and columns of taps that are gone. */
static void compact(patient *p) {
  int n = 0;
  for (int i = 0; i < p->n; i++) n += !p->gone[i];
  int to = 0;
  for (int i = 0; i < p->n; i++) {
    if (p->gone[i]) continue;
    const float *from = p->inverse + (size_t)i * (size_t)p->n;
    float *row = p->inverse + (size_t)to * (size_t)n;
    for (int j = 0, k = 0; j <= i; j++)
      if (!p->gone[j]) row[k++] = from[j];
    p->weights[to] = p->weights[i];
    p->tap[to] = p->tap[i];
    p->place[p->tap[i]] = to++;
  }
  p->n = n;
  p->dead = 0;
  memset(p->gone, 0, (size_t)n);
}

static void operate(const surgery *s, patient *p, int channel, char *removed) {
  wisp_obs *obs = s->obs;
  int *order = obs->order + (size_t)channel * (size_t)obs->blocks;
  float *losses = obs->loss + (size_t)channel * (size_t)obs->blocks, loss = 0;
  for (int step = 0; step < obs->steps[channel]; step++) {
    int best = -1;
    float least = INFINITY;
    for (int b = 0; b < obs->blocks; b++) {
      const float cost = removed[b] ? INFINITY : price(p, s->blocks->taps[b]);
      if (cost >= least) continue;
      least = cost;
      best = b;
    }
    if (best < 0) {
      obs->steps[channel] = step;
      return;
    }
    removed[best] = 1;
    order[step] = best;
    losses[step] = loss += least;
    remove_block(p, s->blocks->taps[best]);
    if (p->dead * 10 > p->n) compact(p);
  }
}

static void channel_task(void *context, int channel) {
  surgery *s = context;
  patient p = {0};
  char *removed = calloc((size_t)s->obs->blocks + 1, 1);
  s->failed[channel] = !removed || !open_patient(&p, s, channel);
  if (!s->failed[channel]) operate(s, &p, channel, removed);
  close_patient(&p);
  free(removed);
}

/* f32 [n][n], lower triangle, `malloc`ed: of the taps in `used`. */
static float *invert_covariance(const wisp_moments *moments, const int *used, int count,
                                wisp_pool *pool) {
  const size_t n = (size_t)count;
  double *a = malloc((n * n + n + 1) * sizeof *a), total = 0;
  float *inverse = malloc((n * n + 1) * sizeof *inverse);
  for (size_t i = 0; i < n; i++) total += (double)wisp_moment_covariance(moments, used[i], used[i]);
  if (a && inverse) {
    for (double damping = total > 0 ? DAMPING * total / (double)n : 1;;
         damping *= WISP_SOLVE_MORE) {
      for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j <= i; j++)
          a[i * n + j] = (double)wisp_moment_covariance(moments, used[i], used[j]);
        a[i * n + i] = fmax(a[i * n + i], 0) + damping;
      }
      if (!wisp_solve_is_noisy(wisp_solve_invert(a, a + n * n, count, pool), damping)) break;
    }
    for (size_t i = 0; i < n; i++)
      for (size_t j = 0; j <= i; j++) inverse[i * n + j] = (float)a[i * n + j];
  } else {
    free(inverse);
    inverse = NULL;
  }
  free(a);
  return inverse;
}

/* The taps of all blocks, ascending, `malloc`ed. */
static int *list_used(const wisp_blocks *blocks, int taps) {
  int *used = calloc((size_t)taps + 1, sizeof *used), n = 0;
  for (int b = 0; b < blocks->count && used; b++)
    for (int lane = 0; lane < LANES && blocks->taps[b][lane] >= 0; lane++)
      used[blocks->taps[b][lane]] = 1;
  for (int k = 0; k < taps && used; k++)
    if (used[k]) used[n++] = k;
  return used;
}

/* Blocks of an output channel that are zero already; they go first, at no loss. */
static int count_zero(const surgery *s, int channel) {
  const float *weights = s->weights + (size_t)channel * (size_t)s->taps;
  int zero = 0;
  for (int b = 0; b < s->blocks->count; b++) {
    int any = 0;
    for (int lane = 0; lane < LANES && s->blocks->taps[b][lane] >= 0; lane++)
      any |= weights[s->blocks->taps[b][lane]] != 0;
    zero += !any;
  }
  return zero;
}

wisp_status wisp_obs_open(wisp_obs *obs, const wisp_moments *moments, const float *weights,
                          int channels, const wisp_blocks *blocks, float most, wisp_pool *pool) {
  const size_t n = (size_t)channels * (size_t)blocks->count + 1;
  *obs = (wisp_obs){.channels = channels, .blocks = blocks->count};
  obs->steps = malloc((size_t)channels * sizeof *obs->steps);
  obs->order = malloc(n * sizeof *obs->order);
  obs->loss = malloc(n * sizeof *obs->loss);
  int *failed = calloc((size_t)channels, sizeof *failed);
  int *used = list_used(blocks, moments->taps);
  float *inverse = used ? invert_covariance(moments, used, blocks->weights, pool) : NULL;
  surgery s = {.obs = obs,
               .blocks = blocks,
               .weights = weights,
               .inverse = inverse,
               .taps = moments->taps,
               .n = blocks->weights,
               .used = used,
               .failed = failed};
  int any_failed = !obs->steps || !obs->order || !obs->loss || !failed || !inverse;
  if (!any_failed) {
    for (int c = 0; c < channels; c++)
      obs->steps[c] = wisp_max((int)(most * (float)blocks->count), count_zero(&s, c));
    wisp_pool_run(pool, channel_task, &s, channels);
    for (int c = 0; c < channels; c++) any_failed |= failed[c];
  }
  free(inverse);
  free(used);
  free(failed);
  if (!any_failed) return WISP_OK;
  wisp_obs_close(obs);
  return WISP_ERR_MEMORY;
}

void wisp_obs_close(wisp_obs *obs) {
  free(obs->steps);
  free(obs->order);
  free(obs->loss);
  *obs = (wisp_obs){0};
}
