/* test_squeeze.c - the mean of a plane and a factor for each channel: each set of this build against the scalar one,
 * byte for byte; the scalar one against plain arithmetic.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "check.h"
#include "kernel.h"

/* ---- the mean ---- */

static double exact_mean(const wisp_average *a, const uint8_t *in, int lane) {
  double sum = 0;
  for (int y = 0; y < a->height; y++)
    for (int x = 0; x < a->width; x++) sum += in[(y * a->pitch + x) * WISP_LANES + lane] ^ a->flip;
  return sum / a->height / a->width - a->in_zero;
}

static void check_average(const wisp_kernels *k, const wisp_average *a, const uint8_t *in) {
  uint8_t *expected = guard_open(WISP_LANES), *out = guard_open(WISP_LANES);
  CHECK_CASE("%s: mean of %dx%d, ratio %d, zero points %d and %d, flip %d", k->name, a->height,
             a->width, a->ratio, a->in_zero, a->out_zero, a->flip);
  wisp_kernels_scalar()->average(a, in, expected);
  k->average(a, in, out);
  CHECK_SAME(out, expected, WISP_LANES);
  CHECK(guard_holds(expected, WISP_LANES) && guard_holds(out, WISP_LANES));
  for (int lane = 0; lane < WISP_LANES; lane++) {
    const double exact = exact_mean(a, in, lane) * a->ratio / WISP_RATIO_ONE + a->out_zero;
    CHECK_NEAR(expected[lane] ^ a->flip, fmin(fmax(exact, 0), 255), 0.5 + 1e-6);
  }
  guard_close(expected);
  guard_close(out);
}

static void test_average(const wisp_kernels *k) {
  static const int widths[] = {1, 2, 3, 4, 5, 7, 8, 20, 511, 512, 513, 516, 700, 1100};
  for (int round = 0; round < 600; round++) {
    const uint8_t flip = round & 1 ? 0x80 : 0;
    wisp_average a = {
        .height = random_int(1, 24), .width = widths[random_int(0, 13)], .flip = flip};
    a.pitch = a.width + random_int(0, 3);
    a.ratio = random_chance(0.1) ? WISP_RATIO_MOST : random_int(1, 64 * WISP_RATIO_ONE);
    a.in_zero = random_int(0, 255);
    a.out_zero = random_int(0, 255);
    const size_t size = (size_t)(a.height * a.pitch) * WISP_LANES;
    uint8_t *in = check_allocate(size);
    random_bytes(in, size);
    if (random_chance(0.3)) memset(in, random_chance(0.5) ? 255 ^ flip : flip, size);
    check_average(k, &a, in);
    free(in);
  }
}

/* The largest plane that there is: 2^26 pixels, whose sum has 34 bits. */
static void test_largest(const wisp_kernels *k) {
  wisp_average a = {WISP_MAX_SIDE, WISP_MAX_SIDE, WISP_MAX_SIDE, WISP_RATIO_ONE, 0, 0, 0};
  const size_t row = (size_t)WISP_MAX_SIDE * WISP_LANES;
  uint8_t *in = check_allocate(row), out[WISP_LANES];
  memset(in, 255, row);
  a.pitch = 0; /* the same row again and again */
  CHECK_CASE("%s: the mean of 8192x8192 pixels", k->name);
  k->average(&a, in, out);
  for (int lane = 0; lane < WISP_LANES; lane++) CHECK_EQ(out[lane], 255);
  a.in_zero = 255, a.out_zero = 255, a.ratio = WISP_RATIO_MOST;
  memset(in, 0, row);
  k->average(&a, in, out);
  for (int lane = 0; lane < WISP_LANES; lane++) CHECK_EQ(out[lane], 0);
  free(in);
}

/* ---- the factor ---- */

static void check_scale(const wisp_kernels *k, const wisp_finish *f, const int16_t *factors,
                        const uint8_t *in, int n) {
  const size_t size = (size_t)n * WISP_LANES;
  uint8_t *expected = guard_open(size), *out = guard_open(size);
  CHECK_CASE("%s: %d pixels scaled by %d %d %d %d", k->name, n, factors[0], factors[1], factors[2],
             factors[3]);
  wisp_kernels_scalar()->scale(f, factors, in, expected, n);
  k->scale(f, factors, in, out, n);
  CHECK_SAME(out, expected, size);
  CHECK(guard_holds(expected, size) && guard_holds(out, size));
  for (int i = 0; i < n * WISP_LANES; i++) {
    const int x = wisp_q15(((in[i] ^ f->flip) - f->residual_zero) * 128, factors[i % WISP_LANES]);
    const int byte = wisp_clamp(wisp_q15(x, f->out_scale) + f->out_zero, 0, 255);
    CHECK_EQ(expected[i], byte ^ f->flip);
  }
  guard_close(expected);
  guard_close(out);
}

static void test_scale(const wisp_kernels *k) {
  static const int extremes[] = {-32640, -32767, 32640, 32767, 0, 1, -1};
  for (int n = 1; n <= 70; n++)
    for (int round = 0; round < 8; round++) {
      const size_t size = (size_t)n * WISP_LANES + WISP_OVERREAD;
      uint8_t *in = check_allocate(size);
      random_bytes(in, size);
      if (round > 5) memset(in, round & 1 ? 255 : 0, size);
      int16_t factors[WISP_LANES];
      for (int lane = 0; lane < WISP_LANES; lane++)
        factors[lane] =
            (int16_t)(random_chance(0.3) ? extremes[random_int(0, 6)] : random_int(-32767, 32767));
      const wisp_finish f = {
          .out_scale = (int16_t)(random_chance(0.5) ? random_int(1, 600) : random_int(1, 32767)),
          .out_zero = (int16_t)random_int(0, 255),
          .residual_zero = (int16_t)random_int(0, 255),
          .flip = round & 1 ? 0x80 : 0};
      check_scale(k, &f, factors, in, n);
      free(in);
    }
}

/* A factor is a byte less its zero point times the ratio, whatever both are, and has 16 bits. */
static void test_factors(void) {
  static const int32_t ratios[] = {0, 1, WISP_RATIO_ONE, WISP_RATIO_MOST / 2 + 1, WISP_RATIO_MOST};
  for (int r = 0; r < 5; r++)
    for (int byte = 0; byte < 256; byte += 3)
      for (int zero = 0; zero < 256; zero += 5) {
        const int factor = wisp_factor(byte, zero, ratios[r]);
        CHECK(factor >= -32640 && factor <= 32640);
        CHECK_NEAR(factor, (double)(byte - zero) * ratios[r] / WISP_RATIO_ONE, 0.5);
      }
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  test_factors();
  test_largest(wisp_kernels_scalar());
  for (int i = 0; wisp_kernels_set(i); i++) {
    test_average(wisp_kernels_set(i));
    test_scale(wisp_kernels_set(i));
    test_largest(wisp_kernels_set(i));
  }
  return check_end();
}
