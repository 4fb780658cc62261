/* operation.c - the rows of operation.h, looked up.
 * SPDX-License-Identifier: Apache-2.0 */
#include "operation.h"

#include <stddef.h>

#define ROW(word, code, label, ...) [code] = {.name = #label, __VA_ARGS__},

wisp_operation_row wisp_operation_row_of(wisp_operation operation) {
  static const wisp_operation_row rows[] = {WISP_OPERATION_ROWS(ROW)};
  const size_t code = (size_t)operation;
  return code < sizeof rows / sizeof *rows ? rows[code] : (wisp_operation_row){.name = NULL};
}

wisp_activation_row wisp_activation_row_of(wisp_activation activation) {
  static const wisp_activation_row rows[] = {WISP_ACTIVATION_ROWS(ROW)};
  return (unsigned)activation < WISP_ACT_COUNT ? rows[activation]
                                               : (wisp_activation_row){.name = NULL};
}
