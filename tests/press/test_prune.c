/* test_prune.c - zeros and bits by what the end result loses, of networks with depthwise convolutions, shuffles and
 * squeeze-and-excitation; what a head doesn't connect stays unconnected, whatever is done to it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "core/src/payload.h"
#include "models/press/press.h"
#include "small_net.h"

enum { SIDE = 64 };

static wisp_press *press_of(wisp_graph *graph) {
  wisp_press *press;
  CHECK_EQ(wisp_press_open(&press), WISP_OK);
  wisp_graph *own = wisp_press_graph(press), given = *own;
  *own = *graph;
  *graph = given;
  wisp_graph_close(&graph);
  CHECK_EQ(wisp_press_fold(press, 2, NULL), WISP_OK);
  return press;
}

static void observe_random(wisp_press *press, int pictures) {
  uint8_t *rgba = check_allocate(SIDE * SIDE * 4);
  for (; pictures > 0; pictures--) {
    const int blob = random_int(1, 40);
    for (int i = 0; i < SIDE * SIDE * 4; i++)
      rgba[i] = (uint8_t)(i / blob * 37 + random_int(0, 60));
    const wisp_frame frame = {rgba, SIDE, SIDE, SIDE * 4};
    CHECK_EQ(wisp_press_observe(press, &frame, NULL), WISP_OK);
  }
  free(rgba);
}

/* The file that the settings make of it, read. */
static wisp_model *pressed(wisp_press *press, const wisp_press_settings *settings) {
  const uint8_t *bytes;
  size_t size;
  wisp_model *model;
  wisp_error error = {0};
  if (!CHECK_EQ(wisp_press_quantise(press, settings, NULL, &error), WISP_OK))
    printf("%s\n", error.message);
  CHECK_EQ(wisp_press_pack(press, "{}", &bytes, &size, &error), WISP_OK);
  CHECK_EQ(wisp_model_open(&model), WISP_OK);
  if (!CHECK_EQ(wisp_model_feed(model, bytes, size, &error), WISP_OK))
    printf("%s\n", error.message);
  return model;
}

/* ---- depthwise convolutions ---- */

static void test_depthwise(const char *name, wisp_graph *graph, wisp_method method) {
  CHECK_CASE("%s, method %d", name, (int)method);
  wisp_press *press = press_of(graph);
  wisp_press_settings settings = wisp_press_default_settings();
  const wisp_net_account *a;
  int node, bits[8] = {0};
  double blocks = 0, zero = 0, weights = 0, zeros = 0;
  observe_random(press, 6);
  settings.sparsity = 0.4f;
  settings.method = method;
  wisp_model *model = pressed(press, &settings);
  for (int i = 0; (a = wisp_press_account(press, i, &node)); i++) {
    if (a->blocks == a->weights) continue; /* depthwise */
    blocks += (double)a->blocks, zero += (double)a->zero_blocks;
    weights += (double)a->weights, zeros += (double)a->zeros;
  }
  printf("%s: %.3f of the blocks, %.3f of the weights zero\n", name, zero / blocks,
         zeros / weights);
  CHECK(method == WISP_METHOD_OBS ? zero >= 0.35 * blocks : zeros >= 0.3 * weights);
  wisp_model_close(&model);
  settings = wisp_press_default_settings();
  settings.weight_bits = 0;
  model = pressed(press, &settings);
  for (int i = 0; (a = wisp_press_account(press, i, &node)); i++)
    if (CHECK(a->bits >= 3 && a->bits <= 7)) bits[a->bits]++;
  CHECK(bits[7] > 0); /* the depthwise ones at least */
  wisp_model_close(&model);
  wisp_press_close(&press);
}

/* ---- heads of two convolutions ---- */

enum { BOX = 64, CLASSES = 3, WIDTH = 16 };

