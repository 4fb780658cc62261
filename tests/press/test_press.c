/* test_press.c - from a graph to a file that the runtime reads, and whose integers say what the floats say.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/src/payload.h"
#include "models/press/press.h"
#include "small_net.h"

enum { SIDE = 96 };

static void check_error(int got, wisp_status status, const wisp_error *error, const char *words) {
  CHECK_CASE("%s", words);
  CHECK_EQ(got, status);
  CHECK_EQ(error->status, status);
  if (!CHECK(strstr(error->message, words))) printf("the sentence: %s\n", error->message);
}

/* ---- the whole way ---- */

static wisp_frame random_frame(void) {
  wisp_frame frame = {.width = random_int(20, 150), .height = random_int(20, 150)};
  frame.stride = (size_t)frame.width * 4;
  uint8_t *rgba = check_allocate(frame.stride * (size_t)frame.height);
  int blob = random_int(1, 40);
  for (size_t i = 0; i < frame.stride * (size_t)frame.height; i++)
    rgba[i] = (uint8_t)((int)(i / (size_t)blob) * 37 + random_int(0, 60));
  frame.rgba = rgba;
  return frame;
}

static void observe_random(wisp_press *press, int pictures) {
  for (int i = 0; i < pictures; i++) {
    wisp_frame frame = random_frame();
    CHECK_EQ(wisp_press_observe(press, &frame, NULL), WISP_OK);
    free((uint8_t *)frame.rgba);
  }
}

/* A press whose graph is `graph`'s, which it takes. */
static wisp_press *press_of(wisp_graph *graph, int threads) {
  wisp_press *press;
  wisp_error error = {0};
  CHECK_EQ(wisp_press_open(&press), WISP_OK);
  wisp_graph *own = wisp_press_graph(press), empty = *own;
  *own = *graph;
  *graph = empty;
  wisp_graph_close(&graph);
  if (!CHECK_EQ(wisp_press_fold(press, threads, &error), WISP_OK)) printf("%s\n", error.message);
  return press;
}

static wisp_model *read_file(const uint8_t *bytes, size_t size) {
  wisp_model *model;
  wisp_error error = {0};
  CHECK_EQ(wisp_model_open(&model), WISP_OK);
  for (size_t at = 0; at < size;) {
    size_t piece = (size_t)random_int(1, 4000);
    if (piece > size - at) piece = size - at;
    if (!CHECK_EQ(wisp_model_feed(model, bytes + at, piece, &error), WISP_OK))
      printf("%s\n", error.message);
    if (error.status) break;
    at += piece;
  }
  CHECK_EQ(wisp_model_size(model), size);
  return model;
}

typedef struct boxes {
  wisp_box *items;
  int count;
} boxes;

/* Every cell's box, best first: nothing is suppressed. */
static const wisp_options EVERYTHING = {.iou = 1, .max_detections = 30000};

static boxes boxes_of(const wisp_result *result) {
  boxes copy = {check_allocate((size_t)result->count * sizeof *copy.items), result->count};
  memcpy(copy.items, result->boxes, (size_t)result->count * sizeof *copy.items);
  return copy;
}

static boxes boxes_in_integers(const wisp_model *model, const wisp_frame *frame) {
  wisp_settings settings = wisp_default_settings();
  wisp_detector *detector;
  wisp_result result = {0};
  wisp_error error = {0};
  if (!CHECK_EQ(wisp_open(&detector, model, &settings, &error), WISP_OK))
    printf("%s\n", error.message);
  else CHECK_EQ(wisp_detect(detector, frame, 1, &EVERYTHING, &result, NULL), WISP_OK);
  boxes found = boxes_of(&result);
  wisp_close(&detector);
  return found;
}

