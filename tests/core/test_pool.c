/* test_pool.c - every task runs once, whatever the number of threads and tasks, and its effects are seen afterwards.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Worth most under ThreadSanitizer: cmake --preset native-tsan. */
#include "pool.h"

#include <time.h>

#include "check.h"

enum { MOST_TASKS = 3000, MOST_THREADS = 8 };

typedef struct job {
  int offset;           /* differs from job to job, so that a task of an earlier one would show */
  int runs[MOST_TASKS]; /* by the task alone: no atomics */
  long results[MOST_TASKS];
} job;

static void task(void *context, int index) {
  job *j = context;
  long sum = j->offset;
  for (int i = 0; i < index % 50; i++) sum += i;
  j->runs[index]++;
  j->results[index] = sum + index;
}

static void run_and_check(wisp_pool *pool, job *j, int tasks) {
  memset(j, 0, sizeof *j);
  j->offset = random_int(0, 1000000);
  wisp_pool_run(pool, task, j, tasks);
  int wrong = 0;
  for (int i = 0; i < MOST_TASKS; i++) {
    const int spare = i % 50;
    const long expected = i < tasks ? j->offset + (long)spare * (spare - 1) / 2 + i : 0;
    wrong += j->runs[i] != (i < tasks) || j->results[i] != expected;
  }
  CHECK_EQ(wrong, 0);
}

typedef struct led {
  wisp_pool *pool;
  job *job;
  int tasks, calls;
} led;

static void lead(void *context) {
  led *l = context;
  l->calls++;
  run_and_check(l->pool, l->job, l->tasks);
}

/* Long enough for idle threads to fall asleep. */
static void wait_a_little(void) {
  const clock_t end = clock() + CLOCKS_PER_SEC / 200;
  while (clock() < end) continue;
}

static void test_threads(int threads) {
  job *jobs = check_allocate(2 * sizeof *jobs);
  wisp_pool *pool;
  CHECK_EQ(wisp_pool_open(&pool, threads), WISP_OK);
  CHECK_CASE("%d threads", wisp_pool_threads(pool));
  CHECK(wisp_pool_threads(pool) >= 1 && wisp_pool_threads(pool) <= threads);
  if (!WISP_THREADS) CHECK_EQ(wisp_pool_threads(pool), 1);
  for (int round = 0; round < 400; round++) {
    const int few = random_chance(0.7);
    led l = {pool, &jobs[round & 1], random_int(0, few ? 12 : MOST_TASKS), 0};
    if (random_chance(0.5)) lead(&l);
    else wisp_pool_lead(pool, lead, &l);
    CHECK_EQ(l.calls, 1);
    if (round % 40 == 0) wait_a_little();
  }
  wisp_pool_close(&pool);
  CHECK(pool == NULL);
  wisp_pool_close(&pool);
  free(jobs);
}

/* Open and close at once, asleep or awake, used or not. */
static void test_lives(void) {
  static job j;
  for (int round = 0; round < 60; round++) {
    wisp_pool *pool;
    CHECK_EQ(wisp_pool_open(&pool, random_int(1, MOST_THREADS)), WISP_OK);
    led l = {pool, &j, random_int(0, 40), 0};
    if (round % 3 == 1) lead(&l);
    if (round % 3 == 2) wisp_pool_lead(pool, lead, &l);
    if (round % 5 == 0) wait_a_little();
    wisp_pool_close(&pool);
  }
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  static job alone;
  CHECK_CASE("no pool");
  CHECK_EQ(wisp_pool_threads(NULL), 1);
  run_and_check(NULL, &alone, 100);
  led nobody = {NULL, &alone, 100, 0};
  wisp_pool_lead(NULL, lead, &nobody);
  CHECK_EQ(nobody.calls, 1);
  for (int threads = 1; threads <= MOST_THREADS; threads++) test_threads(threads);
  test_lives();
  return check_end();
}
