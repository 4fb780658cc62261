/* pool.c - runs n tasks on all threads, then waits; a plain loop without threads.
 * SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

#include <stdlib.h>

#if WISP_THREADS

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

/* How often an idle thread looks for work before it sleeps: about half a millisecond. In a led call it looks for two
 * once it knows that it has a processor of its own, and else so briefly that it takes little from a leader with which
 * it shares one. Between calls it sleeps at once. */
enum { SPINS = 400000, SPINS_APART = 1600000, SPINS_IN_DOUBT = 60000 };

/* How often the caller of a led call wakes threads that are not known to have a processor: at first, and after so
 * many times. */
enum { POKE_US = 200, LATER_POKE_US = 2000, EARLY_POKES = 16 };

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
  pthread_t workers[WISP_MAX_THREADS];

  /* calls, led by a thread more */
  wisp_call call; /* NULL when there is none */
  void *call_context;
  atomic_uint led;  /* odd during a call, another number for each */
  atomic_int apart; /* threads that are known to run on another processor than the leader */
  enum { NOT_STARTED, STARTED, REFUSED } leading;
  atomic_int is_up; /* the leader runs: some engines start a thread only once its maker idles */
  pthread_t leader;
  pthread_cond_t called, returned;
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

/* A job that comes while a thread looks for one was made on another processor. `*apart` is the led call in which this
 * happened last to this thread. */
static int look_for_news(wisp_pool *pool, uint64_t seen, unsigned *apart) {
  const unsigned led = atomic_load(&pool->led);
  const int in_call = led % 2 == 1, known = in_call && *apart == led;
  const int spins = !in_call ? SPINS : known ? SPINS_APART : SPINS_IN_DOUBT;
  int i = 0;
  while (i < spins && !has_news(pool, seen) && atomic_load(&pool->led) == led) i++;
  if (known && i == spins) {
    *apart = 0;
    atomic_fetch_sub(&pool->apart, 1);
  } else if (in_call && !known && i > 0 && has_news(pool, seen)) {
    *apart = led;
    atomic_fetch_add(&pool->apart, 1);
  }
  return has_news(pool, seen);
}

static void sleep_until_woken(wisp_pool *pool, uint64_t seen) {
  pthread_mutex_lock(&pool->mutex);
  atomic_fetch_add(&pool->sleepers, 1);
  if (!has_news(pool, seen)) pthread_cond_wait(&pool->wake, &pool->mutex);
  atomic_fetch_sub(&pool->sleepers, 1);
  pthread_mutex_unlock(&pool->mutex);
}

static void *worker(void *argument) {
  wisp_pool *pool = argument;
  unsigned apart = 0;
  for (uint64_t seen = 0; !atomic_load(&pool->stop); seen = work(pool))
    while (!look_for_news(pool, seen, &apart)) sleep_until_woken(pool, seen);
  return NULL;
}

static void wake_all(wisp_pool *pool) {
  if (atomic_load(&pool->sleepers) == 0) return;
  pthread_mutex_lock(&pool->mutex); /* who saw no news is asleep by now, */
  pthread_mutex_unlock(&pool->mutex);
  pthread_cond_broadcast(&pool->wake); /* and who wakes finds the mutex free */
}

static void *leader(void *argument) {
  wisp_pool *pool = argument;
  atomic_store(&pool->is_up, 1);
  pthread_mutex_lock(&pool->mutex);
  for (;;) {
    while (!pool->call && !atomic_load(&pool->stop)) pthread_cond_wait(&pool->called, &pool->mutex);
    if (atomic_load(&pool->stop)) break;
    pthread_mutex_unlock(&pool->mutex);
    pool->call(pool->call_context);
    atomic_fetch_add(&pool->led, 1);
    pthread_mutex_lock(&pool->mutex);
    pool->call = NULL;
    pthread_cond_signal(&pool->returned);
  }
  pthread_mutex_unlock(&pool->mutex);
  return NULL;
}

static int has_leader(wisp_pool *pool) {
  if (pool->leading == NOT_STARTED)
    pool->leading = pthread_create(&pool->leader, NULL, leader, pool) == 0 ? STARTED : REFUSED;
  return pool->leading == STARTED && atomic_load(&pool->is_up);
}

/* Sleeps, with the mutex, until the call is over or for so long. */
static void wait_for_return(wisp_pool *pool, int us) {
  struct timespec until;
  timespec_get(&until, TIME_UTC);
  until.tv_nsec += us * 1000L;
  until.tv_sec += until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  pthread_cond_timedwait(&pool->returned, &pool->mutex, &until);
}

void wisp_pool_lead(wisp_pool *pool, wisp_call call, void *context) {
  if (!pool || pool->threads == 1 || !has_leader(pool)) {
    call(context);
    return;
  }
  pthread_mutex_lock(&pool->mutex);
  pool->call = call;
  pool->call_context = context;
  atomic_store(&pool->apart, 0);
  atomic_fetch_add(&pool->led, 1);
  pthread_cond_signal(&pool->called);
  for (int waits = 0; pool->call; waits++) {
    const int all_apart = atomic_load(&pool->apart) >= pool->threads - 1;
    if (!all_apart) pthread_cond_broadcast(&pool->wake);
    wait_for_return(pool, all_apart || waits >= EARLY_POKES ? LATER_POKE_US : POKE_US);
  }
  pthread_mutex_unlock(&pool->mutex);
}

wisp_status wisp_pool_open(wisp_pool **out, int threads) {
  *out = NULL;
  wisp_pool *pool = calloc(1, sizeof *pool);
  if (!pool) return WISP_ERR_MEMORY;
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->wake, NULL);
  pthread_cond_init(&pool->called, NULL);
  pthread_cond_init(&pool->returned, NULL);
  pool->threads = 1;
  while (pool->threads < threads && pool->threads < WISP_MAX_THREADS) {
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
  pthread_cond_signal(&pool->called);
  pthread_mutex_unlock(&pool->mutex);
  for (int i = 1; i < pool->threads; i++) pthread_join(pool->workers[i], NULL);
  if (pool->leading == STARTED) pthread_join(pool->leader, NULL);
  pthread_cond_destroy(&pool->wake);
  pthread_cond_destroy(&pool->called);
  pthread_cond_destroy(&pool->returned);
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
  if (atomic_load(&pool->led) % 2 == 0)
    wake_all(pool); /* the caller of the leader does it better */
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

void wisp_pool_lead(wisp_pool *pool, wisp_call call, void *context) {
  (void)pool;
  call(context);
}

void wisp_pool_run(wisp_pool *pool, wisp_task task, void *context, int tasks) {
  (void)pool;
  for (int i = 0; i < tasks; i++) task(context, i);
}

#endif
