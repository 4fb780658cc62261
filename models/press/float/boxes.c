/* boxes.c - what the float network detects: the executor's heads through the runtime's own decoding and suppression.
 * SPDX-License-Identifier: Apache-2.0 */
#include "boxes.h"

#include <stdlib.h>

struct wisp_boxes {
  wisp_head *heads; /* [count] */
  int count;
  wisp_box *candidates; /* [WISP_MAX_CANDIDATES] */
};

/* Heads stay where the executor leaves them: without a border they are what decode reads. */
static void fill_heads(wisp_boxes *boxes, const wisp_net *net, const wisp_exec *exec) {
  for (int i = 0; i < net->head_count; i++) {
    const wisp_yolo_head *head = &net->heads[i];
    const wisp_floats logits = wisp_exec_tensor(exec, head->tensor);
    boxes->heads[i] = (wisp_head){.kind = head->kind,
                                  .logits = logits.data,
                                  .anchors = head->anchors,
                                  .count = head->anchor_count,
                                  .classes = net->class_count,
                                  .height = logits.height,
                                  .width = logits.width,
                                  .stride = head->stride,
                                  .pitch = logits.pitch};
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
  *out = boxes;
  return WISP_OK;
}

void wisp_boxes_close(wisp_boxes **out) {
  wisp_boxes *boxes = *out;
  if (!boxes) return;
  *out = NULL;
  free(boxes->heads);
  free(boxes->candidates);
  free(boxes);
}

wisp_result wisp_boxes_find(wisp_boxes *boxes, const wisp_fit *fit, const wisp_options *options) {
  const int n =
      wisp_decode(boxes->heads, boxes->count, fit, options, boxes->candidates, WISP_MAX_CANDIDATES);
  return (wisp_result){.boxes = boxes->candidates,
                       .count = wisp_nms(boxes->candidates, n, options, fit)};
}
