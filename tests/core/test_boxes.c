/* test_boxes.c - heads -> candidates -> boxes: YOLOv5's formulas in double precision, suppression case by case.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "check.h"
#include "head.h"
#include "stages.h"

enum { CLASSES = 5, ANCHORS = 2, FIELDS = 5 + CLASSES, MOST = 4000 };

static const float anchors[ANCHORS][2] = {{10, 13}, {156, 198}};

/* ---- decode ---- */

/* A head with a gap behind each row. Logits outside the cells are NaN: nobody may look at them. */
typedef struct sheet {
  float *logits;
  wisp_head head;
} sheet;

static sheet sheet_open(int height, int width, int stride) {
  const int pitch = width + random_int(0, 3);
  const size_t count = (size_t)(ANCHORS * FIELDS * height * pitch);
  sheet s = {check_allocate(count * sizeof(float)), {0}};
  s.head = (wisp_head){WISP_HEAD_YOLOV5, s.logits, &anchors[0][0], ANCHORS, CLASSES,
                       height,           width,    stride,         pitch,   0};
  for (size_t i = 0; i < count; i++)
    s.logits[i] = (int)(i % (size_t)pitch) < width ? (float)random_real(-9, 9) : NAN;
  return s;
}

static float *logit(const sheet *s, int anchor, int field, int y, int x) {
  const int fields = wisp_head_form_of(s->head.kind, CLASSES, 0).channels;
  return s->logits + ((anchor * fields + field) * s->head.height + y) * s->head.pitch + x;
}

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

/* One anchor of one cell in double precision. */
static wisp_box exact_box(const sheet *s, int a, int y, int x, const wisp_fit *fit) {
  const double stride = s->head.stride;
  const double centre_x = (2 * sigmoid(*logit(s, a, 0, y, x)) - 0.5 + x) * stride;
  const double centre_y = (2 * sigmoid(*logit(s, a, 1, y, x)) - 0.5 + y) * stride;
  const double width = pow(2 * sigmoid(*logit(s, a, 2, y, x)), 2) * anchors[a][0];
  const double height = pow(2 * sigmoid(*logit(s, a, 3, y, x)), 2) * anchors[a][1];
  return (wisp_box){(float)((centre_x - width / 2 - fit->left) / fit->scale),
                    (float)((centre_y - height / 2 - fit->top) / fit->scale),
                    (float)((centre_x + width / 2 - fit->left) / fit->scale),
                    (float)((centre_y + height / 2 - fit->top) / fit->scale), .score = 0};
}

static double exact_score(const sheet *s, int a, int y, int x, int label) {
  return sigmoid(*logit(s, a, 4, y, x)) * sigmoid(*logit(s, a, 5 + label, y, x));
}

static int is_best(const sheet *s, int a, int y, int x, int label) {
  for (int other = 0; other < CLASSES; other++)
    if (*logit(s, a, 5 + other, y, x) > *logit(s, a, 5 + label, y, x)) return 0;
  return 1;
}

/* Checks the candidate that should come next, if there should be one. Returns how many there are. */
static int check_candidate(const sheet *s, int a, int y, int x, int label, const wisp_fit *fit,
                           const wisp_options *o, const wisp_box *found) {
  const double score = exact_score(s, a, y, x, label);
  if (score <= o->confidence || (o->classes && !o->classes[label])) return 0;
  if (!o->multi_label && !is_best(s, a, y, x, label)) return 0;
  const wisp_box box = exact_box(s, a, y, x, fit);
  CHECK_EQ(found->label, label);
  CHECK_NEAR(found->score, score, score * 2e-6);
  CHECK_NEAR(found->x1, box.x1, 2e-3);
  CHECK_NEAR(found->y1, box.y1, 2e-3);
  CHECK_NEAR(found->x2, box.x2, 2e-3);
  CHECK_NEAR(found->y2, box.y2, 2e-3);
  return 1;
}

