/* test_network.c - random small networks through plan and run: every byte of every tensor is that
 * of the naive reference, for all kernels, thread counts and representations; and the boxes of
 * wisp.h follow from the reference's heads.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "check.h"
#include "core/wisp_testing.h"
#include "draw.h"
#include "plan.h"
#include "reference.h"
#include "stages.h"

enum { NETWORKS = 30, THREADS = WISP_THREADS ? 4 : 1, MOST_BOXES = 30000 };

/* One way to run a network. */
typedef struct variant {
  wisp_kernel_set kernels;
  int threads, flip;
} variant;

/* What the clock looks at: wisp_run reads it once before the first step and once after each. */
static struct {
  const net *n;
  const wisp_plan *plan;
  const reference *expected;
  int calls;
} watch;

/* ---- tensors ---- */

static const uint8_t *pixel_at(const wisp_view *v, int plane, int y, int x) {
  return v->data + (ptrdiff_t)plane * v->plane + ((ptrdiff_t)y * v->pitch + x) * WISP_LANES;
}

/* Pixel (y, x) of a plane of a tensor in `image`, which is the tensor itself or its phases. */
static const uint8_t *stored(const wisp_image *image, int planes, int plane, int y, int x) {
  if (!image->stride_y) return pixel_at(&image->view, plane, y, x);
  const int phase = y % image->stride_y * image->stride_x + x % image->stride_x;
  return pixel_at(&image->view, phase * planes + plane, y / image->stride_y, x / image->stride_x);
}

static void check_pixels(int tensor, int image) {
  const net_tensor *t = &watch.n->tensor[tensor];
  const wisp_image *i = &watch.plan->images[image];
  CHECK_EQ(i->view.height, i->stride_y ? wisp_ceil_div(t->height, i->stride_y) : t->height);
  CHECK_EQ(i->view.width, i->stride_x ? wisp_ceil_div(t->width, i->stride_x) : t->width);
  const uint8_t *expected = watch.expected->bytes[tensor];
  for (int c = 0; c < t->channels; c++)
    for (int y = 0; y < t->height; y++)
      for (int x = 0; x < t->width; x++, expected++) {
        const uint8_t *pixel = stored(i, wisp_planes(t->channels), c / WISP_LANES, y, x);
        const int byte = pixel[c % WISP_LANES] ^ watch.plan->flip;
        if (byte == *expected) continue;
        printf("image %d, channel %d, y %d, x %d: ", image, c, y, x);
        CHECK_EQ(byte, *expected);
        return;
      }
}

/* Around the picture lies the zero point, as far as any convolution reaches. */
static void check_border(int image) {
  const wisp_image *i = &watch.plan->images[image];
  const wisp_view *v = &i->view;
  int wrong = 0;
  const int end = wisp_min(v->width + i->margin, v->pitch - i->margin);
  for (int p = 0; p < wisp_planes(v->channels); p++)
    for (int y = -v->pad; y < v->height + v->pad; y++)
      for (int x = -i->margin; x < end; x++) {
        if (y >= 0 && y < v->height && x >= 0 && x < v->width) continue;
        for (int lane = 0; lane < WISP_LANES; lane++)
          wrong += pixel_at(v, p, y, x)[lane] != i->border;
      }
  CHECK_EQ(wrong, 0);
}

static void check_image(int tensor, int image) {
  check_pixels(tensor, image);
  check_border(image);
}

static double look(void) {
  const int s = watch.calls++ - 1;
  if (s < 0) return 0;
  const wisp_step *step = &watch.plan->steps[s];
  if (step->kind == &wisp_step_head) return 0;
  const int tensor = step->kind == &wisp_step_sort ? step->inputs[0] : step->output;
  if (watch.plan->images[step->output].size > 0) check_image(tensor, step->output);
  if (step->phases >= 0) check_image(tensor, step->phases);
  return 0;
}

static void check_heads(void) {
  for (int i = 0; i < watch.n->heads; i++) {
    const wisp_head *h = &watch.plan->heads[i];
    const net_tensor *t = &watch.n->tensor[watch.n->head[i].tensor];
    if (watch.n->head[i].kind == WISP_HEAD_PROTOTYPES) continue; /* a tensor like any other */
    CHECK_EQ(h->height, t->height);
    CHECK_EQ(h->width, t->width);
    const float *expected = watch.expected->logits[i];
    long wrong = 0;
    for (int c = 0; c < t->channels; c++)
      for (int y = 0; y < t->height; y++, expected += t->width)
        wrong += memcmp(h->logits + (c * h->height + y) * h->pitch, expected,
                        (size_t)t->width * sizeof *expected) != 0;
    CHECK_EQ(wrong, 0);
  }
}

