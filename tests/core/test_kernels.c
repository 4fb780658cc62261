/* test_kernels.c - every row of kernel.h but those of test_moves.c: each set of this build against the scalar one, bit
 * for bit; the scalar one against plain arithmetic. `--bench` prints the speed of each kernel.
 * SPDX-License-Identifier: Apache-2.0 */
#include "kernel.h"
#include "operation.h"

#include <time.h>

#include "check.h"
#include "quad.h"

enum { PIXELS = 330, IN_BYTES = (QUAD_SPREAD + PIXELS) * WISP_LANES + WISP_OVERREAD };

static const int pixel_counts[] = {1, 3, 4, 7, 8, 15, 17, 24, 25, 31, 32, 65, 288, 289, PIXELS};
static const uint8_t flips[] = {0, 0x80};

/* ---- drawing ---- */

static wisp_finish draw_finish(int activation, uint8_t flip) {
  const int curve = wisp_activation_row_of(activation).range > 0;
  const int steps = curve ? 1 << random_int(0, 6) : 1;
  return (wisp_finish){
      .activation = activation,
      .limit = (int16_t)(32767 / steps),
      .fraction = (int16_t)steps,
      .slope = (int16_t)random_int(0, 32767),
      .out_scale = (int16_t)(random_chance(0.5) ? random_int(1, 600) : random_int(1, 32767)),
      .out_zero = (int16_t)random_int(0, 255),
      .residual_scale = (int16_t)random_int(0, 32767),
      .residual_zero = (int16_t)random_int(0, 255),
      .flip = flip};
}

static void draw_pixels(uint8_t *bytes, size_t size) {
  const int kind = random_int(0, 5);
  if (kind == 0) memset(bytes, 255, size);
  else if (kind == 1) memset(bytes, 0, size);
  else if (kind == 2) memset(bytes, 128, size);
  else random_bytes(bytes, size);
}

static int own_flip(const wisp_kernels *k) {
  return wisp_kernels_sign(k) == WISP_SIGNED ? 0x80 : 0;
}

/* ---- convolution and head ---- */

static void check_conv(const wisp_kernels *best, const quad_case *q, const wisp_finish *f,
                       const uint8_t *in, const uint8_t *residual, int n) {
  const size_t size = (size_t)n * WISP_LANES;
  uint8_t *expected = guard_open(size), *out = guard_open(size);
  wisp_kernels_scalar()->conv(&q->quad, f, in, residual, expected, n);
  best->conv(&q->quad, f, in, residual, out, n);
  CHECK_SAME(out, expected, size);
  CHECK(guard_holds(expected, size) && guard_holds(out, size));
  guard_close(expected);
  guard_close(out);
}

/* Sums of the four channels at a pixel from the plain arrays. */
static void plain_sums(const quad_case *q, const uint8_t *pixel, uint8_t flip, int32_t sums[4]) {
  for (int c = 0; c < 4; c++) {
    sums[c] = q->quad.start[c];
    for (int i = 0; i < q->positions; i++)
      for (int lane = 0; lane < WISP_LANES; lane++) {
        const int byte = pixel[q->distance[i] + lane];
        sums[c] += q->weights[c][i][lane] * (flip && byte > 127 ? byte - 256 : byte);
      }
  }
}

static void check_head(const wisp_kernels *best, const quad_case *q, uint8_t flip,
                       const uint8_t *in, int n) {
  const size_t size = (size_t)n * sizeof(float);
  uint8_t *bytes[2][4];
  float *expected[4], *out[4];
  for (int c = 0; c < 4; c++) {
    const int wanted = random_chance(0.8);
    for (int k = 0; k < 2; k++) bytes[k][c] = guard_open(size);
    expected[c] = wanted ? (float *)(void *)bytes[0][c] : NULL;
    out[c] = wanted ? (float *)(void *)bytes[1][c] : NULL;
  }
  wisp_kernels_scalar()->head(&q->quad, flip, in, expected, n);
  best->head(&q->quad, flip, in, out, n);
  for (int i = 0; i < n; i++) {
    int32_t sums[4];
    plain_sums(q, in + i * WISP_LANES, flip, sums);
    for (int c = 0; c < 4; c++)
      if (out[c]) CHECK(expected[c][i] == (float)sums[c] * q->quad.scale[c]);
  }
  for (int c = 0; c < 4; c++) {
    CHECK_SAME(bytes[1][c], bytes[0][c], size);
    CHECK(guard_holds(bytes[0][c], size) && guard_holds(bytes[1][c], size));
    for (int k = 0; k < 2; k++) guard_close(bytes[k][c]);
  }
}