static void test_decode(const wisp_options *o) {
  const sheet s = sheet_open(random_int(1, 9), random_int(1, 9), 1 << random_int(2, 6));
  const wisp_fit fit = {(float)random_real(0.2, 3), (float)random_int(0, 50),
                        (float)random_int(0, 50), 640, 480};
  wisp_box *found = check_allocate(MOST * sizeof *found);
  CHECK_CASE("decode %dx%d, confidence %g, multi-label %d", s.head.height, s.head.width,
             (double)o->confidence, o->multi_label);
  const int count = wisp_decode(&s.head, 1, &fit, o, found, MOST);
  int expected = 0;
  for (int a = 0; a < ANCHORS; a++)
    for (int y = 0; y < s.head.height; y++)
      for (int x = 0; x < s.head.width; x++)
        for (int label = 0; label < CLASSES; label++)
          expected += check_candidate(&s, a, y, x, label, &fit, o, found + expected);
  CHECK_EQ(count, expected);
  free(found);
  free(s.logits);
}

/* ---- decode: head kind 2 ---- */

enum { BINS = WISP_BINS_A_SIDE, FREE_FIELDS = 4 * BINS + CLASSES };

/* A side of one cell in double precision, in pixels. */
static double exact_side(const sheet *s, int side, int y, int x) {
  double sum = 0, moment = 0;
  for (int bin = 0; bin < BINS; bin++) {
    const double chance = exp((double)*logit(s, 0, side * BINS + bin, y, x));
    sum += chance;
    moment += chance * bin;
  }
  return moment / sum * s->head.stride;
}

static int check_free(const sheet *s, int y, int x, int label, const wisp_fit *fit,
                      const wisp_options *o, const wisp_box *found) {
  const double score = sigmoid(*logit(s, 0, 4 * BINS + label, y, x));
  int best = 0;
  for (int other = 1; other < CLASSES; other++)
    if (*logit(s, 0, 4 * BINS + other, y, x) > *logit(s, 0, 4 * BINS + best, y, x)) best = other;
  if (score <= o->confidence || (o->classes && !o->classes[label])) return 0;
  if (!o->multi_label && best != label) return 0;
  const double centre_x = (x + 0.5) * s->head.stride, centre_y = (y + 0.5) * s->head.stride;
  CHECK_EQ(found->label, label);
  CHECK_NEAR(found->score, score, score * 2e-6);
  CHECK_NEAR(found->x1, (centre_x - exact_side(s, 0, y, x) - fit->left) / fit->scale, 5e-3);
  CHECK_NEAR(found->y1, (centre_y - exact_side(s, 1, y, x) - fit->top) / fit->scale, 5e-3);
  CHECK_NEAR(found->x2, (centre_x + exact_side(s, 2, y, x) - fit->left) / fit->scale, 5e-3);
  CHECK_NEAR(found->y2, (centre_y + exact_side(s, 3, y, x) - fit->top) / fit->scale, 5e-3);
  return 1;
}

/* Rows longer than the cells that are looked at together, and logits a softmax has to take the greatest from. */
static void test_decode_free(const wisp_options *o) {
  const int height = random_int(1, 5), width = random_int(1, 70), pitch = width + 2;
  const float bin[2] = {16, 16};
  const size_t count = (size_t)(FREE_FIELDS * height * pitch);
  sheet s = {check_allocate(count * sizeof(float)), {0}};
  s.head = (wisp_head){WISP_HEAD_YOLOV8, s.logits, bin, 1, CLASSES, height, width, 16, pitch, 0};
  for (size_t i = 0; i < count; i++) {
    const int is_class = i / (size_t)(height * pitch) >= 4 * BINS;
    const double reach = is_class ? 9 : random_chance(0.05) ? 300 : 12;
    s.logits[i] = (int)(i % (size_t)pitch) < width ? (float)random_real(-reach, reach) : NAN;
  }
  const wisp_fit fit = {(float)random_real(0.2, 3), (float)random_int(0, 50),
                        (float)random_int(0, 50), 640, 480};
  wisp_box *found = check_allocate(MOST * sizeof *found);
  CHECK_CASE("decode without anchors %dx%d, confidence %g, multi-label %d", height, width,
             (double)o->confidence, o->multi_label);
  const int n = wisp_decode(&s.head, 1, &fit, o, found, MOST);
  int expected = 0;
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++)
      for (int label = 0; label < CLASSES; label++)
        expected += check_free(&s, y, x, label, &fit, o, found + expected);
  CHECK_EQ(n, expected);
  free(found);
  free(s.logits);
}

