/* test_letterbox.c - frame -> input: OpenCV's own pixels, the formulas of YOLOv5's letterbox, an independent resize.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "check.h"
#include "draw.h"
#include "stages.h"

/* ---- an input to letterbox into ---- */

typedef struct canvas {
  int height, width, block; /* in pixels */
  uint8_t flip;
  size_t size; /* of the buffer between guards */
  wisp_view view;
} canvas;

static canvas canvas_open(int height, int width, int block, uint8_t flip) {
  canvas c = {height, width, block,
              flip,   0,     {NULL, 3 * block * block, height / block, width / block, 0, 0, 0}};
  c.view.pitch = c.view.width + random_int(0, 3);
  c.view.plane = (c.view.height * c.view.pitch + random_int(0, 5)) * WISP_LANES;
  const int planes = wisp_planes(c.view.channels);
  c.size = (size_t)((planes - 1) * c.view.plane +
                    ((c.view.height - 1) * c.view.pitch + c.view.width) * WISP_LANES);
  c.view.data = guard_open(c.size);
  return c;
}

static void canvas_close(canvas *c) {
  CHECK(guard_holds(c->view.data, c->size));
  guard_close(c->view.data);
}

/* Colour `colour` of pixel (y, x): FORMAT.md, "Tensors". */
static uint8_t canvas_at(const canvas *c, int y, int x, int colour) {
  const int channel = (y % c->block * c->block + x % c->block) * 3 + colour;
  const int cell = (y / c->block * c->view.pitch + x / c->block) * WISP_LANES;
  return c->view.data[channel / WISP_LANES * c->view.plane + cell + channel % WISP_LANES] ^ c->flip;
}

static const wisp_kernels *draw_kernels(void) {
  return random_chance(0.5) ? wisp_kernels_set(0) : wisp_kernels_scalar();
}

/* ---- golden: cv.resize(source, size, INTER_LINEAR) of OpenCV 4.5.2 (opencv.js) ---- */

static uint8_t golden_source(int kind, int x, int y, int c) {
  if (kind == 1) return (uint8_t)(x * 3 + y * 2 + c * 40);
  uint32_t v = (uint32_t)x * 73856093u ^ (uint32_t)y * 19349663u ^ (uint32_t)c * 83492791u;
  v ^= v >> 13;
  v *= 0x5bd1e995u;
  return (uint8_t)(v ^ v >> 15);
}

/* Letterboxed into a square of the longer side, the picture has the golden size, and its RGB bytes this CRC. */
static const struct golden {
  int width, height, to_width, to_height, kind;
  uint32_t crc;
} goldens[] = {
    {64, 48, 64, 48, 0, 0x48defed2},      {64, 48, 64, 48, 1, 0x846418af},
    {128, 96, 64, 48, 0, 0xed110a11},     {128, 96, 64, 48, 1, 0x72083135},
    {100, 75, 64, 48, 0, 0x49ecddeb},     {100, 75, 64, 48, 1, 0xa05b0d90},
    {37, 23, 64, 40, 0, 0x8db97a75},      {37, 23, 64, 40, 1, 0x7424cace},
    {640, 427, 320, 214, 0, 0x619a09de},  {640, 427, 320, 214, 1, 0x619f915e},
    {1, 1, 32, 32, 0, 0x547fd01e},        {1, 1, 32, 32, 1, 0xe5e96d39},
    {1, 9, 4, 32, 0, 0xc01df9d7},         {1, 9, 4, 32, 1, 0x59973b7a},
    {9, 1, 32, 4, 0, 0x2097fcdc},         {9, 1, 32, 4, 1, 0x3773eeea},
    {500, 375, 64, 48, 0, 0x7a8c914d},    {500, 375, 64, 48, 1, 0x3ed6b252},
    {33, 65, 16, 32, 0, 0xd8ac5c69},      {33, 65, 16, 32, 1, 0xb39883f8},
    {810, 1080, 240, 320, 0, 0xa205c1e8}, {810, 1080, 240, 320, 1, 0xd8e5a66f},
    {53, 71, 48, 64, 0, 0xdfcf25b6},      {53, 71, 48, 64, 1, 0xcd81fbd9},
    {31, 17, 64, 35, 0, 0xdba1c1f1},      {31, 17, 64, 35, 1, 0x00b41546},
    {200, 100, 64, 32, 0, 0x068efeb6},    {200, 100, 64, 32, 1, 0xc907571d},
    {3, 2, 64, 43, 0, 0x197a7111},        {3, 2, 64, 43, 1, 0xc6fca6f7},
    {97, 389, 80, 320, 0, 0x9c6d0d70},    {97, 389, 80, 320, 1, 0xbd04b021},
};

