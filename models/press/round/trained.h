/* trained.h - a network that was trained with wisp's integers: nothing is left to choose.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_TRAINED_H
#define WISP_TRAINED_H

#include "corridor.h"
#include "fold/operands.h"

/* Fold: a node has yielded these, and was trained with this range, if its scale isn't 0. */
void wisp_trained_keep(wisp_net *net, const wisp_operands *yielded, const wisp_byte_range *range);

/* Whether the importer told the range of every tensor that rounding needs one for. */
int wisp_trained(const wisp_net *net);

/* Takes the ranges as told and rounds each output channel with the scale that its largest weight asks for. Weights that
 * already are multiples of such a scale keep their integers. */
wisp_status wisp_trained_quantise(wisp_net *net, wisp_error *error);

#endif
