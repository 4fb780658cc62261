/* test_unpack.c - both ends of the entropy coder: random layers come back bit by bit, whole and in
 * pieces of any size; damage ends in an error or in other weights that fit, never outside the layer's memory.
 * SPDX-License-Identifier: Apache-2.0 */
#include "unpack.h"

#include "check.h"
#include "pack/encode.h"
#include "predict.h"
#include "section.h"

enum { FILES = 60, LAYERS = 4, DAMAGES = 12000 };

/* A layer as drawn, and as unpacked into guarded memory. */
typedef struct layer {
  wisp_encode_layer drawn;
  wisp_unpack_layer found;
  int blocks;
  uint8_t *payload;
  size_t size;
} layer;

/* ---- drawing ---- */

enum { UNIFORM, BELL, CONSTANT, EXTREME, NEARLY_ZERO, SMOOTH, KINDS };

static int draw_weight(int kind, int before) {
  switch (kind) {
    case UNIFORM: return random_int(-64, 63);
    case BELL: return (random_int(-20, 20) + random_int(-20, 20) + random_int(-20, 20)) / 2;
    case CONSTANT: return 7;
    case EXTREME: return random_chance(0.5) ? -64 : 63;
    case NEARLY_ZERO: return random_chance(0.01) ? random_int(-64, 63) : 0;
    default: return wisp_clamp(before + random_int(-3, 3), -64, 63);
  }
}

static void draw_blocks(int8_t *blocks, const wisp_encode_layer *l, int count) {
  const int kind = random_int(0, KINDS - 1);
  const double density = random_chance(0.3) ? random_real(0, 0.05) : random_real(0, 1);
  for (int b = 0, weight = 0; b < count; b++) {
    if (l->masked && !random_chance(density)) continue;
    for (int lane = 0; lane < l->lanes[b % l->planes]; lane++)
      blocks[b * WISP_LANES + lane] = (int8_t)(weight = draw_weight(kind, weight));
  }
}

static void draw_numbers(float *scale, float *bias, int n) {
  const double size = random_chance(0.2) ? 1e-30 : 0.01;
  for (int o = 0; o < n; o++) {
    scale[o] = wisp_encode_scale((float)(size * random_real(0.001, 1)));
    bias[o] = wisp_encode_bias((float)random_real(-9, 9));
    if (random_chance(0.1)) bias[o] = 0;
  }
}

static layer draw_layer(void) {
  layer l = {.drawn = {.channels_out = random_int(1, 20),
                       .kernel_height = random_int(1, 4),
                       .kernel_width = random_int(1, 4),
                       .planes = random_int(1, 9),
                       .masked = random_chance(0.6)}};
  wisp_encode_layer *d = &l.drawn;
  l.blocks = d->channels_out * d->kernel_height * d->kernel_width * d->planes;
  uint8_t *lanes = check_allocate((size_t)d->planes);
  for (int p = 0; p < d->planes; p++)
    lanes[p] = (uint8_t)(random_chance(0.7) ? 4 : random_int(1, 4));
  d->lanes = lanes;
  float *scale = check_allocate((size_t)d->channels_out * sizeof *scale);
  float *bias = check_allocate((size_t)d->channels_out * sizeof *bias);
  int8_t *blocks = check_allocate((size_t)l.blocks * WISP_LANES);
  draw_numbers(scale, bias, d->channels_out);
  draw_blocks(blocks, d, l.blocks);
  d->scale = scale;
  d->bias = bias;
  d->blocks = blocks;
  return l;
}

static void free_layer(layer *l) {
  free((void *)(uintptr_t)l->drawn.lanes);
  free((void *)(uintptr_t)l->drawn.scale);
  free((void *)(uintptr_t)l->drawn.bias);
  free((void *)(uintptr_t)l->drawn.blocks);
  free(l->payload);
}

/* ---- places for what is unpacked ---- */

