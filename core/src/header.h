/* header.h - the header of a .wisp file: bytes to a graph that is known to be sound.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_HEADER_H
#define WISP_HEADER_H

#include "network.h"

/* Parses and checks the header's bytes into the model, also where it fails halfway: free it then too. */
wisp_status wisp_header_parse(wisp_model *model, const uint8_t *bytes, size_t size,
                              wisp_error *error);
/* Frees what the header said, and the weights. */
void wisp_header_free(wisp_model *model);

#endif
