/* decode.c - heads -> candidates: what a head says, as boxes in source pixels.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "head.h"
#include "logistic.h"
#include "stages.h"

enum { CELLS = 32 /* of a row, looked at together */ };

/* The best `cap` candidates so far: a list until it is full, then a heap with the worst on top. */
typedef struct candidates {
  wisp_box *boxes;
  int count, cap;
} candidates;

static void sink(candidates *k, int at) {
  const wisp_box box = k->boxes[at];
  for (;;) {
    int child = 2 * at + 1;
    if (child >= k->count) break;
    if (child + 1 < k->count && k->boxes[child + 1].score < k->boxes[child].score) child++;
    if (k->boxes[child].score >= box.score) break;
    k->boxes[at] = k->boxes[child];
    at = child;
  }
  k->boxes[at] = box;
}

static void keep(candidates *k, wisp_box box) {
  if (k->count < k->cap) {
    k->boxes[k->count++] = box;
    if (k->count == k->cap)
      for (int i = k->count / 2 - 1; i >= 0; i--) sink(k, i);
  } else if (box.score > k->boxes[0].score) {
    k->boxes[0] = box;
    sink(k, 0);
  }
}

/* One anchor of one cell: its channels (head.h) are `cells` numbers apart from `logits` on. */
typedef struct prediction {
  const wisp_head *head;
  wisp_head_form form;
  int anchor, y, x;
  int number; /* among those of all heads */
  const float *logits;
  ptrdiff_t cells;
  float objectness; /* 1 where the kind has none */
} prediction;

static const float *class_logit(const prediction *p, int label) {
  return p->logits + (p->form.classes + label) * p->cells;
}

static float class_score(const prediction *p, int label) {
  return p->objectness * wisp_sigmoid(*class_logit(p, label));
}

/* models/FORMAT.md, head kind 1; then from the letterboxed input back to the source. */
static wisp_box yolov5_box(const prediction *p, const wisp_fit *fit) {
  const float *size = p->head->anchors + p->anchor * 2, stride = (float)p->head->stride;
  const float centre_x = (2 * wisp_sigmoid(p->logits[0]) - 0.5f + (float)p->x) * stride;
  const float centre_y = (2 * wisp_sigmoid(p->logits[p->cells]) - 0.5f + (float)p->y) * stride;
  const float w = 2 * wisp_sigmoid(p->logits[2 * p->cells]),
              h = 2 * wisp_sigmoid(p->logits[3 * p->cells]);
  const float half_width = w * w * size[0] / 2, half_height = h * h * size[1] / 2;
  return (wisp_box){(centre_x - half_width - fit->left) / fit->scale,
                    (centre_y - half_height - fit->top) / fit->scale,
                    (centre_x + half_width - fit->left) / fit->scale,
                    (centre_y + half_height - fit->top) / fit->scale, .score = 0};
}

/* The expected number of a bin, where each has its chance by the softmax of the logits from `logits` on. */
static float expected_bin(const float *logits, ptrdiff_t cells) {
  float most = logits[0], sum = 0, moment = 0;
  for (int bin = 1; bin < WISP_BINS_A_SIDE; bin++)
    if (logits[bin * cells] > most) most = logits[bin * cells];
  for (int bin = 0; bin < WISP_BINS_A_SIDE; bin++) {
    const float below = logits[bin * cells] - most;
    const float chance = wisp_exponential(below < -80 ? -80 : below);
    sum += chance;
    moment += chance * (float)bin;
  }
  return moment / sum;
}

/* models/FORMAT.md, head kind 2; then from the letterboxed input back to the source. */
static wisp_box yolov8_box(const prediction *p, const wisp_fit *fit) {
  const float *bin = p->head->anchors + p->anchor * 2, stride = (float)p->head->stride;
  const float x = ((float)p->x + 0.5f) * stride, y = ((float)p->y + 0.5f) * stride;
  float side[4]; /* left, top, right, bottom */
  for (int k = 0; k < 4; k++)
    side[k] = expected_bin(p->logits + k * WISP_BINS_A_SIDE * p->cells, p->cells) * bin[k % 2];
  return (wisp_box){(x - side[0] - fit->left) / fit->scale, (y - side[1] - fit->top) / fit->scale,
                    (x + side[2] - fit->left) / fit->scale, (y + side[3] - fit->top) / fit->scale,
                    .score = 0};
}

