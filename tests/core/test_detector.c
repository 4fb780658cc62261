/* test_detector.c - wisp.h as its callers use it: arguments, batches, filters, times, closing.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "check.h"
#include "core/wisp.h"
#include "core/wisp_testing.h"
#include "draw.h"

enum { FRAMES = 6, CLASSES = 2 };

static wisp_model *open_model(void) {
  net n;
  size_t size;
  draw_small_net(&n);
  uint8_t *bytes = net_write(&n, &size);
  net_free(&n);
  wisp_model *model;
  CHECK_EQ(wisp_model_open(&model), WISP_OK);
  CHECK_EQ(wisp_model_feed(model, bytes, size, NULL), WISP_OK);
  free(bytes);
  return model;
}

/* ---- arguments ---- */

static int is_sentence(const wisp_error *error, wisp_status status) {
  return error->status == status && strlen(error->message) > 10;
}

static wisp_status try_open(const wisp_model *model, int height, int width, int threads,
                            int signed_bytes) {
  const wisp_forced forced = {WISP_KERNELS_BEST, signed_bytes};
  const wisp_settings s = {.height = height, .width = width, .threads = threads, .forced = &forced};
  wisp_detector *detector;
  wisp_error error = {WISP_OK, ""};
  const wisp_status status = wisp_open(&detector, model, &s, &error);
  if (status != WISP_OK) CHECK(is_sentence(&error, status));
  CHECK_EQ(detector != NULL, status == WISP_OK);
  wisp_close(&detector);
  CHECK_EQ(wisp_open(&detector, model, &s, NULL), status);
  wisp_close(&detector);
  wisp_close(&detector);
  return status;
}

static void test_settings(const wisp_model *model) {
  CHECK_CASE("settings");
  CHECK_EQ(try_open(model, 0, 0, 0, -1), WISP_OK);
  CHECK_EQ(try_open(model, 64, 0, 2, -1), WISP_OK);
  CHECK_EQ(try_open(model, 33, 32, 1, -1), WISP_ERR_ARGUMENT);
  CHECK_EQ(try_open(model, -32, 32, 1, -1), WISP_ERR_ARGUMENT);
  CHECK_EQ(try_open(model, 32, 8192, 1, -1), WISP_ERR_LIMIT);
  CHECK_EQ(try_open(model, 0, 0, -1, -1), WISP_ERR_ARGUMENT);
  CHECK_EQ(try_open(model, 0, 0, 65, -1), WISP_ERR_ARGUMENT);
  CHECK_EQ(try_open(model, 0, 0, 1, 2), WISP_ERR_ARGUMENT);
  CHECK_EQ(try_open(model, 0, 0, 1, -2), WISP_ERR_ARGUMENT);
}

static wisp_status try_detect(wisp_detector *d, wisp_frame frame, wisp_options options) {
  wisp_error error = {WISP_OK, ""};
  wisp_result result;
  const wisp_status status = wisp_detect(d, &frame, 1, &options, &result, &error);
  if (status != WISP_OK) CHECK(is_sentence(&error, status));
  CHECK_EQ(wisp_detect(d, &frame, 1, &options, &result, NULL), status);
  return status;
}

static void test_options(wisp_detector *d) {
  const uint8_t pixels[64] = {0};
  const wisp_frame good = {pixels, 4, 4, 16};
  const wisp_options o = wisp_default_options();
  CHECK_CASE("options");
  CHECK_EQ(try_detect(d, good, o), WISP_OK);
  CHECK_EQ(try_detect(d, (wisp_frame){NULL, 4, 4, 16}, o), WISP_ERR_ARGUMENT);
  CHECK_EQ(try_detect(d, (wisp_frame){pixels, 0, 4, 16}, o), WISP_ERR_ARGUMENT);
  CHECK_EQ(try_detect(d, (wisp_frame){pixels, 4, 32769, 16}, o), WISP_ERR_ARGUMENT);
  CHECK_EQ(try_detect(d, (wisp_frame){pixels, 4, 4, 15}, o), WISP_ERR_ARGUMENT);
  CHECK_EQ(try_detect(d, good, (wisp_options){.confidence = 1.5f, .max_detections = 1}),
           WISP_ERR_ARGUMENT);
  CHECK_EQ(try_detect(d, good, (wisp_options){.confidence = NAN, .max_detections = 1}),
           WISP_ERR_ARGUMENT);
  CHECK_EQ(try_detect(d, good, (wisp_options){.iou = -1, .max_detections = 1}), WISP_ERR_ARGUMENT);
  CHECK_EQ(try_detect(d, good, (wisp_options){.iou = 1.5f, .max_detections = 1}),
           WISP_ERR_ARGUMENT);
  CHECK_EQ(try_detect(d, good, (wisp_options){.max_detections = 0}), WISP_ERR_ARGUMENT);
  CHECK_EQ(try_detect(d, good, (wisp_options){.max_detections = 30001}), WISP_ERR_ARGUMENT);
  wisp_result result;
  CHECK_EQ(wisp_detect(d, &good, 0, &o, &result, NULL), WISP_OK);
  CHECK_EQ(wisp_detect(d, &good, -1, &o, &result, NULL), WISP_ERR_ARGUMENT);
}

