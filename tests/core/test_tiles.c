/* test_tiles.c - tiles of a frame: where they lie, and whose box counts where several views have one.
 * SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "core/src/network.h"
#include "core/wisp.h"
#include "draw.h"
#include "stages.h"

enum { SIDE = 96, MOST_BOXES = 4000 };

static wisp_options grid(int columns, int rows, float overlap) {
  wisp_options o = wisp_default_options();
  o.tiles = WISP_TILES_GRID;
  o.tile_columns = columns;
  o.tile_rows = rows;
  o.tile_overlap = overlap;
  return o;
}

static wisp_frame frame_of(int width, int height) { return (wisp_frame){NULL, width, height, 0}; }

/* ---- where tiles lie ---- */

/* They cover each side from its first pixel to its last, and neighbours share what was asked for, to a pixel or two. */
static void test_cover(int size, int count, float overlap) {
  const wisp_frame frame = frame_of(size, size / 2 + 1);
  const wisp_options o = grid(count, 2, overlap);
  const wisp_tiles tiles = wisp_tile(&frame, &o, SIDE, SIDE);
  CHECK_CASE("%d pixels, %d tiles, overlap %g", size, count, (double)overlap);
  CHECK_EQ(tiles.columns, count);
  CHECK(tiles.width >= 1 && tiles.width <= size);
  CHECK_EQ(wisp_tile_at(&tiles, &frame, 0).x, 0);
  CHECK_EQ(wisp_tile_at(&tiles, &frame, 2 * count - 1).x + tiles.width, size);
  CHECK_EQ(wisp_tile_at(&tiles, &frame, 2 * count - 1).y + tiles.height, frame.height);
  for (int i = 1; i < count; i++) {
    const wisp_corner before = wisp_tile_at(&tiles, &frame, i - 1),
                      at = wisp_tile_at(&tiles, &frame, count + i);
    CHECK_EQ(before.y, 0);
    const double shared = before.x + tiles.width - at.x;
    CHECK(shared >= overlap * tiles.width - 1 && shared <= overlap * tiles.width + 3);
  }
}

/* Frames of phones, scanners and cameras in an input of 640, and a banner: columns and rows. */
static void test_auto(void) {
  static const int cases[][4] = {{1280, 1280, 0, 0}, {640, 480, 0, 0},   {1281, 720, 2, 1},
                                 {1920, 1080, 2, 1}, {1080, 1920, 1, 2}, {4032, 3024, 3, 3},
                                 {2480, 3508, 2, 3}, {6000, 40, 4, 1},   {32768, 32768, 9, 9}};
  wisp_options o = wisp_default_options();
  o.tiles = WISP_TILES_AUTO;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const wisp_frame frame = frame_of(cases[i][0], cases[i][1]);
    const wisp_tiles tiles = wisp_tile(&frame, &o, 640, 640);
    CHECK_CASE("%d x %d", cases[i][0], cases[i][1]);
    CHECK_EQ(tiles.columns, cases[i][2]);
    CHECK_EQ(tiles.rows, cases[i][3]);
  }
  o.tiles = WISP_TILES_NONE;
  const wisp_frame large = frame_of(4000, 4000);
  CHECK_EQ(wisp_tile(&large, &o, 640, 640).columns, 0);
  o = grid(1, 1, 0.2f);
  CHECK_EQ(wisp_tile(&large, &o, 640, 640).columns, 0);
}

/* ---- whose box counts ---- */

/* Two tiles of a frame of 180 x 100: x from 0 to 100 and from 80 to 180. */
static int merge(const wisp_seen *given, int n, int agnostic, wisp_box *boxes) {
  const wisp_frame frame = frame_of(180, 100);
  wisp_options o = grid(2, 1, 0.2f);
  o.class_agnostic = agnostic;
  const wisp_tiles tiles = wisp_tile(&frame, &o, SIDE, SIDE);
  wisp_seen seen[8];
  CHECK_EQ(tiles.width, 100);
  memcpy(seen, given, (size_t)n * sizeof *seen);
  return wisp_merge(seen, n, &tiles, &frame, &o, boxes);
}

