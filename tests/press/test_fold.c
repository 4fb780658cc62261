/* test_fold.c - what fold makes of a graph computes what the graph computes; what it can't make is refused by name.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "corridor.h"
#include "float/exec.h"
#include "net.h"
#include "small_net.h"

/* ---- the reference: every node as its definition says, one number after the other ---- */

typedef struct plain {
  int channels, height, width;
  float *data; /* [channels][height][width] */
} plain;

static plain open_plain(int channels, int height, int width) {
  size_t count = (size_t)(channels * height * width);
  return (plain){channels, height, width, check_allocate(count * sizeof(float))};
}

static float at(const plain *p, int c, int y, int x, float outside) {
  if (y < 0 || x < 0 || y >= p->height || x >= p->width) return outside;
  return p->data[(c * p->height + y) * p->width + x];
}

static float convolved(const wisp_node *node, const plain *in, int o, int y, int x) {
  const wisp_window *w = &node->window;
  int from = in->channels / node->groups, group = o / (node->channels / node->groups);
  const float *weights = node->weights + o * from * w->kernel[0] * w->kernel[1];
  double sum = node->bias ? node->bias[o] : 0;
  for (int c = group * from; c < (group + 1) * from; c++)
    for (int ky = 0; ky < w->kernel[0]; ky++)
      for (int kx = 0; kx < w->kernel[1]; kx++)
        sum += (double)*weights++ *
               at(in, c, y * w->stride[0] - w->pad[0] + ky, x * w->stride[1] - w->pad[1] + kx, 0);
  return (float)sum;
}

static float pooled(const wisp_node *node, const plain *in, int c, int y, int x) {
  const wisp_window *w = &node->window;
  float most = -INFINITY;
  for (int ky = 0; ky < w->kernel[0]; ky++)
    for (int kx = 0; kx < w->kernel[1]; kx++)
      most = fmaxf(most, at(in, c, y * w->stride[0] - w->pad[0] + ky,
                            x * w->stride[1] - w->pad[1] + kx, -INFINITY));
  return most;
}

static float activated(const wisp_node *node, double v) {
  switch (node->activation) {
    case WISP_ACT_RELU: return (float)fmax(v, 0);
    case WISP_ACT_LEAKY: return (float)(v < 0 ? v * (double)node->slope : v);
    case WISP_ACT_SILU: return (float)(v / (1 + exp(-v)));
    case WISP_ACT_HARDSWISH: return (float)(v * fmin(fmax(v + 3, 0), 6) / 6);
    case WISP_ACT_HARDSIGMOID: return (float)(fmin(fmax(v + 3, 0), 6) / 6);
    default: return (float)(1 / (1 + exp(-v)));
  }
}

static float averaged(const plain *in, int c) {
  double sum = 0;
  for (int y = 0; y < in->height; y++)
    for (int x = 0; x < in->width; x++) sum += (double)at(in, c, y, x, 0);
  return (float)(sum / in->height / in->width);
}

static float concatenated(const wisp_node *node, const plain *values, int c, int y, int x) {
  const int *input = node->inputs;
  for (; c >= values[*input].channels; input++) c -= values[*input].channels;
  return at(&values[*input], c, y, x, 0);
}

static float enlarged(const wisp_node *node, const plain *values, int c, int y, int x) {
  const int *factor = node->window.stride;
  const int turn = node->input_count > 1 ? y % factor[0] * factor[1] + x % factor[1] : 0;
  return at(&values[node->inputs[turn]], c, y / factor[0], x / factor[1], 0);
}

/* dy, dx of the four pixels that Focus takes, in its order */
static const int FOCUS[4][2] = {{0, 0}, {1, 0}, {0, 1}, {1, 1}};

