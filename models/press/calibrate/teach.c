/* teach.c - what the float network says of the pictures.
 * SPDX-License-Identifier: Apache-2.0 */
#include "teach.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/src/head.h"
#include "corridor.h"
#include "float/backward.h"
#include "lot.h"
#include "observe.h"

enum { SAMPLES = 128, HEAD_SAMPLES = 256 };

static const double MOST_BYTES = 1.2e9; /* for what is learnt of the pictures */
static const float BOX_WEIGHT = 4;      /* of a squared error of a box, in its own size */
static const float LEAST_BOX = 0.25f; /* a side, in cells, of what a box is taken to be at least */
static const float MASK_SLOPE = 0.1f; /* of the chances of a mask's cells by their logits, about */
static const float LEAST_OBJECT = 3e-3f; /* what a head's place weighs without any object */

static float sigmoid(float v) { return 1 / (1 + expf(-v)); }

/* ---- the loss ---- */

/* The head that layer `number` makes; NULL if it makes none. */
static const wisp_yolo_head *head_of(const wisp_net *net, int number) {
  for (int h = 0; h < net->head_count; h++)
    if (net->heads[h].tensor == number + 1 && net->heads[h].kind != WISP_HEAD_PROTOTYPES)
      return &net->heads[h];
  return NULL;
}

/* How sure an anchor is of an object: no score is above it. `step` floats lie between its channels. */
static float sureness(const wisp_head_form *form, const float *logits, size_t step) {
  float most = logits[(size_t)form->gate * step];
  for (int g = 1; g < form->gates; g++) most = fmaxf(most, logits[(size_t)(form->gate + g) * step]);
  return sigmoid(most);
}

/* Of side `side` of a box of head kind 2, in bins; *slope: how it moves when the logit of bin `at` does. */
static float expected_bin(const float *logits, size_t step, int side, int at, float *slope) {
  const float *bins = logits + (size_t)(side * WISP_BINS_A_SIDE) * step;
  float most = bins[0], sum = 0, moment = 0;
  for (size_t k = 1; k < WISP_BINS_A_SIDE; k++) most = fmaxf(most, bins[k * step]);
  for (size_t k = 0; k < WISP_BINS_A_SIDE; k++) {
    const float chance = expf(bins[k * step] - most);
    sum += chance;
    moment += chance * (float)k;
  }
  const float distance = moment / sum;
  *slope = expf(bins[(size_t)at * step] - most) / sum * ((float)at - distance);
  return distance;
}

/* How far a box moves in its own size when logit k of it does; `step` floats lie between the channels of its anchor,
 * whose width and height in cells are `anchor`. */
static float box_change(wisp_head_kind kind, const float *logits, size_t step, int k,
                        const float anchor[2]) {
  switch (kind) {
    case WISP_HEAD_YOLOV5: {
      /* of the root of the box's size */
      const float half = sigmoid(logits[(size_t)(k % 2 + 2) * step]);
      const float s = sigmoid(logits[(size_t)k * step]);
      return k < 2 ? 2 * (s * (1 - s)) / (4 * half * half * anchor[k]) : 2 * (1 - s);
    }
    case WISP_HEAD_YOLOV8: {
      const int side = k / WISP_BINS_A_SIDE, across = side % 2;
      float slope, other;
      const float distance = expected_bin(logits, step, side, k % WISP_BINS_A_SIDE, &slope) +
                             expected_bin(logits, step, (side + 2) % 4, 0, &other);
      return slope / fmaxf(distance, LEAST_BOX / anchor[across]);
    }
    case WISP_HEAD_PROTOTYPES: break; /* has no boxes */
  }
  return 0;
}

/* The curvature of the loss in logit k of an anchor. `powers` are the prototypes' mean squares: a coefficient moves all
 * cells of a mask by as much as its prototype is there. */
static float curvature(const wisp_yolo_head *head, const wisp_head_form *form, const float *logits,
                       size_t step, int k, const float anchor[2], const double *powers) {
  const int coefficient = k - (form->channels - form->masks);
  if (coefficient >= 0)
    return sureness(form, logits, step) * MASK_SLOPE * (float)powers[coefficient];
  const float object = sureness(form, logits, step), s = sigmoid(logits[(size_t)k * step]);
  const float slope = s * (1 - s);
  if (k == form->objectness) return slope;
  if (k >= form->box) return form->objectness < 0 ? slope : object * slope;
  const float change = box_change(head->kind, logits, step, k, anchor);
  return object * BOX_WEIGHT * fminf(change * change, 4);
}