static void test_rules(void) {
  wisp_box boxes[8];
  CHECK_CASE("cut on the left, whole on the right");
  const wisp_seen pair[] = {{{85, 10, 100, 40, 0.9f, 1, 0}, 0}, {{84, 10, 130, 40, 0.5f, 1, 0}, 1}};
  CHECK_EQ(merge(pair, 2, 0, boxes), 1);
  CHECK(boxes[0].x2 == 130);

  CHECK_CASE("cut on the left, where the right tile shows nothing");
  CHECK_EQ(merge(pair, 1, 0, boxes), 0);

  CHECK_CASE("cut, and no tile shows its place whole");
  const wisp_seen alone[] = {{{20, 10, 100, 40, 0.9f, 1, 0}, 0}};
  CHECK_EQ(merge(alone, 1, 0, boxes), 1);

  CHECK_CASE("cut by both tiles, whole in the frame");
  const wisp_seen both[] = {{{20, 10, 100, 40, 0.9f, 1, 0}, 0},
                            {{80, 10, 150, 40, 0.8f, 1, 0}, 1},
                            {{21, 9, 149, 41, 0.3f, 1, 0}, -1}};
  CHECK_EQ(merge(both, 3, 0, boxes), 1);
  CHECK(boxes[0].x1 == 21);

  CHECK_CASE("of another class, that is no fuller version");
  wisp_seen other[3];
  memcpy(other, both, sizeof other);
  other[2].box.label = 2;
  CHECK_EQ(merge(other, 3, 0, boxes), 3);
  CHECK_EQ(merge(other, 3, 1, boxes), 1); /* unless classes don't count */

  CHECK_CASE("of the frame, where a tile shows nearly all of it and finds nothing, or a part");
  const wisp_seen large[] = {{{0, 5, 102, 95, 0.9f, 1, 0}, -1}, {{50, 5, 100, 90, 0.4f, 1, 0}, 0}};
  CHECK_EQ(merge(large, 1, 0, boxes), 0);
  CHECK_EQ(merge(large, 2, 0, boxes), 1);
  CHECK(boxes[0].x2 == 102);

  CHECK_CASE(
      "small, in the frame and in a tile; small, in the frame alone; at the frame's own edge");
  const wisp_seen small[] = {{{30, 10, 40, 20, 0.9f, 1, 0}, -1},
                             {{31, 10, 40, 20, 0.4f, 2, 0}, 0},
                             {{140, 60, 150, 70, 0.9f, 1, 0}, -1},
                             {{0, 0, 20, 30, 0.6f, 1, 0}, 0}};
  CHECK_EQ(merge(small, 4, 0, boxes), 2);
  CHECK(boxes[0].label == 2 && boxes[1].score == 0.6f);
}

static void test_gather(void) {
  wisp_seen *seen = check_allocate(WISP_MAX_SEEN * sizeof *seen);
  wisp_box *boxes = check_allocate(WISP_MAX_CANDIDATES * sizeof *boxes);
  for (int i = 0; i < WISP_MAX_CANDIDATES; i++)
    boxes[i] = (wisp_box){1, 2, 3, 4, (float)(i + 1) / (WISP_MAX_CANDIDATES + 1), 0, 0};
  int n = 0;
  for (int tile = -1; tile < 2; tile++)
    n = wisp_gather(seen, n, boxes, WISP_MAX_CANDIDATES, tile, (wisp_corner){10, 20});
  CHECK_CASE("more boxes than are kept");
  CHECK_EQ(n, WISP_MAX_CANDIDATES);
  CHECK(seen[0].box.x1 == 11 && seen[0].box.y2 == 24);
  float least = 1;
  for (int i = 0; i < n; i++) least = fminf(least, seen[i].box.score);
  CHECK(least > 0.66f);
  free(boxes);
  free(seen);
}

/* ---- the whole way ---- */

