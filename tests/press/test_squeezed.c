/* test_squeezed.c - squeeze-and-excitation and ghosts from the press to boxes: the same bits from every set of kernels,
 * number of threads and representation, and in a part of the input what a detector opened at that size finds.
 * SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "core/wisp_testing.h"
#include "models/press/press.h"
#include "small_net.h"

enum { SIDE = 64, PICTURES = 4, NETWORKS = 8 };

static const wisp_options EVERYTHING = {
    .confidence = 0, .iou = 1, .max_detections = 4000, .rect = 1};

static wisp_frame draw_frame(int width, int height) {
  const size_t size = (size_t)(width * height * 4);
  uint8_t *rgba = check_allocate(size);
  random_bytes(rgba, size);
  return (wisp_frame){rgba, width, height, (size_t)width * 4};
}

/* Takes the graph. */
static wisp_model *pressed(wisp_graph *graph) {
  wisp_press *press;
  wisp_press_settings settings = wisp_press_default_settings();
  const uint8_t *bytes;
  size_t size;
  wisp_model *model;
  CHECK_EQ(wisp_press_open(&press), WISP_OK);
  wisp_graph *own = wisp_press_graph(press), given = *own;
  *own = *graph;
  *graph = given;
  wisp_graph_close(&graph);
  CHECK_EQ(wisp_press_fold(press, 1, NULL), WISP_OK);
  for (int i = 0; i < PICTURES; i++) {
    const wisp_frame frame = draw_frame(SIDE, SIDE);
    CHECK_EQ(wisp_press_observe(press, &frame, NULL), WISP_OK);
    free((uint8_t *)frame.rgba);
  }
  CHECK_EQ(wisp_press_quantise(press, &settings, NULL, NULL), WISP_OK);
  CHECK_EQ(wisp_press_pack(press, "{}", &bytes, &size, NULL), WISP_OK);
  CHECK_EQ(wisp_model_open(&model), WISP_OK);
  CHECK_EQ(wisp_model_feed(model, bytes, size, NULL), WISP_OK);
  wisp_press_close(&press);
  return model;
}

/* Boxes of one way to detect, a copy; *count of them, -1 where this build has no such kernels. */
static wisp_box *detect(const wisp_model *model, const wisp_frame *frame, int height,
                        wisp_kernel_set kernels, int threads, int flip, int *count) {
  const wisp_forced forced = {kernels, flip};
  wisp_settings settings = wisp_default_settings();
  settings.height = height, settings.width = SIDE;
  settings.threads = threads;
  settings.forced = &forced;
  wisp_detector *detector;
  wisp_result result;
  *count = -1;
  if (wisp_open(&detector, model, &settings, NULL) != WISP_OK) return NULL;
  CHECK_EQ(wisp_detect(detector, frame, 1, &EVERYTHING, &result, NULL), WISP_OK);
  *count = result.count;
  wisp_box *boxes = check_allocate((size_t)result.count * sizeof *boxes);
  memcpy(boxes, result.boxes, (size_t)result.count * sizeof *boxes);
  wisp_close(&detector);
  return boxes;
}

/* Takes the graph. */
static void test_network(const char *name, wisp_graph *graph) {
  static const wisp_kernel_set sets[] = {WISP_KERNELS_SCALAR, WISP_KERNELS_BEST,
                                         WISP_KERNELS_NARROW, WISP_KERNELS_FUSED};
  wisp_model *model = pressed(graph);
  const wisp_frame frame = draw_frame(SIDE, random_int(24, SIDE));
  const int part = (frame.height + 7) / 8 * 8; /* the largest stride is 8 */
  int count, ways = 0;
  wisp_box *expected = detect(model, &frame, part, WISP_KERNELS_SCALAR, 1, -1, &count);
  CHECK(count > 100);
  for (int i = 0; i < 4; i++)
    for (int threads = 1; threads <= (WISP_THREADS ? 3 : 1); threads++)
      for (int flip = -1; flip <= (i == 0); flip++)
        for (int height = part; height <= SIDE; height += wisp_max(1, SIDE - part)) {
          int found;
          CHECK_CASE("%s, kernels %d, threads %d, flip %d, %d of %d rows", name, (int)sets[i],
                     threads, flip, frame.height, height);
          wisp_box *boxes = detect(model, &frame, height, sets[i], threads, flip, &found);
          ways += found >= 0;
          if (found >= 0 && CHECK_EQ(found, count))
            CHECK_SAME(boxes, expected, (size_t)count * sizeof *boxes);
          free(boxes);
        }
  CHECK(ways >= 2);
  free(expected);
  free((uint8_t *)frame.rgba);
  wisp_model_close(&model);
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  for (int i = 0; i < NETWORKS; i++) {
    test_network(i % 2 ? "depthwise" : "plain", random_squeezed(i % 2, SIDE, SIDE));
    test_network("ghosts", random_ghost(SIDE, SIDE));
  }
  return check_end();
}
