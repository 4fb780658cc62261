/* test_graph.c - the door of the press: what is wrong with a node is said in a sentence that holds the value.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "check.h"
#include "fold/graph.h"
#include "small_net.h"

static void check_error(int got, wisp_status status, const wisp_error *error, const char *words) {
  CHECK_CASE("%s", words);
  CHECK_EQ(got, status);
  CHECK_EQ(error->status, status);
  if (!CHECK(strstr(error->message, words))) printf("the sentence: %s\n", error->message);
}

/* A window of which one number is changed. */
static wisp_window wrong_window(int number, int value) {
  wisp_window window = square(3, 1, 1);
  int *numbers[] = {&window.kernel[0], &window.kernel[1], &window.stride[0], &window.stride[1],
                    &window.pad[0],    &window.pad[1],    &window.pad[2],    &window.pad[3]};
  *numbers[number] = value;
  return window;
}

static void test_conv_door(wisp_graph *graph) {
  static const struct {
    int number, value;
    const char *words;
  } WRONG[] = {
      {0, 0, "the kernel is 0; 1 to 15"},        {1, 16, "the kernel is 16; 1 to 15"},
      {2, 9, "the stride is 9; 1 to 8"},         {3, -1, "the stride is -1; 1 to 8"},
      {4, 3, "the padding before is 3; 0 to 2"}, {5, -1, "the padding before is -1; 0 to 2"},
      {6, 3, "the padding after is 3; 0 to 2"},  {7, 99, "the padding after is 99; 0 to 2"}};
  float weights[2 * 3 * 9] = {0};
  wisp_error e;
  for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
    wisp_window window = wrong_window(WRONG[i].number, WRONG[i].value);
    int got = wisp_graph_conv(graph, 0, weights, NULL, 2, 3, &window, 1, &e);
    check_error(got, WISP_ERR_ARGUMENT, &e, WRONG[i].words);
  }
  wisp_window window = square(3, 1, 1);
  check_error(wisp_graph_conv(graph, 7, weights, NULL, 2, 3, &window, 1, &e), WISP_ERR_ARGUMENT, &e,
              "Node 1 reads tensor 7; only 0 to 0 are there");
  check_error(wisp_graph_conv(graph, 0, weights, NULL, 2, 4, &window, 1, &e), WISP_ERR_ARGUMENT, &e,
              "1 groups of 4 channels to 2 don't fit tensor 0 of 3 channels");
  check_error(wisp_graph_conv(graph, 0, weights, NULL, 0, 3, &window, 1, &e), WISP_ERR_ARGUMENT, &e,
              "the output channels is 0");
  check_error(wisp_graph_conv(graph, 0, NULL, NULL, 2, 3, &window, 1, &e), WISP_ERR_ARGUMENT, &e,
              "Node 1 has no weights");
  weights[20] = NAN;
  check_error(wisp_graph_conv(graph, 0, weights, NULL, 2, 3, &window, 1, &e), WISP_ERR_ARGUMENT, &e,
              "number 20 of its weights is");
  CHECK_EQ(graph->node_count, 1);
}

static void test_other_doors(wisp_graph *graph) {
  float numbers[4] = {1, 1, -1, 1};
  int many[2] = {0, 5};
  wisp_error e;
  CHECK_EQ(random_conv(graph, 0, 4, square(1, 1, 0)), 1);
  check_error(wisp_graph_affine(graph, 1, numbers, numbers, 3, &e), WISP_ERR_ARGUMENT, &e,
              "is 3; 4 to 4");
  check_error(wisp_graph_activation(graph, 1, 6, 0, &e), WISP_ERR_ARGUMENT, &e,
              "the activation is 6");
  check_error(wisp_graph_activation(graph, 1, WISP_ACT_LEAKY, 1, &e), WISP_ERR_ARGUMENT, &e,
              "the slope 1");
  check_error(wisp_graph_add(graph, 0, 1, &e), WISP_ERR_ARGUMENT, &e,
              "adds tensor 1 of 4 channels to tensor 0 of 3");
  check_error(wisp_graph_concat(graph, many, 2, &e), WISP_ERR_ARGUMENT, &e, "reads tensor 5");
  check_error(wisp_graph_concat(graph, many, 0, &e), WISP_ERR_ARGUMENT, &e, "to concatenate is 0");
  check_error(wisp_graph_upsample(graph, 1, 2, 9, &e), WISP_ERR_ARGUMENT, &e, "the factor is 9");
  check_error(wisp_graph_focus(graph, 1, &e), WISP_ERR_UNSUPPORTED, &e, "a focus on tensor 1");
  check_error(wisp_graph_head(graph, 0, 8, numbers, 1, &e), WISP_ERR_ARGUMENT, &e,
              "Head 0 is tensor 0");
  check_error(wisp_graph_head(graph, 1, 0, numbers, 1, &e), WISP_ERR_ARGUMENT, &e, "the stride 0");
  check_error(wisp_graph_head(graph, 1, 8, numbers, 0, &e), WISP_ERR_ARGUMENT, &e, "0 anchors");
  check_error(wisp_graph_head(graph, 1, 8, numbers, 2, &e), WISP_ERR_ARGUMENT, &e,
              "an anchor 1 with a side of -1");
  check_error(wisp_graph_class(graph, NULL, &e), WISP_ERR_ARGUMENT, &e, "The name of class 0");
  check_error(wisp_graph_input(graph, 0, 640, &e), WISP_ERR_ARGUMENT, &e,
              "The input is 640x0 pixels");
  check_error(wisp_graph_input(graph, 4128, 640, &e), WISP_ERR_ARGUMENT, &e, "1 to 4096");
  CHECK_EQ(graph->node_count, 2);
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  wisp_graph *graph;
  CHECK_EQ(wisp_graph_open(&graph), WISP_OK);
  test_conv_door(graph);
  test_other_doors(graph);
  wisp_graph_close(&graph);
  return check_end();
}