/* What a detector finds in a frame and in copies of its tiles one by one, merged. */
static int expected_boxes(wisp_detector *detector, const wisp_frame *frame, const wisp_options *o,
                          wisp_seen *seen, wisp_box *boxes) {
  wisp_options alone = *o;
  wisp_detector_info info;
  wisp_result r;
  alone.tiles = WISP_TILES_NONE;
  wisp_describe(detector, &info);
  const wisp_tiles tiles = wisp_tile(frame, o, info.height, info.width);
  CHECK_EQ(wisp_detect(detector, frame, 1, &alone, &r, NULL), WISP_OK);
  int n = wisp_gather(seen, 0, r.boxes, r.count, -1, (wisp_corner){0, 0});
  const size_t row = (size_t)tiles.width * 4;
  uint8_t *copy = check_allocate(row * (size_t)tiles.height);
  for (int i = 0; i < tiles.columns * tiles.rows; i++) {
    const wisp_corner at = wisp_tile_at(&tiles, frame, i);
    const uint8_t *from = frame->rgba + (size_t)at.y * frame->stride + (size_t)at.x * 4;
    for (int y = 0; y < tiles.height; y++)
      memcpy(copy + (size_t)y * row, from + (size_t)y * frame->stride, row);
    const wisp_frame tile = {copy, tiles.width, tiles.height, row};
    CHECK_EQ(wisp_detect(detector, &tile, 1, &alone, &r, NULL), WISP_OK);
    n = wisp_gather(seen, n, r.boxes, r.count, i, at);
  }
  free(copy);
  const wisp_fit whole = {1, 0, 0, frame->width, frame->height};
  return wisp_nms(boxes, wisp_merge(seen, n, &tiles, frame, o, boxes), o, &whole);
}

static int test_detect(wisp_detector *detector) {
  const int width = random_int(60, 200), height = random_int(60, 200);
  uint8_t *rgba = draw_picture(width, height);
  const wisp_frame frame = {rgba, width, height, (size_t)width * 4};
  wisp_options o = grid(random_int(1, 3), random_int(2, 3), (float)random_real(0, 0.5));
  o.confidence = 0.02f;
  CHECK_CASE("%dx%d in %dx%d tiles", width, height, o.tile_columns, o.tile_rows);
  wisp_seen *seen = check_allocate(WISP_MAX_SEEN * sizeof *seen);
  wisp_box *expected = check_allocate(WISP_MAX_CANDIDATES * sizeof *expected);
  const int count = expected_boxes(detector, &frame, &o, seen, expected);
  wisp_result r;
  CHECK_EQ(wisp_detect(detector, &frame, 1, &o, &r, NULL), WISP_OK);
  if (CHECK_EQ(r.count, count) && count > 0)
    CHECK_SAME(r.boxes, expected, (size_t)count * sizeof *expected);
  free(expected);
  free(seen);
  free(rgba);
  return count;
}

static void test_network(int threads) {
  net n;
  size_t size;
  wisp_model *model;
  wisp_detector *detector;
  draw_net(&n);
  uint8_t *bytes = net_write(&n, &size);
  CHECK_EQ(wisp_model_open(&model), WISP_OK);
  CHECK_EQ(wisp_model_feed(model, bytes, size, NULL), WISP_OK);
  wisp_settings settings = wisp_default_settings();
  settings.threads = threads;
  int found = 0;
  if (wisp_open(&detector, model, &settings, NULL) == WISP_OK)
    for (int i = 0; i < 4; i++) found += test_detect(detector);
  CHECK(found >= 0);
  wisp_close(&detector);
  wisp_model_close(&model);
  free(bytes);
  net_free(&n);
}

/* ---- what can't be used ---- */

static void test_refusals(void) {
  const wisp_options wrong[] = {
      grid(0, 2, 0.2f),     grid(2, WISP_MAX_TILES + 1, 0.2f),
      grid(2, 2, -0.1f),    grid(2, 2, 0.51f),
      grid(2, 2, nanf("")), {.tiles = (wisp_tiling)9, .max_detections = 1}};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    wisp_error error = {WISP_OK, ""};
    CHECK_CASE("refusal %zu", i);
    CHECK_EQ(wisp_check_options(&wrong[i], 0, &error), WISP_ERR_ARGUMENT);
    CHECK(strstr(error.message, "tile") || strstr(error.message, "tiling"));
  }
  const wisp_options right = grid(WISP_MAX_TILES, 1, 0.5f);
  CHECK_EQ(wisp_check_options(&right, 0, NULL), WISP_OK);
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  test_auto();
  for (int i = 0; i < 200; i++)
    test_cover(random_int(40, 4000), random_int(2, 12), (float)random_int(0, 5) / 10);
  test_rules();
  test_gather();
  for (int i = 0; i < 10; i++) test_network(WISP_THREADS ? 1 + i % 3 : 1);
  test_refusals();
  return check_end();
}