/* ---- detections ---- */

static wisp_options many(void) {
  wisp_options o = wisp_default_options();
  o.confidence = 0.001f;
  o.multi_label = 1;
  return o;
}

/* A batch gives what each frame gives alone, whatever batch came before. */
static void test_batches(wisp_detector *d) {
  const wisp_options o = many();
  wisp_frame frames[FRAMES];
  wisp_result batch[FRAMES], alone;
  for (int i = 0; i < FRAMES; i++) {
    const int width = random_int(1, 100), height = random_int(1, 100);
    frames[i] = (wisp_frame){draw_picture(width, height), width, height, (size_t)width * 4};
  }
  wisp_box *boxes = check_allocate((size_t)o.max_detections * sizeof *boxes);
  for (int i = 0; i < FRAMES; i++) {
    CHECK_CASE("frame %d of a batch", i);
    CHECK_EQ(wisp_detect(d, &frames[i], 1, &o, &alone, NULL), WISP_OK);
    CHECK(alone.count > 0);
    memcpy(boxes, alone.boxes, (size_t)alone.count * sizeof *boxes);
    const int count = alone.count;
    CHECK_EQ(wisp_detect(d, frames, FRAMES, &o, batch, NULL), WISP_OK);
    if (CHECK_EQ(batch[i].count, count))
      CHECK_SAME(batch[i].boxes, boxes, (size_t)count * sizeof *boxes);
  }
  free(boxes);
  for (int i = 0; i < FRAMES; i++) free((void *)(uintptr_t)frames[i].rgba);
}

/* What wisp.h promises of a detect that fails: the boxes of the one before stay. */
static void test_refusal(wisp_detector *d, const wisp_frame *frame) {
  const wisp_options o = many(), wrong = {.max_detections = 0};
  wisp_result kept, other;
  CHECK_CASE("a detect that fails");
  CHECK_EQ(wisp_detect(d, frame, 1, &o, &kept, NULL), WISP_OK);
  CHECK(kept.count > 0);
  const size_t size = (size_t)kept.count * sizeof *kept.boxes;
  wisp_box *boxes = check_allocate(size);
  memcpy(boxes, kept.boxes, size);
  const wisp_frame frames[2] = {*frame, {NULL, 4, 4, 16}};
  CHECK_EQ(wisp_detect(d, frame, 1, &wrong, &other, NULL), WISP_ERR_ARGUMENT);
  CHECK_EQ(wisp_detect(d, frames, 2, &o, &other, NULL), WISP_ERR_ARGUMENT);
  CHECK_SAME(kept.boxes, boxes, size);
  free(boxes);
}

static void test_filters(wisp_detector *d, const wisp_frame *frame) {
  wisp_options o = many();
  wisp_result r;
  int counts[CLASSES + 1];
  CHECK_CASE("classes and counts");
  for (int label = 0; label <= CLASSES; label++) { /* last: all of them */
    uint8_t wanted[CLASSES];
    for (int k = 0; k < CLASSES; k++) wanted[k] = label == k || label == CLASSES;
    o.classes = wanted;
    CHECK_EQ(wisp_detect(d, frame, 1, &o, &r, NULL), WISP_OK);
    counts[label] = r.count;
    for (int i = 0; i < r.count; i++)
      CHECK(wanted[r.boxes[i].label] && r.boxes[i].score > o.confidence);
    for (int i = 1; i < r.count; i++) CHECK(r.boxes[i].score <= r.boxes[i - 1].score);
  }
  CHECK(counts[0] > 0 && counts[1] > 0);
  CHECK_EQ(counts[CLASSES], counts[0] + counts[1]);
  o.classes = NULL;
  o.max_detections = 3;
  CHECK_EQ(wisp_detect(d, frame, 1, &o, &r, NULL), WISP_OK);
  CHECK_EQ(r.count, 3);
  o.confidence = 1;
  CHECK_EQ(wisp_detect(d, frame, 1, &o, &r, NULL), WISP_OK);
  CHECK_EQ(r.count, 0);
}

