/* test_graph.c - the door of the press: what is wrong with a node is said in a sentence that holds the value.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "check.h"
#include "graph.h"
#include "small_net.h"

static void check_error(int got, wisp_status status, const wisp_error *error, const char *words) {
  CHECK_CASE("%s", words);
  CHECK_EQ(got, status);
  CHECK_EQ(error->status, status);
  if (!CHECK(strstr(error->message, words))) printf("the sentence: %s\n", error->message);
}

/* What the graph says of such a node of one input. */
static void check_refused(wisp_graph *graph, wisp_node node, int input, const char *words) {
  wisp_error e;
  node.inputs = &input;
  node.input_count = 1;
  check_error(wisp_graph_add(graph, &node, &e), WISP_ERR_ARGUMENT, &e, words);
}

/* A window of which one number is changed. */
static wisp_window wrong_window(int number, int value) {
  wisp_window window = square(3, 1, 1);
  int *numbers[] = {&window.kernel[0], &window.kernel[1], &window.stride[0], &window.stride[1],
                    &window.pad[0],    &window.pad[1],    &window.pad[2],    &window.pad[3]};
  *numbers[number] = value;
  return window;
}

static void test_windows(wisp_graph *graph, wisp_node conv) {
  static const struct {
    int number, value;
    const char *words;
  } WRONG[] = {
      {0, 0, "the kernel is 0; 1 to 15"},        {1, 16, "the kernel is 16; 1 to 15"},
      {2, 9, "the stride is 9; 1 to 8"},         {3, -1, "the stride is -1; 1 to 8"},
      {4, 3, "the padding before is 3; 0 to 2"}, {5, -1, "the padding before is -1; 0 to 2"},
      {6, 3, "the padding after is 3; 0 to 2"},  {7, 99, "the padding after is 99; 0 to 2"}};
  for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
    conv.window = wrong_window(WRONG[i].number, WRONG[i].value);
    check_refused(graph, conv, 0, WRONG[i].words);
    check_refused(graph, (wisp_node){.kind = WISP_NODE_MAXPOOL, .window = conv.window}, 0,
                  WRONG[i].words);
  }
}

static void test_conv(wisp_graph *graph) {
  float weights[2 * 3 * 9] = {0}, biases[2] = {0, INFINITY};
  wisp_node conv = conv_node(2, square(3, 1, 1), weights, 2 * 3 * 9);
  test_windows(graph, conv);
  check_refused(graph, conv, 7, "Node 1 reads tensor 7; only 0 to 0 are there");
  wisp_node wrong = conv;
  wrong.groups = 2;
  check_refused(graph, wrong, 0, "2 groups don't divide the 3 channels of tensor 0 and the 2 it");
  wrong = conv;
  wrong.channels = 0;
  check_refused(graph, wrong, 0, "the output channels is 0");
  wrong = conv;
  wrong.weight_count--;
  check_refused(graph, wrong, 0, "Node 1 has 53 weights; its shape needs 54");
  wrong = conv;
  wrong.bias = biases;
  wrong.bias_count = 1;
  check_refused(graph, wrong, 0, "Node 1 has 1 biases; its shape needs 2");
  wrong.bias_count = 2;
  check_refused(graph, wrong, 0, "number 1 of its biases is inf");
  wrong = conv;
  wrong.weights = NULL;
  check_refused(graph, wrong, 0, "Node 1 has no weights");
  wrong = conv;
  wrong.range = (wisp_byte_range){-1, 0};
  check_refused(graph, wrong, 0, "Node 1 has scale -1 and zero point 0; above 0");
  wrong.range = (wisp_byte_range){1, 256};
  check_refused(graph, wrong, 0, "zero point 256");
  weights[20] = NAN;
  check_refused(graph, conv, 0, "number 20 of its weights is");
  CHECK_EQ(graph->node_count, 1);
}

