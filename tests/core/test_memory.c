/* test_memory.c - from bytes to boxes while memory and threads run out: an error that says so, or the same boxes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base.h"
#include "check.h"
#include "core/wisp.h"
#include "draw.h"
#include "failing.h"
#include "operation.h"

enum { PIECE = 700, SIDE = 40, FRAMES = 2, MOST = 64 /* boxes a frame */ };

/* Where memory may begin to run out. */
typedef enum stage { MODEL, DETECTOR, FRAME } stage;

/* One way from bytes to boxes. */
typedef struct way {
  uint8_t *bytes;
  size_t size;
  stage first;
  int in_steps; /* begins while the bytes arrive */
  int has_masks;
  wisp_settings settings;
  uint8_t *pictures[FRAMES];
  wisp_box expected[FRAMES][MOST]; /* what it finds with memory enough */
  int counts[FRAMES];
} way;

static void enter(const way *w, stage at) {
  if (w->first == at) failing_start();
}

/* Memory comes back, and whoever failed for want of it may be asked again. */
static int may_retry(wisp_status status) {
  failing_stop();
  return status == WISP_ERR_MEMORY;
}

static wisp_status open_whole(const way *w, const wisp_model *model, wisp_detector **detector,
                              wisp_error *error) {
  enter(w, DETECTOR);
  wisp_status status = wisp_open(detector, model, &w->settings, error);
  if (status == WISP_OK) return status;
  CHECK(!*detector);
  return may_retry(status) ? wisp_open(detector, model, &w->settings, NULL) : status;
}

/* Begins as soon as the header is there, and takes what has arrived. */
static wisp_status take_step(const way *w, wisp_model *model, wisp_detector **detector,
                             wisp_error *error) {
  wisp_model_info info;
  if (!*detector) {
    if (wisp_model_describe(model, &info) != WISP_OK) return WISP_OK;
    enter(w, DETECTOR);
    wisp_status status = wisp_begin(detector, model, &w->settings, error);
    if (status != WISP_OK) {
      CHECK(!*detector);
      if (may_retry(status)) status = wisp_begin(detector, model, &w->settings, NULL);
      if (status != WISP_OK) return status;
    }
  }
  wisp_error why;
  const wisp_status status = wisp_advance(*detector, &why);
  if (status == WISP_OK || status == WISP_ERR_TRUNCATED) return WISP_OK;
  *error = why;
  failing_stop();
  CHECK_EQ(wisp_advance(*detector, NULL), status); /* of no use any more */
  return status;
}

/* Feeds the file and opens a detector. */
static wisp_status load(const way *w, wisp_model *model, wisp_detector **detector,
                        wisp_error *error) {
  wisp_status status = WISP_OK;
  for (size_t at = 0; at < w->size && status == WISP_OK; at += PIECE) {
    const size_t left = w->size - at, piece = left < PIECE ? left : PIECE;
    status = wisp_model_feed(model, w->bytes + at, piece, error);
    if (status != WISP_OK) {
      failing_stop();
      CHECK_EQ(wisp_model_feed(model, w->bytes + at, piece, NULL), status); /* it stays broken */
    } else if (w->in_steps) {
      status = take_step(w, model, detector, error);
    }
  }
  return status == WISP_OK && !w->in_steps ? open_whole(w, model, detector, error) : status;
}

/* `n` frames; asked again if memory was missing. */
static void detect(way *w, wisp_detector *detector, int n, wisp_error *error) {
  wisp_options options = wisp_default_options();
  options.confidence = 0.001f;
  options.max_detections = MOST;
  options.tiles = WISP_TILES_GRID;
  options.tile_columns = 2;
  if (w->has_masks) options.masks = WISP_MASKS_BY_COLUMN;
  wisp_frame frames[FRAMES];
  wisp_result results[FRAMES];
  for (int i = 0; i < n; i++) frames[i] = (wisp_frame){w->pictures[i], SIDE, SIDE, SIDE * 4};
  wisp_status status = wisp_detect(detector, frames, n, &options, results, error);
  if (status != WISP_OK && may_retry(status))
    status = wisp_detect(detector, frames, n, &options, results, NULL);
  if (!CHECK_EQ(status, WISP_OK)) return;
  wisp_detector_info info;
  wisp_describe(detector, &info);
  CHECK(info.threads >= 1 && info.threads <= w->settings.threads);
  for (int i = 0; i < n; i++) {
    const size_t size = (size_t)results[i].count * sizeof *results[i].boxes;
    if (w->counts[i] < 0) {
      w->counts[i] = results[i].count;
      memcpy(w->expected[i], results[i].boxes, size);
    }
    if (CHECK_EQ(results[i].count, w->counts[i]))
      CHECK_SAME(results[i].boxes, w->expected[i], size);
  }
}

static void walk(void *context, wisp_error *error) {
  way *w = context;
  wisp_model *model;
  wisp_detector *detector = NULL;
  enter(w, MODEL);
  const wisp_status status = wisp_model_open(&model);
  if (status != WISP_OK) {
    *error = (wisp_error){status, "There is no memory: a function without a sentence."};
    CHECK(!model);
    return;
  }
  if (load(w, model, &detector, error) == WISP_OK) {
    enter(w, FRAME);
    detect(w, detector, 1, error);
    detect(w, detector, FRAMES, error);
  }
  wisp_close(&detector);
  wisp_model_close(&model);
}

static void test_way(way *w, int threads, stage first, int in_steps) {
  static const char *const stages[] = {"model", "detector", "frame"};
  char name[80];
  snprintf(name, sizeof name, "%d threads, from the %s on, %s", threads, stages[first],
           in_steps ? "in steps" : "at once");
  w->settings = wisp_default_settings();
  w->settings.threads = threads;
  w->settings.warm_up = in_steps;
  w->first = first;
  w->in_steps = in_steps;
  failing_each(name, walk, w, threads > 1 ? 8 : 1000);
}

static void test_net(const net *n) {
  way w = {.settings = wisp_default_settings(), .has_masks = n->head[0].masks > 0};
  wisp_error error = {WISP_OK, ""};
  w.bytes = net_write(n, &w.size);
  for (int i = 0; i < FRAMES; i++) {
    w.pictures[i] = draw_picture(SIDE, SIDE);
    w.counts[i] = -1;
  }
  walk(&w, &error); /* what there is to find */
  CHECK_EQ(error.status, WISP_OK);
  for (int in_steps = 0; in_steps < 2; in_steps++) {
    test_way(&w, 1, MODEL, in_steps);
    test_way(&w, 3, DETECTOR, in_steps);
    test_way(&w, 3, FRAME, in_steps);
  }
  for (int i = 0; i < FRAMES; i++) free(w.pictures[i]);
  free(w.bytes);
}

static int has(const net *n, int operation) {
  int found = 0;
  for (int i = 0; i < n->layers; i++) found |= n->layer[i].operation == operation;
  return found;
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  net n;
  draw_small_net(&n);
  test_net(&n);
  net_free(&n);
  for (draw_net(&n); !has(&n, WISP_OP_DEPTHWISE); draw_net(&n)) net_free(&n);
  test_net(&n);
  net_free(&n);
  for (draw_net(&n); !has(&n, WISP_OP_SCALE) || !n.head[0].masks; draw_net(&n)) net_free(&n);
  test_net(&n);
  net_free(&n);
  return check_end();
}