static void anchor_in_cells(const wisp_yolo_head *head, int anchor, float cells[2]) {
  for (int axis = 0; axis < 2; axis++)
    cells[axis] = head->anchors[2 * anchor + axis] / (float)head->stride;
}

/* ---- one picture ---- */

typedef struct teaching {
  wisp_teacher *teacher;
  wisp_exec *exec;
  wisp_backward *backward;
  wisp_pool *pool;
  uint32_t lot;
  int picture;
  double *map;    /* running sum over the pixels of a tensor */
  float *windows; /* [HEAD_SAMPLES][taps] */
} teaching;

/* Random signs times the roots of the curvatures. */
static void seed_head(teaching *t, int h, const double *powers) {
  const wisp_net *net = t->teacher->net;
  const wisp_yolo_head *head = &net->heads[h];
  const wisp_head_form form = wisp_head_form_of(head->kind, net->class_count, head->masks);
  const int size = form.channels;
  const wisp_floats logits = wisp_exec_tensor(t->exec, head->tensor);
  const wisp_floats gradient = wisp_backward_head(t->backward, h);
  for (int c = 0; c < logits.channels; c++) {
    float cells[2];
    anchor_in_cells(head, c / size, cells);
    for (int y = 0; y < logits.height; y++)
      for (int x = 0; x < logits.width; x++) {
        const float *anchor =
            logits.data + (size_t)(c / size * size) * logits.plane + y * logits.pitch + x;
        const float root =
            sqrtf(curvature(head, &form, anchor, logits.plane, c % size, cells, powers));
        gradient.data[(size_t)c * gradient.plane + (size_t)(y * gradient.pitch + x)] =
            wisp_lot_draw(&t->lot) >> 31 ? root : -root;
      }
  }
}

/* Adds the squares of a head's coefficients, each box's as far as it is sure. */
static void add_pulls(const teaching *t, const wisp_yolo_head *head, double *pulls) {
  const wisp_head_form form =
      wisp_head_form_of(head->kind, t->teacher->net->class_count, head->masks);
  const wisp_floats logits = wisp_exec_tensor(t->exec, head->tensor);
  for (int a = 0; a < head->anchor_count; a++)
    for (int y = 0; y < logits.height; y++)
      for (int x = 0; x < logits.width; x++) {
        const float *anchor =
            logits.data + (size_t)(a * form.channels) * logits.plane + y * logits.pitch + x;
        const double object = (double)sureness(&form, anchor, logits.plane);
        const float *of = anchor + (size_t)(form.channels - form.masks) * logits.plane;
        for (int k = 0; k < form.masks; k++, of += logits.plane)
          pulls[k] += object * (double)*of * (double)*of;
      }
}

/* Of a prototype: its mean square. */
static void find_powers(const teaching *t, int tensor, double *powers) {
  const wisp_floats of = wisp_exec_tensor(t->exec, tensor);
  for (int c = 0; c < of.channels; c++) {
    double sum = 0;
    for (int y = 0; y < of.height; y++) {
      const float *row = of.data + (size_t)c * of.plane + y * of.pitch;
      for (int x = 0; x < of.width; x++) sum += (double)row[x] * (double)row[x];
    }
    powers[c] = sum / of.height / of.width;
  }
}

/* Prototypes, all cells alike: masks of boxes lie anywhere. */
static void seed_prototypes(teaching *t, int h) {
  const wisp_net *net = t->teacher->net;
  const wisp_floats gradient = wisp_backward_head(t->backward, h);
  double pulls[WISP_MAX_MASKS] = {0};
  for (int i = 0; i < net->head_count; i++)
    if (i != h) add_pulls(t, &net->heads[i], pulls);
  for (int c = 0; c < gradient.channels; c++) {
    const double cells = (double)gradient.height * gradient.width;
    const float root = sqrtf(MASK_SLOPE * (float)(pulls[c] / cells));
    for (size_t i = 0; i < gradient.plane; i++)
      gradient.data[(size_t)c * gradient.plane + i] = wisp_lot_draw(&t->lot) >> 31 ? root : -root;
  }
}

static void seed_heads(teaching *t) {
  const wisp_net *net = t->teacher->net;
  double powers[WISP_MAX_MASKS] = {0};
  for (int h = 0; h < net->head_count; h++)
    if (net->heads[h].kind == WISP_HEAD_PROTOTYPES) find_powers(t, net->heads[h].tensor, powers);
  for (int h = 0; h < net->head_count; h++) {
    if (net->heads[h].kind == WISP_HEAD_PROTOTYPES) seed_prototypes(t, h);
    else seed_head(t, h, powers);
  }
}

