/* lot.h - the one random number generator of the press: the same pictures and seed give the same file.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A linear congruence with the constants of Numerical Recipes. A lot is its last number; it begins with the seed. */
#ifndef WISP_LOT_H
#define WISP_LOT_H

#include <stdint.h>

/* 0 ... 2^32 - 1. */
static inline uint32_t wisp_lot_draw(uint32_t *lot) { return *lot = *lot * 1664525u + 1013904223u; }

/* 0 ... n - 1. */
static inline int wisp_lot_below(uint32_t *lot, int n) {
  return (int)((uint64_t)wisp_lot_draw(lot) * (uint64_t)n >> 32);
}

/* From 0 on, less than 1. */
static inline double wisp_lot_share(uint32_t *lot) {
  return (double)wisp_lot_draw(lot) / 4294967296.0;
}

/* The place of item number `item` of a fair choice of `cap` out of all items that come along (Vitter's algorithm R):
 * one of 0 ... cap - 1, where another may stand; `cap` or more if the item is left out. */
static inline int wisp_lot_place(uint32_t *lot, int item, int cap) {
  return item < cap ? item : wisp_lot_below(lot, item + 1);
}

#endif
