/* place.c - gives every image of a plan its address in one block, images that never live together sharing bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "arena.h"
#include "error.h"
#include "network.h"
#include "strides.h"

enum { ALIGNMENT = 64, SLACK = 2 * WISP_OVERREAD /* behind the last image */ };

static size_t align(size_t size) { return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

/* Largest first (insertion sort; stable, so that a plan is the same everywhere). */
static void sort_by_size(const wisp_plan *plan, int *order) {
  for (int i = 0; i < plan->image_count; i++) {
    int at = i;
    for (; at > 0 && plan->images[order[at - 1]].size < plan->images[i].size; at--)
      order[at] = order[at - 1];
    order[at] = i;
  }
}

static void set_pointers(wisp_plan *plan) {
  for (int i = 0; i < plan->image_count; i++) {
    wisp_image *image = &plan->images[i];
    image->view.data = plan->arena + image->offset +
                       (image->view.pad * image->view.pitch + image->margin) * WISP_LANES;
  }
  for (int i = 0; i < plan->model->heads; i++)
    if (plan->model->head[i].kind != WISP_HEAD_PROTOTYPES)
      plan->heads[i].logits =
          (const float *)(const void *)(plan->arena +
                                        plan->images[plan->model->head[i].tensor].offset);
}

/* Sets the offset of every image. Returns the bytes of all; 0 without memory. */
static uint64_t place_images(wisp_plan *plan) {
  const size_t n = (size_t)plan->image_count;
  int *order = calloc(n, sizeof *order);
  wisp_span *spans = calloc(n, sizeof *spans);
  uint64_t end = 0;
  if (order && spans) {
    sort_by_size(plan, order);
    for (size_t i = 0; i < n; i++) {
      const wisp_image *image = &plan->images[order[i]];
      spans[i] =
          (wisp_span){.size = align(image->size), .first = image->first, .last = image->last};
    }
    end = wisp_arena_place(spans, (int)n);
    for (size_t i = 0; i < n; i++) plan->images[order[i]].offset = (size_t)spans[i].offset;
  }
  free(order);
  free(spans);
  return end;
}

wisp_status wisp_place_make(wisp_plan *plan, wisp_error *error) {
  const uint64_t end = place_images(plan);
  if (end == 0) return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory to plan the network.");
  if (end > WISP_ARENA_MAX - SLACK)
    return wisp_fail(error, WISP_ERR_LIMIT,
                     "An input of %dx%d needs more than %d bytes; use a smaller size.",
                     plan->height, plan->width, WISP_ARENA_MAX);
  plan->arena_size = (size_t)end + SLACK;
  plan->arena = aligned_alloc(ALIGNMENT, align(plan->arena_size));
  if (!plan->arena)
    return wisp_fail(error, WISP_ERR_MEMORY,
                     "There is no memory for the %zu bytes that an input of %dx%d needs.",
                     plan->arena_size, plan->height, plan->width);
  set_pointers(plan);
  return WISP_OK;
}
