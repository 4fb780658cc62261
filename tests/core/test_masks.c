/* test_masks.c - masks against models/FORMAT.md in double precision, pixel by pixel; of whole networks, the same bits
 * with any kernels, threads and neighbours in a batch, beside the boxes that come without them.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "check.h"
#include "core/src/network.h"
#include "core/wisp.h"
#include "core/wisp_testing.h"
#include "draw.h"
#include "opened.h"
#include "stages.h"

enum { CASES = 150, NETWORKS = 40, CLASSES = 2, ANCHORS = 2, HEADS = 2, BOXES = 6, MOST = 300 };

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

/* ---- what FORMAT.md says ---- */

typedef struct scene {
  wisp_prototypes bytes, reals; /* the same ones */
  wisp_head heads[HEADS];
  wisp_fit fit;
  wisp_box boxes[BOXES];
  const float *coefficients[BOXES]; /* of each box: `cells` numbers apart */
  int cells[BOXES];
  double object[BOXES]; /* its objectness */
} scene;

static double prototype(const wisp_prototypes *p, int k, int y, int x) {
  return (double)p->reals[(size_t)k * p->plane + (size_t)(y * p->pitch + x)];
}

/* What a cell of the prototypes is worth to a box. */
static double cell(const scene *s, int box, int y, int x) {
  double sum = 0;
  for (int k = 0; k < s->reals.count; k++)
    sum += (double)s->coefficients[box][k * s->cells[box]] * prototype(&s->reals, k, y, x);
  return sigmoid(s->object[box] * sum);
}

/* The source's part of an axis of the prototypes. */
static void part_of(const scene *s, int cells, int size, int *first, int *count) {
  const double gain =
      fmin((double)s->reals.height / s->fit.height, (double)s->reals.width / s->fit.width);
  const double pad = (cells - size * gain) / 2;
  *first = (int)pad; /* 0, if rounding has it next to it */
  *count = (int)(cells - pad) - *first;
  if (*count < 1) *count = 1;
}

/* Where a pixel lies among `count` cells: between which two, and how near to the second. */
static double between(int pixel, int size, int count, int *a, int *b) {
  const double at = fmax((pixel + 0.5) * count / size - 0.5, 0);
  *a = (int)fmin(floor(at), count - 1);
  *b = (int)fmin(*a + 1, count - 1);
  return at - *a;
}

/* The score of a pixel of the source: above a half it belongs to the mask. */
static double score(const scene *s, int box, int y, int x) {
  int top, rows, left, columns, y0, y1, x0, x1;
  part_of(s, s->reals.height, s->fit.height, &top, &rows);
  part_of(s, s->reals.width, s->fit.width, &left, &columns);
  const double v = between(y, s->fit.height, rows, &y0, &y1),
               u = between(x, s->fit.width, columns, &x0, &x1);
  const double above =
      cell(s, box, top + y0, left + x0) * (1 - u) + cell(s, box, top + y0, left + x1) * u;
  const double below =
      cell(s, box, top + y1, left + x0) * (1 - u) + cell(s, box, top + y1, left + x1) * u;
  return above * (1 - v) + below * v;
}

/* ---- a scene ---- */

static float *draw_reals(size_t n, double spread) {
  float *reals = check_allocate(n * sizeof *reals);
  for (size_t i = 0; i < n; i++) reals[i] = (float)random_real(-spread, spread);
  return reals;
}

