/* operations.c - the rows of operations.h, looked up.
 * SPDX-License-Identifier: Apache-2.0 */
#include "operations.h"

const wisp_float_operation wisp_float_conv = {.run = NULL}, wisp_float_depthwise = {.run = NULL};

const wisp_float_operation *wisp_float_operation_of(wisp_operation operation) {
#define ROW(word, code, name, ...) [code] = &wisp_float_##name,
  static const wisp_float_operation *const rows[] = {WISP_OPERATION_ROWS(ROW)};
  return rows[operation];
}
