/* test_memory_press.c - from a graph to a file while memory runs out: an error that says so, and the same file once
 * there is memory again.
 * SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "failing.h"
#include "models/press/press.h"
#include "small_net.h"

enum { SIDE = 16, PICTURES = 1, MOST_WEIGHTS = 2048, MOST_BYTES = 8192 };

/* ---- graphs ---- */

typedef struct part {
  wisp_node_kind kind;
  int inputs[2], channels, kernel, stride, groups;
} part;

typedef struct plan {
  const char *name;
  const part *parts;
  int count;
  struct {
    int tensor, stride;
  } heads[2];
} plan;

/* A stem on blocks, a residual, a pool, concatenations, a way down and up again. */
static const part PLAIN[] = {
    {WISP_NODE_CONV, {0}, 4, 2, 2, 1},        {WISP_NODE_ACTIVATION, {1}, 4, 0, 0, 0},
    {WISP_NODE_CONV, {2}, 5, 2, 2, 1},        {WISP_NODE_AFFINE, {3}, 5, 0, 0, 0},
    {WISP_NODE_ACTIVATION, {4}, 5, 0, 0, 0},  {WISP_NODE_CONV, {5}, 5, 1, 1, 1},
    {WISP_NODE_ADD, {5, 6}, 5, 0, 0, 0},      {WISP_NODE_MAXPOOL, {7}, 5, 3, 1, 0},
    {WISP_NODE_CONCAT, {7, 8}, 10, 0, 0, 0},  {WISP_NODE_CONV, {9}, 3, 1, 1, 1},
    {WISP_NODE_ACTIVATION, {10}, 3, 0, 0, 0}, {WISP_NODE_UPSAMPLE, {11}, 3, 0, 2, 0},
    {WISP_NODE_CONCAT, {12, 2}, 7, 0, 0, 0},  {WISP_NODE_CONV, {13}, 6, 1, 1, 1},
    {WISP_NODE_CONV, {11}, 6, 1, 1, 1}};

/* A focus, halves that are shuffled, depthwise convolutions of one and of two tensors, a grouped one. */
static const part SHUFFLED[] = {
    {WISP_NODE_FOCUS, {0}, 12, 0, 0, 0},      {WISP_NODE_CONV, {1}, 8, 1, 1, 1},
    {WISP_NODE_ACTIVATION, {2}, 8, 0, 0, 0},  {WISP_NODE_SELECT, {3}, 4, 0, 2, 0},
    {WISP_NODE_CONV, {4}, 4, 3, 1, 4},        {WISP_NODE_CONV, {5}, 4, 1, 1, 1},
    {WISP_NODE_CONCAT, {4, 6}, 8, 0, 0, 0},   {WISP_NODE_SELECT, {7}, 8, 0, 1, 0},
    {WISP_NODE_CONV, {8}, 8, 3, 2, 8},        {WISP_NODE_CONV, {9}, 8, 1, 1, 2},
    {WISP_NODE_ACTIVATION, {10}, 8, 0, 0, 0}, {WISP_NODE_CONV, {11}, 6, 1, 1, 1},
};

/* A mean, a convolution of it, and the product with what it came from. */
static const part SQUEEZED[] = {
    {WISP_NODE_CONV, {0}, 5, 2, 2, 1},       {WISP_NODE_ACTIVATION, {1}, 5, 0, 0, 0},
    {WISP_NODE_AVERAGE, {2}, 5, 0, 0, 0},    {WISP_NODE_CONV, {3}, 5, 1, 1, 1},
    {WISP_NODE_ACTIVATION, {4}, 5, 0, 0, 0}, {WISP_NODE_SCALE, {2, 5}, 5, 0, 0, 0},
    {WISP_NODE_CONV, {6}, 6, 1, 1, 1}};

/* For what asks for memory channel by channel. */
static const part SHORT[] = {{WISP_NODE_CONV, {0}, 5, 2, 2, 1},
                             {WISP_NODE_ACTIVATION, {1}, 5, 0, 0, 0},
                             {WISP_NODE_CONV, {2}, 6, 1, 1, 1}};