/* The same scores, in order, from float and from integers; returns the mean difference. */
static double compare_scores(wisp_press *press, const wisp_model *model) {
  wisp_frame frame = random_frame();
  wisp_result result = {0};
  double difference = 0;
  CHECK_EQ(wisp_press_detect(press, &frame, &EVERYTHING, &result, NULL), WISP_OK);
  boxes real = boxes_of(&result), ours = boxes_in_integers(model, &frame);
  if (CHECK_EQ(real.count, ours.count))
    for (int i = 0; i < real.count; i++)
      difference += fabs((double)real.items[i].score - (double)ours.items[i].score) / real.count;
  free(real.items);
  free(ours.items);
  free((uint8_t *)frame.rgba);
  return difference;
}

static void check_model(const wisp_model *model, int layers) {
  wisp_model_info info;
  CHECK_EQ(wisp_model_describe(model, &info), WISP_OK);
  CHECK_EQ(info.input_height, SIDE);
  CHECK_EQ(info.input_width, SIDE);
  CHECK(info.layers == layers || layers == 0);
  CHECK_EQ(info.heads, 2);
  CHECK(!strcmp(info.provenance, "{\"from\": \"chance\"}"));
  CHECK(!strcmp(wisp_model_class(model, 1), "b\xc3\xbc"
                                            "chse"));
}

/* `layers` 0: whatever chance made. */
static void test_way(const char *name, wisp_graph *graph, int layers, int threads) {
  CHECK_CASE("%s, %d threads", name, threads);
  wisp_press *press = press_of(graph, threads);
  wisp_press_settings settings = wisp_press_default_settings();
  const uint8_t *bytes;
  size_t size;
  observe_random(press, 8);
  settings.ranging = random_chance(0.5) ? WISP_RANGE_MINMAX : WISP_RANGE_MSE;
  CHECK_EQ(wisp_press_quantise(press, &settings, NULL, NULL), WISP_OK);
  if (!CHECK_EQ(wisp_press_pack(press, "{\"from\": \"chance\"}", &bytes, &size, NULL), WISP_OK))
    return;
  wisp_model *model = read_file(bytes, size);
  check_model(model, layers);
  double difference = compare_scores(press, model);
  printf("%-32s %6zu bytes, scores off by %.4f\n", name, size, difference);
  CHECK(difference < 0.02);
  wisp_model_close(&model);
  wisp_press_close(&press);
}

/* One, two and three threads: the same bytes. */
static void test_threads(float sparsity, int bits) {
  CHECK_CASE("threads, sparsity %g, %d bits", (double)sparsity, bits);
  uint8_t *first = NULL;
  size_t first_size = 0;
  for (int threads = 1; threads <= 3; threads++) {
    random_start(7);
    wisp_press *press = press_of(random_squeezed(0, SIDE, SIDE), threads);
    wisp_press_settings settings = wisp_press_default_settings();
    const uint8_t *bytes;
    size_t size;
    settings.sparsity = sparsity, settings.weight_bits = bits;
    observe_random(press, 3);
    CHECK_EQ(wisp_press_quantise(press, &settings, NULL, NULL), WISP_OK);
    CHECK_EQ(wisp_press_pack(press, "{}", &bytes, &size, NULL), WISP_OK);
    if (!first) {
      first = check_allocate(size);
      memcpy(first, bytes, first_size = size);
    }
    if (CHECK_EQ(size, first_size)) CHECK_SAME(bytes, first, size);
    wisp_press_close(&press);
  }
  free(first);
}

/* ---- zeros ---- */

typedef struct tally {
  double blocks, zero_blocks, weights, zeros, before, after;
  int least_bits, most_bits;
} tally;

static tally account_of(const wisp_press *press) {
  tally t = {.least_bits = 99};
  int node, i = 0;
  const wisp_net_account *a;
  for (; (a = wisp_press_account(press, i, &node)); i++) {
    CHECK(node > 0 && a->share >= 0 && a->share <= 1 && a->macs >= (double)a->weights);
    t.blocks += (double)a->blocks;
    t.zero_blocks += (double)a->zero_blocks;
    t.weights += (double)a->weights;
    t.zeros += (double)a->zeros;
    t.before += a->error_before;
    t.after += a->error_after;
    t.least_bits = wisp_min(t.least_bits, a->bits);
    t.most_bits = wisp_max(t.most_bits, a->bits);
  }
  CHECK_EQ(i, 11);
  return t;
}

