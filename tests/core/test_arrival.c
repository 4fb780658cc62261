/* test_arrival.c - a detector that begins before its model is there: the same boxes, whatever pieces the bytes come in,
 * the weights given up layer by layer, no box before the last of them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "core/wisp.h"
#include "draw.h"
#include "network.h"

enum { NETWORKS = 12, WIDTH = 41, HEIGHT = 37 };

typedef struct file {
  uint8_t *bytes;
  size_t size;
  int height, width; /* of the input */
} file;

typedef struct boxes {
  wisp_box *box;
  int count;
} boxes;

static file draw_file(void) {
  net n;
  file f;
  draw_net(&n);
  f.bytes = net_write(&n, &f.size);
  f.height = n.height;
  f.width = n.width;
  net_free(&n);
  return f;
}

static wisp_settings settings_of(const file *f) {
  wisp_settings s = wisp_default_settings();
  s.height = f->height;
  s.width = f->width;
  return s;
}

static wisp_status detect(wisp_detector *d, const uint8_t *rgba, boxes *found, wisp_error *error) {
  const wisp_frame frame = {rgba, WIDTH, HEIGHT, WIDTH * 4};
  wisp_options options = wisp_default_options();
  options.confidence = 0.001f;
  options.multi_label = 1;
  wisp_result result;
  const wisp_status status = wisp_detect(d, &frame, 1, &options, &result, error);
  if (status != WISP_OK) return status;
  const size_t size = (size_t)result.count * sizeof *found->box;
  *found = (boxes){check_allocate(size + 1), result.count};
  if (size > 0) memcpy(found->box, result.boxes, size);
  return WISP_OK;
}

static boxes detect_whole(const file *f, const uint8_t *rgba) {
  const wisp_settings settings = settings_of(f);
  wisp_model *model;
  wisp_detector *detector;
  boxes found = {0};
  CHECK_EQ(wisp_model_open(&model), WISP_OK);
  CHECK_EQ(wisp_model_feed(model, f->bytes, f->size, NULL), WISP_OK);
  CHECK_EQ(wisp_open(&detector, model, &settings, NULL), WISP_OK);
  CHECK_EQ(detect(detector, rgba, &found, NULL), WISP_OK);
  wisp_close(&detector);
  wisp_model_close(&model);
  return found;
}

/* No layer that the detector has taken keeps its weights. */
static void check_given(const wisp_model *model) {
  for (int i = 0; i < model->next_layer; i++) CHECK(!model->layer[i].payload);
}

/* Begins as soon as that is possible. */
static void advance(wisp_detector **d, wisp_model *model, const wisp_settings *s, int is_last) {
  wisp_error error = {WISP_OK, ""};
  wisp_model_info info;
  if (!*d) {
    const int can = wisp_model_describe(model, &info) == WISP_OK;
    CHECK_EQ(wisp_begin(d, model, s, &error), can ? WISP_OK : WISP_ERR_TRUNCATED);
    if (!can) CHECK(error.message[0] && !*d);
  }
  if (!*d) return;
  CHECK_EQ(wisp_advance(*d, &error), is_last ? WISP_OK : WISP_ERR_TRUNCATED);
  check_given(model);
}

static void check_not_ready(wisp_detector *d, const uint8_t *rgba) {
  boxes none = {0};
  wisp_error error = {WISP_OK, ""};
  CHECK_EQ(detect(d, rgba, &none, &error), WISP_ERR_TRUNCATED);
  CHECK(error.message[0] && !none.box);
}

static void test_pieces(const file *f, const uint8_t *rgba, const boxes *expected, int largest) {
  wisp_settings settings = settings_of(f);
  settings.warm_up = random_chance(0.5);
  settings.threads = random_int(1, 3);
  wisp_model *model;
  wisp_detector *detector = NULL, *other;
  CHECK_EQ(wisp_model_open(&model), WISP_OK);
  for (size_t at = 0; at < f->size;) {
    size_t n = (size_t)random_int(1, largest);
    if (n > f->size - at) n = f->size - at;
    CHECK_EQ(wisp_model_feed(model, f->bytes + at, n, NULL), WISP_OK);
    at += n;
    advance(&detector, model, &settings, at == f->size);
    if (detector && at < f->size && random_chance(0.1)) check_not_ready(detector, rgba);
  }
  boxes found = {0};
  if (detector && CHECK_EQ(detect(detector, rgba, &found, NULL), WISP_OK) &&
      CHECK_EQ(found.count, expected->count))
    CHECK_SAME(found.box, expected->box, (size_t)found.count * sizeof *found.box);
  free(found.box);
  CHECK_EQ(wisp_open(&other, model, &settings, NULL), WISP_ERR_ARGUMENT); /* the weights are gone */
  wisp_close(&detector);
  wisp_model_close(&model);
}

/* What is wrong shows before the weights arrive. */
static void test_bad_size(const file *f) {
  wisp_settings settings = settings_of(f);
  settings.width = f->width + 1;
  wisp_model *model;
  wisp_detector *detector;
  wisp_error error = {WISP_OK, ""};
  CHECK_EQ(wisp_model_open(&model), WISP_OK);
  CHECK_EQ(wisp_model_feed(model, f->bytes, net_header_end(f->bytes), NULL), WISP_OK);
  CHECK_EQ(wisp_begin(&detector, model, &settings, &error), WISP_ERR_ARGUMENT);
  CHECK(!detector && error.message[0]);
  wisp_model_close(&model);
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  for (int i = 0; i < NETWORKS; i++) {
    CHECK_CASE("network %d", i);
    file f = draw_file();
    uint8_t *rgba = draw_picture(WIDTH, HEIGHT);
    boxes expected = detect_whole(&f, rgba);
    test_pieces(&f, rgba, &expected, 5);
    test_pieces(&f, rgba, &expected, 700);
    test_pieces(&f, rgba, &expected, 1 << 20);
    test_bad_size(&f);
    free(expected.box);
    free(rgba);
    free(f.bytes);
  }
  return check_end();
}
