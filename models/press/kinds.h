/* kinds.h - what each kind of node is.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_KINDS_H
#define WISP_KINDS_H

#include "graph.h"

/* "conv", "maxpool", ...; static. */
const char *wisp_kinds_name(wisp_node_kind kind);

/* Whether the graph can take the node, which may be anything. Sets its channels, and what its kind leaves no choice. */
wisp_status wisp_kinds_check(const wisp_graph *graph, wisp_node *node, wisp_error *error);

#endif