/* ---- a plan ---- */

/* Tensor 0 as [channels][height][width] into the plan's first image. */
static void set_input(const wisp_plan *plan, const net *n, const uint8_t *input) {
  const net_tensor *t = &n->tensor[0];
  for (int c = 0; c < t->channels; c++)
    for (int y = 0; y < t->height; y++)
      for (int x = 0; x < t->width; x++)
        *((uint8_t *)(uintptr_t)pixel_at(&plan->images[0].view, c / WISP_LANES, y, x) +
          c % WISP_LANES) = *input++ ^ plan->flip;
}

static const wisp_kernels *kernels_of(const variant *v) {
  if (v->kernels == WISP_KERNELS_SCALAR) return wisp_kernels_scalar();
  return wisp_kernels_set(v->kernels == WISP_KERNELS_FUSED);
}

static wisp_plan *open_plan(const net *n, const wisp_model *model, const variant *v) {
  wisp_plan *plan;
  wisp_error error = {0};
  wisp_status status =
      wisp_plan_open(&plan, model, kernels_of(v), n->height, n->width, v->threads, v->flip, &error);
  if (status == WISP_OK) status = wisp_plan_advance(plan, &error);
  if (CHECK_EQ(status, WISP_OK)) return plan;
  printf("%s\n", error.message);
  wisp_plan_close(&plan);
  return NULL;
}

static void check_plan(const net *n, const wisp_model *model, const variant *v,
                       const reference *expected, const uint8_t *input) {
  wisp_plan *plan = open_plan(n, model, v);
  wisp_pool *pool = NULL;
  if (!plan || !CHECK_EQ(wisp_pool_open(&pool, v->threads), WISP_OK)) return;
  memset(plan->arena, random_int(0, 255), plan->arena_size);
  set_input(plan, n, input);
  watch.n = n;
  watch.plan = plan;
  watch.expected = expected;
  watch.calls = 0;
  const wisp_options all = {.masks = WISP_MASKS_BY_ROW};
  wisp_run(plan, 0, plan->step_count, pool, &all, look);
  CHECK_EQ(watch.calls, plan->step_count + 1);
  check_heads();
  wisp_pool_close(&pool);
  wisp_plan_close(&plan);
}

/* ---- the public API ---- */

/* Boxes that follow from the reference's heads. */
static int expected_boxes(const net *n, const reference *r, const wisp_fit *fit,
                          const wisp_options *o, wisp_box *boxes) {
  wisp_head heads[NET_HEADS];
  for (int i = 0; i < n->heads; i++) {
    const net_tensor *t = &n->tensor[n->head[i].tensor];
    heads[i] = (wisp_head){.kind = (wisp_head_kind)n->head[i].kind,
                           .logits = r->logits[i],
                           .anchors = &n->head[i].sizes[0][0],
                           .count = n->head[i].anchors,
                           .classes = n->classes,
                           .height = t->height,
                           .width = t->width,
                           .stride = n->head[i].stride,
                           .pitch = t->width,
                           .masks = n->head[i].masks};
  }
  const int found = wisp_decode(heads, n->heads, fit, o, boxes, MOST_BOXES);
  return wisp_nms(boxes, found, o, fit);
}

static void check_detect(const net *n, const wisp_model *model, const variant *v,
                         const reference *r, const wisp_frame *frame) {
  wisp_settings settings = wisp_default_settings();
  const wisp_forced forced = {v->kernels, v->flip};
  settings.threads = v->threads;
  settings.forced = &forced;
  wisp_detector *detector;
  wisp_error error = {0};
  if (!CHECK_EQ(wisp_open(&detector, model, &settings, &error), WISP_OK)) return;
  wisp_options o = wisp_default_options();
  o.confidence = (float)random_real(0, 0.9);
  o.multi_label = random_chance(0.5);
  const wisp_fit fit = {1, 0, 0, frame->width, frame->height};
  wisp_box *expected = check_allocate(MOST_BOXES * sizeof *expected);
  const int count = expected_boxes(n, r, &fit, &o, expected);
  const wisp_frame frames[2] = {*frame, *frame};
  wisp_result results[2];
  CHECK_EQ(wisp_detect(detector, frames, 2, &o, results, &error), WISP_OK);
  for (int i = 0; i < 2; i++)
    if (CHECK_EQ(results[i].count, count))
      CHECK_SAME(results[i].boxes, expected, (size_t)count * sizeof *expected);
  free(expected);
  wisp_close(&detector);
}