/* A stem, a branch for boxes and one for classes, and a head that is the last convolutions of both. */
static wisp_graph *anchor_free_net(void) {
  static float weights[(BOX + CLASSES) * 2 * WIDTH];
  const int logits = BOX + CLASSES;
  float anchor[] = {4, 4};
  wisp_graph *graph;
  CHECK_EQ(wisp_graph_open(&graph), WISP_OK);
  wisp_graph_input(graph, SIDE, SIDE, NULL);
  const int sums = random_conv(graph, 0, WIDTH, square(3, 4, 1));
  const int x = add_activation(graph, sums, WISP_ACT_SILU);
  int branches[2];
  for (int i = 0; i < 2; i++)
    branches[i] =
        add_activation(graph, random_conv(graph, x, WIDTH, square(3, 1, 1)), WISP_ACT_SILU);
  for (int o = 0; o < logits; o++)
    for (int c = 0; c < 2 * WIDTH; c++)
      weights[o * 2 * WIDTH + c] = (o < BOX) == (c < WIDTH) ? (float)random_real(-0.5, 0.5) : 0;
  const int both = pair(graph, branches[0], branches[1]);
  const int tensor =
      add_one(graph, conv_node(logits, square(1, 1, 0), weights, logits * 2 * WIDTH), both);
  const wisp_yolo_head head = {WISP_HEAD_YOLOV8, tensor, 4, 1, anchor, 0};
  CHECK_EQ(wisp_graph_head(graph, &head, NULL), WISP_OK);
  for (int i = 0; i < CLASSES; i++)
    wisp_graph_class(graph, (const char *[]){"a", "b", "c"}[i], NULL);
  return graph;
}

/* No plane of the head's input has blocks for boxes and for classes. */
static void check_apart(const wisp_model *model) {
  const wisp_weights_view head = wisp_payload_view(model, 3);
  int boxes = 0, classes = 0;
  CHECK_EQ(head.channels_out, BOX + CLASSES);
  for (int plane = 0; plane < head.planes; plane++) {
    int of_boxes = 0, of_classes = 0;
    for (int o = 0; o < head.channels_out; o++)
      *(o < BOX ? &of_boxes : &of_classes) += wisp_block_present(&head, o * head.planes + plane);
    CHECK(!of_boxes || !of_classes);
    boxes += of_boxes, classes += of_classes;
  }
  CHECK(boxes > 0 && classes > 0);
}

static void test_head(void) {
  wisp_press *press = press_of(anchor_free_net());
  wisp_press_settings settings = wisp_press_default_settings();
  observe_random(press, 6);
  for (int i = 0; i < 6; i++) {
    CHECK_CASE("a head of two convolutions, settings %d", i);
    settings = wisp_press_default_settings();
    settings.sparsity = (float[]){0, 0, 0.1f, 0.4f, 0.3f, 0.3f}[i];
    settings.weight_bits = i == 1 ? 0 : 7;
    settings.allocation = i == 4 ? WISP_ALLOCATE_UNIFORM : WISP_ALLOCATE_BY_METHOD;
    settings.method = i == 5 ? WISP_METHOD_L1 : WISP_METHOD_OBS;
    wisp_model *model = pressed(press, &settings);
    check_apart(model);
    wisp_model_close(&model);
  }
  CHECK_CASE("a head of two convolutions that lost channels");
  double saved;
  CHECK_EQ(wisp_press_channels(press, 0.4, &saved, NULL), WISP_OK);
  CHECK(saved > 0.2);
  observe_random(press, 6);
  settings = wisp_press_default_settings();
  wisp_model *model = pressed(press, &settings);
  check_apart(model);
  wisp_model_close(&model);
  wisp_press_close(&press);
}

/* ---- channels that share blocks ---- */

/* A convolution whose weights for every other channel that it reads are a thousandth of the rest. */
static wisp_graph *alternating_net(void) {
  static float weights[WIDTH * WIDTH * 9];
  float anchor[] = {4, 4};
  wisp_graph *graph;
  CHECK_EQ(wisp_graph_open(&graph), WISP_OK);
  wisp_graph_input(graph, SIDE, SIDE, NULL);
  const int read =
      add_activation(graph, random_conv(graph, 0, WIDTH, square(3, 4, 1)), WISP_ACT_SILU);
  for (int i = 0; i < WIDTH * WIDTH * 9; i++)
    weights[i] =
        (float)random_real(0.2, 0.4) * (random_chance(0.5) ? 1.f : -1.f) * (i / 9 % 2 ? 1 : 0.001f);
  const int sums =
      add_one(graph, conv_node(WIDTH, square(3, 1, 1), weights, WIDTH * WIDTH * 9), read);
  const int x = add_activation(graph, sums, WISP_ACT_SILU);
  const wisp_yolo_head head = {
      WISP_HEAD_YOLOV5, random_conv(graph, x, 6, square(1, 1, 0)), 4, 1, anchor, 0};
  CHECK_EQ(wisp_graph_head(graph, &head, NULL), WISP_OK);
  wisp_graph_class(graph, "a", NULL);
  return graph;
}

