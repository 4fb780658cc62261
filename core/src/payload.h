/* payload.h - the weights of a layer, `layer` its index: the parts of its payload, and their promises to the kernels.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_PAYLOAD_H
#define WISP_PAYLOAD_H

#include "network.h"

/* Whether a layer's payload can have its size and blocks. */
int wisp_payload_fits(const wisp_model *model, int layer);
/* Makes room for a layer's weights and lets the model's decoder begin to fill it. */
wisp_status wisp_payload_start(wisp_model *model, int layer, wisp_error *error);
/* Checks a layer's complete payload. */
wisp_status wisp_payload_check(const wisp_model *model, int layer, wisp_error *error);
/* The payload's parts; without pointers before its turn. */
wisp_weights_view wisp_payload_view(const wisp_model *model, int layer);
/* Frees a layer's weights. */
void wisp_payload_drop(wisp_model *model, int layer);

#endif
