/* failing.c - memory and threads that run out, call by call: what the linker puts in their functions' place.
 * SPDX-License-Identifier: Apache-2.0 */
#include "failing.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>

#include "check.h"

/* Calls are counted from failing_start on, over all threads. */
static struct {
  long first, last; /* that fail in this run */
  atomic_int on;
  atomic_long calls, failed;
  atomic_long serious; /* of them those that one can't live with */
  atomic_long blocks;  /* that are not freed */
} state;

void failing_start(void) { state.on = 1; }
void failing_stop(void) { state.on = 0; }

/* Whether the call at hand fails. */
static int fails(int serious) {
  if (!state.on) return 0;
  const long call = ++state.calls;
  if (call < state.first || call > state.last) return 0;
  state.failed++;
  state.serious += serious;
  return 1;
}

/* ---- runs ---- */

static void try_one(const char *name, failing_run *run, void *context, long first, long last) {
  const long blocks = state.blocks;
  wisp_error error = {WISP_OK, ""};
  state.first = first;
  state.last = last;
  state.calls = state.failed = state.serious = 0;
  run(context, &error);
  failing_stop();
  state.first = state.last = 0; /* none */
  CHECK_EQ(state.blocks, blocks);
  if (state.serious == 0 && error.status == WISP_OK) return;
  CHECK_CASE("%s: of call %ld it says: %s", name, first, error.message);
  CHECK(state.failed > 0);
  CHECK_EQ(error.status, WISP_ERR_MEMORY);
  CHECK(strstr(error.message, "no memory"));
}

void failing_each(const char *name, failing_run *run, void *context, long dense) {
  static const char *const ways[] = {"alone fails", "and the next fail", "and all after it fail"};
  const long more[] = {0, 1, LONG_MAX / 2};
  long runs = 0, most = 0;
  for (int way = 0; way < 3; way++) {
    long n = 1;
    do {
      CHECK_CASE("%s: call %ld %s", name, n, ways[way]);
      try_one(name, run, context, n, n + more[way]);
      if (state.calls > most) most = state.calls;
      n += (way ? 3 : 1) + (n > dense ? (n - dense) / 8 : 0);
      runs++;
    } while (state.failed > 0);
  }
  printf("%s: %ld calls, %ld runs\n", name, most, runs);
}

/* ---- the names that --wrap asks for ---- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *block, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void __real_free(void *block);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *block, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void __wrap_free(void *block);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context);

static void *count(void *block) {
  state.blocks += block != NULL;
  return block;
}

void *__wrap_malloc(size_t size) { return fails(1) ? NULL : count(__real_malloc(size)); }

void *__wrap_calloc(size_t n, size_t size) {
  return fails(1) ? NULL : count(__real_calloc(n, size));
}

void *__wrap_realloc(void *block, size_t size) {
  if (fails(!block || malloc_usable_size(block) < size)) return NULL;
  void *moved = __real_realloc(block, size);
  return block ? moved : count(moved);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size) {
  return fails(1) ? NULL : count(__real_aligned_alloc(alignment, size));
}

void __wrap_free(void *block) {
  state.blocks -= block != NULL;
  __real_free(block);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *context) {
  return fails(0) ? EAGAIN : __real_pthread_create(thread, attributes, run, context);
}
