/* pool.c - runs n tasks on all threads, then waits; a plain loop without threads.
 * SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

#include <stdlib.h>

#if WISP_THREADS

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

/* How often an idle thread looks for work before it sleeps: about a millisecond. The distance between two steps of a
 * network is a twentieth of that; the rest is for schedulers that wake a thread on the processor of the thread that
 * wakes it. Two threads that take turns there, each asleep while the other works, look like one that needs no second
 * processor; two that both want to run are drawn apart at the next tick. Between frames all threads sleep. */
enum { SPINS = 400000, MAX_THREADS = 64 };

/* One job at a time. `ticket` is the job's number, its count of tasks and the next task in one word, so that a thread
 * that wakes late can't take a task of a job it has not read. */
struct wisp_pool {
  int threads;
  _Atomic uint64_t ticket; /* job << 40 | tasks << 20 | next */
  atomic_int finished;     /* tasks of this job that are done */
  atomic_int sleepers;
  atomic_int stop;
  wisp_task task;
  void *context;
  pthread_mutex_t mutex;
  pthread_cond_t wake;
  pthread_t workers[MAX_THREADS];
};

enum { FIELD = 20, FIELD_MASK = (1 << FIELD) - 1 };

static uint64_t ticket_of(uint64_t job, int tasks) {
  return job << (2 * FIELD) | (uint64_t)tasks << FIELD;
}
static uint64_t job_of(uint64_t ticket) { return ticket >> (2 * FIELD); }
static int tasks_of(uint64_t ticket) { return (int)(ticket >> FIELD) & FIELD_MASK; }
static int next_of(uint64_t ticket) { return (int)ticket & FIELD_MASK; }

/* Takes and runs tasks until the current job has none left. Returns that job's number. */
static uint64_t work(wisp_pool *pool) {
  uint64_t ticket = atomic_load(&pool->ticket);
  while (next_of(ticket) < tasks_of(ticket)) {
    if (!atomic_compare_exchange_weak(&pool->ticket, &ticket, ticket + 1)) continue;
    pool->task(pool->context, next_of(ticket));
    atomic_fetch_add(&pool->finished, 1);
    ticket = atomic_load(&pool->ticket);
  }
  return job_of(ticket);
}

static int has_news(wisp_pool *pool, uint64_t seen) {
  return job_of(atomic_load(&pool->ticket)) != seen || atomic_load(&pool->stop);
}

static void wait_for_news(wisp_pool *pool, uint64_t seen) {
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
  for (uint64_t seen = 0; !atomic_load(&pool->stop); seen = work(pool)) wait_for_news(pool, seen);
  return NULL;
}

static void wake_all(wisp_pool *pool) {
  if (atomic_load(&pool->sleepers) == 0) return;
  pthread_mutex_lock(&pool->mutex); /* who saw no news is asleep by now, */
  pthread_mutex_unlock(&pool->mutex);
  pthread_cond_broadcast(&pool->wake); /* and who wakes finds the mutex free */
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
  assert(tasks <= FIELD_MASK);
  if (!pool || pool->threads == 1 || tasks <= 1) {
    for (int i = 0; i < tasks; i++) task(context, i);
    return;
  }
  /* No thread can take a task before the new ticket is out: those of the last job are all taken. */
  pool->task = task;
  pool->context = context;
  atomic_store(&pool->finished, 0);
  atomic_store(&pool->ticket, ticket_of(job_of(atomic_load(&pool->ticket)) + 1, tasks));
  wake_all(pool);
  work(pool);
  while (atomic_load(&pool->finished) < tasks) {}
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
