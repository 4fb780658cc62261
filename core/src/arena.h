/* arena.h - things that live from one step to another, in one block: those that never live together share bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_ARENA_H
#define WISP_ARENA_H

#include <stdint.h>

/* Sizes and offsets in any unit; of 64 bits, since size_t has 32 in WebAssembly. */
typedef struct wisp_span {
  uint64_t size, offset;
  int first, last; /* steps; both count */
  int above;       /* arena.c's own */
} wisp_span;

/* Sets the offsets: one span after the other gets the lowest at which it is free for as long as it lives. Returns the
 * size of the block. Takes time by the square of `n`. */
uint64_t wisp_arena_place(wisp_span *spans, int n);

#endif
