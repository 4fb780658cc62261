/* unpack.c - the entropy decoder: a payload's bytes -> scales, biases, mask and weights, resumable at
 * any byte.
 * SPDX-License-Identifier: Apache-2.0 */
#include "unpack.h"

#include <string.h>

#include "predict.h"
#include "section.h"

/* No step (a row's numbers, or a block) reads more than LOOK bytes; past the payload's end come
 * zeros. */
enum { LOOK = 64, BUFFER = 4096, MOST_SCALE_BITS = 17 };

/* The decoder's window onto the number between 0 and 1 that the payload is. */
typedef struct window {
  uint64_t code, range;
  const uint8_t *next;
} window;

struct wisp_unpack {
  wisp_predict predict;
  wisp_unpack_layer layer;
  window window; /* its `next` is only good within a feed */
  wisp_position position;
  int blocks, taken; /* in the layer before the position; of them present */
  int is_row;        /* whether the numbers of the row have been read */
  enum { STARTS, DECODES, ENDED, CONTRADICTS } state;
  size_t missing;    /* bytes of the payload that are still to come */
  size_t at, filled; /* in the buffer */
  uint32_t crc;
  uint8_t buffer[BUFFER + 2 * LOOK];
};

wisp_unpack *wisp_unpack_open(void) {
  wisp_unpack *u = malloc(sizeof *u);
  if (u) wisp_predict_open(&u->predict);
  return u;
}

void wisp_unpack_close(wisp_unpack **out) {
  wisp_unpack *u = *out;
  if (!u) return;
  *out = NULL;
  wisp_predict_close(&u->predict);
  free(u);
}

int wisp_unpack_start(wisp_unpack *u, const wisp_unpack_layer *layer, size_t size) {
  u->layer = *layer;
  u->position = (wisp_position){0};
  u->blocks = u->taken = u->is_row = 0;
  u->state = STARTS;
  u->missing = size;
  u->at = u->filled = 0;
  u->crc = 0;
  return wisp_predict_layer(&u->predict, layer->kernel_height, layer->kernel_width, layer->planes,
                            layer->lanes);
}

uint32_t wisp_unpack_crc(const wisp_unpack *u) { return u->crc; }

/* ---- bits ---- */

static inline uint64_t word_at(const uint8_t *b) {
  return (uint64_t)b[0] << 24 | (uint64_t)b[1] << 16 | (uint64_t)b[2] << 8 | b[3];
}

/* Whether the code lies in the first `part` of the range, which narrows to its side. */
static inline int take_side(window *w, uint64_t part) {
  const int first = w->code < part;
  w->code -= first ? 0 : part;
  w->range = first ? part : w->range - part;
  if (w->range >> 32 == 0) {
    w->code = w->code << 32 | word_at(w->next);
    w->range <<= 32;
    w->next += 4;
  }
  return first;
}

static inline int take_bit(window *w, const wisp_predict *p, wisp_bit *bit) {
  const int one = take_side(w, (w->range >> 12) * (bit->one >> 4));
  wisp_bit_learn(p, bit, one);
  return one;
}

/* Bits that are as often 0 as 1. */
static inline int take_plain(window *w, int n) {
  int value = 0;
  for (; n > 0; n--) value = value * 2 + take_side(w, w->range >> 1);
  return value;
}

/* A number of `n` bits, highest first, each expected from those before it. */
static inline int take_tree(window *w, const wisp_predict *p, wisp_bit *tree, int n) {
  int node = 1;
  for (int i = 0; i < n; i++) node = node * 2 + take_bit(w, p, &tree[node]);
  return node - (1 << n);
}

/* ---- numbers ---- */