/* Smooth bytes, as neighbours are alike in what a network makes; and the numbers that they stand for. */
static void draw_prototypes(scene *s, uint8_t flip) {
  const int count = random_int(1, 40), height = random_int(1, 24), width = random_int(1, 24);
  wisp_prototypes *p = &s->bytes;
  *p = (wisp_prototypes){.count = count, .height = height, .width = width, .flip = flip};
  p->scale = (float)random_real(0.001, 0.03);
  p->zero_point = random_int(0, 255);
  p->view = (wisp_view){
      .channels = count, .height = height, .width = width, .pitch = width + random_int(0, 2)};
  p->view.plane = height * p->view.pitch * WISP_LANES + WISP_OVERREAD;
  p->view.data = check_allocate((size_t)(wisp_planes(count) * p->view.plane));
  s->reals = *p;
  s->reals.pitch = width;
  s->reals.plane = (size_t)(height * width);
  float *reals = draw_reals((size_t)count * s->reals.plane, 0);
  random_bytes(p->view.data, (size_t)(wisp_planes(count) * p->view.plane));
  for (int k = 0; k < count; k++) {
    const double a = random_real(-0.4, 0.4), b = random_real(-0.4, 0.4), c = random_real(0, 6);
    for (int y = 0; y < height; y++)
      for (int x = 0; x < width; x++) {
        const int byte = (int)(127.5 + 127 * sin(a * x + b * y + c));
        p->view.data[k / WISP_LANES * p->view.plane + (y * p->view.pitch + x) * WISP_LANES +
                     k % WISP_LANES] = (uint8_t)byte ^ flip;
        reals[(size_t)k * s->reals.plane + (size_t)(y * width + x)] =
            p->scale * (float)(byte - p->zero_point);
      }
  }
  s->reals.reals = reals;
}

static void draw_boxes(scene *s) {
  const int masks = s->bytes.count;
  for (int h = 0; h < HEADS; h++) {
    wisp_head *head = &s->heads[h];
    *head = (wisp_head){.kind = h ? WISP_HEAD_YOLOV8 : WISP_HEAD_YOLOV5,
                        .count = ANCHORS,
                        .classes = CLASSES,
                        .height = random_int(1, 4),
                        .width = random_int(1, 4),
                        .masks = masks};
    head->pitch = head->width + random_int(0, 2);
    const int fields = (h ? 64 : 5) + CLASSES + masks;
    head->logits = draw_reals((size_t)(ANCHORS * fields * head->height * head->pitch), 2);
  }
  for (int i = 0; i < BOXES; i++) {
    const int h = random_int(0, 1), fields = (h ? 64 : 5) + CLASSES + masks;
    const wisp_head *head = &s->heads[h];
    const int a = random_int(0, ANCHORS - 1), y = random_int(0, head->height - 1),
              x = random_int(0, head->width - 1);
    s->cells[i] = head->height * head->pitch;
    const float *first = head->logits + a * fields * s->cells[i] + y * head->pitch + x;
    s->object[i] = h ? 1 : sigmoid((double)first[4 * s->cells[i]]);
    s->coefficients[i] =
        head->logits + ((a + 1) * fields - masks) * s->cells[i] + y * head->pitch + x;
    const float w = (float)s->fit.width, t = (float)s->fit.height;
    wisp_box *box = &s->boxes[i];
    *box = (wisp_box){(float)random_real(0, w),
                      (float)random_real(0, t),
                      0,
                      0,
                      0.5f,
                      0,
                      (h ? ANCHORS * s->heads[0].height * s->heads[0].width : 0) +
                          (a * head->height + y) * head->width + x};
    box->x2 = (float)random_real(box->x1, w);
    box->y2 = (float)random_real(box->y1, t);
    if (random_chance(0.2)) *box = (wisp_box){0, 0, w, t, 0.5f, 0, box->prediction};
    if (random_chance(0.1)) box->x2 = box->x1;
  }
}

static void draw_scene(scene *s, uint8_t flip) {
  memset(s, 0, sizeof *s);
  draw_prototypes(s, flip);
  s->fit = (wisp_fit){.width = random_int(1, 90), .height = random_int(1, 90)};
  draw_boxes(s);
}

static void free_scene(scene *s) {
  free(s->bytes.view.data);
  free((void *)(uintptr_t)s->reals.reals);
  for (int h = 0; h < HEADS; h++) free((void *)(uintptr_t)s->heads[h].logits);
}

/* ---- masks ---- */

typedef struct made {
  wisp_mask_room room;
  wisp_mask masks[BOXES];
} made;

