/* test_ways.c - every way in which this build can run a model finds the same boxes, to the last bit.
 * SPDX-License-Identifier: Apache-2.0
 *
 * `test_ways MODEL SIZE PICTURE.ppm...` does so with real files, at an input of SIZE x SIZE, and prints each picture's
 * boxes as a line of JSON; without arguments the model and the pictures are drawn. */
#include "check.h"
#include "core/wisp.h"
#include "core/wisp_testing.h"
#include "draw.h"

enum { PICTURES = 32 };

typedef struct way {
  int threads, signed_bytes; /* -1: the engine's own */
  wisp_kernel_set kernels;
} way;

typedef struct input {
  wisp_model *model;
  int size; /* 0: the model's own */
  int pictures;
  wisp_frame frames[PICTURES];
} input;

static wisp_options options(void) {
  wisp_options o = wisp_default_options();
  o.confidence = 0.02f;
  return o;
}

/* ---- input ---- */

static void feed(input *in, const uint8_t *bytes, size_t size) {
  wisp_error error = {WISP_OK, ""};
  CHECK_EQ(wisp_model_open(&in->model), WISP_OK);
  if (!CHECK_EQ(wisp_model_feed(in->model, bytes, size, &error), WISP_OK))
    printf("%s\n", error.message);
}

static void add_picture(input *in, uint8_t *rgba, int width, int height) {
  in->frames[in->pictures++] = (wisp_frame){rgba, width, height, (size_t)width * 4};
}

static void draw_input(input *in) {
  net n;
  size_t size;
  draw_small_net(&n);
  uint8_t *bytes = net_write(&n, &size);
  feed(in, bytes, size);
  free(bytes);
  net_free(&n);
  for (int i = 0; i < 5; i++) {
    const int width = random_int(1, 200), height = random_int(1, 200);
    add_picture(in, draw_picture(width, height), width, height);
  }
}

static uint8_t *read_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (!file) {
    printf("%s can't be read\n", path);
    exit(1);
  }
  fseek(file, 0, SEEK_END);
  *size = (size_t)ftell(file);
  rewind(file);
  uint8_t *bytes = check_allocate(*size + 1);
  if (fread(bytes, 1, *size, file) != *size) exit(1);
  fclose(file);
  return bytes;
}

static void read_picture(input *in, const char *path) {
  size_t size;
  int width, height, header = 0;
  uint8_t *bytes = read_file(path, &size);
  if (sscanf((const char *)bytes, "P6 %d %d 255%n", &width, &height, &header) != 2 ||
      size != (size_t)header + 1 + (size_t)width * (size_t)height * 3) {
    printf("%s is no binary PPM file\n", path);
    exit(1);
  }
  uint8_t *rgba = check_allocate((size_t)width * (size_t)height * 4);
  const uint8_t *rgb = bytes + header + 1;
  for (int i = 0; i < width * height; i++) memcpy(rgba + i * 4, rgb + i * 3, 3);
  free(bytes);
  add_picture(in, rgba, width, height);
}

static void read_input(input *in, int count, char **words) {
  size_t size;
  uint8_t *bytes = read_file(words[0], &size);
  feed(in, bytes, size);
  free(bytes);
  in->size = atoi(words[1]);
  for (int i = 2; i < count && in->pictures < PICTURES; i++) read_picture(in, words[i]);
}

/* ---- boxes ---- */

static void print_boxes(const wisp_result *r) {
  printf("[");
  for (int i = 0; i < r->count; i++) {
    const wisp_box *b = &r->boxes[i];
    const float width = b->x2 - b->x1, height = b->y2 - b->y1;
    printf("%s{\"x\":%.9g,\"y\":%.9g,\"width\":%.9g,\"height\":%.9g,\"score\":%.9g,\"label\":%d}",
           i ? "," : "", (double)b->x1, (double)b->y1, (double)width, (double)height,
           (double)b->score, (int)b->label);
  }
  printf("]\n");
}

static wisp_detector *open_detector(const input *in, way w) {
  wisp_settings s = wisp_default_settings();
  s.height = s.width = in->size;
  s.threads = w.threads;
  const wisp_forced forced = {w.kernels, w.signed_bytes};
  s.forced = &forced;
  wisp_detector *detector;
  wisp_error error = {WISP_OK, ""};
  if (!CHECK_EQ(wisp_open(&detector, in->model, &s, &error), WISP_OK))
    printf("%s\n", error.message);
  return detector;
}

/* Whether both representations can be forced on. */
static int takes_any_sign(const input *in) {
  wisp_settings s = wisp_default_settings();
  wisp_forced forced = wisp_default_forced();
  s.forced = &forced;
  int taken = 0;
  for (forced.signed_bytes = 0; forced.signed_bytes < 2; forced.signed_bytes++) {
    wisp_detector *detector;
    taken += wisp_open(&detector, in->model, &s, NULL) == WISP_OK;
    wisp_close(&detector);
  }
  return taken == 2;
}

/* The first way's boxes are kept and printed; the others' are the same. */
static void run(const input *in, way w, wisp_result *kept, int prints) {
  wisp_detector *detector = open_detector(in, w);
  if (!detector) return;
  wisp_detector_info info;
  wisp_describe(detector, &info);
  CHECK_CASE("%s, %d threads, signed %d", info.kernels, info.threads, info.signed_bytes);
  printf("%s, %d threads, %s bytes\n", info.kernels, info.threads,
         info.signed_bytes ? "signed" : "unsigned");
  const wisp_options o = options();
  for (int i = 0; i < in->pictures; i++) {
    wisp_result r;
    CHECK_EQ(wisp_detect(detector, &in->frames[i], 1, &o, &r, NULL), WISP_OK);
    const size_t size = (size_t)r.count * sizeof *r.boxes;
    if (kept[i].boxes) {
      if (CHECK_EQ(r.count, kept[i].count)) CHECK_SAME(r.boxes, kept[i].boxes, size);
      continue;
    }
    wisp_box *copy = check_allocate(size);
    if (size > 0) memcpy(copy, r.boxes, size);
    kept[i] = r;
    kept[i].boxes = copy;
    if (prints) print_boxes(&r);
  }
  wisp_close(&detector);
}

int main(int argc, char **argv) {
  const int real = argc > 3;
  check_begin(real ? 1 : argc, argv);
  input in = {0};
  if (real) read_input(&in, argc - 1, argv + 1);
  else draw_input(&in);
  const int any_sign = takes_any_sign(&in);
  static const wisp_kernel_set relaxed[] = {WISP_KERNELS_NARROW, WISP_KERNELS_FUSED};
  wisp_result kept[PICTURES] = {0};
  for (int i = 0; i < 4; i++) {
    const way w = {WISP_THREADS ? 1 + i : 1, any_sign ? i & 1 : -1,
                   WISP_RELAXED ? relaxed[i & 1] : WISP_KERNELS_BEST};
    run(&in, w, kept, real);
  }
  for (int i = 0; i < in.pictures; i++) {
    free((void *)(uintptr_t)kept[i].boxes);
    free((void *)(uintptr_t)in.frames[i].rgba);
  }
  wisp_model_close(&in.model);
  return check_end();
}
