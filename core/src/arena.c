/* arena.c - things that live from one step to another, in one block: those that never live together share bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"

static int live_together(const wisp_span *a, const wisp_span *b) {
  return a->first <= b->last && b->first <= a->last;
}

/* The lowest offset for `span` beside the spans placed already: a list from `lowest` up, by offset. */
static uint64_t lowest_offset(const wisp_span *spans, int lowest, const wisp_span *span) {
  uint64_t offset = 0;
  for (int k = lowest; k >= 0; k = spans[k].above) {
    const wisp_span *other = &spans[k];
    if (!live_together(span, other)) continue;
    if (offset + span->size <= other->offset) break; /* it fits in between */
    if (other->offset + other->size > offset) offset = other->offset + other->size;
  }
  return offset;
}

uint64_t wisp_arena_place(wisp_span *spans, int n) {
  uint64_t end = 0;
  int lowest = -1;
  for (int i = 0; i < n; i++) {
    wisp_span *span = &spans[i];
    span->offset = lowest_offset(spans, lowest, span);
    if (span->offset + span->size > end) end = span->offset + span->size;
    int *link = &lowest;
    while (*link >= 0 && spans[*link].offset < span->offset) link = &spans[*link].above;
    span->above = *link;
    *link = i;
  }
  return end;
}
