/* boxes.c - what the float network detects: the executor's heads through the runtime's own decoding and suppression.
 * SPDX-License-Identifier: Apache-2.0 */
#include "boxes.h"

#include <stdlib.h>

struct wisp_boxes {
  wisp_head *heads; /* [count] */
  int count;
  wisp_box *candidates; /* [WISP_MAX_CANDIDATES] */
  wisp_prototypes prototypes;
  wisp_mask_room room;
  wisp_mask *masks; /* [mask_capacity] */
  int mask_capacity;
};

/* They have a border, as every tensor that a layer might read. */
static void fill_prototypes(wisp_boxes *boxes, const wisp_floats *reals) {
  boxes->prototypes = (wisp_prototypes){.count = reals->channels,
                                        .height = reals->height,
                                        .width = reals->width,
                                        .reals = reals->data,
                                        .pitch = reals->pitch,
                                        .plane = reals->plane};
}

/* Heads stay where the executor leaves them: without a border they are what decode reads. */
static void fill_heads(wisp_boxes *boxes, const wisp_net *net, const wisp_exec *exec) {
  for (int i = 0; i < net->head_count; i++) {
    const wisp_yolo_head *head = &net->heads[i];
    const wisp_floats logits = wisp_exec_tensor(exec, head->tensor);
    if (head->kind == WISP_HEAD_PROTOTYPES) fill_prototypes(boxes, &logits);
    boxes->heads[i] = (wisp_head){.kind = head->kind,
                                  .logits = logits.data,
                                  .anchors = head->anchors,
                                  .count = head->anchor_count,
                                  .classes = net->class_count,
                                  .height = logits.height,
                                  .width = logits.width,
                                  .stride = head->stride,
                                  .pitch = logits.pitch,
                                  .masks = head->masks};
  }
}

wisp_status wisp_boxes_open(wisp_boxes **out, const wisp_net *net, const wisp_exec *exec) {
  *out = NULL;
  wisp_boxes *boxes = calloc(1, sizeof *boxes);
  if (!boxes) return WISP_ERR_MEMORY;
  boxes->count = net->head_count;
  boxes->heads = calloc((size_t)net->head_count, sizeof *boxes->heads);
  boxes->candidates = malloc(WISP_MAX_CANDIDATES * sizeof *boxes->candidates);
  if (!boxes->heads || !boxes->candidates) {
    wisp_boxes_close(&boxes);
    return WISP_ERR_MEMORY;
  }
  fill_heads(boxes, net, exec);
  const wisp_prototypes *of = &boxes->prototypes;
  const wisp_status status =
      of->count ? wisp_mask_open(&boxes->room, of->height, of->width) : WISP_OK;
  if (status == WISP_OK) *out = boxes;
  else wisp_boxes_close(&boxes);
  return status;
}

void wisp_boxes_close(wisp_boxes **out) {
  wisp_boxes *boxes = *out;
  if (!boxes) return;
  *out = NULL;
  free(boxes->heads);
  free(boxes->candidates);
  wisp_mask_close(&boxes->room);
  free(boxes->masks);
  free(boxes);
}

static int reserve_masks(wisp_boxes *boxes, int count) {
  if (count <= boxes->mask_capacity) return 1;
  wisp_mask *masks = realloc(boxes->masks, (size_t)count * sizeof *masks);
  if (!masks) return 0;
  boxes->masks = masks;
  boxes->mask_capacity = count;
  return 1;
}

wisp_status wisp_boxes_find(wisp_boxes *boxes, const wisp_fit *fit, const wisp_options *options,
                            wisp_result *result) {
  const int found =
      wisp_decode(boxes->heads, boxes->count, fit, options, boxes->candidates, WISP_MAX_CANDIDATES);
  const int n = wisp_nms(boxes->candidates, found, options, fit);
  *result = (wisp_result){.boxes = boxes->candidates, .count = n};
  if (options->masks == WISP_MASKS_NONE) return WISP_OK;
  const wisp_sight sight = {{0, 0}, fit->width, fit->height};
  boxes->room.count = boxes->room.held_count = 0;
  if (!reserve_masks(boxes, n)) return WISP_ERR_MEMORY;
  wisp_status status = wisp_mask_make(&boxes->room, boxes->heads, &boxes->prototypes, NULL, fit,
                                      &sight, options->masks, boxes->candidates, n);
  if (status == WISP_OK)
    status = wisp_mask_pick(&boxes->room, 0, boxes->candidates, n, boxes->masks);
  wisp_mask_place(&boxes->room, boxes->masks, status == WISP_OK ? n : 0);
  result->masks = boxes->masks;
  return status;
}
