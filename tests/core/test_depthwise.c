/* test_depthwise.c - the depthwise kernels: the best set of this build against the scalar one, bit for bit; the scalar
 * one against plain arithmetic.
 * SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "kernel.h"
#include "operation.h"

enum { TAPS = 225, SPREAD = 300 /* pixels that taps reach over */, PIXELS = 130 };

/* Plain arrays, and the stream that says the same. */
typedef struct filter_case {
  int taps;
  int32_t distance[TAPS];
  int8_t weights[WISP_LANES][TAPS];
  int32_t words[1 + (TAPS + 1) / 2 * 4];
  wisp_filter filter;
} filter_case;

static int8_t draw_weight(int kind) {
  switch (kind) {
    case 0: return WISP_WEIGHT_MIN;
    case 1: return WISP_WEIGHT_MAX;
    case 2: return 0;
    default: return (int8_t)random_int(WISP_WEIGHT_MIN, WISP_WEIGHT_MAX);
  }
}

static void draw_case(filter_case *f, int taps, int kind) {
  f->taps = taps;
  int32_t *word = f->words;
  *word++ = (taps + 1) / 2;
  for (int t = 0; t < taps; t++) {
    f->distance[t] = random_int(0, SPREAD - 1) * WISP_LANES;
    for (int c = 0; c < WISP_LANES; c++) f->weights[c][t] = draw_weight(kind);
  }
  for (int t = 0; t < taps; t += 2, word += 4) {
    int alone = t + 1 == taps;
    word[0] = f->distance[t];
    word[1] = f->distance[alone ? t : t + 1];
    int8_t pairs[WISP_LANES][2];
    for (int c = 0; c < WISP_LANES; c++) {
      pairs[c][0] = f->weights[c][t];
      pairs[c][1] = (int8_t)(alone ? 0 : f->weights[c][t + 1]);
    }
    memcpy(word + 2, pairs, sizeof pairs);
  }
  f->filter.stream = f->words;
  for (int c = 0; c < WISP_LANES; c++) {
    f->filter.start[c] = random_int(-200000, 200000);
    f->filter.scale[c] = (float)random_real(0, random_chance(0.3) ? 1.9 : 0.05);
  }
}

/* Without activation, residual and rounding of the output: the sums themselves, clamped. */
static void check_plain(const filter_case *f, uint8_t flip, const uint8_t *in) {
  const wisp_finish finish = {.out_scale = 32767, .flip = flip};
  wisp_filter whole = f->filter;
  for (int c = 0; c < WISP_LANES; c++) whole.scale[c] = 1;
  uint8_t out[WISP_LANES];
  wisp_kernels_scalar()->depthwise(&whole, &finish, in, NULL, out, 1);
  for (int c = 0; c < WISP_LANES; c++) {
    int sum = f->filter.start[c];
    for (int t = 0; t < f->taps; t++) {
      const int byte = in[f->distance[t] + c];
      sum += f->weights[c][t] * (flip && byte > 127 ? byte - 256 : byte);
    }
    CHECK_EQ(out[c] ^ flip, wisp_clamp(wisp_q15(wisp_sat16(sum), 32767), 0, 255));
  }
}

static wisp_finish draw_finish(int activation, uint8_t flip) {
  const int curve = wisp_activation_row_of(activation).range > 0;
  const int steps = curve ? 1 << random_int(0, 6) : 1;
  return (wisp_finish){.activation = activation,
                       .limit = (int16_t)(32767 / steps),
                       .fraction = (int16_t)steps,
                       .slope = (int16_t)random_int(0, 32767),
                       .out_scale = (int16_t)random_int(1, 2000),
                       .out_zero = (int16_t)random_int(0, 255),
                       .residual_scale = (int16_t)random_int(0, 32767),
                       .residual_zero = (int16_t)random_int(0, 255),
                       .flip = flip};
}

static void check_best(const wisp_kernels *best, const filter_case *f, uint8_t flip,
                       const uint8_t *in, const uint8_t *residual, int n) {
  const size_t size = (size_t)n * WISP_LANES;
  for (int activation = 0; activation < WISP_ACT_COUNT; activation++) {
    const wisp_finish finish = draw_finish(activation, flip);
    uint8_t *expected = guard_open(size), *out = guard_open(size);
    wisp_kernels_scalar()->depthwise(&f->filter, &finish, in, residual, expected, n);
    best->depthwise(&f->filter, &finish, in, residual, out, n);
    CHECK_SAME(out, expected, size);
    CHECK(guard_holds(expected, size) && guard_holds(out, size));
    guard_close(expected);
    guard_close(out);
  }
}

int main(int argc, char **argv) {
  static const int tap_counts[] = {1, 2, 3, 9, 25, 225};
  static const int pixel_counts[] = {1, 3, 7, 8, 9, 31, 32, 33, 64, PIXELS};
  check_begin(argc, argv);
  const wisp_kernels *best = wisp_kernels_best();
  const size_t size = (SPREAD + PIXELS) * WISP_LANES + WISP_OVERREAD;
  uint8_t *in = check_allocate(size), *residual = check_allocate(size);
  filter_case *f = check_allocate(sizeof *f);
  for (int kind = 0; kind < 5; kind++)
    for (int t = 0; t < 6; t++)
      for (int p = 0; p < 10; p++) {
        const uint8_t flip = random_chance(0.5) ? 0x80 : 0;
        CHECK_CASE("%s: %d taps, %d pixels, weights %d, flip %d", best->name, tap_counts[t],
                   pixel_counts[p], kind, flip);
        draw_case(f, tap_counts[t], kind);
        random_bytes(in, size);
        if (kind < 2) memset(in, random_chance(0.5) ? 255 : 0, size);
        random_bytes(residual, size);
        check_plain(f, flip, in);
        check_best(best, f, flip, in, NULL, pixel_counts[p]);
        check_best(best, f, flip, in, residual, pixel_counts[p]);
      }
  free(in);
  free(residual);
  free(f);
  return check_end();
}
