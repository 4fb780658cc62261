/* encode.c - the entropy coder: scales, biases and weight blocks of a layer -> the bytes of its
 * payload.
 * SPDX-License-Identifier: Apache-2.0 */
#include "encode.h"

#include <string.h>

#include "core/src/predict.h"

/* low is what the bytes leave open of the number that the payload is; core/src/unpack.c is the other
 * end. */
struct wisp_encode {
  wisp_predict predict;
  uint64_t low, range;
  uint8_t *bytes;
  size_t size, cap;
  int failed; /* no memory, some time */
};

wisp_encode *wisp_encode_open(void) {
  wisp_encode *e = calloc(1, sizeof *e);
  if (e) wisp_predict_open(&e->predict);
  return e;
}

void wisp_encode_close(wisp_encode **out) {
  wisp_encode *e = *out;
  if (!e) return;
  *out = NULL;
  wisp_predict_close(&e->predict);
  free(e->bytes);
  free(e);
}

/* ---- floats ---- */

static uint32_t bits_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

static float keep(float value, int drops) {
  const uint32_t bits = (bits_of(value) + (1u << (drops - 1))) >> drops << drops;
  float kept;
  memcpy(&kept, &bits, sizeof kept);
  return kept;
}

float wisp_encode_scale(float scale) { return keep(scale, WISP_SCALE_DROPS); }

float wisp_encode_bias(float bias) { return keep(bias, WISP_BIAS_DROPS); }

/* ---- bits ---- */

static void put_word(wisp_encode *e, uint32_t word) {
  if (e->size + 4 > e->cap) {
    const size_t cap = e->cap * 2 + 4096;
    uint8_t *moved = e->failed ? NULL : realloc(e->bytes, cap);
    if (!moved) {
      e->failed = 1;
      return;
    }
    e->bytes = moved;
    e->cap = cap;
  }
  for (int shift = 24; shift >= 0; shift -= 8) e->bytes[e->size++] = (uint8_t)(word >> shift);
}

/* Adds one to the number that the bytes are. */
static void carry(wisp_encode *e) {
  size_t i = e->size;
  while (i > 0 && ++e->bytes[--i] == 0) continue;
}

static void put_side(wisp_encode *e, uint64_t part, int first) {
  if (first) {
    e->range = part;
  } else {
    e->low += part;
    if (e->low < part) carry(e);
    e->range -= part;
  }
  if (e->range >> 32) return;
  put_word(e, (uint32_t)(e->low >> 32));
  e->low <<= 32;
  e->range <<= 32;
}

static void put_bit(wisp_encode *e, wisp_bit *bit, int one) {
  put_side(e, (e->range >> 12) * (bit->one >> 4), one);
  wisp_bit_learn(&e->predict, bit, one);
}

static void put_plain(wisp_encode *e, int value, int n) {
  while (n-- > 0) put_side(e, e->range >> 1, value >> n & 1);
}

static void put_tree(wisp_encode *e, wisp_bit *tree, int value, int n) {
  for (int node = 1; n-- > 0;) {
    const int one = value >> n & 1;
    put_bit(e, &tree[node], one);
    node = node * 2 + one;
  }
}

/* The rest of the number: the one in the range with the most zeros at its end, which are left out. */
static void finish(wisp_encode *e) {
  const uint64_t last = e->low + (e->range - 1);
  int zeros = 63;
  uint64_t value = last >> zeros << zeros;
  while (value - e->low > e->range - 1) {
    zeros--;
    value = last >> zeros << zeros;
  }
  if (value < e->low) carry(e);
  const size_t before = e->size;
  put_word(e, (uint32_t)(value >> 32));
  put_word(e, (uint32_t)value);
  while (!e->failed && e->size > before && e->size > 1 && e->bytes[e->size - 1] == 0) e->size--;
}

/* ---- numbers ---- */

static void put_scale(wisp_encode *e, float scale) {
  wisp_predict *p = &e->predict;
  const int top = (int)(bits_of(scale) >> WISP_SCALE_DROPS), change = top - p->last_scale;
  const int folded = change < 0 ? -change * 2 - 1 : change * 2, length = wisp_bit_length(folded);
  p->last_scale = top;
  put_tree(e, p->scale, length, 5);
  if (length < 2) return;
  put_bit(e, &p->scale_top[length], folded >> (length - 2) & 1);
  put_plain(e, folded, length - 2);
}

static void put_bias(wisp_encode *e, float bias) {
  const uint32_t bits = bits_of(bias);
  put_bit(e, &e->predict.sign, (int)(bits >> 31));
  put_tree(e, e->predict.exponent, (int)(bits >> 23 & 255), 8);
  put_plain(e, (int)((bits & 0x7fffff) >> WISP_BIAS_DROPS), 23 - WISP_BIAS_DROPS);
}

/* ---- weights ---- */

static void put_weight(wisp_encode *e, const wisp_position *at, int lane, int weight) {
  wisp_predict *p = &e->predict;
  const wisp_expected x = wisp_predict_weight(p, at, lane);
  const int size = abs(weight), length = wisp_bit_length(size), negative = weight < 0;
  const int beyond = x.trend && weight && negative != x.negative;
  if (x.trend) put_bit(e, &p->side[x.trend][x.level], beyond);
  put_tree(e, wisp_predict_class(p, &x, beyond), length, 3);
  wisp_bit *tree = p->mantissa[x.level][length];
  if (length == 2) put_bit(e, &tree[1], size & 1);
  if (length > 2 && length < 7) {
    put_tree(e, tree, size >> (length - 3) & 3, 2);
    put_plain(e, size, length - 3);
  }
  if (weight && !x.trend) put_plain(e, negative, 1);
}

static int is_zero(const int8_t *block) { return !(block[0] | block[1] | block[2] | block[3]); }

static void put_block(wisp_encode *e, const wisp_position *at, const int8_t *block, int masked) {
  wisp_predict *p = &e->predict;
  if (masked) {
    const int present = !is_zero(block);
    put_bit(e, wisp_predict_mask(p, at), present);
    wisp_predict_saw_mask(p, at, present);
    if (!present) return;
  }
  int sum = 0;
  for (int lane = 0; lane < p->lanes[at->plane]; lane++) {
    put_weight(e, at, lane, block[lane]);
    wisp_predict_saw_weight(p, at, lane, block[lane]);
    sum += abs(block[lane]);
  }
  wisp_predict_saw_block(p, p->lanes[at->plane], sum);
}

const uint8_t *wisp_encode_run(wisp_encode *e, const wisp_encode_layer *layer, size_t *size) {
  wisp_predict *p = &e->predict;
  e->size = 0;
  e->low = 0;
  e->range = UINT64_MAX;
  if (!wisp_predict_layer(p, layer->kernel_height, layer->kernel_width, layer->planes,
                          layer->lanes))
    return NULL;
  const int8_t *block = layer->blocks;
  for (int o = 0; o < layer->channels_out; o++) {
    wisp_predict_row(p);
    put_scale(e, layer->scale[o]);
    put_bias(e, layer->bias[o]);
    for (wisp_position at = {0}; at.index < p->positions; wisp_position_next(p, &at)) {
      put_block(e, &at, block, layer->masked);
      block += WISP_LANES;
    }
  }
  finish(e);
  *size = e->size;
  return e->failed ? NULL : e->bytes;
}