/* The share of zeros that was asked for, a file that is read, and boxes not far from those of the float network. */
static void test_zeros(wisp_method method, wisp_allocation allocation, int block) {
  CHECK_CASE("method %d, allocation %d, blocks of %d", method, allocation, block);
  wisp_press *press = press_of(random_net(&STEMS[0], SIDE, SIDE), 2);
  wisp_press_settings settings = wisp_press_default_settings();
  settings.sparsity = 0.3f;
  settings.method = method;
  settings.allocation = allocation;
  settings.block = block;
  const uint8_t *bytes;
  size_t size;
  wisp_error error = {0};
  observe_random(press, 12);
  if (!CHECK_EQ(wisp_press_quantise(press, &settings, NULL, &error), WISP_OK))
    printf("%s\n", error.message);
  CHECK_EQ(wisp_press_pack(press, "{}", &bytes, &size, NULL), WISP_OK);
  tally t = account_of(press);
  wisp_model *model = read_file(bytes, size);
  double difference = compare_scores(press, model);
  printf("zeros %.3f of weights, %.3f of blocks; errors %.3g, repaired %.3g; scores off by %.4f\n",
         t.zeros / t.weights, t.zero_blocks / t.blocks, t.before, t.after, difference);
  if (allocation == WISP_ALLOCATE_SENSITIVITY) CHECK(t.zeros > 0.2 * t.weights);
  if (block == 4 && allocation == WISP_ALLOCATE_SENSITIVITY)
    CHECK(t.zero_blocks >= 0.29 * t.blocks);
  if (method == WISP_METHOD_OBS) CHECK(difference < 0.1);
  wisp_model_close(&model);
  wisp_press_close(&press);
}

/* What a press was asked before leaves no trace. */
static void test_again(void) {
  CHECK_CASE("the presses of a sweep");
  static const float SPARSITIES[] = {0.5f, 0.3f, 0.5f};
  wisp_press *press = press_of(random_net(&STEMS[0], SIDE, SIDE), 2);
  wisp_press_settings settings = wisp_press_default_settings();
  uint8_t *first = NULL;
  size_t first_size = 0;
  observe_random(press, 4);
  for (int i = 0; i < 3; i++) {
    const uint8_t *bytes;
    size_t size;
    settings.sparsity = SPARSITIES[i];
    CHECK_EQ(wisp_press_quantise(press, &settings, NULL, NULL), WISP_OK);
    CHECK_EQ(wisp_press_pack(press, "{}", &bytes, &size, NULL), WISP_OK);
    if (i == 0) {
      first = memcpy(check_allocate(size), bytes, size);
      first_size = size;
    } else {
      CHECK((i == 2) == (size == first_size && memcmp(bytes, first, size) == 0));
    }
  }
  free(first);
  wisp_press_close(&press);
}

/* More loss allowed, fewer bits. */
static void test_bits(void) {
  CHECK_CASE("bits by layer");
  wisp_press *press = press_of(random_net(&STEMS[0], SIDE, SIDE), 2);
  wisp_press_settings settings = wisp_press_default_settings();
  size_t before = SIZE_MAX;
  observe_random(press, 4);
  settings.weight_bits = 0;
  for (float loss = 1e-6f; loss < 1e7f; loss *= 1e4f) {
    const uint8_t *bytes;
    size_t size;
    settings.target_loss = loss;
    CHECK_EQ(wisp_press_quantise(press, &settings, NULL, NULL), WISP_OK);
    CHECK_EQ(wisp_press_pack(press, "{}", &bytes, &size, NULL), WISP_OK);
    tally t = account_of(press);
    printf("loss %g: %d to %d bits, %zu bytes\n", (double)loss, t.least_bits, t.most_bits, size);
    CHECK(t.least_bits >= 3 && t.most_bits <= 7);
    CHECK(size <= before);
    if (loss < 1e-5f) CHECK(t.most_bits >= 6); /* a layer that hardly matters may get few */
    if (loss > 1e5f) CHECK_EQ(t.most_bits, 3);
    before = size;
  }
  wisp_press_close(&press);
}