static wisp_box box_of(const prediction *p, const wisp_fit *fit) {
  switch (p->head->kind) {
    case WISP_HEAD_YOLOV5: return yolov5_box(p, fit);
    case WISP_HEAD_YOLOV8: return yolov8_box(p, fit);
    case WISP_HEAD_PROTOTYPES: break; /* has no anchors */
  }
  return (wisp_box){.score = 0};
}

static int is_wanted(const wisp_options *o, int label) { return !o->classes || o->classes[label]; }

/* The prediction as a candidate for each class that `first` to `last` name. */
static void add_prediction(const prediction *p, const wisp_fit *fit, const wisp_options *o,
                           candidates *out) {
  int first = 0, last = p->head->classes - 1, has_box = 0;
  if (!o->multi_label) {
    for (int label = 1; label <= last; label++)
      if (*class_logit(p, label) > *class_logit(p, first)) first = label;
    last = first;
  }
  wisp_box box = {0};
  for (int label = first; label <= last; label++) {
    if (!is_wanted(o, label)) continue;
    const float score = class_score(p, label);
    if (!(score > o->confidence)) continue;
    if (!has_box) box = box_of(p, fit);
    has_box = 1;
    box.score = score;
    box.label = label;
    box.prediction = p->number;
    keep(out, box);
  }
}

/* most[i]: the greatest of the `gates` channels of cell i, which are `cells` numbers apart. */
static void find_most(const float *gate, int gates, ptrdiff_t cells, int n, float most[CELLS]) {
  memcpy(most, gate, (size_t)n * sizeof *most);
  for (int g = 1; g < gates; g++)
    for (int i = 0; i < n; i++) {
      const float other = gate[g * cells + i];
      most[i] = other > most[i] ? other : most[i];
    }
}

static void decode_cell(prediction *p, const wisp_fit *fit, const wisp_options *o,
                        candidates *out) {
  p->objectness =
      p->form.objectness >= 0 ? wisp_sigmoid(p->logits[p->form.objectness * p->cells]) : 1;
  if (p->objectness > o->confidence) add_prediction(p, fit, o, out);
}

/* Its predictions are numbered from `first` on. */
static void decode_head(const wisp_head *head, int first, const wisp_fit *fit,
                        const wisp_options *o, candidates *out) {
  const wisp_head_form form = wisp_head_form_of(head->kind, head->classes, head->masks);
  const ptrdiff_t cells = (ptrdiff_t)head->height * head->pitch;
  const float least = wisp_least_logit(o->confidence);
  prediction p = {.head = head, .form = form, .cells = cells};
  for (p.anchor = 0; p.anchor < head->count; p.anchor++)
    for (p.y = 0; p.y < head->height; p.y++)
      for (int from = 0; from < head->width; from += CELLS) {
        const float *logits =
            head->logits + p.anchor * form.channels * cells + (ptrdiff_t)p.y * head->pitch + from;
        const int n = wisp_min(CELLS, head->width - from);
        float most[CELLS];
        find_most(logits + form.gate * cells, form.gates, cells, n, most);
        for (int i = 0; i < n; i++) {
          if (most[i] < least) continue;
          p.x = from + i;
          p.number = first + (p.anchor * head->height + p.y) * head->width + p.x;
          p.logits = logits + i;
          decode_cell(&p, fit, o, out);
        }
      }
}

int wisp_decode(const wisp_head *heads, int n, const wisp_fit *fit, const wisp_options *options,
                wisp_box *boxes, int cap) {
  candidates out = {boxes, 0, cap};
  int first = 0;
  for (int i = 0; i < n; i++) {
    decode_head(&heads[i], first, fit, options, &out);
    first += wisp_predictions(&heads[i]);
  }
  return out.count;
}
