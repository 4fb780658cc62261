/* test_segmenting.c - a network that segments, pressed in every way: its masks beside those of the float network; and
 * what of masks doesn't fit together.
 * SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "core/src/error.h"
#include "models/press/corridor.h"
#include "models/press/net.h"
#include "models/press/press.h"
#include "small_net.h"

enum { SIDE = 64, PICTURES = 6, FRAMES = 3 };

static const wisp_options EVERYTHING = {
    .confidence = 0, .iou = 1, .max_detections = 4000, .masks = WISP_MASKS_BY_COLUMN};

/* Noise in large squares: a picture that a network makes something of. */
static wisp_frame draw_frame(int width, int height) {
  uint8_t squares[64][3], *rgba = check_allocate((size_t)(width * height * 4));
  random_bytes(&squares[0][0], sizeof squares);
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++)
      memcpy(rgba + (y * width + x) * 4, squares[(y / 9 * 5 + x / 9) % 64], 3);
  return (wisp_frame){rgba, width, height, (size_t)width * 4};
}

static wisp_press *press_of(wisp_graph *graph) {
  wisp_press *press;
  CHECK_EQ(wisp_press_open(&press), WISP_OK);
  wisp_graph *own = wisp_press_graph(press), given = *own;
  *own = *graph;
  *graph = given;
  wisp_graph_close(&graph);
  CHECK_EQ(wisp_press_fold(press, 1, NULL), WISP_OK);
  return press;
}

static void observe(wisp_press *press) {
  for (int i = 0; i < PICTURES; i++) {
    const wisp_frame frame = draw_frame(SIDE, SIDE);
    CHECK_EQ(wisp_press_observe(press, &frame, NULL), WISP_OK);
    free((void *)(uintptr_t)frame.rgba);
  }
}

static wisp_detector *detector_of(wisp_press *press, wisp_model **model) {
  const uint8_t *bytes;
  size_t size;
  wisp_detector *detector;
  CHECK_EQ(wisp_press_pack(press, "{}", &bytes, &size, NULL), WISP_OK);
  CHECK_EQ(wisp_model_open(model), WISP_OK);
  CHECK_EQ(wisp_model_feed(*model, bytes, size, NULL), WISP_OK);
  const wisp_settings settings = wisp_default_settings();
  CHECK_EQ(wisp_open(&detector, *model, &settings, NULL), WISP_OK);
  return detector;
}

/* Pixels of a mask, [width][height]. */
static void spread(const wisp_mask *mask, uint8_t *bits) {
  int value = 0;
  for (int r = 0; r < mask->run_count; r++, value = !value)
    for (uint32_t n = mask->runs[r]; n > 0; n--) *bits++ = (uint8_t)value;
}

/* How much of the masks of the same predictions is in both: intersections over unions, all together. */
static double compare(const wisp_result *a, const wisp_result *b, int pixels) {
  uint8_t *left = check_allocate((size_t)pixels), *right = check_allocate((size_t)pixels);
  double both = 0, either = 0;
  for (int i = 0; i < a->count; i++)
    for (int k = 0; k < b->count; k++) {
      if (a->boxes[i].prediction != b->boxes[k].prediction) continue;
      spread(&a->masks[i], left);
      spread(&b->masks[k], right);
      for (int p = 0; p < pixels; p++) both += left[p] & right[p];
      for (int p = 0; p < pixels; p++) either += left[p] | right[p];
    }
  free(left);
  free(right);
  return either > 0 ? both / either : 1;
}

typedef struct way {
  const char *name;
  float sparsity, channels;
  int bits;
  wisp_method method;
  double least; /* that the masks of integers share with those of real numbers */
} way;

static void test_way(const way *w) {
  CHECK_CASE("%s", w->name);
  wisp_press *press = press_of(random_segmenting(SIDE, SIDE));
  double saved, alike = 0;
  observe(press);
  if (w->channels > 0) {
    CHECK_EQ(wisp_press_channels(press, (double)w->channels, &saved, NULL), WISP_OK);
    observe(press);
  }
  wisp_press_settings settings = wisp_press_default_settings();
  settings.weight_bits = w->bits;
  settings.sparsity = w->sparsity;
  settings.method = w->method;
  CHECK_EQ(wisp_press_quantise(press, &settings, NULL, NULL), WISP_OK);
  wisp_model *model;
  wisp_detector *detector = detector_of(press, &model);
  for (int i = 0; i < FRAMES; i++) {
    const wisp_frame frame = draw_frame(random_int(20, 90), random_int(20, 90));
    wisp_result real, pressed;
    CHECK_EQ(wisp_press_detect(press, &frame, &EVERYTHING, &real, NULL), WISP_OK);
    CHECK_EQ(wisp_detect(detector, &frame, 1, &EVERYTHING, &pressed, NULL), WISP_OK);
    CHECK_EQ(real.count, pressed.count);
    alike += compare(&real, &pressed, frame.width * frame.height) / FRAMES;
    free((void *)(uintptr_t)frame.rgba);
  }
  printf("%s: %.3f\n", w->name, alike);
  CHECK(alike > w->least);
  wisp_close(&detector);
  wisp_model_close(&model);
  wisp_press_close(&press);
}

/* ---- what doesn't fit together ---- */

/* A fold of a network whose heads are changed. */
static void test_refused(void (*change)(wisp_graph *graph), const char *words) {
  wisp_graph *graph = random_segmenting(SIDE, SIDE);
  wisp_net *net;
  wisp_error error = {WISP_OK, ""};
  change(graph);
  CHECK_CASE("%s", words);
  CHECK(wisp_fold(graph, &net, &error) != WISP_OK);
  if (!CHECK(strstr(error.message, words))) printf("the sentence: %s\n", error.message);
  wisp_graph_close(&graph);
}

static void twice(wisp_graph *graph) {
  const wisp_yolo_head again = graph->heads[2];
  CHECK_EQ(wisp_graph_head(graph, &again, NULL), WISP_OK);
}
static void alone(wisp_graph *graph) {
  free(graph->heads[0].anchors);
  free(graph->heads[1].anchors);
  graph->heads[0] = graph->heads[2];
  graph->head_count = 1;
}
static void without_prototypes(wisp_graph *graph) { graph->head_count = 2; }
static void another_number(wisp_graph *graph) { graph->heads[1].masks++; }
static void of_a_head(wisp_graph *graph) { graph->heads[2].tensor = graph->heads[0].tensor; }

int main(int argc, char **argv) {
  check_begin(argc, argv);
  static const way WAYS[] = {{"7 bits", 0, 0, 7, WISP_METHOD_OBS, 0.8},
                             {"7 bits, anew", 0, 0, 7, WISP_METHOD_OBS, 0.8},
                             {"bits by layer", 0, 0, 0, WISP_METHOD_OBS, 0.7},
                             {"a quarter zero", 0.25f, 0, 7, WISP_METHOD_OBS, 0.5},
                             {"a quarter zero, by size", 0.25f, 0, 7, WISP_METHOD_L1, 0.1},
                             {"a fifth of the channels", 0, 0.2f, 7, WISP_METHOD_OBS, 0.8}};
  for (size_t i = 0; i < sizeof WAYS / sizeof *WAYS; i++) test_way(&WAYS[i]);
  test_refused(twice, "2 of 4 heads are prototypes");
  test_refused(alone, "1 of 1 heads are prototypes");
  test_refused(without_prototypes, "coefficients of a mask for 0 prototypes");
  test_refused(another_number, "coefficients of a mask");
  test_refused(of_a_head, "a head must be a bare convolution that nothing else reads");
  return check_end();
}