/* ---- channels that are hard to count ---- */

/* A convolution of 8 channels whose first five are strange, and one head. */
static wisp_graph *strange_net(void) {
  static const float SIZES[8] = {0, 1e-30f, 1e-12f, 1e6f, 1, 1, 1, 1};
  float biases[8] = {1000, 5, 0, -1e6f, 1e9f, 0, 0, 1};
  float weights[8 * 3 * 9], points[7 * 8] = {0};
  wisp_node conv = conv_node(8, square(3, 2, 1), weights, 8 * 27);
  wisp_node point = conv_node(7, square(1, 1, 0), points, 7 * 8);
  wisp_yolo_head head = {WISP_HEAD_YOLOV5, 3, 2, 1, (float[]){10, 20}, 0};
  wisp_graph *graph;
  for (int i = 0; i < 8 * 27; i++) weights[i] = SIZES[i / 27] * (float)random_real(-1, 1);
  for (int i = 0; i < 7 * 8; i++) points[i] = i % 8 > 4 ? (float)random_real(-1, 1) : 0;
  CHECK_EQ(wisp_graph_open(&graph), WISP_OK);
  wisp_graph_input(graph, SIDE, SIDE, NULL);
  wisp_graph_class(graph, "a", NULL);
  wisp_graph_class(graph, "b", NULL);
  conv.bias = biases;
  conv.bias_count = 8;
  CHECK_EQ(add_one(graph, conv, 0), 1);
  CHECK_EQ(add_one(graph, point, add_activation(graph, 1, WISP_ACT_RELU)), 3);
  CHECK_EQ(wisp_graph_head(graph, &head, NULL), WISP_OK);
  return graph;
}

static void test_strange(wisp_rounding rounding) {
  CHECK_CASE("strange channels, rounding %d", rounding);
  wisp_press *press = press_of(strange_net(), 1);
  wisp_press_settings settings = wisp_press_default_settings();
  settings.weight_bits = 5;
  settings.rounding = rounding;
  const uint8_t *bytes;
  size_t size;
  observe_random(press, 3);
  CHECK_EQ(wisp_press_quantise(press, &settings, NULL, NULL), WISP_OK);
  CHECK_EQ(wisp_press_pack(press, "{}", &bytes, &size, NULL), WISP_OK);
  wisp_model *model = read_file(bytes, size);
  wisp_weights_view stem_weights = wisp_payload_view(model, 0),
                    head_weights = wisp_payload_view(model, 1);
  for (int o = 0; o < 8; o++) {
    CHECK(stem_weights.scale[o] > 0);
    CHECK(fabs((double)stem_weights.bias[o] / (double)stem_weights.scale[o]) < 1 << 29);
  }
  CHECK_NEAR((double)stem_weights.bias[0], 1000, 1e-3);
  for (int k = 0; k < stem_weights.blocks_present * WISP_LANES; k++)
    CHECK(stem_weights.weights[k] >= -16 && stem_weights.weights[k] <= 15);
  CHECK(stem_weights.mask != NULL); /* channels 0 and 1 are nothing */
  CHECK(head_weights.mask != NULL); /* plane 0 of the head's input counts for nothing */
  CHECK_EQ(head_weights.blocks, 7 * 2);
  CHECK_EQ(head_weights.blocks_present, 7);
  wisp_model_close(&model);
  wisp_press_close(&press);
}

/* ---- the order of steps ---- */

