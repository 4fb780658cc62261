/* test_moves.c - max-pool, upsample and deal: each set of this build against plain arithmetic, byte for byte.
 * SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "kernel.h"

static wisp_maxpool_shape draw_pool(int *out_width, int *out_height) {
  wisp_maxpool_shape s = {.height = random_int(1, 12)};
  s.width = random_int(1, random_chance(0.9) ? 40 : 150), s.pitch = s.width + random_int(0, 5);
  s.stride_y = random_int(1, 3);
  s.stride_x = random_chance(0.6) ? 1 : random_int(1, 8);
  do s.kernel_height = random_int(1, 15), s.pad_top = random_int(0, s.kernel_height - 1);
  while (s.height + s.pad_top < s.kernel_height);
  do s.kernel_width = random_int(1, 15), s.pad_left = random_int(0, s.kernel_width - 1);
  while (s.width + s.pad_left < s.kernel_width);
  const int right = random_int(0, s.kernel_width - 1), bottom = random_int(0, s.kernel_height - 1);
  *out_width = (s.width + s.pad_left + right - s.kernel_width) / s.stride_x + 1;
  *out_height = (s.height + s.pad_top + bottom - s.kernel_height) / s.stride_y + 1;
  return s;
}

static int plain_maximum(const wisp_maxpool_shape *s, const uint8_t *in, uint8_t flip, int y, int x,
                         int lane) {
  int best = -1;
  for (int ky = 0; ky < s->kernel_height; ky++)
    for (int kx = 0; kx < s->kernel_width; kx++) {
      const int row = y * s->stride_y + ky - s->pad_top,
                column = x * s->stride_x + kx - s->pad_left;
      if (row < 0 || row >= s->height || column < 0 || column >= s->width) continue;
      best = wisp_max(best, in[(row * s->pitch + column) * WISP_LANES + lane] ^ flip);
    }
  return best ^ flip;
}

static void test_maxpool(const wisp_kernels *best) {
  for (int round = 0; round < 2000; round++) {
    int width, height;
    const wisp_maxpool_shape s = draw_pool(&width, &height);
    const size_t in_size = (size_t)(s.height * s.pitch) * WISP_LANES,
                 size = (size_t)width * WISP_LANES;
    uint8_t *in = check_allocate(in_size), *expected = guard_open(size), *out = guard_open(size);
    random_bytes(in, in_size);
    const uint8_t flip = round & 1 ? 0x80 : 0;
    CHECK_CASE("%s: max-pool %dx%d of %dx%d, stride %d, left %d", best->name, s.kernel_height,
               s.kernel_width, s.height, s.width, s.stride_x, s.pad_left);
    for (int y = 0; y < height; y++) {
      wisp_kernels_scalar()->maxpool(&s, in, flip, y, expected, width);
      best->maxpool(&s, in, flip, y, out, width);
      CHECK_SAME(out, expected, size);
      for (int i = 0; i < width * WISP_LANES; i++)
        CHECK_EQ(expected[i], plain_maximum(&s, in, flip, y, i / WISP_LANES, i % WISP_LANES));
    }
    CHECK(guard_holds(expected, size) && guard_holds(out, size));
    free(in);
    guard_close(expected);
    guard_close(out);
  }
}

static void check_upsample(const wisp_kernels *k, int width, int factor) {
  const size_t in_size = (size_t)width * WISP_LANES, size = in_size * (size_t)factor;
  uint8_t *in[WISP_MAX_STRIDE], *out = guard_open(size);
  for (int i = 0; i < factor; i++) {
    in[i] = check_allocate(in_size);
    random_bytes(in[i], in_size);
  }
  CHECK_CASE("%s: rows of %d, upsampled by %d", k->name, width, factor);
  k->upsample((const uint8_t *const *)in, width, factor, out);
  for (int x = 0; x < width * factor; x++)
    CHECK_SAME(out + x * WISP_LANES, in[x % factor] + x / factor * WISP_LANES, WISP_LANES);
  CHECK(guard_holds(out, size));
  for (int i = 0; i < factor; i++) free(in[i]);
  guard_close(out);
}

static void check_deal(const wisp_kernels *k, int n, int step) {
  const size_t in_size = (size_t)n * WISP_LANES;
  uint8_t *in = check_allocate(in_size), *out[WISP_MAX_STRIDE];
  random_bytes(in, in_size);
  CHECK_CASE("%s: %d pixels dealt onto %d rows", k->name, n, step);
  for (int r = 0; r < step; r++)
    out[r] = guard_open((size_t)((n + step - 1 - r) / step) * WISP_LANES);
  k->deal(in, n, step, out);
  for (int i = 0; i < n; i++)
    CHECK_SAME(out[i % step] + i / step * WISP_LANES, in + i * WISP_LANES, WISP_LANES);
  for (int r = 0; r < step; r++) {
    CHECK(guard_holds(out[r], (size_t)((n + step - 1 - r) / step) * WISP_LANES));
    guard_close(out[r]);
  }
  free(in);
}

static void test_rows(const wisp_kernels *best) {
  const wisp_kernels *sets[] = {wisp_kernels_scalar(), best};
  for (int k = 0; k < 2; k++)
    for (int n = 1; n <= 40; n++) {
      for (int factor = 1; factor <= 4; factor++) check_upsample(sets[k], n, factor);
      for (int step = 1; step <= WISP_MAX_STRIDE; step++) check_deal(sets[k], n, step);
    }
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  for (int i = 0; wisp_kernels_set(i); i++) {
    test_maxpool(wisp_kernels_set(i));
    test_rows(wisp_kernels_set(i));
  }
  return check_end();
}
