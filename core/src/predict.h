/* predict.h - what both ends of the coder expect of the next bit: contexts from what came before.
 * models/FORMAT.md says the same in words.
 * SPDX-License-Identifier: Apache-2.0
 *
 * All integers, so that every machine expects the same. Magnitudes are in 64ths, shares of present
 * blocks in 4096ths. The hot functions stand here, to be compiled into the loops of both ends. */
#ifndef WISP_PREDICT_H
#define WISP_PREDICT_H

#include <stdlib.h>

#include "base.h"

enum {
  WISP_PREDICT_LEVELS = 26, /* of the magnitude expected */
  WISP_PREDICT_SEEN = 255,  /* bits after which a probability learns no slower */
  WISP_PREDICT_COLUMN = 14, /* rows after which a column's mean does so */
  WISP_PREDICT_ROW = 60     /* blocks after which a row's mean does so */
};

/* An adaptive probability. */
typedef struct wisp_bit {
  uint16_t one; /* of a 1, in 65536ths */
  uint16_t seen;
} wisp_bit;

typedef struct wisp_predict {
  /* the same for the whole file */
  uint16_t rate[WISP_PREDICT_SEEN + 1]; /* 65536ths of the way to what was seen */
  uint8_t level[1280];                  /* of a magnitude in 16ths */
  wisp_bit scale[32], scale_top[32], sign, exponent[256];
  wisp_bit mask[32][8];
  wisp_bit side[6][WISP_PREDICT_LEVELS];
  wisp_bit class[WISP_PREDICT_LEVELS][4][8][8];
  wisp_bit mantissa[WISP_PREDICT_LEVELS][8][4];

  /* the layer at hand */
  int kernel_width, planes, positions; /* blocks of a row */
  const uint8_t *lanes;                /* [planes] channels in each, borrowed */
  uint16_t *column;                    /* [positions][4] mean magnitude in the rows before */
  uint16_t *share;                     /* [positions] of present blocks in the rows before */
  int8_t *row;                         /* [positions][4] the row at hand */
  uint8_t *here;                       /* [positions] which of its blocks are present */
  int last_scale;                      /* upper 16 bits of the scale before */

  /* the row at hand: weights of one output channel */
  int number, seen; /* rows before it; its present blocks so far, and one */
  int mean;         /* magnitude */
  int present;      /* share */
  int last[3];      /* magnitudes of its last weights, in whole units */
} wisp_predict;

/* A place in the row. */
typedef struct wisp_position {
  int index; /* of the block */
  int plane, x, y;
} wisp_position;

/* What is expected of a weight. */
typedef struct wisp_expected {
  int level;    /* of its magnitude */
  int trend;    /* 0: its sign is open; 1 ... 5: how far from zero its neighbours lie */
  int negative; /* on which side */
  int likeness; /* of its neighbours' magnitudes to what the means say, 0 ... 3 */
} wisp_expected;

void wisp_predict_open(wisp_predict *predict);
/* Starts a layer. 0 if there is no memory; `lanes` is borrowed until the next. */
int wisp_predict_layer(wisp_predict *predict, int kernel_height, int kernel_width, int planes,
                       const uint8_t *lanes);
void wisp_predict_row(wisp_predict *predict);
void wisp_predict_close(wisp_predict *predict);

static inline int wisp_bit_length(int value) {
  int length = 0;
  for (; value; value >>= 1) length++;
  return length;
}

static inline void wisp_bit_learn(const wisp_predict *p, wisp_bit *bit, int one) {
  const int aim = one ? 65536 - 32 : 32;
  bit->one = (uint16_t)(bit->one + ((aim - bit->one) * p->rate[bit->seen] >> 16));
  bit->seen = (uint16_t)(bit->seen + (bit->seen < WISP_PREDICT_SEEN));
}

static inline void wisp_position_next(const wisp_predict *p, wisp_position *at) {
  at->index++;
  if (++at->plane < p->planes) return;
  at->plane = 0;
  if (++at->x < p->kernel_width) return;
  at->x = 0;
  at->y++;
}