static float node_value(const wisp_node *node, const plain *values, int c, int y, int x) {
  const plain *in = &values[node->inputs[0]];
  switch (node->kind) {
    case WISP_NODE_CONV: return convolved(node, in, c, y, x);
    case WISP_NODE_AFFINE: return at(in, c, y, x, 0) * node->weights[c] + node->bias[c];
    case WISP_NODE_ACTIVATION: return activated(node, at(in, c, y, x, 0));
    case WISP_NODE_ADD: return at(in, c, y, x, 0) + at(&values[node->inputs[1]], c, y, x, 0);
    case WISP_NODE_CONCAT: return concatenated(node, values, c, y, x);
    case WISP_NODE_MAXPOOL: return pooled(node, in, c, y, x);
    case WISP_NODE_SELECT: return at(in, node->picks[c], y, x, 0);
    case WISP_NODE_AVERAGE: return averaged(in, c);
    case WISP_NODE_SCALE: return at(in, c, y, x, 0) * at(&values[node->inputs[1]], c, 0, 0, 0);
    case WISP_NODE_UPSAMPLE: return enlarged(node, values, c, y, x);
    default: return at(in, c % 3, 2 * y + FOCUS[c / 3][0], 2 * x + FOCUS[c / 3][1], 0);
  }
}

static int side(const wisp_node *node, int before, int axis) {
  const wisp_window *w = &node->window;
  if (node->kind == WISP_NODE_FOCUS) return before / 2;
  if (node->kind == WISP_NODE_AVERAGE) return 1;
  if (node->kind == WISP_NODE_UPSAMPLE) return before * w->stride[axis];
  if (node->kind != WISP_NODE_CONV && node->kind != WISP_NODE_MAXPOOL) return before;
  return (before + w->pad[axis] + w->pad[axis + 2] - w->kernel[axis]) / w->stride[axis] + 1;
}

static plain *evaluate(const wisp_graph *graph, const plain *picture) {
  plain *values = check_allocate((size_t)graph->node_count * sizeof *values);
  values[0] = open_plain(3, picture->height, picture->width);
  memcpy(values[0].data, picture->data,
         (size_t)(3 * picture->height * picture->width) * sizeof(float));
  for (int i = 1; i < graph->node_count; i++) {
    const wisp_node *node = &graph->nodes[i];
    const plain *in = &values[node->inputs[0]];
    values[i] = open_plain(node->channels, side(node, in->height, 0), side(node, in->width, 1));
    float *to = values[i].data;
    for (int c = 0; c < node->channels; c++)
      for (int y = 0; y < values[i].height; y++)
        for (int x = 0; x < values[i].width; x++) *to++ = node_value(node, values, c, y, x);
  }
  return values;
}

/* ---- the picture, as numbers and as the bytes that wisp_prep would write ---- */

static plain random_picture(int height, int width) {
  plain picture = open_plain(3, height, width);
  for (int i = 0; i < 3 * height * width; i++) picture.data[i] = (float)random_int(0, 255) / 255.0f;
  return picture;
}

static wisp_view view_of(const plain *picture, int block) {
  wisp_view view = {.channels = 3 * block * block,
                    .height = picture->height / block,
                    .width = picture->width / block};
  view.pitch = view.width + 1;
  view.plane = view.height * view.pitch * WISP_LANES;
  view.data = check_allocate((size_t)(wisp_planes(view.channels) * view.plane));
  for (int c = 0; c < 3; c++)
    for (int y = 0; y < picture->height; y++)
      for (int x = 0; x < picture->width; x++) {
        int channel = (y % block * block + x % block) * 3 + c;
        view.data[channel / WISP_LANES * view.plane +
                  (y / block * view.pitch + x / block) * WISP_LANES + channel % WISP_LANES] =
            (uint8_t)lrintf(at(picture, c, y, x, 0) * 255);
      }
  return view;
}

/* ---- tests ---- */

static void compare_head(const plain *wanted, const wisp_floats *got) {
  if (!CHECK_EQ(wanted->channels, got->channels) || !CHECK_EQ(wanted->height, got->height) ||
      !CHECK_EQ(wanted->width, got->width))
    return;
  for (int c = 0; c < got->channels; c++)
    for (int y = 0; y < got->height; y++)
      for (int x = 0; x < got->width; x++) {
        double real = (double)at(wanted, c, y, x, 0);
        double is = (double)got->data[(size_t)c * got->plane + (size_t)(y * got->pitch + x)];
        CHECK_NEAR(is, real, 2e-5 * (1 + fabs(real)));
      }
}