static const plan PLANS[] = {{"plain", PLAIN, 15, {{14, 2}, {15, 4}}},
                             {"shuffled", SHUFFLED, 12, {{12, 4}}},
                             {"short", SHORT, 3, {{3, 2}}},
                             {"squeezed", SQUEEZED, 7, {{7, 2}}}};

static float numbers[MOST_WEIGHTS]; /* all weights are taken from these */

/* ---- the way of a press ---- */

/* Where memory may begin to run out. */
typedef enum stage { GRAPH, FOLD, PICTURE, CHANNELS, INTEGERS } stage;

typedef struct way {
  const plan *plan;
  stage first;
  int threads, trained;
  double share; /* of the work that goes with channels */
  wisp_press_settings settings;
  wisp_frame pictures[PICTURES];
  uint8_t expected[MOST_BYTES]; /* the file, with memory enough */
  size_t size;
} way;

static void enter(const way *w, stage at) {
  if (w->first == at) failing_start();
}

/* Memory comes back, and whoever failed for want of it may be asked again. */
static int may_retry(int status) {
  failing_stop();
  return status == WISP_ERR_MEMORY;
}

static wisp_window window_of(const part *p) {
  return square(p->kernel, p->stride, (p->kernel - 1) / 2);
}

static int add_part(const way *w, wisp_graph *graph, const part *p, wisp_error *error) {
  const int from = graph->nodes[p->inputs[0]].channels;
  int picks[16];
  wisp_node node = {.kind = p->kind, .window = window_of(p), .activation = WISP_ACT_SILU};
  node.inputs = (int[]){p->inputs[0], p->inputs[1]};
  node.input_count = p->inputs[1] > 0 ? 2 : 1;
  if (w->trained) node.range = (wisp_byte_range){0.02f, 14};
  if (p->kind == WISP_NODE_CONV) {
    node.channels = p->channels;
    node.groups = p->groups;
    node.weight_count = p->channels * (from / p->groups) * p->kernel * p->kernel;
    node.bias_count = p->stride > 1 ? p->channels : 0;
  }
  if (p->kind == WISP_NODE_AFFINE) node.weight_count = node.bias_count = from;
  node.weights = node.bias = numbers;
  if (p->kind == WISP_NODE_SELECT) node.pick_count = p->channels;
  node.picks = picks;
  for (int i = 0; i < node.pick_count; i++) /* some, or all: the halves take turns */
    picks[i] = p->channels < from ? i * p->stride : i % 2 * (from / 2) + i / 2;
  return wisp_graph_add(graph, &node, error);
}

static void build(const way *w, wisp_graph *graph, wisp_error *error) {
  float anchors[] = {10, 13};
  CHECK_EQ(wisp_graph_input(graph, SIDE, SIDE, error), WISP_OK);
  for (int i = 0; i < w->plan->count; i++) {
    int tensor = add_part(w, graph, &w->plan->parts[i], error);
    if (tensor < 0 && may_retry(tensor)) tensor = add_part(w, graph, &w->plan->parts[i], NULL);
    CHECK_EQ(tensor, i + 1);
  }
  for (int i = 0; i < 2 && w->plan->heads[i].tensor; i++) {
    const wisp_yolo_head head = {
        WISP_HEAD_YOLOV5, w->plan->heads[i].tensor, w->plan->heads[i].stride, 1, anchors, 0};
    wisp_status status = wisp_graph_head(graph, &head, error);
    if (status && may_retry(status)) status = wisp_graph_head(graph, &head, NULL);
    CHECK_EQ(status, WISP_OK);
  }
  wisp_status status = wisp_graph_class(graph, "box", error);
  if (status && may_retry(status)) status = wisp_graph_class(graph, "box", NULL);
  CHECK_EQ(status, WISP_OK);
}

static void observe(const way *w, wisp_press *press, wisp_error *error) {
  for (int i = 0; i < PICTURES && !w->trained; i++) {
    wisp_status status = wisp_press_observe(press, &w->pictures[i], error);
    if (status && may_retry(status)) status = wisp_press_observe(press, &w->pictures[i], NULL);
    CHECK_EQ(status, WISP_OK);
  }
}