static int is_present(const layer *l, int block) {
  static const int8_t zeros[WISP_LANES];
  return !l->drawn.masked || memcmp(l->drawn.blocks + block * WISP_LANES, zeros, WISP_LANES) != 0;
}

static void open_found(layer *l) {
  const wisp_encode_layer *d = &l->drawn;
  const size_t n = (size_t)d->channels_out, mask = ((size_t)l->blocks + 7) / 8;
  int present = 0;
  for (int b = 0; b < l->blocks; b++) present += is_present(l, b);
  l->found = (wisp_unpack_layer){.channels_out = d->channels_out,
                                 .kernel_height = d->kernel_height,
                                 .kernel_width = d->kernel_width,
                                 .planes = d->planes,
                                 .present = present,
                                 .lanes = d->lanes,
                                 .scale = (float *)(void *)guard_open(n * sizeof(float)),
                                 .bias = (float *)(void *)guard_open(n * sizeof(float)),
                                 .mask = d->masked ? guard_open(mask) : NULL,
                                 .weights = (int8_t *)guard_open((size_t)present * WISP_LANES)};
  if (l->found.mask) memset(l->found.mask, 0, mask);
  memset(l->found.weights, 0, (size_t)present * WISP_LANES);
}

static void close_found(layer *l) {
  wisp_unpack_layer *f = &l->found;
  const size_t n = (size_t)f->channels_out * sizeof(float);
  CHECK(guard_holds((uint8_t *)f->scale, n));
  CHECK(guard_holds((uint8_t *)f->bias, n));
  CHECK(guard_holds((uint8_t *)f->weights, (size_t)f->present * WISP_LANES));
  guard_close((uint8_t *)f->scale);
  guard_close((uint8_t *)f->bias);
  guard_close((uint8_t *)f->weights);
  if (!f->mask) return;
  CHECK(guard_holds(f->mask, ((size_t)l->blocks + 7) / 8));
  guard_close(f->mask);
}

static void check_found(const layer *l) {
  const wisp_unpack_layer *f = &l->found;
  const size_t n = (size_t)f->channels_out * sizeof(float);
  CHECK_SAME(f->scale, l->drawn.scale, n);
  CHECK_SAME(f->bias, l->drawn.bias, n);
  const int8_t *weights = f->weights;
  for (int b = 0; b < l->blocks; b++) {
    const int present = is_present(l, b);
    if (f->mask && !CHECK_EQ(f->mask[b / 8] >> b % 8 & 1, present)) return;
    if (!present) continue;
    if (!CHECK_SAME(weights, l->drawn.blocks + b * WISP_LANES, WISP_LANES)) return;
    weights += WISP_LANES;
  }
}

/* ---- unpacking ---- */

/* In pieces of 1 to `largest` bytes, each at the end of its memory. */
static wisp_unpack_state unpack(wisp_unpack *u, layer *l, int largest) {
  wisp_unpack_state state = WISP_UNPACK_READS;
  CHECK(wisp_unpack_start(u, &l->found, l->size));
  for (size_t at = 0; at < l->size;) {
    size_t n = (size_t)random_int(1, largest);
    if (n > l->size - at) n = l->size - at;
    uint8_t *piece = check_allocate(n);
    memcpy(piece, l->payload + at, n);
    const uint8_t *input = piece;
    size_t left = n;
    CHECK_EQ(state, WISP_UNPACK_READS);
    state = wisp_unpack_feed(u, &input, &left);
    CHECK_EQ(left, 0);
    free(piece);
    at += n;
  }
  CHECK_EQ(wisp_unpack_crc(u), wisp_section_crc(0, l->payload, l->size));
  return state;
}

static void test_pieces(layer *layers, int largest) {
  CHECK_CASE("pieces of up to %d bytes", largest);
  wisp_unpack *u = wisp_unpack_open();
  for (int i = 0; i < LAYERS; i++) {
    open_found(&layers[i]);
    CHECK_EQ(unpack(u, &layers[i], largest), WISP_UNPACK_COMPLETE);
    check_found(&layers[i]);
    close_found(&layers[i]);
  }
  wisp_unpack_close(&u);
}

