/* error.c - a status and its sentence.
 * SPDX-License-Identifier: Apache-2.0 */
#include "error.h"

#include <stdarg.h>
#include <stdio.h>

wisp_status wisp_fail(wisp_error *error, wisp_status status, const char *format, ...) {
  if (!error) return status;
  error->status = status;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(error->message, sizeof error->message, format, arguments);
  va_end(arguments);
  return status;
}

const char *wisp_status_name(wisp_status status) {
  switch (status) {
    case WISP_OK: return "WISP_OK";
    case WISP_ERR_ARGUMENT: return "WISP_ERR_ARGUMENT";
    case WISP_ERR_MEMORY: return "WISP_ERR_MEMORY";
    case WISP_ERR_FORMAT: return "WISP_ERR_FORMAT";
    case WISP_ERR_VERSION: return "WISP_ERR_VERSION";
    case WISP_ERR_TRUNCATED: return "WISP_ERR_TRUNCATED";
    case WISP_ERR_CHECKSUM: return "WISP_ERR_CHECKSUM";
    case WISP_ERR_UNSUPPORTED: return "WISP_ERR_UNSUPPORTED";
    case WISP_ERR_LIMIT: return "WISP_ERR_LIMIT";
  }
  return "WISP_ERR_UNKNOWN";
}