static void test_order(void) {
  wisp_press *press;
  wisp_error e = {0};
  const uint8_t *bytes;
  size_t size;
  wisp_frame frame = random_frame(), none = {0};
  wisp_press_settings settings = wisp_press_default_settings();
  wisp_result result;
  CHECK_EQ(wisp_press_open(&press), WISP_OK);
  check_error(wisp_press_observe(press, &frame, &e), WISP_ERR_ARGUMENT, &e, "not folded yet");
  check_error(wisp_press_quantise(press, &settings, NULL, &e), WISP_ERR_ARGUMENT, &e,
              "not folded yet");
  check_error(wisp_press_detect(press, &frame, &EVERYTHING, &result, &e), WISP_ERR_ARGUMENT, &e,
              "not folded yet");
  check_error(wisp_press_fold(press, 1, &e), WISP_ERR_ARGUMENT, &e, "input has no size");
  check_error(wisp_press_fold(press, 1, &e), WISP_ERR_ARGUMENT, &e, "folded already");
  wisp_press_close(&press);
  press = press_of(random_net(&STEMS[1], SIDE, SIDE), 1);
  CHECK(!wisp_press_graph(press));
  check_error(wisp_press_quantise(press, &settings, NULL, &e), WISP_ERR_ARGUMENT, &e,
              "No calibration picture");
  check_error(wisp_press_observe(press, &none, &e), WISP_ERR_ARGUMENT, &e, "Frame 0 is 0x0");
  observe_random(press, 1);
  settings.weight_bits = 8;
  check_error(wisp_press_quantise(press, &settings, NULL, &e), WISP_ERR_ARGUMENT, &e,
              "Weights of 8 bits");
  check_error(wisp_press_pack(press, "{}", &bytes, &size, &e), WISP_ERR_ARGUMENT, &e,
              "no integers yet");
  settings.weight_bits = 7;
  float few[8];
  const wisp_window window = {{1, 1}, {1, 1}, {0}};
  check_error(wisp_press_dequantise(press, 0, &window, 4, 4, few, few + 4, &e), WISP_ERR_ARGUMENT,
              &e, "no integers yet");
  CHECK_EQ(wisp_press_quantise(press, &settings, NULL, NULL), WISP_OK);
  check_error(wisp_press_dequantise(press, 999, &window, 4, 4, few, few + 4, &e), WISP_ERR_ARGUMENT,
              &e, "no convolution 999");
  for (int i = 0; i < 3; i++)
    check_error(wisp_press_dequantise(press, i, &window, 4, 4, few, few + 4, &e),
                WISP_ERR_UNSUPPORTED, &e, "is not what it was");
  check_error(wisp_press_pack(press, "text", &bytes, &size, &e), WISP_ERR_ARGUMENT, &e,
              "no JSON object");
  CHECK(!bytes && size == 0);
  wisp_press_close(&press);
  wisp_press_close(&press);
  free((uint8_t *)frame.rgba);
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  test_order();
  for (int i = 0; i < STEM_COUNT; i++)
    test_way(STEMS[i].name, random_net(&STEMS[i], SIDE, SIDE), 14, 1 + i % 3);
  for (int i = 0; i < 6; i++) test_way("shuffles", random_lite(SIDE, SIDE), 0, 1 + i % 3);
  for (int i = 0; i < 6; i++) test_way("squeezed", random_squeezed(i % 2, SIDE, SIDE), 0, 1);
  test_strange(WISP_ROUND_LEAST_SQUARES);
  test_strange(WISP_ROUND_NEAREST);
  test_threads(0, 7);
  test_threads(0.4f, 7);
  test_threads(0.4f, 0);
  test_zeros(WISP_METHOD_OBS, WISP_ALLOCATE_SENSITIVITY, 4);
  test_zeros(WISP_METHOD_OBS, WISP_ALLOCATE_SENSITIVITY, 2);
  test_zeros(WISP_METHOD_OBS, WISP_ALLOCATE_UNIFORM, 4);
  test_zeros(WISP_METHOD_L1, WISP_ALLOCATE_UNIFORM, 1);
  test_again();
  test_bits();
  return check_end();
}