static void test_other_nodes(wisp_graph *graph) {
  float numbers[4] = {1, 1, -1, 1};
  int many[2] = {0, 5};
  wisp_error e;
  wisp_node affine = {.kind = WISP_NODE_AFFINE,
                      .weights = numbers,
                      .weight_count = 3,
                      .bias = numbers,
                      .bias_count = 4};
  check_refused(graph, affine, 1, "Node 2 has 3 weights; its shape needs 4");
  affine.weight_count = 4;
  affine.bias_count = 0;
  check_refused(graph, affine, 1, "Node 2 has 0 biases; its shape needs 4");
  wisp_node activation = {.kind = WISP_NODE_ACTIVATION,
                          .activation = (wisp_activation)WISP_ACT_COUNT};
  check_refused(graph, activation, 1, "the activation is 7");
  activation.activation = WISP_ACT_LEAKY;
  activation.slope = 1;
  check_refused(graph, activation, 1, "the slope 1");
  activation.slope = 0.1f;
  activation.weights = numbers;
  activation.weight_count = 4;
  check_refused(graph, activation, 1, "Node 2 has weights; activation takes none");
  activation.weight_count = -1;
  check_refused(graph, activation, 1, "Node 2 has weights; activation takes none");
  activation.weight_count = 0;
  activation.pick_count = 5;
  check_refused(graph, activation, 1, "Node 2 has picks; activation takes none");
  wisp_node add = {.kind = WISP_NODE_ADD, .inputs = (int[]){0, 1}, .input_count = 2};
  check_error(wisp_graph_add(graph, &add, &e), WISP_ERR_ARGUMENT, &e,
              "adds tensor 1 of 4 channels to tensor 0 of 3");
  check_refused(graph, add, 1, "the number of inputs is 1; 2 to 2");
  wisp_node scale = {.kind = WISP_NODE_SCALE, .inputs = (int[]){1, 0}, .input_count = 2};
  check_error(wisp_graph_add(graph, &scale, &e), WISP_ERR_ARGUMENT, &e,
              "Node 2 (scale) reads tensor 1 of 4 channels and tensor 0 of 3");
  wisp_node depthwise = {.kind = WISP_NODE_DEPTHWISE};
  check_refused(graph, depthwise, 1, "Node 2 is a depthwise; a conv with groups is one");
  wisp_node concat = {.kind = WISP_NODE_CONCAT, .inputs = many, .input_count = 2};
  check_error(wisp_graph_add(graph, &concat, &e), WISP_ERR_ARGUMENT, &e, "reads tensor 5");
  concat.input_count = 0;
  check_error(wisp_graph_add(graph, &concat, &e), WISP_ERR_ARGUMENT, &e,
              "the number of inputs is 0; 1 to 255");
  wisp_node upsample = {.kind = WISP_NODE_UPSAMPLE, .window = {.stride = {2, 9}}};
  check_refused(graph, upsample, 1, "the factor is 9");
  upsample = (wisp_node){.kind = WISP_NODE_UPSAMPLE, .inputs = (int[]){1, 1, 1}, .input_count = 3};
  upsample.window = (wisp_window){.stride = {2, 2}};
  check_error(wisp_graph_add(graph, &upsample, &e), WISP_ERR_ARGUMENT, &e,
              "(upsample) reads 3 tensors; 1 is possible");
  wisp_node select = {.kind = WISP_NODE_SELECT, .picks = many, .pick_count = 2};
  check_refused(graph, select, 1, "a channel to select is 5; 0 to 3");
  wisp_node focus = {.kind = WISP_NODE_FOCUS, .inputs = (int[]){1}, .input_count = 1};
  check_error(wisp_graph_add(graph, &focus, &e), WISP_ERR_UNSUPPORTED, &e, "a focus on tensor 1");
  wisp_node picture = {.kind = WISP_NODE_PICTURE};
  check_error(wisp_graph_add(graph, &picture, &e), WISP_ERR_ARGUMENT, &e, "only node 0 is one");
  wisp_node unknown = {.kind = WISP_NODE_KINDS};
  check_error(wisp_graph_add(graph, &unknown, &e), WISP_ERR_ARGUMENT, &e, "no kind 13 of node");
  CHECK_EQ(graph->node_count, 2);
}

static void check_head(wisp_graph *graph, wisp_yolo_head head, const char *words) {
  wisp_error e;
  check_error(wisp_graph_head(graph, &head, &e), WISP_ERR_ARGUMENT, &e, words);
}

static void test_ends(wisp_graph *graph) {
  float anchors[4] = {1, 1, -1, 1};
  wisp_error e;
  check_head(graph, (wisp_yolo_head){0, 1, 8, 1, anchors, 0}, "Head 0 is of kind 0");
  check_head(graph, (wisp_yolo_head){WISP_HEAD_YOLOV5, 0, 8, 1, anchors, 0}, "Head 0 is tensor 0");
  check_head(graph, (wisp_yolo_head){WISP_HEAD_YOLOV5, 1, 0, 1, anchors, 0}, "the stride 0");
  check_head(graph, (wisp_yolo_head){WISP_HEAD_YOLOV5, 1, 8, 0, anchors, 0}, "0 anchors");
  check_head(graph, (wisp_yolo_head){WISP_HEAD_YOLOV5, 1, 8, 2, anchors, 0},
             "an anchor 1 with a side of -1");
  check_head(graph, (wisp_yolo_head){WISP_HEAD_YOLOV5, 1, 8, 1, anchors, 129},
             "129 masks; 0 to 128");
  check_head(graph, (wisp_yolo_head){WISP_HEAD_PROTOTYPES, 1, 8, 0, NULL, 0}, "0 masks; 1 to 128");
  check_head(graph, (wisp_yolo_head){WISP_HEAD_PROTOTYPES, 1, 8, 1, anchors, 4}, "1 anchors");
  check_error(wisp_graph_class(graph, NULL, &e), WISP_ERR_ARGUMENT, &e, "The name of class 0");
  check_error(wisp_graph_class(graph, "\xfc", &e), WISP_ERR_ARGUMENT, &e, "class 0 is no UTF-8");
  check_error(wisp_graph_input(graph, 0, 640, &e), WISP_ERR_ARGUMENT, &e,
              "The input is 640x0 pixels");
  check_error(wisp_graph_input(graph, 4128, 640, &e), WISP_ERR_ARGUMENT, &e, "1 to 4096");
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  wisp_graph *graph;
  CHECK_EQ(wisp_graph_open(&graph), WISP_OK);
  test_conv(graph);
  CHECK_EQ(random_conv(graph, 0, 4, square(1, 1, 0)), 1);
  test_other_nodes(graph);
  test_ends(graph);
  wisp_graph_close(&graph);
  return check_end();
}