static void test_sums(const wisp_kernels *best, const quad_case *q, uint8_t flip, uint8_t *in) {
  uint8_t *residual = check_allocate((size_t)PIXELS * WISP_LANES + WISP_OVERREAD);
  for (int activation = 0; activation < WISP_ACT_COUNT; activation++) {
    const int n =
        pixel_counts[random_int(0, (int)(sizeof pixel_counts / sizeof *pixel_counts) - 1)];
    const wisp_finish f = draw_finish(activation, flip);
    draw_pixels(in, IN_BYTES);
    draw_pixels(residual, (size_t)PIXELS * WISP_LANES);
    CHECK_CASE("%s: %d positions, activation %d, flip %d, %d pixels", best->name, q->positions,
               activation, flip, n);
    check_conv(best, q, &f, in, NULL, n);
    check_conv(best, q, &f, in, residual, n);
    check_head(best, q, flip, in, n);
  }
  free(residual);
}

static void test_convolutions(const wisp_kernels *best) {
  static const double densities[] = {0, 0.1, 0.5, 1};
  static const int positions[] = {0, 1, 2, 3, 9, QUAD_POSITIONS};
  quad_case *q = check_allocate(sizeof *q);
  uint8_t *in = check_allocate(IN_BYTES);
  for (int kind = 0; kind < QUAD_KINDS; kind++)
    for (int d = 0; d < 4; d++)
      for (int p = 0; p < 6; p++)
        for (int shape = 0; shape < 4; shape++)
          for (int f = 0; f < 2; f++) {
            if (!best->any_sign && flips[f] != own_flip(best)) continue;
            quad_draw(q, positions[p], densities[d], (enum quad_kind)kind, shape,
                      best->wide_sums && random_chance(0.5));
            test_sums(best, q, flips[f], in);
          }
  free(in);
  free(q);
}

/* Every 16-bit number through every activation: sums that are `x` themselves. */
static void test_every_sum(const wisp_kernels *best) {
  static const int32_t no_blocks[6] = {0};
  uint8_t in[WISP_LANES + WISP_OVERREAD] = {0}, residual[WISP_OVERREAD] = {200, 255, 0, 1};
  for (int activation = 0; activation < WISP_ACT_COUNT; activation++) {
    const wisp_finish f =
        draw_finish(activation, best->any_sign ? flips[random_int(0, 1)] : (uint8_t)own_flip(best));
    CHECK_CASE("%s: every sum, activation %d, fraction %d", best->name, activation, f.fraction);
    for (int x = -33000; x <= 33000; x += 4) {
      const wisp_quad quad = {no_blocks, {x, x + 1, x + 2, x + 3}, {1, 1, 1, 1}};
      uint8_t expected[4], out[4];
      const uint8_t *added = x & 4 ? residual : NULL;
      wisp_kernels_scalar()->conv(&quad, &f, in, added, expected, 1);
      best->conv(&quad, &f, in, added, out, 1);
      CHECK_SAME(out, expected, 4);
    }
  }
}

/* ---- letterbox ---- */

/* Taps anywhere in a row of `width` pixels. */
static void draw_blends(wisp_blend *blends, int n, int width) {
  static const int weights[] = {0, 1, WISP_BLEND_ONE / 2, WISP_BLEND_ONE - 1, WISP_BLEND_ONE};
  for (int x = 0; x < n; x++) {
    const int weight =
        random_chance(0.5) ? weights[random_int(0, 4)] : random_int(0, WISP_BLEND_ONE);
    blends[x] = (wisp_blend){random_int(0, width - 2) * 4, (int16_t)weight,
                             (int16_t)(WISP_BLEND_ONE - weight)};
  }
}