static int by_score(const void *left, const void *right) {
  const float a = ((const wisp_box *)left)->score, b = ((const wisp_box *)right)->score;
  return (a < b) - (a > b);
}

/* With too little room the best stay. */
static void test_cap(void) {
  const sheet s = sheet_open(12, 10, 8);
  const wisp_fit fit = {1, 0, 0, 640, 640};
  const wisp_options o = {.confidence = 0, .multi_label = 1};
  wisp_box *all = check_allocate(MOST * sizeof *all), *best = check_allocate(MOST * sizeof *best);
  const int count = wisp_decode(&s.head, 1, &fit, &o, all, MOST);
  CHECK_EQ(count, ANCHORS * 12 * 10 * CLASSES);
  qsort(all, (size_t)count, sizeof *all, by_score);
  for (int cap = 1; cap < count + 100; cap += 97) {
    CHECK_CASE("%d candidates, room for %d", count, cap);
    const int kept = wisp_decode(&s.head, 1, &fit, &o, best, cap);
    CHECK_EQ(kept, wisp_min(cap, count));
    qsort(best, (size_t)kept, sizeof *best, by_score);
    for (int i = 0; i < kept; i++) CHECK(best[i].score == all[i].score);
  }
  free(all);
  free(best);
  free(s.logits);
}

/* Whatever the numbers, boxes are finite and inside the frame. */
static void test_extremes(void) {
  static const float values[] = {INFINITY, -INFINITY, 1e38f, -1e38f, 0, 80, -80, 1e-40f};
  const wisp_fit fit = {640, 0, 0, 1, 1};
  wisp_box found[MOST];
  for (int round = 0; round < 200; round++) {
    sheet s = sheet_open(3, 4, 32);
    const float sizes[ANCHORS * 2] = {3e38f, 1e-38f, 3e38f, 3e38f};
    s.head.anchors = sizes;
    for (int i = 0; i < ANCHORS * FIELDS * 3 * s.head.pitch; i++)
      s.logits[i] = values[random_int(0, 7)];
    const wisp_options o = {
        .confidence = 0, .iou = 0.5f, .max_detections = MOST, .multi_label = round & 1};
    CHECK_CASE("extreme logits");
    const int n = wisp_nms(found, wisp_decode(&s.head, 1, &fit, &o, found, MOST), &o, &fit);
    CHECK(n > 0);
    for (int i = 0; i < n; i++) {
      CHECK(found[i].x1 >= 0 && found[i].x1 <= found[i].x2 && found[i].x2 <= 1);
      CHECK(found[i].y1 >= 0 && found[i].y1 <= found[i].y2 && found[i].y2 <= 1);
      CHECK(found[i].score > 0 && found[i].score <= 1);
    }
    free(s.logits);
  }
}

/* What wisp_run leaves out below wisp_least_logit, wisp_decode never asks for. */
static void test_least_logit(void) {
  float logits[6] = {0, 0, 0, 0, 0, 100};
  const float anchor[2] = {8, 8};
  const wisp_head head = {WISP_HEAD_YOLOV5, logits, anchor, 1, 1, 1, 1, 8, 1, 0};
  const wisp_fit fit = {1, 0, 0, 8, 8};
  for (int i = 0; i < 3000; i++) {
    const double power = i < 1000 ? -38 : i < 2000 ? -6 : -0.3;
    const wisp_options o = {.confidence = (float)(i % 3 ? pow(10, random_real(power, 0))
                                                        : 1 - pow(10, random_real(-7, 0)))};
    wisp_box box;
    CHECK_CASE("confidence %.9g", (double)o.confidence);
    const float least = wisp_least_logit(o.confidence);
    logits[4] = least;
    if (isfinite(least)) CHECK_EQ(wisp_decode(&head, 1, &fit, &o, &box, 1), 0);
    logits[4] = (float)log((double)o.confidence / (1 - (double)o.confidence)) + 0.02f;
    if (isfinite(logits[4]) && o.confidence < 0.999f)
      CHECK_EQ(wisp_decode(&head, 1, &fit, &o, &box, 1), 1);
  }
}

