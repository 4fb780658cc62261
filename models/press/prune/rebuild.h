/* rebuild.h - layer by layer, what zeros and rounding broke is made up for by the weights that stay.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Each convolution sees what the layers before it, already in integers, give it, and learns by least squares to yield
 * what the float network would have, where it matters: for the heads that is where the float network sees objects. */
#ifndef WISP_REBUILD_H
#define WISP_REBUILD_H

#include "calibrate/teach.h"

/* Fills the integers of all convolutions and, where there are zeros, `pruned`. The ranges are known, and the bits. */
wisp_status wisp_rebuild(wisp_net *net, const wisp_teacher *teacher, const wisp_view *pictures,
                         wisp_pool *pool, const wisp_progress *progress, wisp_error *error);

#endif
