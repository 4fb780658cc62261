/* heads.c - what a header says of its heads: bytes to heads that are known to be sound.
 * SPDX-License-Identifier: Apache-2.0 */
#include "heads.h"

#include <math.h>
#include <stdlib.h>

#include "error.h"
#include "head.h"

static wisp_status check_prototypes(wisp_model *m, int i, wisp_error *error) {
  const wisp_model_head *h = &m->head[i];
  const wisp_tensor *t = &m->tensor[h->tensor];
  if (m->masks)
    return wisp_fail(error, WISP_ERR_FORMAT, "Heads %d and %d are both prototypes; one may be.",
                     m->prototypes, i);
  if (h->anchors || h->masks < 1 || t->channels != h->masks)
    return wisp_fail(error, WISP_ERR_FORMAT,
                     "Head %d is %d prototypes with %d anchors; tensor %d has %d channels.", i,
                     h->masks, h->anchors, h->tensor, t->channels);
  m->masks = h->masks;
  m->prototypes = i;
  return WISP_OK;
}

static wisp_status check_head(wisp_model *m, int i, wisp_error *error) {
  const wisp_model_head *h = &m->head[i];
  const int channels = wisp_head_channels(h->kind, h->anchors, m->classes, h->masks);
  if (h->anchors < 1)
    return wisp_fail(error, WISP_ERR_FORMAT, "Head %d has %d anchors, stride %d and tensor %d.", i,
                     h->anchors, h->stride, h->tensor);
  wisp_tensor *t = &m->tensor[h->tensor];
  if (t->head >= 0 || t->channels != channels)
    return wisp_fail(error, WISP_ERR_FORMAT,
                     "Head %d needs a tensor of its own with %d channels; tensor %d has %d.", i,
                     channels, h->tensor, t->channels);
  if (t->scale != 1 || t->zero_point != 0)
    return wisp_fail(error, WISP_ERR_FORMAT,
                     "Head %d has the scale %g and zero point %d; real numbers have 1 and 0.", i,
                     (double)t->scale, t->zero_point);
  t->head = i;
  return WISP_OK;
}

static wisp_status read_head(wisp_model *m, wisp_cursor *c, int i, wisp_error *error) {
  wisp_model_head *h = &m->head[i];
  h->tensor = wisp_cursor_u16(c);
  h->stride = wisp_cursor_u16(c);
  h->kind = (wisp_head_kind)wisp_cursor_u8(c);
  h->anchors = wisp_cursor_u8(c);
  h->masks = wisp_cursor_u16(c);
  const int makes_masks = h->kind == WISP_HEAD_PROTOTYPES;
  if (!makes_masks && !wisp_head_form_of(h->kind, m->classes, h->masks).channels)
    return wisp_fail(error, WISP_ERR_UNSUPPORTED,
                     "Head %d is of kind %d, not known here; update wisp.", i, h->kind);
  if (h->stride < 1 || h->tensor < 1 || h->tensor >= m->tensors)
    return wisp_fail(error, WISP_ERR_FORMAT, "Head %d has %d anchors, stride %d and tensor %d.", i,
                     h->anchors, h->stride, h->tensor);
  if (h->masks > WISP_MAX_MASKS)
    return wisp_fail(error, WISP_ERR_LIMIT, "Head %d has %d masks; up to %d are possible.", i,
                     h->masks, WISP_MAX_MASKS);
  const wisp_status status = makes_masks ? check_prototypes(m, i, error) : check_head(m, i, error);
  if (status != WISP_OK) return status;
  h->sizes = calloc((size_t)h->anchors * 2 + 1, sizeof *h->sizes);
  if (!h->sizes)
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for the model's header.");
  for (int k = 0; k < h->anchors * 2; k++) {
    h->sizes[k] = wisp_cursor_f32(c);
    if (!c->overrun && (!(h->sizes[k] > 0) || !isfinite(h->sizes[k])))
      return wisp_fail(error, WISP_ERR_FORMAT, "Head %d has an anchor of size %g.", i,
                       (double)h->sizes[k]);
  }
  return WISP_OK;
}

/* Every box has a coefficient for each prototype, which are bytes. */
static wisp_status check_masks(const wisp_model *m, wisp_error *error) {
  for (int i = 0; i < m->heads; i++)
    if (m->head[i].masks != m->masks)
      return wisp_fail(error, WISP_ERR_FORMAT,
                       "Head %d has %d coefficients of a mask for %d prototypes.", i,
                       m->head[i].masks, m->masks);
  if (m->masks && (m->heads < 2 || m->tensor[m->head[m->prototypes].tensor].head >= 0))
    return wisp_fail(
        error, WISP_ERR_FORMAT,
        "Head %d is prototypes, which need boxes and a tensor that is no other head's.",
        m->prototypes);
  return WISP_OK;
}

wisp_status wisp_heads_read(wisp_model *m, wisp_cursor *c, wisp_error *error) {
  wisp_status status = WISP_OK;
  for (int i = 0; status == WISP_OK && i < m->heads; i++) status = read_head(m, c, i, error);
  return status == WISP_OK && !c->overrun ? check_masks(m, error) : status;
}
