/* pool.c - runs n tasks on all threads, then waits; a plain loop without threads.
 * SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

#include <stdlib.h>

#if WISP_THREADS

#include <pthread.h>
#include <stdatomic.h>

/* How often an idle thread looks for work before it sleeps: some tens of microseconds, the distance between two
 * steps of a network. Between frames all threads sleep. */
enum { SPINS = 8000, MAX_THREADS = 64 };

/* One job at a time. `ticket` holds the job's number in its upper and the next task in its lower half, so that a
 * thread that wakes late can't take a task of a job it has not read. */
struct wisp_pool {
  int threads;
  _Atomic uint64_t ticket;
  atomic_int finished; /* tasks of this job that are done */
  atomic_int sleepers;
  atomic_int stop;
  wisp_task task;
  void *context;
  _Atomic int tasks;
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  pthread_t workers[MAX_THREADS];
};

static uint32_t job_of(uint64_t ticket) { return (uint32_t)(ticket >> 32); }

/* Takes and runs tasks until the current job has none left. Returns that job's number. */
static uint32_t work(wisp_pool *pool) {
  uint64_t ticket = atomic_load(&pool->ticket);
  while ((int)(uint32_t)ticket < atomic_load(&pool->tasks)) {
    if (!atomic_compare_exchange_weak(&pool->ticket, &ticket, ticket + 1)) continue;
    pool->task(pool->context, (int)(uint32_t)ticket);
    atomic_fetch_add(&pool->finished, 1);
    ticket = atomic_load(&pool->ticket);
  }
  return job_of(ticket);
}

static int has_news(wisp_pool *pool, uint32_t seen) {
  return job_of(atomic_load(&pool->ticket)) != seen || atomic_load(&pool->stop);
}

static void wait_for_news(wisp_pool *pool, uint32_t seen) {
  for (int i = 0; i < SPINS; i++)
    if (has_news(pool, seen)) return;
  pthread_mutex_lock(&pool->mutex);
  atomic_fetch_add(&pool->sleepers, 1);
  while (!has_news(pool, seen)) pthread_cond_wait(&pool->wake, &pool->mutex);
  atomic_fetch_sub(&pool->sleepers, 1);
  pthread_mutex_unlock(&pool->mutex);
}

static void *worker(void *argument) {
  wisp_pool *pool = argument;
  for (uint32_t seen = 0; !atomic_load(&pool->stop); seen = work(pool)) wait_for_news(pool, seen);
  return NULL;
}

static void wake_all(wisp_pool *pool) {
  if (atomic_load(&pool->sleepers) == 0) return;
  pthread_mutex_lock(&pool->mutex);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->mutex);
}

wisp_status wisp_pool_open(wisp_pool **out, int threads) {
  *out = NULL;
  wisp_pool *pool = calloc(1, sizeof *pool);
  if (!pool) return WISP_ERR_MEMORY;
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->wake, NULL);
  pool->threads = 1;
  while (pool->threads < threads && pool->threads < MAX_THREADS) {
    if (pthread_create(&pool->workers[pool->threads], NULL, worker, pool) != 0) break;
    pool->threads++;
  }
  *out = pool;
  return WISP_OK;
}

void wisp_pool_close(wisp_pool **out) {
  wisp_pool *pool = *out;
  if (!pool) return;
  *out = NULL;
  pthread_mutex_lock(&pool->mutex);
  atomic_store(&pool->stop, 1);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->mutex);
  for (int i = 1; i < pool->threads; i++) pthread_join(pool->workers[i], NULL);
  pthread_cond_destroy(&pool->wake);
  pthread_mutex_destroy(&pool->mutex);
  free(pool);
}

int wisp_pool_threads(const wisp_pool *pool) { return pool ? pool->threads : 1; }

void wisp_pool_run(wisp_pool *pool, wisp_task task, void *context, int tasks) {
  if (!pool || pool->threads == 1 || tasks <= 1) {
    for (int i = 0; i < tasks; i++) task(context, i);
    return;
  }
  /* No thread can take a task here: the last job's tasks are all taken, and the new ticket is not out. */
  pool->task = task;
  pool->context = context;
  atomic_store(&pool->finished, 0);
  const uint64_t job = job_of(atomic_load(&pool->ticket)) + 1;
  atomic_store(&pool->tasks, 0);
  atomic_store(&pool->ticket, (uint64_t)(uint32_t)job << 32);
  atomic_store(&pool->tasks, tasks);
  wake_all(pool);
  work(pool);
  while (atomic_load(&pool->finished) < tasks) {
  }
}

#else

struct wisp_pool {
  int threads;
};

wisp_status wisp_pool_open(wisp_pool **out, int threads) {
  (void)threads;
  *out = calloc(1, sizeof **out);
  if (!*out) return WISP_ERR_MEMORY;
  (*out)->threads = 1;
  return WISP_OK;
}

void wisp_pool_close(wisp_pool **pool) {
  free(*pool);
  *pool = NULL;
}

int wisp_pool_threads(const wisp_pool *pool) { return pool ? pool->threads : 1; }

void wisp_pool_run(wisp_pool *pool, wisp_task task, void *context, int tasks) {
  (void)pool;
  for (int i = 0; i < tasks; i++) task(context, i);
}

#endif
