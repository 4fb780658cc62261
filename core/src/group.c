/* group.c - sorts a list's weight blocks into groups whose 16-bit sums are exact: heaviest first,
 * each into the fullest of the open groups that has room for it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "group.h"

#include <stdlib.h>
#include <string.h>

enum { SUMS = WISP_PAIR * 2, OPEN_GROUPS = 16, HEAVIEST = WISP_PAIR * WISP_LANES * 64 };

/* What meets in each 16-bit number of a group: the sums of its positive and of its negative weights. */
typedef struct sums {
  int16_t positive[SUMS], negative[SUMS];
} sums;

typedef struct group {
  sums sums;
  int weight; /* of all blocks */
  int blocks, first;
} group;

struct wisp_group {
  int cap;
  int *next;                /* [cap] next block of the same group, or -1 */
  int *order;               /* [cap] blocks, heaviest first */
  group *groups;            /* [cap] */
  wisp_group_block *sorted; /* [cap] */
};

wisp_group *wisp_group_open(int cap) {
  wisp_group *work = calloc(1, sizeof *work);
  if (!work) return NULL;
  const size_t n = (size_t)cap;
  *work = (wisp_group){cap, malloc(n * sizeof(int)), malloc(n * sizeof(int)),
                       malloc(n * sizeof(group)), malloc(n * sizeof(wisp_group_block))};
  if (!work->next || !work->order || !work->groups || !work->sorted) wisp_group_close(&work);
  return work;
}

void wisp_group_close(wisp_group **out) {
  wisp_group *work = *out;
  if (!work) return;
  *out = NULL;
  free(work->next);
  free(work->order);
  free(work->groups);
  free(work->sorted);
  free(work);
}

static sums sums_of(const wisp_group_block *block, int channels) {
  sums s = {{0}, {0}};
  for (int c = 0; c < channels; c++)
    for (int lane = 0; block->weights[c] && lane < WISP_LANES; lane++) {
      const int weight = block->weights[c][lane], at = c * 2 + lane / 2;
      if (weight > 0) s.positive[at] = (int16_t)(s.positive[at] + weight);
      else s.negative[at] = (int16_t)(s.negative[at] - weight);
    }
  return s;
}

static int weight_of(const sums *s) {
  int weight = 0;
  for (int i = 0; i < SUMS; i++) weight += s->positive[i] + s->negative[i];
  return weight;
}

/* Whether no 16-bit number can overflow: bytes reach 255 read as unsigned, -128 read as signed. */
static int fits(const sums *a, const sums *b) {
  for (int i = 0; i < SUMS; i++) {
    const int positive = a->positive[i] + b->positive[i],
              negative = a->negative[i] + b->negative[i];
    if (positive * 255 > 32767 || negative * 255 > 32768 || (positive + negative) * 128 > 32767)
      return 0;
  }
  return 1;
}

/* Fills order[n], heaviest first; of equals the first first. */
static void sort_by_weight(wisp_group *work, const wisp_group_block *blocks, int n, int channels) {
  int starts[HEAVIEST + 2] = {0};
  for (int i = 0; i < n; i++) {
    const sums s = sums_of(&blocks[i], channels);
    work->next[i] = HEAVIEST - weight_of(&s);
    starts[work->next[i] + 1]++;
  }
  for (int w = 1; w <= HEAVIEST + 1; w++) starts[w] += starts[w - 1];
  for (int i = 0; i < n; i++) work->order[starts[work->next[i]]++] = i;
}

static void put(wisp_group *work, group *g, int block, const sums *s) {
  for (int i = 0; i < SUMS; i++) {
    g->sums.positive[i] = (int16_t)(g->sums.positive[i] + s->positive[i]);
    g->sums.negative[i] = (int16_t)(g->sums.negative[i] + s->negative[i]);
  }
  g->weight += weight_of(s);
  g->blocks++;
  work->next[block] = g->first;
  g->first = block;
}

/* The groups of all blocks; open are the last OPEN_GROUPS of them. */
static int fill_groups(wisp_group *work, const wisp_group_block *blocks, int n, int channels) {
  int count = 0;
  for (int k = 0; k < n; k++) {
    const sums s = sums_of(&blocks[work->order[k]], channels);
    group *best = NULL;
    for (int g = count > OPEN_GROUPS ? count - OPEN_GROUPS : 0; g < count; g++) {
      group *candidate = &work->groups[g];
      if ((!best || candidate->weight > best->weight) && fits(&candidate->sums, &s))
        best = candidate;
    }
    if (!best) {
      best = &work->groups[count++];
      *best = (group){.first = -1};
    }
    put(work, best, work->order[k], &s);
  }
  return count;
}

static int compare_groups(const void *left, const void *right) {
  const group *a = left, *b = right;
  return a->blocks != b->blocks ? b->blocks - a->blocks : a->first - b->first;
}

int wisp_group_all(int n, int *sizes) {
  sizes[0] = n;
  return n > 0;
}

int wisp_group_sort(wisp_group *work, wisp_group_block *blocks, int n, int channels, int *sizes) {
  sort_by_weight(work, blocks, n, channels);
  const int count = fill_groups(work, blocks, n, channels);
  qsort(work->groups, (size_t)count, sizeof *work->groups, compare_groups);
  int at = 0;
  for (int g = 0; g < count; g++) {
    sizes[g] = work->groups[g].blocks;
    for (int block = work->groups[g].first; block >= 0; block = work->next[block])
      work->sorted[at++] = blocks[block];
  }
  memcpy(blocks, work->sorted, (size_t)n * sizeof *blocks);
  return count;
}