/* ---- masks ---- */

static inline wisp_bit *wisp_predict_mask(wisp_predict *p, const wisp_position *at) {
  const uint8_t *here = p->here + at->index;
  const int before = at->index ? here[-1] : 0, left = at->x ? here[-p->planes] : 0;
  const int above = at->y ? here[-p->planes * p->kernel_width] : 0;
  const int share = (9 * p->share[at->index] + 7 * p->present) >> 4;
  return &p->mask[share >> 7][before + 2 * left + 4 * above];
}

static inline void wisp_predict_saw_mask(wisp_predict *p, const wisp_position *at, int present) {
  const int aim = present ? 4095 : 0, rate = p->rate[wisp_min(p->number, 9)];
  uint16_t *share = &p->share[at->index];
  *share = (uint16_t)(*share + ((aim - *share) * rate >> 16));
  p->present += (aim - p->present) >> 5;
  p->here[at->index] = (uint8_t)present;
}

/* ---- weights ---- */

/* Where the neighbours in the kernel's window would put the weight, in 64ths; *size: their mean
 * magnitude. */
static inline int wisp_predict_window(const wisp_predict *p, const wisp_position *at, int lane,
                                      int *size) {
  const int8_t *w = p->row + at->index * WISP_LANES + lane;
  const int aside = p->planes * WISP_LANES, over = aside * p->kernel_width;
  const int left = at->x ? w[-aside] : 0, above = at->y ? w[-over] : 0;
  const int corner = at->x && at->y ? w[-over - aside] : 0;
  *size = (abs(left) + abs(above)) * (at->x && at->y ? 32 : 64);
  return (left + above) * 64 - corner * 40;
}

static inline wisp_expected wisp_predict_weight(const wisp_predict *p, const wisp_position *at,
                                                int lane) {
  const int column = p->number ? p->column[at->index * WISP_LANES + lane] : p->mean;
  const int means = (p->mean * 9 + column * 7) >> 4;
  int near = (p->last[0] + p->last[1] + p->last[2]) * 21, centre = 0;
  if (at->x | at->y) {
    int size;
    centre = wisp_predict_window(p, at, lane, &size);
    near = (size * 2 + (p->last[0] + p->last[1]) * 32) * 21 >> 6;
  }
  const int size = (means * 14 + near * 2) >> 4, unit = size + 24, far = abs(centre) * 8;
  return (wisp_expected){.level = p->level[size >> 2],
                         .trend = (far > unit) + (far > unit * 3) + (far > unit * 7) +
                                  (far > unit * 13) + (far > unit * 20),
                         .negative = centre < 0,
                         .likeness =
                             (near * 2 > unit) + (near * 8 > unit * 7) + (near * 16 > unit * 21)};
}

/* The tree of the weight's class, once its side is known. */
static inline wisp_bit *wisp_predict_class(wisp_predict *p, const wisp_expected *e, int beyond) {
  return p->class[e->level][e->likeness][beyond ? 6 + (e->trend > 2) : e->trend];
}

static inline void wisp_predict_saw_weight(wisp_predict *p, const wisp_position *at, int lane,
                                           int weight) {
  const int at_lane = at->index * WISP_LANES + lane, size = abs(weight);
  const int rate = p->number ? p->rate[wisp_min(p->number, WISP_PREDICT_COLUMN)] : 65536;
  uint16_t *column = &p->column[at_lane];
  *column = (uint16_t)(*column + (((size << 6) - *column) * rate >> 16));
  p->row[at_lane] = (int8_t)weight;
  p->last[2] = p->last[1];
  p->last[1] = p->last[0];
  p->last[0] = size;
}

/* After a present block of `lanes` weights whose magnitudes sum up to `sum`. */
static inline void wisp_predict_saw_block(wisp_predict *p, int lanes, int sum) {
  static const int parts[WISP_LANES] = {64, 32, 21, 16};
  p->mean += (sum * parts[lanes - 1] - p->mean) * p->rate[p->seen] >> 16;
  p->seen += p->seen < WISP_PREDICT_ROW;
}

#endif