/* A clock that every look at moves on by a millisecond. */
static double tick(void) {
  static double now;
  return now += 1;
}

static void test_times(const wisp_model *model, const wisp_frame *frame) {
  wisp_settings s = wisp_default_settings();
  s.clock = tick;
  const wisp_options o = many();
  wisp_detector *d;
  wisp_result r;
  wisp_model_info info;
  wisp_layer_run run;
  double sum = 0;
  CHECK_CASE("times");
  CHECK_EQ(wisp_open(&d, model, &s, NULL), WISP_OK);
  CHECK_EQ(wisp_detect(d, frame, 1, &o, &r, NULL), WISP_OK);
  CHECK_EQ(wisp_model_describe(model, &info), WISP_OK);
  for (int i = 0; i < info.layers; i++) {
    wisp_describe_layer(d, i, &run);
    CHECK(run.ms >= 1);
    sum += run.ms;
  }
  CHECK(r.prep_ms == 1 && r.post_ms == 1);
  CHECK(r.run_ms == sum + 2); /* from before the first step to after the last */
  wisp_close(&d);
}

/* ---- descriptions ---- */

static void test_descriptions(const wisp_model *model, const wisp_detector *d) {
  wisp_model_info info;
  wisp_layer_info layer;
  wisp_layer_run run;
  wisp_detector_info opened;
  CHECK_CASE("descriptions");
  CHECK_EQ(wisp_model_describe(model, &info), WISP_OK);
  CHECK(info.input_height == 32 && info.input_width == 32 && info.stride == 32);
  CHECK(info.classes == CLASSES && info.layers == 7 && info.heads == 1);
  CHECK(strcmp(info.provenance, "{\"source\":\"a test\"}") == 0);
  CHECK(strcmp(wisp_model_class(model, 1), "class 1") == 0);
  CHECK(!wisp_model_class(model, -1) && !wisp_model_class(model, CLASSES));
  CHECK_EQ(wisp_model_layer(model, -1, &layer), WISP_ERR_ARGUMENT);
  CHECK_EQ(wisp_model_layer(model, 7, &layer), WISP_ERR_ARGUMENT);
  CHECK_EQ(wisp_model_layer(model, 5, &layer), WISP_OK); /* reads two tensors of 8 channels */
  CHECK(strcmp(layer.operation, "conv") == 0 && strcmp(layer.activation, "none") == 0);
  CHECK(layer.channels_in == 16 && layer.channels_out == 8 && layer.blocks == 8 * 4 &&
        layer.blocks_present <= layer.blocks);
  CHECK_EQ(wisp_model_layer(model, 2, &layer), WISP_OK);
  CHECK(strcmp(layer.operation, "maxpool") == 0 && layer.kernel_height == 5 && layer.blocks == 0 &&
        layer.bytes == 0);
  wisp_describe(d, &opened);
  CHECK(opened.height == 32 && opened.width == 32 && opened.threads == 1 && opened.memory > 0 &&
        opened.macs > 0);
  wisp_describe_layer(d, 3, &run); /* behind three strides of 2 */
  CHECK(run.height == 4 && run.width == 4 && run.ms == 0);
  for (int i = 0; i < info.layers; i++) {
    CHECK_EQ(wisp_model_layer(model, i, &layer), WISP_OK);
    CHECK_EQ(layer.is_head, i == 6);
  }
  CHECK(strcmp(wisp_status_name(WISP_ERR_CHECKSUM), "WISP_ERR_CHECKSUM") == 0);
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  CHECK(strcmp(wisp_version(), WISP_VERSION) == 0);
  wisp_model *model = open_model();
  const wisp_settings s = wisp_default_settings();
  uint8_t *rgba = draw_picture(50, 40);
  const wisp_frame frame = {rgba, 50, 40, 200};
  wisp_detector *d;
  test_settings(model);
  CHECK_EQ(wisp_open(&d, model, &s, NULL), WISP_OK);
  test_options(d);
  test_batches(d);
  test_refusal(d, &frame);
  test_filters(d, &frame);
  test_times(model, &frame);
  test_descriptions(model, d);
  wisp_close(&d);
  wisp_model_close(&model);
  wisp_model_close(&model);
  free(rgba);
  return check_end();
}
