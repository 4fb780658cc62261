/* fuzz_model.c - any bytes as a model: feed them in two pieces, open the smallest detector, detect once.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Checksums and the file's size are set right first, so that what lies behind them is reached. */
#include "model.h"

#include <stdlib.h>
#include <string.h>

#include "writer.h"

enum { LARGEST_STRIDE = 64, MOST_BYTES = 16 << 20, MOST_MACS = 20000000 };

/* A detector that would take long is opened, not used. */
static void detect(const wisp_model *model) {
  static const uint8_t rgba[3 * 5 * 4] = {200, 100, 50, 255, 7, 9};
  const wisp_frame frame = {rgba, 3, 5, 12};
  wisp_options options = wisp_default_options();
  wisp_settings settings = wisp_default_settings();
  settings.height = settings.width = model->stride;
  wisp_detector *detector;
  wisp_error error = {WISP_OK, ""};
  if (wisp_open(&detector, model, &settings, &error) != WISP_OK) {
    if (!error.message[0]) abort();
    return;
  }
  wisp_detector_info info;
  wisp_describe(detector, &info);
  wisp_result result;
  options.confidence = 0;
  options.multi_label = 1;
  if (info.memory < MOST_BYTES && info.macs < MOST_MACS &&
      wisp_detect(detector, &frame, 1, &options, &result, &error) != WISP_OK)
    abort();
  wisp_close(&detector);
}

static void feed(wisp_model *model, const uint8_t *bytes, size_t size) {
  const size_t first = size / 3;
  wisp_error error = {WISP_OK, ""};
  wisp_status status = wisp_model_feed(model, bytes, first, &error);
  if (status == WISP_OK) status = wisp_model_feed(model, bytes + first, size - first, &error);
  if (status != WISP_OK && (error.status != status || !error.message[0])) abort();
  if (status == WISP_OK && model->stride <= LARGEST_STRIDE) detect(model);
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
