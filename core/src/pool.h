/* pool.h - runs n tasks on all threads, then waits.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_POOL_H
#define WISP_POOL_H

#include "../wisp.h"

typedef struct wisp_pool wisp_pool;
typedef void (*wisp_task)(void *context, int index);
typedef void (*wisp_call)(void *context);

/* `threads` >= 1, the caller's own counted. Without thread support every count gives one. */
wisp_status wisp_pool_open(wisp_pool **pool, int threads);
void wisp_pool_close(wisp_pool **pool);
int wisp_pool_threads(const wisp_pool *pool);

/* Calls task(context, i) once for each 0 <= i < tasks, in any order and on any thread, and returns when all are
 * done. Called by one thread at a time; tasks don't call it. A NULL pool runs them here. */
void wisp_pool_run(wisp_pool *pool, wisp_task task, void *context, int tasks);

/* call(context), which may use wisp_pool_run, on one thread more that takes the caller's place while the caller
 * sleeps; returns when it is done. The first call starts that thread; until it is up, where none can be had, and in a
 * pool of one thread, the caller runs it. */
void wisp_pool_lead(wisp_pool *pool, wisp_call call, void *context);

#endif