/* ---- a network ---- */

static wisp_model *open_model(const net *n) {
  size_t size;
  uint8_t *file = net_write(n, &size);
  wisp_model *model;
  wisp_error error = {0};
  CHECK_EQ(wisp_model_open(&model), WISP_OK);
  if (!CHECK_EQ(wisp_model_feed(model, file, size, &error), WISP_OK)) printf("%s\n", error.message);
  free(file);
  return model;
}

/* Tensor 0 of a frame of the input's own size: FORMAT.md, "Tensors". */
static uint8_t *input_of(const net *n, const uint8_t *rgba) {
  const net_tensor *t = &n->tensor[0];
  uint8_t *input = check_allocate((size_t)(t->channels * t->height * t->width)), *at = input;
  for (int c = 0; c < t->channels; c++) {
    const int dy = c / 3 / n->block, dx = c / 3 % n->block;
    for (int y = 0; y < t->height; y++)
      for (int x = 0; x < t->width; x++)
        *at++ = rgba[((y * n->block + dy) * n->width + x * n->block + dx) * 4 + c % 3];
  }
  return input;
}

static int works(const variant *v) {
  const wisp_kernels *k = kernels_of(v);
  if (v->kernels == WISP_KERNELS_SCALAR) return 1;
  return k && k != wisp_kernels_scalar() &&
         (k->any_sign || v->flip == (wisp_kernels_sign(k) == WISP_SIGNED));
}

static void test_network(const net *n, double worst[WISP_ACT_COUNT]) {
  wisp_model *model = open_model(n);
  uint8_t *rgba = draw_picture(n->width, n->height), *input = input_of(n, rgba);
  const wisp_frame frame = {rgba, n->width, n->height, (size_t)n->width * 4};
  const variant plain = {WISP_KERNELS_SCALAR, 1, 0};
  wisp_plan *plan = open_plan(n, model, &plain);
  if (plan) {
    reference expected;
    reference_run(&expected, n, plan, input);
    for (int a = 0; a < WISP_ACT_COUNT; a++) worst[a] = fmax(worst[a], expected.worst[a]);
    static const wisp_kernel_set kinds[] = {WISP_KERNELS_SCALAR, WISP_KERNELS_BEST,
                                            WISP_KERNELS_FUSED};
    for (int i = 0; i < 6 * THREADS; i++) {
      const variant v = {kinds[i % 3], 1 + i / 6, i / 3 & 1};
      CHECK_CASE("%dx%d, %d layers; kernels %d, threads %d, flip %d", n->height, n->width,
                 n->layers, (int)v.kernels, v.threads, v.flip);
      if (!works(&v)) continue;
      check_plan(n, model, &v, &expected, input);
      check_detect(n, model, &v, &expected, &frame);
    }
    reference_free(&expected);
    wisp_plan_close(&plan);
  }
  free(rgba);
  free(input);
  wisp_model_close(&model);
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  const unsigned long long start = random_bits();
  double worst[WISP_ACT_COUNT] = {0};
  int drawn[256] = {0};
  net *n = check_allocate(sizeof *n);
  for (unsigned i = 0; i < NETWORKS; i++) {
    random_start(start + i * 7919ull);
    draw_net(n);
    for (int l = 0; l < n->layers; l++) drawn[n->layer[l].operation]++;
    test_network(n, worst);
    net_free(n);
  }
  draw_small_net(n);
  test_network(n, worst);
  net_free(n);
  free(n);
  printf("bytes are off from the exact outputs by at most, in steps:");
  for (int a = 0; a < WISP_ACT_COUNT; a++) printf(" %.3f", worst[a]);
  printf("\n");
  for (int code = 0; code < 256; code++)
    CHECK_EQ(drawn[code] > 0, wisp_operation_row_of((wisp_operation)code).name != NULL);
  for (int a = 0; a < WISP_ACT_COUNT; a++)
    CHECK(worst[a] <= (wisp_activation_row_of((wisp_activation)a).is_share ? 1.25 : 0.8));
  return check_end();
}