/* A payload of zeros begins with the longest scale that the tree has, which nothing that is encoded needs; a layer of
 * one block has nothing else to contradict. */
static void test_long_scale(void) {
  static const uint8_t lanes[] = {WISP_LANES};
  uint8_t zeros[16] = {0};
  layer l = {.drawn = {.channels_out = 1, .kernel_height = 1, .kernel_width = 1, .planes = 1},
             .blocks = 1,
             .payload = zeros,
             .size = sizeof zeros};
  l.drawn.lanes = lanes;
  wisp_unpack *u = wisp_unpack_open();
  open_found(&l);
  CHECK_EQ(unpack(u, &l, 16), WISP_UNPACK_CONTRADICTION);
  close_found(&l);
  wisp_unpack_close(&u);
}

static int count_bits(const uint8_t *mask, int n) {
  int count = 0;
  for (int b = 0; b < n; b++) count += mask[b / 8] >> b % 8 & 1;
  return count;
}

/* A first layer with some bytes changed, left out, or those of another layer. */
static void test_damage(layer *layers) {
  layer damaged = layers[0];
  damaged.payload = check_allocate(damaged.size + 1);
  memcpy(damaged.payload, layers[0].payload, damaged.size);
  if (random_chance(0.2)) {
    const size_t other = layers[1].size, n = damaged.size < other ? damaged.size : other;
    memcpy(damaged.payload, layers[1].payload, n);
  }
  for (int i = random_int(0, 3); i > 0; i--)
    damaged.payload[random_int(0, (int)damaged.size - 1)] ^= (uint8_t)(1 << random_int(0, 7));
  if (random_chance(0.2)) damaged.size = (size_t)random_int(1, (int)damaged.size);
  if (random_chance(0.1)) damaged.size++;
  wisp_unpack *u = wisp_unpack_open();
  open_found(&damaged);
  const wisp_unpack_state state = unpack(u, &damaged, random_chance(0.5) ? 3 : 5000);
  CHECK(state != WISP_UNPACK_READS);
  if (state == WISP_UNPACK_COMPLETE && damaged.found.mask)
    CHECK_EQ(count_bits(damaged.found.mask, damaged.blocks), damaged.found.present);
  for (int i = 0; i < damaged.found.present * WISP_LANES; i++)
    if (damaged.found.weights[i] < WISP_WEIGHT_MIN || damaged.found.weights[i] > WISP_WEIGHT_MAX)
      CHECK_EQ(damaged.found.weights[i], 0);
  close_found(&damaged);
  wisp_unpack_close(&u);
  free(damaged.payload);
}

static void test_file(void) {
  layer layers[LAYERS];
  wisp_encode *encode = wisp_encode_open();
  for (int i = 0; i < LAYERS; i++) {
    layers[i] = draw_layer();
    const uint8_t *bytes = wisp_encode_run(encode, &layers[i].drawn, &layers[i].size);
    if (!CHECK(bytes != NULL)) exit(1);
    layers[i].payload = check_allocate(layers[i].size);
    memcpy(layers[i].payload, bytes, layers[i].size);
  }
  wisp_encode_close(&encode);
  test_pieces(layers, 1);
  test_pieces(layers, 7);
  test_pieces(layers, 1 << 20);
  for (int i = 0; i < DAMAGES / FILES; i++) {
    CHECK_CASE("damage %d", i);
    test_damage(layers);
  }
  for (int i = 0; i < LAYERS; i++) free_layer(&layers[i]);
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  const unsigned long long start = random_bits();
  for (unsigned i = 0; i < FILES; i++) {
    random_start(start + i * 7919ull);
    test_file();
  }
  test_long_scale();
  return check_end();
}