static uint32_t picture_crc(const canvas *c, const struct golden *g) {
  const int left = (c->width - g->to_width) / 2, top = (c->height - g->to_height) / 2;
  uint8_t *rgb = check_allocate((size_t)(g->to_width * g->to_height * 3)), *at = rgb;
  for (int y = 0; y < g->to_height; y++)
    for (int x = 0; x < g->to_width; x++)
      for (int colour = 0; colour < 3; colour++) *at++ = canvas_at(c, top + y, left + x, colour);
  const uint32_t crc = net_crc(rgb, (size_t)(at - rgb));
  free(rgb);
  return crc;
}

static void test_golden(const struct golden *g) {
  uint8_t *rgba = check_allocate((size_t)(g->width * g->height * 4));
  for (int i = 0; i < g->width * g->height * 4; i++)
    rgba[i] = golden_source(g->kind, i / 4 % g->width, i / 4 / g->width, i % 4);
  const wisp_frame frame = {rgba, g->width, g->height, (size_t)g->width * 4};
  const int side = wisp_max(g->to_width, g->to_height);
  for (int block = 1; block <= 2; block++) {
    canvas c = canvas_open(side, side, block, 0);
    wisp_fit fit;
    CHECK_CASE("golden %dx%d to %dx%d, kind %d, block %d", g->width, g->height, g->to_width,
               g->to_height, g->kind, block);
    wisp_prep(&frame, draw_kernels(), block, 0, NULL, &c.view, &fit);
    CHECK_EQ(picture_crc(&c, g), g->crc);
    canvas_close(&c);
  }
  free(rgba);
}

/* ---- placement: letterbox() of YOLOv5, utils/augmentations.py ---- */

/* Worked out with Python's round(): half to even for the size, the remainder / 2 - 0.1 for the place. */
static const struct placed {
  int width, height, into_width, into_height, left, top, to_width, to_height;
} places[] = {
    {810, 1080, 640, 640, 80, 0, 480, 640},  {1280, 720, 640, 640, 0, 140, 640, 360},
    {640, 427, 640, 640, 0, 106, 640, 427},  {427, 640, 640, 640, 106, 0, 427, 640},
    {500, 375, 640, 640, 0, 80, 640, 480},   {256, 101, 640, 640, 0, 194, 640, 252},
    {256, 103, 640, 640, 0, 191, 640, 258},  {1280, 720, 640, 384, 0, 12, 640, 360},
    {720, 1280, 640, 384, 212, 0, 216, 384}, {32, 32, 32, 32, 0, 0, 32, 32},
    {1, 1, 64, 32, 16, 0, 32, 32},           {32768, 1, 64, 64, 0, 31, 64, 1},
    {1, 32768, 64, 64, 31, 0, 1, 64},        {63, 64, 64, 64, 0, 0, 63, 64},
};

static void test_place(const struct placed *p) {
  const size_t size = (size_t)p->width * (size_t)p->height * 4;
  uint8_t *white = check_allocate(size);
  memset(white, 255, size);
  const wisp_frame frame = {white, p->width, p->height, (size_t)p->width * 4};
  canvas c = canvas_open(p->into_height, p->into_width, random_int(1, 2), 0);
  wisp_fit fit;
  CHECK_CASE("%dx%d into %dx%d", p->width, p->height, p->into_width, p->into_height);
  wisp_prep(&frame, draw_kernels(), c.block, 0, NULL, &c.view, &fit);
  int wrong = 0;
  for (int y = 0; y < c.height; y++)
    for (int x = 0; x < c.width; x++) {
      const int inside =
          x >= p->left && x < p->left + p->to_width && y >= p->top && y < p->top + p->to_height;
      for (int colour = 0; colour < 3; colour++)
        wrong += canvas_at(&c, y, x, colour) != (inside ? 255 : WISP_GREY);
    }
  CHECK_EQ(wrong, 0);
  const double scale = fmin((double)p->into_width / p->width, (double)p->into_height / p->height);
  CHECK_NEAR(fit.scale, scale, scale * 1e-7);
  CHECK_NEAR(fit.left, (p->into_width - p->width * scale) / 2, 1e-4);
  CHECK_NEAR(fit.top, (p->into_height - p->height * scale) / 2, 1e-4);
  CHECK_EQ(fit.width, p->width);
  CHECK_EQ(fit.height, p->height);
  canvas_close(&c);
  free(white);
}

