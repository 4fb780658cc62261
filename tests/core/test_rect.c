/* test_rect.c - a frame that needs only a part of the input gives, bit for bit, what a detector opened at that size
 * gives, whatever was detected before.
 * SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "core/src/network.h"
#include "core/wisp.h"
#include "core/wisp_testing.h"
#include "draw.h"
#include "stages.h"

enum { NETWORKS = 40, FRAMES = 10, LARGEST = 128 };

static wisp_model *drawn_model(void) {
  net n;
  size_t size;
  wisp_model *model;
  draw_net(&n);
  uint8_t *bytes = net_write(&n, &size);
  CHECK_EQ(wisp_model_open(&model), WISP_OK);
  CHECK_EQ(wisp_model_feed(model, bytes, size, NULL), WISP_OK);
  free(bytes);
  net_free(&n);
  return model;
}

static wisp_detector *open_at(const wisp_model *model, int height, int width, int threads,
                              wisp_kernel_set kernels) {
  const wisp_forced forced = {kernels, -1};
  wisp_settings s = wisp_default_settings();
  s.height = height;
  s.width = width;
  s.threads = threads;
  s.forced = &forced;
  wisp_detector *detector = NULL;
  wisp_open(&detector, model, &s, NULL);
  return detector;
}

static wisp_options options(int rect) {
  wisp_options o = wisp_default_options();
  o.confidence = 0.02f;
  o.iou = 0.9f;
  o.max_detections = 500;
  o.rect = rect;
  return o;
}

/* A detector of the size that the frame needs finds what `whole` finds in it. A network that can't be opened at that
 * size uses all of its input. */
static int compare(wisp_detector *whole, const wisp_model *model, const wisp_frame *frame,
                   int height, int width, wisp_kernel_set kernels) {
  wisp_options o = options(1);
  wisp_result r;
  CHECK_EQ(wisp_detect(whole, frame, 1, &o, &r, NULL), WISP_OK);
  wisp_box *boxes = check_allocate((size_t)r.count * sizeof *boxes);
  if (r.count > 0) memcpy(boxes, r.boxes, (size_t)r.count * sizeof *boxes);
  const int found = r.count;
  wisp_detector *part = open_at(model, height, width, 1, kernels);
  o.rect = 0;
  if (part) CHECK_EQ(wisp_detect(part, frame, 1, &o, &r, NULL), WISP_OK);
  else CHECK_EQ(wisp_detect(whole, frame, 1, &o, &r, NULL), WISP_OK);
  if (CHECK_EQ(found, r.count) && found > 0)
    CHECK_SAME(boxes, r.boxes, (size_t)found * sizeof *boxes);
  wisp_close(&part);
  free(boxes);
  return found;
}

static int test_network(wisp_kernel_set kernels, int threads) {
  wisp_model *model = drawn_model();
  const int most = LARGEST / model->stride, height = model->stride * random_int(1, most),
            width = model->stride * random_int(1, most);
  wisp_detector *whole = open_at(model, height, width, threads, kernels);
  int found = 0;
  for (int i = 0; whole && i < FRAMES; i++) {
    const int w = random_int(1, 200), h = random_int(1, 200);
    uint8_t *rgba = draw_picture(w, h);
    const wisp_frame frame = {rgba, w, h, (size_t)w * 4};
    int part_height = height, part_width = width;
    wisp_rect(&frame, model->stride, &part_height, &part_width);
    CHECK_CASE("a frame of %dx%d, %dx%d of %dx%d, stride %d", h, w, part_height, part_width, height,
               width, model->stride);
    found += compare(whole, model, &frame, part_height, part_width, kernels);
    free(rgba);
  }
  wisp_close(&whole);
  wisp_model_close(&model);
  return found;
}

/* detect.py's letterbox keeps what is left of the padding after whole strides: the same rectangle. */
static void test_rectangles(void) {
  static const int cases[][4] = {
      {720, 1280, 384, 640}, {480, 640, 480, 640}, {1280, 720, 640, 384},  {640, 640, 640, 640},
      {1, 4000, 32, 640},    {4000, 1, 640, 32},   {1080, 1920, 384, 640}, {810, 1080, 480, 640}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const wisp_frame frame = {NULL, cases[i][1], cases[i][0], 0};
    int height = 640, width = 640;
    wisp_rect(&frame, 32, &height, &width);
    CHECK_CASE("%d x %d", cases[i][0], cases[i][1]);
    CHECK_EQ(height, cases[i][2]);
    CHECK_EQ(width, cases[i][3]);
  }
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  test_rectangles();
  static const wisp_kernel_set sets[] = {WISP_KERNELS_SCALAR, WISP_KERNELS_BEST,
                                         WISP_KERNELS_NARROW, WISP_KERNELS_FUSED};
  int found = 0;
  for (int i = 0; i < NETWORKS; i++)
    found += test_network(sets[i % (WISP_RELAXED ? 4 : 2)], WISP_THREADS ? 1 + i % 3 : 1);
  CHECK(found > 100);
  return check_end();
}
