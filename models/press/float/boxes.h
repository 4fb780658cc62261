/* boxes.h - what the float network detects: the executor's heads through the runtime's own decoding and suppression.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_BOXES_H
#define WISP_BOXES_H

#include "core/src/stages.h"
#include "exec.h"

typedef struct wisp_boxes wisp_boxes;

/* Borrows the net and the executor. WISP_ERR_MEMORY. */
wisp_status wisp_boxes_open(wisp_boxes **boxes, const wisp_net *net, const wisp_exec *exec);
void wisp_boxes_close(wisp_boxes **boxes);

/* Those of the executor's last picture, which was laid into the input as `fit` says, with their masks if they are
 * wanted. They stay until the next call. WISP_ERR_MEMORY. */
wisp_status wisp_boxes_find(wisp_boxes *boxes, const wisp_fit *fit, const wisp_options *options,
                            wisp_result *result);

#endif