static void check_blends(const wisp_kernels *best, int n) {
  const int width = random_int(2, 50);
  const size_t pixels = (size_t)n * 4, words = pixels * sizeof(int16_t);
  uint8_t *row = check_allocate((size_t)width * 4),
          *bytes[2] = {guard_open(pixels), guard_open(pixels)};
  uint8_t *lines[3] = {guard_open(words), guard_open(words), guard_open(words)};
  int16_t *blended[3] = {(int16_t *)(void *)lines[0], (int16_t *)(void *)lines[1],
                         (int16_t *)(void *)lines[2]};
  wisp_blend *blends = check_allocate((size_t)n * sizeof *blends);
  draw_blends(blends, n, width);
  draw_pixels(row, (size_t)width * 4);
  wisp_kernels_scalar()->blend_row(row, blends, n, blended[0]);
  best->blend_row(row, blends, n, blended[1]);
  CHECK_SAME(lines[1], lines[0], words);
  draw_pixels(row, (size_t)width * 4);
  best->blend_row(row, blends, n, blended[2]);
  const int weight = random_chance(0.2) ? WISP_BLEND_ONE : random_int(0, WISP_BLEND_ONE);
  wisp_kernels_scalar()->blend_rows(blended[0], blended[2], weight, n, bytes[0]);
  best->blend_rows(blended[0], blended[2], weight, n, bytes[1]);
  CHECK_SAME(bytes[1], bytes[0], pixels);
  for (int i = 0; i < 3; i++) CHECK(guard_holds(lines[i], words));
  for (int i = 0; i < 2; i++) CHECK(guard_holds(bytes[i], pixels));
  for (int i = 0; i < 3; i++) guard_close(lines[i]);
  for (int i = 0; i < 2; i++) guard_close(bytes[i]);
  free(blends);
  free(row);
}

static void check_halve(const wisp_kernels *best, int n) {
  const size_t size = (size_t)n * 4;
  uint8_t *rows = check_allocate(size * 4), *bytes[2] = {guard_open(size), guard_open(size)};
  draw_pixels(rows, size * 4);
  wisp_kernels_scalar()->halve(rows, rows + size * 2, n, bytes[0]);
  best->halve(rows, rows + size * 2, n, bytes[1]);
  CHECK_SAME(bytes[1], bytes[0], size);
  CHECK(guard_holds(bytes[0], size) && guard_holds(bytes[1], size));
  for (int i = 0; i < 2; i++) guard_close(bytes[i]);
  free(rows);
}

static void check_fold(const wisp_kernels *best, int n, uint8_t flip) {
  const size_t size = (size_t)n * WISP_LANES;
  uint8_t *rows = check_allocate(size * 4), *planes[2][3];
  draw_pixels(rows, size * 4);
  for (int i = 0; i < 6; i++) planes[i / 3][i % 3] = guard_open(size);
  wisp_kernels_scalar()->fold(rows, rows + size * 2, n, flip, planes[0]);
  best->fold(rows, rows + size * 2, n, flip, planes[1]);
  for (int i = 0; i < 3; i++) CHECK_SAME(planes[1][i], planes[0][i], size);
  for (int i = 0; i < 6; i++) CHECK(guard_holds(planes[i / 3][i % 3], size));
  for (int i = 0; i < 6; i++) guard_close(planes[i / 3][i % 3]);
  free(rows);
}

static void test_letterbox(const wisp_kernels *best) {
  for (int round = 0; round < 20; round++)
    for (int n = 1; n <= 40; n++) {
      CHECK_CASE("%s: letterbox, %d pixels", best->name, n);
      check_blends(best, n);
      check_halve(best, n);
      check_fold(best, n, flips[round & 1]);
    }
}

/* ---- speed ---- */

enum { BENCH_PIXELS = 1600, BENCH_MS = 200 };

static double now_ms(void) { return (double)clock() * 1e3 / CLOCKS_PER_SEC; }

