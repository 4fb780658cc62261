/* fuzz_model.c - any bytes as a model: feed them in two pieces, open the smallest detector, now and then before the
 * second piece, detect once.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Checksums and the file's size are set right first, so that what lies behind them is reached. */
#include "network.h"

#include <stdlib.h>
#include <string.h>

#include "writer.h"

enum { LARGEST_STRIDE = 64, MOST_BYTES = 16 << 20, MOST_MACS = 20000000 };

/* A detector that would take long is opened, not used. */
static void detect(wisp_detector *detector) {
  static const uint8_t rgba[3 * 5 * 4] = {200, 100, 50, 255, 7, 9};
  const wisp_frame frame = {rgba, 3, 5, 12};
  wisp_options options = wisp_default_options();
  wisp_error error = {WISP_OK, ""};
  wisp_detector_info info;
  wisp_describe(detector, &info);
  wisp_result result;
  options.confidence = 0;
  options.multi_label = 1;
  if (info.memory < MOST_BYTES && info.macs < MOST_MACS &&
      wisp_detect(detector, &frame, 1, &options, &result, &error) != WISP_OK)
    abort();
}

static wisp_settings least_size(const wisp_model *model) {
  wisp_settings settings = wisp_default_settings();
  settings.height = settings.width = model->stride;
  return settings;
}

static void require_sentence(wisp_status status, const wisp_error *error) {
  if (status != WISP_OK && (error->status != status || !error->message[0])) abort();
}

static void open_whole(const wisp_model *model) {
  if (model->stride > LARGEST_STRIDE) return;
  const wisp_settings settings = least_size(model);
  wisp_detector *detector;
  wisp_error error = {WISP_OK, ""};
  const wisp_status status = wisp_open(&detector, model, &settings, &error);
  require_sentence(status, &error);
  if (status == WISP_OK) detect(detector);
  wisp_close(&detector);
}

/* The detector begins with what the first piece brought; NULL if it can't. */
static wisp_detector *begin(wisp_model *model) {
  wisp_model_info info;
  if (wisp_model_describe(model, &info) != WISP_OK || info.stride > LARGEST_STRIDE) return NULL;
  const wisp_settings settings = least_size(model);
  wisp_detector *detector;
  wisp_error error = {WISP_OK, ""};
  const wisp_status status = wisp_begin(&detector, model, &settings, &error);
  require_sentence(status, &error);
  return detector;
}

static void feed(wisp_model *model, const uint8_t *bytes, size_t size) {
  const size_t first = size - size / 3;
  wisp_error error = {WISP_OK, ""};
  wisp_status status = wisp_model_feed(model, bytes, first, &error);
  wisp_detector *detector = status == WISP_OK && size % 2 ? begin(model) : NULL;
  if (detector && wisp_advance(detector, &error) == WISP_OK) detect(detector);
  if (status == WISP_OK) status = wisp_model_feed(model, bytes + first, size - first, &error);
  require_sentence(status, &error);
  if (status == WISP_OK && detector && wisp_advance(detector, &error) == WISP_OK) detect(detector);
  else if (status == WISP_OK && !detector) open_whole(model);
  wisp_close(&detector);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  uint8_t *bytes = malloc(size + 1);
  wisp_model *model;
  if (!bytes || wisp_model_open(&model) != WISP_OK) return -1;
  if (size > 0) memcpy(bytes, data, size);
  for (int i = 0; i < 4 && size >= 20; i++) bytes[16 + i] = (uint8_t)(size >> 8 * i);
  net_repair(bytes, size);
  feed(model, bytes, size);
  wisp_model_close(&model);
  free(bytes);
  return 0;
}