/* What could not be made is of no use, and says so. */
static void check_refuses(const way *w, wisp_press *press) {
  wisp_error error = {WISP_OK, ""};
  failing_stop();
  CHECK_EQ(wisp_press_observe(press, &w->pictures[0], &error), WISP_ERR_ARGUMENT);
  CHECK(strstr(error.message, "open another press"));
  CHECK_EQ(wisp_press_fold(press, 1, &error), WISP_ERR_ARGUMENT);
  CHECK(strstr(error.message, "open another press"));
}

/* Returns whether the press is still of use. */
static int remove_channels(const way *w, wisp_press *press, wisp_error *error) {
  double saved;
  enter(w, CHANNELS);
  wisp_status status = wisp_press_channels(press, w->share, &saved, error);
  if (status && may_retry(status)) status = wisp_press_channels(press, w->share, &saved, NULL);
  if (status != WISP_OK) {
    check_refuses(w, press);
    return 0;
  }
  observe(w, press, error);
  return 1;
}

/* The weights that the integers stand for, of every convolution that is still the graph's. */
static void read_back(const way *w, const wisp_press *press, wisp_error *error) {
  float weights[MOST_WEIGHTS], biases[16];
  for (int i = 0, node; wisp_press_account(press, i, &node); i++) {
    const part *p = &w->plan->parts[node - 1];
    const wisp_window window = window_of(p);
    const size_t count = (size_t)(p->kernel * p->kernel * p->channels * 3);
    if (p->inputs[0] != 0) continue; /* only the stem's take memory */
    wisp_status status =
        wisp_press_dequantise(press, i, &window, count, p->channels, weights, biases, error);
    if (status && may_retry(status))
      status = wisp_press_dequantise(press, i, &window, count, p->channels, weights, biases, NULL);
    CHECK_EQ(status, WISP_OK);
  }
}

static void make_file(way *w, wisp_press *press, wisp_error *error) {
  const uint8_t *bytes;
  size_t size;
  enter(w, INTEGERS);
  wisp_status status = wisp_press_quantise(press, &w->settings, NULL, error);
  if (status != WISP_OK) {
    CHECK_EQ(wisp_press_pack(press, "{}", &bytes, &size, NULL), WISP_ERR_ARGUMENT);
    if (may_retry(status)) status = wisp_press_quantise(press, &w->settings, NULL, NULL);
  }
  if (!CHECK_EQ(status, WISP_OK)) return;
  status = wisp_press_pack(press, "{}", &bytes, &size, error);
  if (status != WISP_OK) {
    CHECK(!bytes && !size);
    if (may_retry(status)) status = wisp_press_pack(press, "{}", &bytes, &size, NULL);
  }
  if (!CHECK_EQ(status, WISP_OK) || !CHECK(size <= MOST_BYTES)) return;
  if (w->size == 0) memcpy(w->expected, bytes, w->size = size);
  if (CHECK_EQ(size, w->size)) CHECK_SAME(bytes, w->expected, size);
  if (w->share == 0) read_back(w, press, error);
}

static void walk(void *context, wisp_error *error) {
  way *w = context;
  wisp_press *press;
  enter(w, GRAPH);
  wisp_status status = wisp_press_open(&press);
  if (status != WISP_OK) {
    *error = (wisp_error){status, "There is no memory: a function without a sentence."};
    CHECK(!press);
    return;
  }
  build(w, wisp_press_graph(press), error);
  enter(w, FOLD);
  status = wisp_press_fold(press, w->threads, error);
  if (status != WISP_OK) check_refuses(w, press);
  enter(w, PICTURE);
  if (status == WISP_OK) observe(w, press, error);
  if (status == WISP_OK && (w->share == 0 || remove_channels(w, press, error)))
    make_file(w, press, error);
  wisp_press_close(&press);
}

/* ---- tests ---- */

static wisp_press_settings fast_settings(void) {
  wisp_press_settings settings = wisp_press_default_settings();
  settings.ranging = WISP_RANGE_MINMAX; /* the other takes time and no memory */
  return settings;
}

