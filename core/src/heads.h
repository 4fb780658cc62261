/* heads.h - what a header says of its heads: bytes to heads that are known to be sound.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_HEADS_H
#define WISP_HEADS_H

#include "cursor.h"
#include "network.h"

/* Of a header whose tensors are read. Where the bytes have ended, what was read means nothing. */
wisp_status wisp_heads_read(wisp_model *model, wisp_cursor *cursor, wisp_error *error);

#endif