static float float_of(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static float take_scale(wisp_unpack *u, window *w) {
  wisp_predict *p = &u->predict;
  const int length = take_tree(w, p, p->scale, 5);
  if (length > MOST_SCALE_BITS) {
    u->state = CONTRADICTS;
    return 0;
  }
  int folded = length ? 1 : 0;
  if (length > 1) {
    folded = 2 + take_bit(w, p, &p->scale_top[length]);
    folded = folded << (length - 2) | take_plain(w, length - 2);
  }
  const int change = folded & 1 ? -(folded >> 1) - 1 : folded >> 1;
  p->last_scale = (p->last_scale + change) & 0xffff;
  return float_of((uint32_t)p->last_scale << WISP_SCALE_DROPS);
}

static float take_bias(window *w, wisp_predict *p) {
  const int sign = take_bit(w, p, &p->sign), exponent = take_tree(w, p, p->exponent, 8);
  const int mantissa = take_plain(w, 23 - WISP_BIAS_DROPS);
  return float_of((uint32_t)sign << 31 | (uint32_t)exponent << 23 |
                  (uint32_t)mantissa << WISP_BIAS_DROPS);
}

/* By value: the window stays in registers where the weights are read. */
static window take_row(wisp_unpack *u, window w) {
  wisp_predict *p = &u->predict;
  wisp_predict_row(p);
  u->layer.scale[p->number] = take_scale(u, &w);
  u->layer.bias[p->number] = take_bias(&w, p);
  u->position = (wisp_position){0};
  u->is_row = 1;
  return w;
}

/* ---- weights ---- */

/* The magnitude's bits below its highest. */
static inline int take_mantissa(window *w, const wisp_predict *p, wisp_bit *tree, int length) {
  if (length == 2) return 2 + take_bit(w, p, &tree[1]);
  const int size = 4 + take_tree(w, p, tree, 2);
  return length == 3 ? size : size << (length - 3) | take_plain(w, length - 3);
}

static inline int take_weight(window *w, wisp_predict *p, const wisp_position *at, int lane) {
  const wisp_expected e = wisp_predict_weight(p, at, lane);
  const int beyond = e.trend ? take_bit(w, p, &p->side[e.trend][e.level]) : 0;
  const int length = take_tree(w, p, wisp_predict_class(p, &e, beyond), 3);
  if (length == 0) return 0;
  int size = length == 7 ? 64 : 1;
  if (length > 1 && length < 7) size = take_mantissa(w, p, p->mantissa[e.level][length], length);
  const int negative = e.trend ? e.negative ^ beyond : take_plain(w, 1);
  return negative ? -size : size;
}

/* The block at u->position. Returns 0 if it can't be. */
static inline int take_block(wisp_unpack *u, window *w) {
  wisp_predict *p = &u->predict;
  const wisp_position at = u->position;
  const int block = u->blocks++;
  wisp_position_next(p, &u->position);
  if (u->layer.mask) {
    const int present = take_bit(w, p, wisp_predict_mask(p, &at));
    wisp_predict_saw_mask(p, &at, present);
    if (!present) return 1;
    u->layer.mask[block / 8] |= (uint8_t)(1 << block % 8);
  }
  if (u->taken == u->layer.present) return 0;
  int8_t *weights = u->layer.weights + (size_t)u->taken++ * WISP_LANES;
  const int lanes = p->lanes[at.plane];
  int sum = 0;
  for (int lane = 0; lane < lanes; lane++) {
    const int weight = take_weight(w, p, &at, lane);
    if (weight > WISP_WEIGHT_MAX) return 0;
    weights[lane] = (int8_t)weight;
    sum += abs(weight);
    wisp_predict_saw_weight(p, &at, lane, weight);
  }
  wisp_predict_saw_block(p, lanes, sum);
  return 1;
}

/* ---- the walk ---- */

/* Goes on as far as the buffer's `end` reaches. */
static void decode(wisp_unpack *u, const uint8_t *end) {
  window w = u->window;
  w.next = u->buffer + u->at;
  if (u->state == STARTS && w.next + LOOK <= end) {
    w.code = word_at(w.next) << 32 | word_at(w.next + 4);
    w.range = UINT64_MAX;
    w.next += 8;
    u->state = DECODES;
  }
  while (u->state == DECODES && w.next + LOOK <= end) {
    if (!u->is_row) w = take_row(u, w);
    else if (!take_block(u, &w)) u->state = CONTRADICTS;
    if (u->position.index < u->predict.positions) continue;
    u->is_row = 0;
    u->position.index = 0;
    if (u->state == DECODES && u->predict.number + 1 == u->layer.channels_out) u->state = ENDED;
  }
  u->window = w;
  u->at = (size_t)(w.next - u->buffer);
}

/* What follows the last row: at most what the decoder has looked ahead. */
static wisp_unpack_state end_layer(const wisp_unpack *u) {
  const int whole = u->state == ENDED && u->taken == u->layer.present && u->at >= u->filled;
  return whole ? WISP_UNPACK_COMPLETE : WISP_UNPACK_CONTRADICTION;
}

wisp_unpack_state wisp_unpack_feed(wisp_unpack *u, const uint8_t **input, size_t *left) {
  while (*left > 0 && u->missing > 0) {
    if (u->at > 0) memmove(u->buffer, u->buffer + u->at, u->filled - u->at);
    u->filled -= u->at;
    u->at = 0;
    size_t n = BUFFER - u->filled;
    if (n > *left) n = *left;
    if (n > u->missing) n = u->missing;
    memcpy(u->buffer + u->filled, *input, n);
    u->crc = wisp_section_crc(u->crc, *input, n);
    u->filled += n;
    *input += n;
    *left -= n;
    u->missing -= n;
    decode(u, u->buffer + u->filled);
    if (u->state == ENDED && u->missing > 0) u->state = CONTRADICTS;
    if (u->state == CONTRADICTS) u->at = u->filled; /* the rest only counts for the CRC */
  }
  if (u->missing > 0) return WISP_UNPACK_READS;
  memset(u->buffer + u->filled, 0, 2 * LOOK);
  decode(u, u->buffer + u->filled + 2 * LOOK);
  return end_layer(u);
}