/* ---- NMS ---- */

static const wisp_fit no_fit = {1, 0, 0, 100, 100};

static int nms(wisp_box *boxes, int n, float iou, int agnostic, int most) {
  const wisp_options o = {.iou = iou, .max_detections = most, .class_agnostic = agnostic};
  return wisp_nms(boxes, n, &o, &no_fit);
}

static void test_cases(void) {
  CHECK_CASE("nms");
  wisp_box same[3] = {
      {10, 10, 20, 20, 0.5f, 1, 0}, {10, 10, 20, 20, 0.5f, 0, 0}, {10, 10, 20, 20, 0.5f, 1, 0}};
  CHECK_EQ(nms(same, 3, 0.45f, 0, 10), 2); /* one a class, the lower label first */
  CHECK_EQ(same[0].label, 0);
  CHECK_EQ(same[1].label, 1);
  CHECK_EQ(nms(same, 2, 0.45f, 1, 10), 1);
  wisp_box thirds[2] = {{0, 0, 20, 10, 0.9f, 0, 0},
                        {10, 0, 30, 10, 0.8f, 0, 0}}; /* IoU 100 / 300 */
  CHECK_EQ(nms(thirds, 2, 0.34f, 0, 10), 2);
  CHECK_EQ(nms(thirds, 2, 0.33f, 0, 10), 1);
  wisp_box half[2] = {{0, 0, 10, 10, 0.9f, 0, 0},
                      {0, 0, 20, 10, 0.8f, 0, 0}}; /* IoU .5 exactly: not more than .5 */
  CHECK_EQ(nms(half, 2, 0.5f, 0, 10), 2);
  wisp_box empty[3] = {
      {5, 5, 5, 5, 0.9f, 0, 0}, {5, 5, 5, 5, 0.8f, 0, 0}, {5, 0, 5, 9, 0.7f, 0, 0}};
  CHECK_EQ(nms(empty, 3, 0, 0, 10), 3); /* boxes without area overlap nothing */
  wisp_box touching[2] = {{0, 0, 10, 10, 0.9f, 0, 0}, {10, 0, 20, 10, 0.8f, 0, 0}};
  CHECK_EQ(nms(touching, 2, 0, 0, 10), 2);
  wisp_box chain[3] = {
      {0, 0, 10, 10, 0.9f, 0, 0}, {4, 0, 14, 10, 0.8f, 0, 0}, {8, 0, 18, 10, 0.7f, 0, 0}};
  CHECK_EQ(nms(chain, 3, 0.4f, 0, 10),
           2); /* the second falls to the first and can't take the third with it */
  CHECK(chain[1].x1 == 8);
  wisp_box many[5] = {{0, 0, 1, 1, 0.1f, 0, 0},
                      {2, 0, 3, 1, 0.5f, 0, 0},
                      {4, 0, 5, 1, 0.3f, 0, 0},
                      {6, 0, 7, 1, 0.4f, 0, 0},
                      {8, 0, 9, 1, 0.2f, 0, 0}};
  CHECK_EQ(nms(many, 5, 0.5f, 0, 3), 3);
  CHECK(many[0].score == 0.5f && many[1].score == 0.4f && many[2].score == 0.3f);
  wisp_box outside[2] = {{-5, -6, 50, 120, 0.9f, 0, 0}, {150, 10, 160, 20, 0.8f, 0, 0}};
  CHECK_EQ(nms(outside, 2, 0.5f, 0, 3), 2);
  CHECK(outside[0].x1 == 0 && outside[0].y1 == 0 && outside[0].x2 == 50 && outside[0].y2 == 100);
  CHECK(outside[1].x1 == 100 && outside[1].x2 == 100);
  CHECK_EQ(nms(outside, 0, 0.5f, 0, 3), 0);
}