/* What is given to train further has its channels as the file has them: its zero blocks, its biases. */
static void check_given(const wisp_press *press, const wisp_model *model) {
  static float weights[WIDTH * WIDTH * 9], biases[WIDTH];
  const wisp_window window = square(3, 1, 1);
  const wisp_weights_view view = wisp_payload_view(model, 1);
  CHECK_EQ(
      wisp_press_dequantise(press, 1, &window, WIDTH * WIDTH * 9, WIDTH, weights, biases, NULL),
      WISP_OK);
  for (int o = 0; o < WIDTH; o++) {
    CHECK(biases[o] == view.bias[o]);
    for (int k = 0; k < 9; k++)
      for (int plane = 0; plane < WIDTH / 4; plane++) {
        int any = 0;
        for (int c = 0; c < 4; c++) any |= weights[(o * WIDTH + plane * 4 + c) * 9 + k] != 0;
        CHECK_EQ(any, wisp_block_present(&view, (o * 9 + k) * view.planes + plane));
      }
  }
}

/* Half of its blocks can go for nothing, once the channels that matter stand side by side. */
static void test_order(void) {
  CHECK_CASE("every other channel matters");
  wisp_press *press = press_of(alternating_net());
  wisp_press_settings settings = wisp_press_default_settings();
  int node;
  observe_random(press, 6);
  settings.sparsity = 0.45f;
  wisp_model *model = pressed(press, &settings);
  const wisp_net_account *a = wisp_press_account(press, 1, &node);
  printf("%d of %d blocks zero, error %g\n", (int)a->zero_blocks, (int)a->blocks, a->error_after);
  CHECK((double)a->zero_blocks > 0.45 * (double)a->blocks);
  CHECK(a->error_after < 0.001);
  check_given(press, model);
  wisp_model_close(&model);
  settings = wisp_press_default_settings();
  model = pressed(press, &settings); /* as if it had never been pruned */
  CHECK_EQ(wisp_press_account(press, 1, &node)->zero_blocks, 0);
  wisp_model_close(&model);
  wisp_press_close(&press);
}

static void test_target_loss(void) {
  wisp_press *press = press_of(random_squeezed(1, SIDE, SIDE));
  wisp_press_settings settings = wisp_press_default_settings();
  int64_t before = -1;
  observe_random(press, 6);
  for (float loss = 1e-6f; loss < 1e7f; loss *= 1e4f) {
    CHECK_CASE("zeros by a target loss of %g", (double)loss);
    const wisp_net_account *a;
    int node;
    int64_t zero = 0, blocks = 0;
    settings.target_loss = loss;
    wisp_model *model = pressed(press, &settings);
    for (int i = 0; (a = wisp_press_account(press, i, &node)); i++)
      zero += a->zero_blocks, blocks += a->blocks;
    printf("loss %g: %d of %d blocks zero\n", (double)loss, (int)zero, (int)blocks);
    CHECK(zero >= before);
    CHECK(loss > 1e-5f || 10 * zero < blocks);
    CHECK(loss < 1e5f || 3 * zero > blocks); /* depthwise ones stay */
    before = zero;
    wisp_model_close(&model);
  }
  wisp_press_close(&press);
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  for (int i = 0; i < 8; i++) {
    const wisp_method method = i % 4 == 3 ? WISP_METHOD_L1 : WISP_METHOD_OBS;
    test_depthwise("shuffles", random_lite(SIDE, SIDE), method);
    test_depthwise("ghosts", random_ghost(SIDE, SIDE), method);
    test_depthwise("squeezed", random_squeezed(1, SIDE, SIDE), method);
  }
  test_head();
  test_order();
  test_target_loss();
  return check_end();
}
