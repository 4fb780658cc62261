/* opened.c - drawn networks as models, and detectors of them.
 * SPDX-License-Identifier: Apache-2.0 */

#include "opened.h"

#include <stdlib.h>

#include "check.h"
#include "draw.h"

wisp_model *draw_model(int with_masks) {
  net n;
  size_t size;
  wisp_model *model;
  for (draw_net(&n); (n.head[0].masks > 0) != with_masks; draw_net(&n)) net_free(&n);
  uint8_t *bytes = net_write(&n, &size);
  CHECK_EQ(wisp_model_open(&model), WISP_OK);
  CHECK_EQ(wisp_model_feed(model, bytes, size, NULL), WISP_OK);
  free(bytes);
  net_free(&n);
  return model;
}

wisp_detector *open_forced(const wisp_model *model, int threads, wisp_kernel_set kernels) {
  const wisp_forced forced = {kernels, -1};
  wisp_settings s = wisp_default_settings();
  s.threads = threads;
  s.forced = &forced;
  wisp_detector *detector = NULL;
  wisp_open(&detector, model, &s, NULL);
  return detector;
}
