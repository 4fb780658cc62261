/* decode.c - heads -> candidates: what a YOLOv5 head says, as boxes in source pixels.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "head.h"
#include "stages.h"

/* e^x to within 2 units in the last place for |x| <= 87, from plain f32 operations, so that every engine has the same
 * bits: x = k ln 2 + r, e^r by its Taylor polynomial on |r| <= ln 2 / 2. */
static float exponential(float x) {
  const float k = floorf(x * 1.44269504f + 0.5f);
  const float r = (x - k * 0.693359375f) + k * 2.12194440e-4f; /* ln 2 in two parts */
  float p = 1.0f / 5040;
  const float terms[] = {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1, 1};
  for (int i = 0; i < 7; i++) p = p * r + terms[i];
  const uint32_t bits = (uint32_t)((int32_t)k + 127) << 23;
  float power;
  memcpy(&power, &bits, sizeof power);
  return p * power;
}

static float sigmoid(float x) {
  const float clamped = x < -80 ? -80 : x > 80 ? 80 : x;
  return 1 / (1 + exponential(-clamped));
}

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
  const float *logits;
  ptrdiff_t cells;
  float objectness; /* 1 where the kind has none */
} prediction;

static const float *class_logit(const prediction *p, int label) {
  return p->logits + (p->form.classes + label) * p->cells;
}

static float class_score(const prediction *p, int label) {
  return p->objectness * sigmoid(*class_logit(p, label));
}

/* models/FORMAT.md, head kind 1; then from the letterboxed input back to the source. */
static wisp_box yolov5_box(const prediction *p, const wisp_fit *fit) {
  const float *size = p->head->anchors + p->anchor * 2, stride = (float)p->head->stride;
  const float centre_x = (2 * sigmoid(p->logits[0]) - 0.5f + (float)p->x) * stride;
  const float centre_y = (2 * sigmoid(p->logits[p->cells]) - 0.5f + (float)p->y) * stride;
  const float w = 2 * sigmoid(p->logits[2 * p->cells]), h = 2 * sigmoid(p->logits[3 * p->cells]);
  const float half_width = w * w * size[0] / 2, half_height = h * h * size[1] / 2;
  return (wisp_box){(centre_x - half_width - fit->left) / fit->scale,
                    (centre_y - half_height - fit->top) / fit->scale,
                    (centre_x + half_width - fit->left) / fit->scale,
                    (centre_y + half_height - fit->top) / fit->scale,
                    0,
                    0};
}

static wisp_box box_of(const prediction *p, const wisp_fit *fit) {
  switch (p->head->kind) {
    case WISP_HEAD_YOLOV5: return yolov5_box(p, fit);
  }
  return (wisp_box){.score = 0};
}

static int is_wanted(const wisp_options *o, int label) { return !o->classes || o->classes[label]; }

static void add_prediction(const prediction *p, const wisp_fit *fit, const wisp_options *o,
                           candidates *out) {
  int best = -1;
  float best_logit = 0;
  for (int label = 0; label < p->head->classes; label++) {
    const float logit = *class_logit(p, label);
    if (best < 0 || logit > best_logit) best = label, best_logit = logit;
    if (!o->multi_label || !is_wanted(o, label)) continue;
    const float score = class_score(p, label);
    if (!(score > o->confidence)) continue;
    wisp_box box = box_of(p, fit);
    box.score = score;
    box.label = label;
    keep(out, box);
  }
  if (o->multi_label || !is_wanted(o, best)) return;
  wisp_box box = box_of(p, fit);
  box.score = class_score(p, best);
  box.label = best;
  if (box.score > o->confidence) keep(out, box);
}

/* Whether one of the `n` channels that gate, `cells` numbers apart, reaches `least`. */
static int may_pass(const float *gate, int n, ptrdiff_t cells, float least) {
  for (int g = 0; g < n; g++)
    if (!(gate[g * cells] < least)) return 1;
  return 0;
}

static void decode_head(const wisp_head *head, const wisp_fit *fit, const wisp_options *o,
                        candidates *out) {
  const wisp_head_form form = wisp_head_form_of(head->kind, head->classes);
  const ptrdiff_t cells = (ptrdiff_t)head->height * head->pitch;
  const float least = wisp_least_logit(o->confidence);
  for (int anchor = 0; anchor < head->count; anchor++) {
    const float *logits = head->logits + anchor * form.channels * cells;
    for (int y = 0; y < head->height; y++)
      for (int x = 0; x < head->width; x++) {
        const float *cell = logits + (ptrdiff_t)y * head->pitch + x;
        if (!may_pass(cell + form.gate * cells, form.gates, cells, least)) continue;
        prediction p = {head, form, anchor, y, x, cell, cells, 1};
        if (form.objectness >= 0) p.objectness = sigmoid(cell[form.objectness * cells]);
        if (!(p.objectness > o->confidence)) continue;
        add_prediction(&p, fit, o, out);
      }
  }
}

int wisp_decode(const wisp_head *heads, int n, const wisp_fit *fit, const wisp_options *options,
                wisp_box *boxes, int cap) {
  candidates out = {boxes, 0, cap};
  for (int i = 0; i < n; i++) decode_head(&heads[i], fit, options, &out);
  return out.count;
}
