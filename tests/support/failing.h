/* failing.h - memory and threads that run out, call by call, and what a test expects of whoever asked for them.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A program that uses it is linked with --wrap for each function that failing.c wraps: wisp_tests in CMakeLists.txt. */
#ifndef WISP_TEST_FAILING_H
#define WISP_TEST_FAILING_H

#include "core/wisp.h"

/* What is tried. From failing_start on, the call that is due fails: malloc, calloc, realloc and aligned_alloc give
 * NULL, pthread_create EAGAIN. `error` is what the first function said that failed; a run goes on where its functions
 * promise that it can, with memory again after failing_stop. */
typedef void failing_run(void *context, wisp_error *error);

/* Runs with the first call failing, with the second, and so on, until one run makes fewer calls; then with every third
 * and the next failing, and with all from every third on. Past `dense` calls more and more are left out. A run in which
 * calls failed has to say that there is no memory, unless one can live with them all: threads that didn't start, rooms
 * that didn't shrink. Every run frees what it allocated. */
void failing_each(const char *name, failing_run *run, void *context, long dense);

void failing_start(void);
void failing_stop(void);

#endif