static way open_way(const plan *of) {
  way w = {.plan = of, .threads = 1, .settings = fast_settings()};
  for (int i = 0; i < PICTURES; i++) {
    uint8_t *rgba = check_allocate(SIDE * SIDE * 4);
    random_bytes(rgba, SIDE * SIDE * 4);
    w.pictures[i] = (wisp_frame){rgba, SIDE, SIDE, SIDE * 4};
  }
  return w;
}

static void close_way(way *w) {
  for (int i = 0; i < PICTURES; i++) free((uint8_t *)w->pictures[i].rgba);
}

/* Runs out of memory from `first` on. */
static void test_way(way *w, const char *what, stage first) {
  char name[80];
  wisp_error error = {WISP_OK, ""};
  snprintf(name, sizeof name, "%s, %s, %d threads", w->plan->name, what, w->threads);
  CHECK_CASE("%s", name);
  w->first = first;
  w->size = 0;
  walk(w, &error); /* the file */
  failing_stop();
  if (!CHECK_EQ(error.status, WISP_OK)) printf("%s\n", error.message);
  failing_each(name, walk, w, w->threads > 1 ? 8 : 300);
}

/* ---- what is tried ---- */

static void test_beginnings(void) {
  for (int i = 0; i < 2; i++) {
    way w = open_way(&PLANS[i]);
    test_way(&w, "graph to pictures", GRAPH);
    close_way(&w);
  }
}

static void test_modes(void) {
  for (int i = 0; i < 2; i++) {
    way w = open_way(&PLANS[i]);
    test_way(&w, "integers", INTEGERS);
    w.settings.sparsity = 0.4f;
    w.settings.method = WISP_METHOD_L1;
    w.settings.allocation = WISP_ALLOCATE_UNIFORM;
    w.settings.block = 1;
    test_way(&w, "smallest weights zero", INTEGERS);
    close_way(&w);
  }
  way w = open_way(&PLANS[0]);
  w.settings.rounding = WISP_ROUND_NEAREST;
  w.settings.weight_bits = 5;
  test_way(&w, "nearest integers", INTEGERS);
  w.settings.weight_bits = 0;
  test_way(&w, "bits by layer", INTEGERS);
  w.plan = &PLANS[2];
  w.settings.sparsity = 0.4f;
  test_way(&w, "bits by layer, zeros", INTEGERS);
  w.plan = &PLANS[3];
  test_way(&w, "bits by layer, zeros", INTEGERS);
  w.plan = &PLANS[1];
  test_way(&w, "bits by layer, zeros", INTEGERS);
  close_way(&w);
}

/* A picture that could not be looked at changes nothing: the network keeps its integers. */
static void lose_picture(void *context, wisp_error *error) {
  const way *w = context;
  wisp_press *press;
  CHECK_EQ(wisp_press_open(&press), WISP_OK);
  build(w, wisp_press_graph(press), NULL);
  CHECK_EQ(wisp_press_fold(press, 1, NULL), WISP_OK);
  failing_start();
  const wisp_status status = wisp_press_observe(press, &w->pictures[0], error);
  failing_stop();
  if (status != WISP_OK) CHECK_EQ(wisp_press_quantise(press, &w->settings, NULL, NULL), WISP_OK);
  wisp_press_close(&press);
}

/* Networks that were trained with their integers, which no picture is shown to. */
static void test_trained(void) {
  way w = open_way(&PLANS[0]);
  w.trained = 1;
  test_way(&w, "trained", INTEGERS);
  failing_each("a picture that is lost", lose_picture, &w, 1000);
  close_way(&w);
}

static void test_channels(void) {
  for (int i = 0; i < 4; i++) {
    way w = open_way(&PLANS[i]);
    w.share = 0.4;
    test_way(&w, "fewer channels", CHANNELS);
    close_way(&w);
  }
}

static void test_threads(void) {
  way w = open_way(&PLANS[0]);
  w.threads = 3;
  w.settings.weight_bits = 0;
  w.settings.sparsity = 0.4f;
  test_way(&w, "all of it", FOLD);
  close_way(&w);
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  for (int i = 0; i < MOST_WEIGHTS; i++) numbers[i] = (float)random_real(-0.5, 0.5);
  test_beginnings();
  test_modes();
  test_trained();
  test_channels();
  test_threads();
  return check_end();
}