/* Runs the folded net twice over the same memory and compares its heads. */
static void run_net(const wisp_net *net, const plain *picture, const plain *values,
                    const int *heads, int threads) {
  wisp_pool *pool;
  wisp_exec *exec;
  CHECK_EQ(wisp_pool_open(&pool, threads), WISP_OK);
  if (!CHECK_EQ(wisp_exec_open(&exec, net, pool, 0, NULL), WISP_OK)) return;
  wisp_view view = view_of(picture, net->cell);
  for (int run = 0; run < 2; run++) wisp_exec_run(exec, &view, NULL, NULL);
  for (int i = 0; i < 2; i++) {
    wisp_floats head = wisp_exec_tensor(exec, net->heads[i].tensor);
    compare_head(&values[heads[i]], &head);
  }
  free(view.data);
  wisp_exec_close(&exec);
  wisp_pool_close(&pool);
}

static void test_stem(const stem *first, int threads) {
  CHECK_CASE("%s, %d threads", first->name, threads);
  int side = first->window.stride[0] * 12;
  wisp_graph *graph = random_net(first, 24, 36);
  wisp_graph_input(graph, side, side + side / 3, NULL);
  plain picture = random_picture(graph->height, graph->width), *values = evaluate(graph, &picture);
  int nodes = graph->node_count, heads[2] = {graph->heads[0].tensor, graph->heads[1].tensor};
  wisp_net *net;
  if (!CHECK_EQ(wisp_fold(graph, &net, NULL), WISP_OK)) return;
  wisp_graph_close(&graph);
  CHECK_EQ(net->cell, first->focus || first->window.stride[0] % 2 == 0 ? 2 : 1);
  CHECK_EQ(net->layer_count, 14);
  run_net(net, &picture, values, heads, threads);
  wisp_net_close(&net);
  for (int i = 0; i < nodes; i++) free(values[i].data);
  free(values);
  free(picture.data);
}

static int count_layers(const wisp_net *net, wisp_operation operation) {
  int found = 0;
  for (int i = 0; net && i < net->layer_count; i++) found += net->layers[i].operation == operation;
  return found;
}

/* Folds to at least `least` layers of the operation, which say what the graph says. Closes the graph. */
static void test_folded(wisp_graph *graph, wisp_operation operation, int least, int threads) {
  plain picture = random_picture(graph->height, graph->width), *values = evaluate(graph, &picture);
  int nodes = graph->node_count, heads[2] = {graph->heads[0].tensor, graph->heads[1].tensor};
  wisp_net *net;
  wisp_error error = {0};
  if (!CHECK_EQ(wisp_fold(graph, &net, &error), WISP_OK)) printf("%s\n", error.message);
  wisp_graph_close(&graph);
  CHECK(count_layers(net, operation) >= least);
  if (net) run_net(net, &picture, values, heads, threads);
  wisp_net_close(&net);
  for (int i = 0; i < nodes; i++) free(values[i].data);
  free(values);
  free(picture.data);
}

/* Shuffled units, depthwise and grouped convolutions; squeeze-and-excitation. */
static void test_lite(int threads) {
  CHECK_CASE("shuffles, %d threads", threads);
  test_folded(random_lite(32, 64), WISP_OP_DEPTHWISE, 5, threads);
  CHECK_CASE("ghosts, %d threads", threads);
  test_folded(random_ghost(32, 64), WISP_OP_UPSAMPLE, 3, threads);
  CHECK_CASE("squeezed, %d threads", threads);
  test_folded(random_squeezed(threads > 1, 32, 64), WISP_OP_SCALE, 4, threads);
}

/* ---- what can't be folded: each makes a head's tensor out of a convolution, tensor 1 ---- */

static int last(wisp_graph *graph, int input) {
  return random_conv(graph, input, 7, square(1, 1, 0));
}

static int pool(wisp_graph *graph, int input) {
  wisp_node node = {.kind = WISP_NODE_MAXPOOL, .window = square(3, 1, 1)};
  return add_one(graph, node, input);
}

static int grouped_twice(wisp_graph *graph) {
  wisp_node depthwise = conv_node(4, square(1, 1, 0), (float[4]){0}, 4);
  depthwise.groups = 4;
  int same = add_select(graph, 1, (int[]){0, 1, 1, 3}, 4);
  return last(graph, add_one(graph, depthwise, same));
}

static int selected_colours(wisp_graph *graph) {
  int turned = add_select(graph, 0, (int[]){2, 1, 0}, 3);
  return last(graph, random_conv(graph, turned, 4, square(3, 2, 1)));
}

