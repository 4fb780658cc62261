/* quad.c - random convolution quads, as plain arrays and as the stream that kernels walk.
 * SPDX-License-Identifier: Apache-2.0 */
#include "quad.h"

#include "check.h"

static int8_t draw_weight(enum quad_kind kind) {
  switch (kind) {
    case QUAD_RANDOM: return (int8_t)random_int(WISP_WEIGHT_MIN, WISP_WEIGHT_MAX);
    case QUAD_ALL_MIN: return WISP_WEIGHT_MIN;
    case QUAD_ALL_MAX: return WISP_WEIGHT_MAX;
    case QUAD_EXTREMES: return random_chance(0.5) ? WISP_WEIGHT_MIN : WISP_WEIGHT_MAX;
    default: return 0;
  }
}

/* The least and the greatest that 16-bit number `half` of a group can be, with bytes read as unsigned or signed. */
typedef struct range {
  int low, high, signed_low, signed_high;
} range;

static int range_fits(const range *r) {
  return r->high <= 32767 && r->low >= -32768 && r->signed_high <= 32767 && r->signed_low >= -32768;
}

static void range_add(range *r, int weight) {
  if (weight > 0)
    r->high += weight * 255, r->signed_high += weight * 127, r->signed_low -= weight * 128;
  else r->low += weight * 255, r->signed_high -= weight * 128, r->signed_low += weight * 127;
}

/* Whether position `i` still fits the group; adds it if so. */
static int group_takes(const quad_case *q, int first, int channels, int i, range ranges[4]) {
  range longer[4];
  memcpy(longer, ranges, sizeof longer);
  for (int c = 0; c < channels; c++)
    for (int lane = 0; lane < WISP_LANES; lane++)
      range_add(&longer[c * 2 + lane / 2], q->weights[first + c][i][lane]);
  for (int k = 0; k < 4; k++)
    if (!range_fits(&longer[k])) return 0;
  memcpy(ranges, longer, sizeof longer);
  return 1;
}

/* In which list of the pair of channels `first` and `first` + 1 position `i` stands; -1: in none. `paired`: blocks of
 * one channel stand among those of both. */
static int list_of(const quad_case *q, int first, int i, int paired) {
  const int a = q->present[first][i], b = q->present[first + 1][i];
  if (!a && !b) return -1;
  if (paired || (a && b)) return 0;
  return a ? 1 : 2;
}

/* Appends one list of a pair, of `channels` channels from `first` on, in groups as long as can be. */
static int32_t *write_list(const quad_case *q, int first, int channels, int list, int paired,
                           int wide, int32_t *word) {
  int32_t *groups = word++, *blocks = NULL;
  range ranges[4];
  *groups = 0;
  for (int i = 0; i < q->positions; i++) {
    if (list_of(q, first / 2 * 2, i, paired) != list) continue;
    if (!blocks || (!wide && !group_takes(q, first, channels, i, ranges))) {
      memset(ranges, 0, sizeof ranges);
      group_takes(q, first, channels, i, ranges);
      ++*groups;
      blocks = word++;
      *blocks = 0;
    }
    ++*blocks;
    *word++ = q->distance[i];
    for (int c = 0; c < channels; c++) memcpy(word++, q->weights[first + c][i], WISP_LANES);
  }
  return word;
}

void quad_draw(quad_case *q, int positions, double density, enum quad_kind kind, int shape,
               int wide) {
  q->positions = positions;
  for (int i = 0; i < positions; i++) q->distance[i] = random_int(0, QUAD_SPREAD - 1) * WISP_LANES;
  memset(q->weights, 0, sizeof q->weights);
  for (int c = 0; c < 4; c++)
    for (int i = 0; i < positions; i++) {
      q->present[c][i] = random_chance(density);
      for (int lane = 0; lane < WISP_LANES && q->present[c][i]; lane++)
        q->weights[c][i][lane] = draw_weight(kind);
    }
  int32_t *word = q->words;
  for (int c = 0; c < 4; c += 2) {
    const int paired = shape >> c / 2 & 1;
    word = write_list(q, c, 2, 0, paired, wide, word);
    word = write_list(q, c, 1, 1, paired, wide, word);
    word = write_list(q, c + 1, 1, 2, paired, wide, word);
  }
  q->quad.stream = q->words;
  for (int c = 0; c < 4; c++) {
    q->quad.start[c] = random_int(-3000000, 3000000);
    q->quad.scale[c] = (float)random_real(0, random_chance(0.3) ? 1.9 : 0.02);
  }
}
