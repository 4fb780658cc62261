/* test_mask_tiles.c - masks of a frame that is looked at in tiles: each box has that of the view which it is from.
 * SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "core/src/network.h"
#include "core/wisp.h"
#include "core/wisp_testing.h"
#include "draw.h"
#include "opened.h"
#include "stages.h"

enum { NETWORKS = 40, MOST = 300 };

static wisp_options options(wisp_mask_order masks) {
  wisp_options o = wisp_default_options();
  o.confidence = 0.05f;
  o.iou = 0.9f;
  o.max_detections = MOST;
  o.masks = masks;
  return o;
}

/* Run lengths as a picture of the frame: [height][width] 0 or 1. */
static uint8_t *spread(const wisp_mask *m, wisp_mask_order order, int height, int width) {
  uint8_t *bits = check_allocate((size_t)(height * width));
  const int by_row = order == WISP_MASKS_BY_ROW;
  int at = 0, value = 0;
  for (int r = 0; r < m->run_count; r++, value = !value)
    for (uint32_t n = m->runs[r]; n > 0; n--, at++) {
      const int y = by_row ? m->y + at / m->width : at % height,
                x = by_row ? m->x + at % m->width : at / height;
      if (CHECK(y < height && x < width)) bits[y * width + x] = (uint8_t)value;
    }
  CHECK_EQ(at, by_row ? m->width * m->height : width * height);
  for (int r = 1; r < m->run_count; r++) CHECK(m->runs[r] > 0);
  return bits;
}

typedef struct view {
  wisp_frame frame;
  wisp_corner corner;
  wisp_result result; /* as it stands after the view was looked at: copies */
  wisp_box *boxes;
  wisp_mask *masks;
  uint32_t *runs;
} view;

/* What a detector finds in a part of the frame alone. */
static void look_at(view *v, wisp_detector *detector, const wisp_frame *frame, wisp_corner corner,
                    int width, int height) {
  const wisp_options o = options(WISP_MASKS_BY_ROW);
  *v = (view){.frame = {frame->rgba + (size_t)corner.y * frame->stride + (size_t)corner.x * 4,
                        width, height, frame->stride},
              .corner = corner};
  CHECK_EQ(wisp_detect(detector, &v->frame, 1, &o, &v->result, NULL), WISP_OK);
  size_t runs = 0;
  const size_t n = (size_t)v->result.count;
  for (size_t i = 0; i < n; i++) runs += (size_t)v->result.masks[i].run_count;
  v->boxes = check_allocate(n * sizeof *v->boxes + 1);
  v->masks = check_allocate(n * sizeof *v->masks + 1);
  v->runs = check_allocate(runs * sizeof *v->runs + 1);
  uint32_t *to = v->runs;
  for (size_t i = 0; i < n; i++) {
    const wisp_mask *mask = &v->result.masks[i];
    v->boxes[i] = v->result.boxes[i];
    v->masks[i] = *mask;
    v->masks[i].runs = to;
    for (int r = 0; r < mask->run_count; r++) *to++ = mask->runs[r];
  }
}

static void free_view(view *v) {
  free(v->boxes);
  free(v->masks);
  free(v->runs);
}

/* Whether the view has the box, and then with the same mask. */
static int has(const view *v, const wisp_box *box, const wisp_mask *mask) {
  const float x = (float)v->corner.x, y = (float)v->corner.y;
  for (int i = 0; i < v->result.count; i++) {
    const wisp_box *b = &v->boxes[i];
    const wisp_mask *m = &v->masks[i];
    if (b->prediction != box->prediction || b->score != box->score || b->label != box->label ||
        b->x1 + x != box->x1 || b->x2 + x != box->x2 || b->y1 + y != box->y1 ||
        b->y2 + y != box->y2)
      continue;
    CHECK_EQ(m->x + v->corner.x, mask->x);
    CHECK_EQ(m->y + v->corner.y, mask->y);
    if (CHECK_EQ(m->run_count, mask->run_count) && m->run_count > 0)
      CHECK_SAME(m->runs, mask->runs, (size_t)m->run_count * sizeof *m->runs);
    return 1;
  }
  return 0;
}

/* Each box has the mask of the view that it is from; by rows and by columns they are the same pixels, but
 * where a score is a half in all its digits. */
static int test_tiles(void) {
  wisp_model *model = draw_model(1);
  wisp_detector *detector = open_forced(model, 1, WISP_KERNELS_BEST);
  const int width = random_int(20, 90), height = random_int(20, 90);
  const wisp_frame frame = {draw_picture(width, height), width, height, (size_t)width * 4};
  wisp_options o = options(WISP_MASKS_BY_ROW);
  o.tiles = WISP_TILES_GRID, o.tile_columns = 2, o.tile_rows = random_int(1, 2);
  wisp_detector_info info;
  wisp_describe(detector, &info);
  const wisp_tiles tiles = wisp_tile(&frame, &o, info.height, info.width);
  view views[5];
  int n = 0;
  look_at(&views[n++], detector, &frame, (wisp_corner){0, 0}, width, height);
  for (int i = 0; i < tiles.columns * tiles.rows; i++)
    look_at(&views[n++], detector, &frame, wisp_tile_at(&tiles, &frame, i), tiles.width,
            tiles.height);
  wisp_result rows, columns;
  wisp_detector *other = open_forced(model, 3, WISP_KERNELS_SCALAR);
  CHECK_EQ(wisp_detect(detector, &frame, 1, &o, &rows, NULL), WISP_OK);
  o.masks = WISP_MASKS_BY_COLUMN;
  CHECK_EQ(wisp_detect(other, &frame, 1, &o, &columns, NULL), WISP_OK);
  CHECK_CASE("a frame of %dx%d, %d tiles", height, width, n - 1);
  for (int i = 0; CHECK_EQ(rows.count, columns.count) && i < rows.count; i++) {
    int found = 0;
    for (int v = 0; v < n && !found; v++) found = has(&views[v], &rows.boxes[i], &rows.masks[i]);
    CHECK(found);
    CHECK_SAME(&rows.boxes[i], &columns.boxes[i], sizeof rows.boxes[i]);
    uint8_t *a = spread(&rows.masks[i], WISP_MASKS_BY_ROW, height, width),
            *b = spread(&columns.masks[i], WISP_MASKS_BY_COLUMN, height, width);
    int apart = 0;
    for (int k = 0; k < width * height; k++) apart += a[k] != b[k];
    CHECK(apart * 100 <= width * height);
    free(a);
    free(b);
  }
  const int found = rows.count;
  for (int v = 0; v < n; v++) free_view(&views[v]);
  free((void *)(uintptr_t)frame.rgba);
  wisp_close(&other);
  wisp_close(&detector);
  wisp_model_close(&model);
  return found;
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  int found = 0;
  for (int i = 0; i < NETWORKS; i++) found += test_tiles();
  CHECK(found > NETWORKS);
  return check_end();
}
