/* test_arena.c - places in a block: what lives together never overlaps, and each stands as low as it can.
 * SPDX-License-Identifier: Apache-2.0 */
#include "arena.h"
#include "check.h"

enum { MOST = 40, STEPS = 12 };

/* Whether spans[i] could stand at `offset` beside those before it. */
static int is_free(const wisp_span *spans, int i, uint64_t offset) {
  for (int k = 0; k < i; k++) {
    const wisp_span *a = &spans[i], *b = &spans[k];
    const int together = a->first <= b->last && b->first <= a->last;
    if (together && offset < b->offset + b->size && b->offset < offset + a->size) return 0;
  }
  return 1;
}

static void test_spans(int n, uint64_t unit) {
  wisp_span spans[MOST];
  uint64_t end = 0;
  CHECK_CASE("%d spans of up to %llu", n, 9 * (unsigned long long)unit);
  for (int i = 0; i < n; i++) {
    const int first = random_int(0, STEPS - 1);
    const uint64_t size = (uint64_t)random_int(0, 9) * unit;
    spans[i] = (wisp_span){.size = size, .first = first, .last = random_int(first, STEPS)};
  }
  const uint64_t whole = wisp_arena_place(spans, n);
  for (int i = 0; i < n; i++) {
    CHECK(is_free(spans, i, spans[i].offset));
    for (uint64_t offset = 0; offset < spans[i].offset; offset += unit)
      CHECK(!is_free(spans, i, offset));
    if (spans[i].offset + spans[i].size > end) end = spans[i].offset + spans[i].size;
  }
  CHECK(whole == end);
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  CHECK(wisp_arena_place(NULL, 0) == 0);
  for (int round = 0; round < 300; round++) test_spans(random_int(1, MOST), 1);
  for (int round = 0; round < 100; round++) test_spans(random_int(1, MOST), UINT64_C(1) << 40);
  return check_end();
}