/* Fills the map with what each place matters, summed up; returns the whole. */
static double fill_map(teaching *t, const wisp_floats *gradient, double *sensitivity) {
  const int n = gradient->height * gradient->width;
  for (int i = 0; i < n; i++) t->map[i] = 0;
  for (int c = 0; c < gradient->channels; c++) {
    double sum = 0, *to = t->map;
    for (int y = 0; y < gradient->height; y++) {
      const float *row = gradient->data + (size_t)c * gradient->plane + y * gradient->pitch;
      for (int x = 0; x < gradient->width; x++, to++) {
        const double square = (double)row[x] * (double)row[x];
        sum += square;
        *to += square;
      }
    }
    sensitivity[c] += sum;
  }
  for (int i = 1; i < n; i++) t->map[i] += t->map[i - 1];
  return t->map[n - 1];
}

/* The first place whose running sum is above `wanted`. */
static int find(const double *map, int n, double wanted) {
  int low = 0, high = n - 1;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (map[middle] > wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}

/* Half of the places by lot, half by what they matter. A head's weigh what that choice makes of the objectness. */
static void choose_places(teaching *t, int number, double whole) {
  const wisp_net_tensor *out = &t->teacher->net->tensors[number + 1];
  wisp_lesson *lesson = &t->teacher->lessons[number];
  const wisp_yolo_head *head = head_of(t->teacher->net, number);
  const wisp_head_form form =
      head ? wisp_head_form_of(head->kind, t->teacher->net->class_count, head->masks)
           : (wisp_head_form){.channels = 0};
  const int n = out->height * out->width;
  for (int s = 0; s < lesson->samples; s++) {
    const size_t at = (size_t)t->picture * (size_t)lesson->samples + (size_t)s;
    const int place = s % 2 && whole > 0 ? find(t->map, n, wisp_lot_share(&t->lot) * whole)
                                         : (int)(wisp_lot_share(&t->lot) * n);
    lesson->places[at][0] = (int16_t)(place / out->width);
    lesson->places[at][1] = (int16_t)(place % out->width);
    const double mass = t->map[place] - (place ? t->map[place - 1] : 0);
    const double chance = 0.5 + (whole > 0 ? 0.5 * mass / whole * n : 0.5); /* times n */
    const wisp_floats sums = wisp_exec_sums(t->exec, number);
    const float *from = sums.data + place / out->width * sums.pitch + place % out->width;
    for (int g = 0; g < lesson->groups; g++) {
      const float *anchor = from + (size_t)(g * form.channels) * sums.plane;
      lesson->weights[at * (size_t)lesson->groups + (size_t)g] =
          head ? (sureness(&form, anchor, sums.plane) + LEAST_OBJECT) / (float)chance : 1;
    }
    for (int c = 0; c < out->channels; c++)
      lesson->targets[at * (size_t)out->channels + (size_t)c] = from[(size_t)c * sums.plane];
  }
}

static void look(void *context, int number, const wisp_floats *gradient) {
  teaching *t = context;
  const wisp_net_layer *layer = &t->teacher->net->layers[number];
  wisp_lesson *lesson = &t->teacher->lessons[number];
  if (lesson->samples == 0) return;
  const double whole = fill_map(t, gradient, lesson->sensitivity);
  choose_places(t, number, whole);
  const int width = wisp_moments_width(wisp_net_taps(layer));
  const size_t first = (size_t)t->picture * (size_t)lesson->samples;
  for (int s = 0; s < lesson->samples; s++) {
    const int16_t *place = lesson->places[first + (size_t)s];
    wisp_observe_window(layer, t->exec, place[0], place[1], t->windows + (size_t)s * (size_t)width);
  }
  wisp_moments_add(&lesson->moments, t->windows, NULL, lesson->samples, t->pool);
}

/* ---- open and close ---- */

static int open_lesson(wisp_lesson *lesson, const wisp_net *net, int number, int pictures) {
  const wisp_net_layer *layer = &net->layers[number];
  const wisp_yolo_head *head = head_of(net, number);
  lesson->samples = head ? HEAD_SAMPLES : SAMPLES;
  lesson->groups = head ? head->anchor_count : 1;
  const size_t n = (size_t)pictures * (size_t)lesson->samples,
               channels = (size_t)layer->channels_out;
  lesson->sensitivity = calloc(channels, sizeof *lesson->sensitivity);
  lesson->places = malloc(n * sizeof *lesson->places);
  lesson->weights = malloc(n * (size_t)lesson->groups * sizeof *lesson->weights);
  lesson->targets = malloc(n * channels * sizeof *lesson->targets);
  return lesson->sensitivity && lesson->places && lesson->weights && lesson->targets &&
         wisp_moments_open(&lesson->moments, wisp_net_taps(layer)) == WISP_OK;
}

static int open_lessons(teaching *t) {
  const wisp_net *net = t->teacher->net;
  size_t pixels = 1, width = 1;
  t->teacher->lessons = calloc((size_t)net->layer_count, sizeof *t->teacher->lessons);
  int complete = t->teacher->lessons != NULL;
  for (int i = 0; i < net->layer_count && complete; i++) {
    const size_t n = (size_t)net->tensors[i + 1].height * (size_t)net->tensors[i + 1].width;
    if (n > pixels) pixels = n;
    if (!wisp_net_mixes_channels(&net->layers[i])) continue;
    const size_t taps = (size_t)wisp_moments_width(wisp_net_taps(&net->layers[i]));
    if (taps > width) width = taps;
    complete = open_lesson(&t->teacher->lessons[i], net, i, t->teacher->pictures);
  }
  t->map = malloc(pixels * sizeof *t->map);
  t->windows = malloc(HEAD_SAMPLES * width * sizeof *t->windows);
  return complete && t->map && t->windows;
}

int wisp_teach_pictures(const wisp_net *net, int count) {
  double bytes = 0, wide = 0; /* targets; the widest tensors, which wait together */
  for (int i = 0; i < net->layer_count; i++) {
    const wisp_net_tensor *out = &net->tensors[i + 1];
    bytes += 4.0 * out->channels * (out->is_head ? HEAD_SAMPLES : SAMPLES);
    wide = fmax(wide, (double)out->channels * out->height * out->width);
  }
  const double most = MOST_BYTES / (bytes + 4 * wide);
  return most < 1 ? 1 : most < count ? (int)most : count;
}

static wisp_status look_at_all(teaching *t, const wisp_view *pictures,
                               const wisp_progress *progress, wisp_error *error) {
  const wisp_net *net = t->teacher->net;
  const float **weights = malloc((size_t)net->layer_count * sizeof *weights);
  if (!weights)
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory to learn from pictures.");
  for (int i = 0; i < net->layer_count; i++) weights[i] = net->layers[i].weights;
  for (t->picture = 0; t->picture < t->teacher->pictures; t->picture++) {
    wisp_exec_run(t->exec, &pictures[t->picture], NULL, NULL);
    seed_heads(t);
    wisp_backward_run(t->backward, weights, look, t);
    wisp_tell(progress, (double)(t->picture + 1) / t->teacher->pictures);
  }
  free(weights);
  for (int i = 0; i < net->layer_count; i++) {
    const wisp_lesson *lesson = &t->teacher->lessons[i];
    for (int c = 0; lesson->samples > 0 && c < net->layers[i].channels_out; c++)
      lesson->sensitivity[c] /= t->teacher->pictures;
  }
  return WISP_OK;
}

wisp_status wisp_teach(wisp_teacher **out, const wisp_net *net, const wisp_view *pictures,
                       int count, uint32_t seed, wisp_pool *pool, const wisp_progress *progress,
                       wisp_error *error) {
  *out = NULL;
  teaching t = {.teacher = calloc(1, sizeof *t.teacher), .pool = pool, .lot = seed};
  if (!t.teacher)
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory to learn from pictures.");
  t.teacher->net = net;
  t.teacher->pictures = count;
  wisp_status status = WISP_OK;
  if (!open_lessons(&t))
    status = wisp_fail(error, WISP_ERR_MEMORY,
                       "There is no memory to learn from %d pictures; give fewer.", count);
  if (status == WISP_OK) status = wisp_exec_open(&t.exec, net, pool, 1, error);
  if (status == WISP_OK) status = wisp_backward_open(&t.backward, net, t.exec, pool, error);
  if (status == WISP_OK) status = look_at_all(&t, pictures, progress, error);
  wisp_backward_close(&t.backward);
  wisp_exec_close(&t.exec);
  free(t.map);
  free(t.windows);
  if (status != WISP_OK) wisp_teacher_close(&t.teacher);
  *out = t.teacher;
  return status;
}

void wisp_teacher_close(wisp_teacher **out) {
  wisp_teacher *teacher = *out;
  if (!teacher) return;
  *out = NULL;
  for (int i = 0; i < teacher->net->layer_count && teacher->lessons; i++) {
    wisp_lesson *lesson = &teacher->lessons[i];
    free(lesson->sensitivity);
    free(lesson->places);
    free(lesson->weights);
    free(lesson->targets);
    wisp_moments_close(&lesson->moments);
  }
  free(teacher->lessons);
  free(teacher);
}