/* ---- any size: each pixel on its own ---- */

/* Two neighbours along an axis and their 11-bit weights, rounded one by one. */
typedef struct pair {
  int a, b, weight_a, weight_b;
  double place; /* between pixel centres */
} pair;

static pair pair_at(int position, int from, int to) {
  const double place = (position + 0.5) * ((double)from / to) - 0.5;
  const float at = (float)place, fraction = at - floorf(at);
  const int first = (int)floorf(at);
  return (pair){wisp_clamp(first, 0, from - 1), wisp_clamp(first + 1, 0, from - 1),
                (int)rintf((1 - fraction) * 2048), (int)rintf(fraction * 2048),
                fmin(fmax(place, 0), from - 1)};
}

static int source_at(const wisp_frame *f, int y, int x, int colour) {
  return f->rgba[(size_t)y * f->stride + (size_t)x * 4 + (size_t)colour];
}

static int whole_blend(const wisp_frame *f, const pair *x, const pair *y, int colour) {
  const int upper = source_at(f, y->a, x->a, colour) * x->weight_a +
                    source_at(f, y->a, x->b, colour) * x->weight_b;
  const int lower = source_at(f, y->b, x->a, colour) * x->weight_a +
                    source_at(f, y->b, x->b, colour) * x->weight_b;
  return ((upper / 16 * y->weight_a / 65536) + (lower / 16 * y->weight_b / 65536) + 2) / 4;
}

static double real_blend(const wisp_frame *f, const pair *x, const pair *y, int colour) {
  const int left = (int)x->place, top = (int)y->place;
  const int right = wisp_min(left + 1, f->width - 1), bottom = wisp_min(top + 1, f->height - 1);
  const double u = x->place - left, v = y->place - top;
  return (source_at(f, top, left, colour) * (1 - u) + source_at(f, top, right, colour) * u) *
             (1 - v) +
         (source_at(f, bottom, left, colour) * (1 - u) + source_at(f, bottom, right, colour) * u) *
             v;
}

static void check_blends(const wisp_frame *f, const canvas *c, int left, int top, int width,
                         int height) {
  int wrong = 0;
  double worst = 0;
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++)
      for (int colour = 0; colour < 3; colour++) {
        const pair px = pair_at(x, f->width, width), py = pair_at(y, f->height, height);
        const int byte = canvas_at(c, top + y, left + x, colour);
        wrong += byte != whole_blend(f, &px, &py, colour);
        worst = fmax(worst, fabs(byte - real_blend(f, &px, &py, colour)));
      }
  CHECK_EQ(wrong, 0);
  CHECK(worst < 1);
}

static int round_half_even(double v) {
  const double low = floor(v);
  if (v - low != 0.5) return (int)floor(v + 0.5);
  return (int)low + ((int)low & 1);
}

static void test_random(wisp_pool *pool) {
  const int width = random_int(1, 300), height = random_int(1, 300);
  const size_t gap = (size_t)random_int(0, 9);
  uint8_t *rgba = check_allocate((size_t)height * ((size_t)width * 4 + gap));
  random_bytes(rgba, (size_t)height * ((size_t)width * 4 + gap));
  const wisp_frame frame = {rgba, width, height, (size_t)width * 4 + gap};
  canvas c = canvas_open(32 * random_int(1, 12), 32 * random_int(1, 12), random_int(1, 2),
                         random_chance(0.5) ? 0x80 : 0);
  wisp_fit fit;
  CHECK_CASE("%dx%d into %dx%d, block %d, flip %d", width, height, c.width, c.height, c.block,
             c.flip);
  wisp_prep(&frame, draw_kernels(), c.block, c.flip, pool, &c.view, &fit);
  const double scale = fmin((double)c.width / width, (double)c.height / height);
  const int to_width = wisp_max(1, round_half_even(width * scale)),
            to_height = wisp_max(1, round_half_even(height * scale));
  check_blends(&frame, &c, round_half_even((c.width - to_width) / 2.0 - 0.1),
               round_half_even((c.height - to_height) / 2.0 - 0.1), to_width, to_height);
  canvas_close(&c);
  free(rgba);
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  for (size_t i = 0; i < sizeof goldens / sizeof *goldens; i++) test_golden(&goldens[i]);
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) test_place(&places[i]);
  wisp_pool *pool = NULL;
  CHECK_EQ(wisp_pool_open(&pool, 3), WISP_OK);
  for (int i = 0; i < 60; i++) test_random(i & 1 ? pool : NULL);
  wisp_pool_close(&pool);
  return check_end();
}
