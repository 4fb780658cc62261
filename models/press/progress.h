/* progress.h - tells the caller how much of a long stage is done.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_PROGRESS_H
#define WISP_PROGRESS_H

#include <stddef.h>

/* Called with the share of the whole that is done, 0 ... 1, never less than before. `tell` may be NULL. */
typedef struct wisp_progress {
  void (*tell)(void *context, double share);
  void *context;
  double before, after; /* shares of the whole that others do, before this and after it */
} wisp_progress;

/* `share` of this part is done. `progress` may be NULL. */
static inline void wisp_tell(const wisp_progress *progress, double share) {
  if (!progress || !progress->tell) return;
  const double own = 1 - progress->before - progress->after;
  progress->tell(progress->context, progress->before + share * own);
}

/* The part of `whole`, which may be NULL, from the share `from` to the share `to`. */
static inline wisp_progress wisp_progress_part(const wisp_progress *whole, double from, double to) {
  if (!whole) return (wisp_progress){.tell = NULL};
  const double own = 1 - whole->before - whole->after;
  return (wisp_progress){.tell = whole->tell,
                         .context = whole->context,
                         .before = whole->before + from * own,
                         .after = whole->after + (1 - to) * own};
}

#endif
