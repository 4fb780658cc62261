/* prune.h - which weights become zero.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_PRUNE_H
#define WISP_PRUNE_H

#include "calibrate/teach.h"

/* A sentence for settings that can't be. */
wisp_status wisp_prune_check(const wisp_press_settings *settings, wisp_error *error);

/* Sets `pruned` of the layers that lose weights, and of no others. `teacher` is needed for OBS only. */
wisp_status wisp_prune(wisp_net *net, const wisp_teacher *teacher,
                       const wisp_press_settings *settings, wisp_pool *pool,
                       const wisp_progress *progress, wisp_error *error);

#endif