/* Greedy by the book, on whole coordinates where double precision is exact. `order` is best first. */
static int plain_nms(const wisp_box *order, int n, double iou, int agnostic, wisp_box *kept) {
  int count = 0;
  for (int i = 0; i < n; i++) {
    const wisp_box *b = &order[i];
    int falls = 0;
    for (int k = 0; k < count && !falls; k++) {
      const double w = fmin(b->x2, kept[k].x2) - fmax(b->x1, kept[k].x1),
                   h = fmin(b->y2, kept[k].y2) - fmax(b->y1, kept[k].y1);
      const double both = w > 0 && h > 0 ? w * h : 0;
      const double either = (double)(b->x2 - b->x1) * (double)(b->y2 - b->y1) +
                            (double)(kept[k].x2 - kept[k].x1) * (double)(kept[k].y2 - kept[k].y1) -
                            both;
      falls = (agnostic || b->label == kept[k].label) && both > iou * either;
    }
    if (!falls) kept[count++] = *b;
  }
  return count;
}

static void test_random_nms(void) {
  enum { N = 300 };
  wisp_box boxes[N] = {0}, shuffled[N], expected[N];
  const int n = random_int(1, N), agnostic = random_int(0, 1);
  const float iou = (float)random_int(1, 7) / 8 + 0.001f;
  for (int i = 0; i < n; i++) {
    const int x = random_int(0, 80), y = random_int(0, 80);
    boxes[i] = (wisp_box){(float)x,
                          (float)y,
                          (float)(x + random_int(0, 20)),
                          (float)(y + random_int(0, 20)),
                          (float)(n - i) / (float)(n + 1),
                          random_int(0, 3),
                          i};
  }
  memcpy(shuffled, boxes, (size_t)n * sizeof *boxes);
  for (int i = n - 1; i > 0; i--) {
    const int j = random_int(0, i);
    const wisp_box box = shuffled[i];
    shuffled[i] = shuffled[j];
    shuffled[j] = box;
  }
  CHECK_CASE("random nms of %d, iou %g, agnostic %d", n, (double)iou, agnostic);
  const int count = plain_nms(boxes, n, (double)iou, agnostic, expected);
  if (CHECK_EQ(nms(shuffled, n, iou, agnostic, N), count))
    CHECK_SAME(shuffled, expected, (size_t)count * sizeof *expected);
}

/* Equal scores come in one order, however they arrive. */
static void test_ties(void) {
  wisp_box boxes[24], first[24];
  for (int i = 0; i < 24; i++)
    boxes[i] = (wisp_box){(float)(i / 4 * 9),
                          (float)(i % 2 * 30),
                          (float)(i / 4 * 9 + 5),
                          (float)(i % 2 * 30 + 6),
                          0.5f,
                          i / 2 % 2,
                          0};
  CHECK_CASE("ties");
  for (int round = 0; round < 50; round++) {
    wisp_box b[24];
    memcpy(b, boxes, sizeof b);
    for (int i = 23; i > 0; i--) {
      const int j = random_int(0, i);
      const wisp_box box = b[i];
      b[i] = b[j];
      b[j] = box;
    }
    CHECK_EQ(nms(b, 24, 0.5f, 0, 24), 24);
    if (round == 0) memcpy(first, b, sizeof first);
    CHECK_SAME(b, first, sizeof first);
  }
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  for (int i = 0; i < 100; i++) {
    uint8_t wanted[CLASSES];
    for (int k = 0; k < CLASSES; k++) wanted[k] = random_chance(0.6);
    const wisp_options o = {.confidence = i % 4 ? (float)random_real(0, 0.9) : 0,
                            .multi_label = i & 1,
                            .classes = i & 2 ? wanted : NULL};
    test_decode(&o);
    test_decode_free(&o);
  }
  test_cap();
  test_extremes();
  test_least_logit();
  test_cases();
  for (int i = 0; i < 200; i++) test_random_nms();
  test_ties();
  return check_end();
}
