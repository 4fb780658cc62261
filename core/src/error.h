/* error.h - a status and its sentence.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_ERROR_H
#define WISP_ERROR_H

#include "../wisp.h"

/* Writes status and sentence to `error`, if it is not NULL, and returns the status. */
wisp_status wisp_fail(wisp_error *error, wisp_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