static int scaled_twice(wisp_graph *graph) {
  return last(graph, random_affine(graph, add_select(graph, 1, (int[]){0, 0}, 2)));
}

static int scaled_by_image(wisp_graph *graph) {
  return last(graph, add_two(graph, (wisp_node){.kind = WISP_NODE_SCALE}, 1, 1));
}

static int scaled_concat(wisp_graph *graph) {
  const int both = pair(graph, 1, 1);
  const int mean = add_one(graph, (wisp_node){.kind = WISP_NODE_AVERAGE}, 1);
  return last(graph,
              add_two(graph, (wisp_node){.kind = WISP_NODE_SCALE}, both, pair(graph, mean, mean)));
}

static int activated_twice(wisp_graph *graph) {
  return last(graph, random_activation(graph, random_activation(graph, 1)));
}

static int normed_pool(wisp_graph *graph) {
  return last(graph, random_affine(graph, pool(graph, 1)));
}

static int activated_head(wisp_graph *graph) { return random_activation(graph, last(graph, 1)); }

static int wide_head(wisp_graph *graph) { return random_conv(graph, 1, 8, square(1, 1, 0)); }

static int coarse_head(wisp_graph *graph) { return random_conv(graph, 1, 7, square(3, 2, 1)); }

static int sizes_apart(wisp_graph *graph) {
  return last(graph, pair(graph, 1, random_conv(graph, 1, 4, square(3, 2, 1))));
}

static void test_refusal(int (*make)(wisp_graph *), wisp_status status, const char *words) {
  CHECK_CASE("%s", words);
  wisp_graph *graph;
  wisp_net *net;
  wisp_error error = {0};
  float anchors[] = {10, 20};
  CHECK_EQ(wisp_graph_open(&graph), WISP_OK);
  wisp_graph_input(graph, 16, 16, NULL);
  wisp_graph_class(graph, "a", NULL);
  wisp_graph_class(graph, "b", NULL);
  CHECK_EQ(random_conv(graph, 0, 4, square(3, 2, 1)), 1);
  wisp_yolo_head head = {WISP_HEAD_YOLOV5, make(graph), 2, 1, anchors, 0};
  CHECK_EQ(wisp_graph_head(graph, &head, NULL), WISP_OK);
  CHECK_EQ(wisp_fold(graph, &net, &error), status);
  if (!CHECK(strstr(error.message, words))) printf("the sentence: %s\n", error.message);
  CHECK(!net);
  wisp_graph_close(&graph);
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  for (int round = 0; round < 4; round++)
    for (int i = 0; i < STEM_COUNT; i++) test_stem(&STEMS[i], 1 + round % 2 * 2);
  for (int round = 0; round < 12; round++) test_lite(1 + round % 2 * 2);
  test_refusal(grouped_twice, WISP_ERR_UNSUPPORTED,
               "Node 3 (conv): has groups and reads a channel twice");
  test_refusal(selected_colours, WISP_ERR_UNSUPPORTED, "Node 2 (select): picks colours");
  test_refusal(scaled_twice, WISP_ERR_UNSUPPORTED, "Node 3 (affine): reads a channel twice");
  test_refusal(scaled_by_image, WISP_ERR_ARGUMENT,
               "(scale) can't read a tensor of 8x8 beside one of 8x8");
  test_refusal(scaled_concat, WISP_ERR_UNSUPPORTED, "Node 5 (scale): reads a concatenation");
  test_refusal(activated_twice, WISP_ERR_UNSUPPORTED, "Node 3 (activation)");
  test_refusal(normed_pool, WISP_ERR_UNSUPPORTED, "Node 3 (affine)");
  test_refusal(activated_head, WISP_ERR_UNSUPPORTED, "Node 3 (activation): a head");
  test_refusal(wide_head, WISP_ERR_ARGUMENT,
               "Head 0 has 8 channels; 1 anchors, 2 classes and 0 masks need 7");
  test_refusal(coarse_head, WISP_ERR_ARGUMENT,
               "Head 0 of stride 2 has 4x4 cells on an input of 16x16");
  test_refusal(sizes_apart, WISP_ERR_ARGUMENT, "a tensor of 4x4 beside one of 8x8");
  return check_end();
}