static void make(made *m, const scene *s, const wisp_prototypes *of, const wisp_kernels *kernels,
                 wisp_mask_order order) {
  *m = (made){.room = {0}};
  CHECK_EQ(wisp_mask_open(&m->room, of->height, of->width), WISP_OK);
  const wisp_sight sight = {{0, 0}, s->fit.width, s->fit.height};
  wisp_box boxes[BOXES];
  memcpy(boxes, s->boxes, sizeof boxes);
  CHECK_EQ(wisp_mask_make(&m->room, s->heads, of, kernels, &s->fit, &sight, order, boxes, BOXES),
           WISP_OK);
  CHECK_EQ(wisp_mask_pick(&m->room, 0, boxes, BOXES, m->masks), WISP_OK);
  CHECK_SAME(boxes, s->boxes, sizeof boxes);
  wisp_mask_place(&m->room, m->masks, BOXES);
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

/* A pixel whose score is next to a half may go either way: coefficients are rounded. */
static void check_bits(const scene *s, int box, const uint8_t *bits, double doubt) {
  const wisp_box *b = &s->boxes[box];
  long wrong = 0;
  for (int y = 0; y < s->fit.height; y++)
    for (int x = 0; x < s->fit.width; x++) {
      const int inside = x >= nearbyint((double)b->x1) && x < nearbyint((double)b->x2) &&
                         y >= nearbyint((double)b->y1) && y < nearbyint((double)b->y2);
      const double is = inside ? score(s, box, y, x) : 0;
      if (fabs(is - 0.5) > doubt) wrong += bits[y * s->fit.width + x] != (is > 0.5);
    }
  CHECK_EQ(wrong, 0);
}

/* How far a score may be off: half a unit of every coefficient, times its prototype. */
static double doubt_of(const scene *s, int box) {
  double most = 0;
  for (int k = 0; k < s->bytes.count; k++)
    most = fmax(most, fabs((double)s->coefficients[box][k * s->cells[box]]));
  const double reach =
      fmax(s->bytes.zero_point, 255 - s->bytes.zero_point) * (double)s->bytes.scale;
  return 1e-4 + 0.25 * s->bytes.count * reach * most / 4032 / 2;
}

static void check_masks(const scene *s, const made *by_row, const made *by_column, int is_exact) {
  const int height = s->fit.height, width = s->fit.width;
  for (int i = 0; i < BOXES; i++) {
    uint8_t *rows = spread(&by_row->masks[i], WISP_MASKS_BY_ROW, height, width),
            *columns = spread(&by_column->masks[i], WISP_MASKS_BY_COLUMN, height, width);
    check_bits(s, i, rows, is_exact ? 1e-4 : doubt_of(s, i));
    check_bits(s, i, columns, is_exact ? 1e-4 : doubt_of(s, i));
    free(rows);
    free(columns);
  }
}

static void check_same_masks(const made *a, const made *b) {
  if (!CHECK_EQ(a->room.count, b->room.count)) return;
  CHECK_SAME(a->room.runs, b->room.runs, a->room.count * sizeof *a->room.runs);
}

static void test_scene(uint8_t flip) {
  scene s;
  draw_scene(&s, flip);
  CHECK_CASE("%d prototypes of %dx%d, a frame of %dx%d", s.bytes.count, s.bytes.height,
             s.bytes.width, s.fit.height, s.fit.width);
  made reals[2], bytes[2];
  for (int i = 0; i < 2; i++) {
    const wisp_mask_order order = i ? WISP_MASKS_BY_COLUMN : WISP_MASKS_BY_ROW;
    make(&reals[i], &s, &s.reals, NULL, order);
    make(&bytes[i], &s, &s.bytes, wisp_kernels_scalar(), order);
    for (int set = 0; wisp_kernels_set(set); set++) {
      const wisp_kernels *kernels = wisp_kernels_set(set);
      if (!kernels->any_sign && (wisp_kernels_sign(kernels) == WISP_SIGNED) != (flip != 0))
        continue;
      made other;
      make(&other, &s, &s.bytes, kernels, order);
      check_same_masks(&bytes[i], &other);
      wisp_mask_close(&other.room);
    }
  }
  check_masks(&s, &reals[0], &reals[1], 1);
  check_masks(&s, &bytes[0], &bytes[1], 0);
  for (int i = 0; i < 2; i++) {
    wisp_mask_close(&reals[i].room);
    wisp_mask_close(&bytes[i].room);
  }
  free_scene(&s);
}

/* ---- a network ---- */

static wisp_options options(wisp_mask_order masks) {
  wisp_options o = wisp_default_options();
  o.confidence = 0.05f;
  o.iou = 0.9f;
  o.max_detections = MOST;
  o.masks = masks;
  return o;
}

static void check_result(const wisp_result *a, const wisp_result *b) {
  if (!CHECK_EQ(a->count, b->count)) return;
  CHECK_SAME(a->boxes, b->boxes, (size_t)a->count * sizeof *a->boxes);
  for (int i = 0; a->masks && b->masks && i < a->count; i++) {
    CHECK_SAME(&a->masks[i], &b->masks[i], offsetof(wisp_mask, runs));
    if (CHECK_EQ(a->masks[i].run_count, b->masks[i].run_count))
      CHECK_SAME(a->masks[i].runs, b->masks[i].runs,
                 (size_t)a->masks[i].run_count * sizeof *a->masks[i].runs);
  }
}

/* Of every build, alone and in a batch; the boxes also without masks, by a detector that never made any. */
static int test_network(void) {
  wisp_model *model = draw_model(1);
  static const wisp_kernel_set sets[] = {WISP_KERNELS_SCALAR, WISP_KERNELS_BEST,
                                         WISP_KERNELS_NARROW, WISP_KERNELS_FUSED};
  wisp_frame frames[2];
  for (int i = 0; i < 2; i++) {
    const int width = random_int(1, 90), height = random_int(1, 90);
    frames[i] = (wisp_frame){draw_picture(width, height), width, height, (size_t)width * 4};
  }
  const wisp_mask_order order = random_chance(0.5) ? WISP_MASKS_BY_ROW : WISP_MASKS_BY_COLUMN;
  const wisp_options with = options(order), without = options(WISP_MASKS_NONE);
  wisp_detector *plain = open_forced(model, 1, WISP_KERNELS_SCALAR);
  wisp_result both[2], bare;
  CHECK_EQ(wisp_detect(plain, frames, 2, &with, both, NULL), WISP_OK);
  int found = both[0].count + both[1].count;
  for (int set = 0; set < 4; set++)
    for (int threads = 1; threads < 4; threads += 2) {
      wisp_detector *other = open_forced(model, threads, sets[set]);
      wisp_result one;
      for (int i = 0; other && i < 2; i++) {
        CHECK_EQ(wisp_detect(other, &frames[i], 1, &without, &bare, NULL), WISP_OK);
        CHECK(!bare.masks);
        check_result(&both[i], &bare);
        CHECK_EQ(wisp_detect(other, &frames[i], 1, &with, &one, NULL), WISP_OK);
        check_result(&both[i], &one);
      }
      wisp_close(&other);
    }
  wisp_close(&plain);
  for (int i = 0; i < 2; i++) free((void *)(uintptr_t)frames[i].rgba);
  wisp_model_close(&model);
  return found;
}

static void test_without(void) {
  wisp_model *model = draw_model(0);
  wisp_detector *detector = open_forced(model, 1, WISP_KERNELS_BEST);
  uint8_t *rgba = draw_picture(8, 8);
  const wisp_frame frame = {rgba, 8, 8, 32};
  wisp_options o = options(WISP_MASKS_BY_ROW);
  wisp_result result;
  wisp_error error = {WISP_OK, ""};
  CHECK_EQ(wisp_detect(detector, &frame, 1, &o, &result, &error), WISP_ERR_ARGUMENT);
  CHECK(strstr(error.message, "finds boxes only"));
  o.masks = (wisp_mask_order)3;
  CHECK_EQ(wisp_detect(detector, &frame, 1, &o, &result, &error), WISP_ERR_ARGUMENT);
  CHECK(strstr(error.message, "order of masks is 3"));
  free(rgba);
  wisp_close(&detector);
  wisp_model_close(&model);
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  for (int i = 0; i < CASES; i++) test_scene(i % 2 ? 0x80 : 0);
  int found = 0;
  for (int i = 0; i < NETWORKS; i++) found += test_network();
  CHECK(found > NETWORKS);
  test_without();
  return check_end();
}
