/* test_memory_doors.c - the doors into wasm while memory runs out, walked through as JavaScript does: an error that
 * says so or an address of 0, and the same boxes once there is memory again.
 * SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "core/wisp.h"
#include "draw.h"
#include "failing.h"

enum { PIECE = 900, SIDE = 40, FRAMES = 2 };

/* ---- what runtime.c exports ---- */

void *runtime_expect(void);
uint8_t *runtime_model_buffer(size_t size);
int runtime_feed(size_t size);
int runtime_open(void);
uint8_t *runtime_class_filter(void);
uint8_t *runtime_frame_buffer(int i, int width, int height);
uint8_t *runtime_landing(size_t size);
int runtime_land(int i, int width, int height);
wisp_options *runtime_options(void);
int runtime_detect(int n);
const wisp_result *runtime_result(int i);
const void *runtime_layer_run(int layer);
const char *runtime_error_message(void);
void runtime_close(void);

/* What the doors take from JavaScript. */
double emscripten_get_now(void) { return 0; }

typedef struct page {
  uint8_t *bytes, *picture;
  size_t size;
  int count; /* of the boxes, with memory enough */
} page;

/* Memory comes back; what failed is told if it is the first. */
static void note(wisp_error *error, wisp_status status, const char *message) {
  failing_stop();
  if (error->status != WISP_OK) return;
  error->status = status;
  snprintf(error->message, sizeof error->message, "%s", message);
}

/* Whether a call went well, at once or with memory again. */
static int goes(int (*call)(int n), int n, wisp_error *error) {
  const int status = call(n);
  if (status >= 0) return 1;
  note(error, (wisp_status)status, runtime_error_message());
  return call(n) >= 0;
}

static int feed(int n) { return runtime_feed((size_t)n); }

static int open(int n) {
  (void)n;
  return runtime_open();
}

/* A room, at once or with memory again. */
static uint8_t *room(uint8_t *(*get)(int n), int n, wisp_error *error) {
  uint8_t *at = get(n);
  if (!at) note(error, WISP_ERR_MEMORY, "There is no memory: JavaScript says for what.");
  if (!at) at = get(n);
  CHECK(at != NULL);
  return at;
}

static uint8_t *get_piece(int n) { return runtime_model_buffer((size_t)n); }
static uint8_t *get_frame(int i) { return runtime_frame_buffer(i, SIDE, SIDE); }
static uint8_t *get_landing(int size) { return runtime_landing((size_t)size); }

/* Returns whether the detector is open; a model that broke stays so. */
static int load(const page *p, wisp_error *error) {
  for (size_t at = 0; at < p->size; at += PIECE) {
    const size_t left = p->size - at, n = left < PIECE ? left : PIECE;
    memcpy(room(get_piece, (int)n, error), p->bytes + at, n);
    if (!goes(feed, (int)n, error)) return 0;
  }
  return goes(open, 0, error);
}

static void detect(page *p, wisp_error *error) {
  memcpy(room(get_frame, 0, error), p->picture, SIDE * SIDE * 4);
  memcpy(room(get_landing, SIDE * SIDE * 4, error), p->picture, SIDE * SIDE * 4);
  if (!runtime_land(1, SIDE, SIDE)) {
    note(error, WISP_ERR_MEMORY, "There is no memory: JavaScript says for what.");
    CHECK(runtime_land(1, SIDE, SIDE));
  }
  runtime_options()->confidence = 0.001f;
  CHECK(goes(runtime_detect, FRAMES, error));
  if (p->count < 0) p->count = runtime_result(0)->count;
  for (int i = 0; i < FRAMES; i++) CHECK_EQ(runtime_result(i)->count, p->count);
  CHECK(runtime_class_filter() && runtime_layer_run(0));
}

static void walk(void *context, wisp_error *error) {
  page *p = context;
  failing_start();
  runtime_expect();
  if (load(p, error)) detect(p, error);
  runtime_close();
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  net n;
  page p = {.count = -1};
  wisp_error error = {WISP_OK, ""};
  draw_small_net(&n);
  p.bytes = net_write(&n, &p.size);
  net_free(&n);
  p.picture = draw_picture(SIDE, SIDE);
  walk(&p, &error); /* what there is to find */
  failing_stop();
  CHECK(error.status == WISP_OK && p.count > 0);
  failing_each("runtime", walk, &p, 1000);
  free(p.bytes);
  free(p.picture);
  return check_end();
}