/* Runs `kernel` for a while; gives how many `units` of work it does in a nanosecond, so GMAC/s or GB/s. */
#define BENCH(kernel, units)                                               \
  do {                                                                     \
    long runs = 0;                                                         \
    const double start = now_ms();                                         \
    double spent = 0;                                                      \
    for (; spent < BENCH_MS; spent = now_ms() - start)                     \
      for (int bench_run = 0; bench_run < 16; bench_run++, runs++) kernel; \
    printf(" %8.2f", (double)runs *(units) / spent * 1e-6);                \
    fflush(stdout);                                                        \
  } while (0)

static void bench_conv(const wisp_kernels *k, uint8_t *in, uint8_t *out, float *real) {
  quad_case *q = check_allocate(sizeof *q);
  const uint8_t flip = (uint8_t)own_flip(k);
  float *const reals[4] = {real, real + BENCH_PIXELS, real + 2 * BENCH_PIXELS,
                           real + 3 * BENCH_PIXELS};
  for (int positions = 4; positions <= QUAD_POSITIONS; positions += 36)
    for (int shape = 0; shape < 4; shape += 3) {
      quad_draw(q, positions, 1, QUAD_RANDOM, shape, k->wide_sums);
      const double macs = (double)BENCH_PIXELS * positions * 16;
      printf("conv %2d blocks %s, GMAC/s:", positions, shape ? "paired" : "single");
      for (int a = 0; a < WISP_ACT_COUNT; a++) {
        const wisp_finish f = draw_finish(a, flip);
        printf(" %s", wisp_activation_row_of((wisp_activation)a).name);
        BENCH(k->conv(&q->quad, &f, in, NULL, out, BENCH_PIXELS), macs);
      }
      printf(" head");
      BENCH(k->head(&q->quad, flip, in, reals, BENCH_PIXELS), macs);
      printf("\n");
    }
  free(q);
}

static void bench_moves(const wisp_kernels *k, uint8_t *in, uint8_t *out) {
  const wisp_maxpool_shape pool = {20, 80, 80, 5, 5, 1, 1, 2, 2};
  uint8_t *const rows[2] = {out, out + 40 * WISP_LANES};
  printf("max-pool 5x5, upsample x2, deal 2, GB/s:");
  BENCH(k->maxpool(&pool, in, 0, 10, out, 80), 80 * WISP_LANES);
  BENCH(k->upsample((const uint8_t *const[]){in, in}, 80, 2, out), 160 * WISP_LANES);
  BENCH(k->deal(in, 80, 2, rows), 80 * WISP_LANES);
  printf("\n");
}

static void bench_letterbox(const wisp_kernels *k, const uint8_t *in, uint8_t *out) {
  enum { N = 256 };
  wisp_blend blends[N];
  int16_t rows[2][N * 4];
  uint8_t *const planes[3] = {out, out + N * 4, out + N * 8};
  draw_blends(blends, N, 300);
  printf("blend along a row, across rows, halve, fold, GB/s:");
  BENCH(k->blend_row(in, blends, N, rows[0]), N * 4);
  memcpy(rows[1], rows[0], sizeof rows[0]);
  BENCH(k->blend_rows(rows[0], rows[1], 700, N, out), N * 4);
  BENCH(k->halve(in, in + N * 4, N / 2, out), N * 2);
  BENCH(k->fold(in, in + N * 4, N / 2, 0, planes), N * 4);
  printf("\n");
}

static void bench(const wisp_kernels *k) {
  uint8_t *in = check_allocate((BENCH_PIXELS + QUAD_SPREAD) * WISP_LANES + WISP_OVERREAD);
  uint8_t *out = check_allocate(BENCH_PIXELS * WISP_LANES);
  float *real = check_allocate(BENCH_PIXELS * 4 * sizeof *real);
  printf("%s\n", k->name);
  bench_conv(k, in, out, real);
  bench_moves(k, in, out);
  bench_letterbox(k, in, out);
  free(in);
  free(out);
  free(real);
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  if (argc > 1 && strcmp(argv[argc - 1], "--bench") == 0) {
    for (int i = 0; wisp_kernels_set(i); i++) bench(wisp_kernels_set(i));
    return 0;
  }
  for (int i = 0; wisp_kernels_set(i); i++) {
    test_convolutions(wisp_kernels_set(i));
    test_every_sum(wisp_kernels_set(i));
    test_letterbox(wisp_kernels_set(i));
  }
  return check_end();
}
