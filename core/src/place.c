/* place.c - gives every image of a plan its address in one block, images that never live together sharing bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "error.h"
#include "network.h"
#include "strides.h"

enum { ALIGNMENT = 64, SLACK = 2 * WISP_OVERREAD /* behind the last image */ };

static size_t align(size_t size) { return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

static int live_together(const wisp_image *a, const wisp_image *b) {
  return a->first <= b->last && b->first <= a->last;
}

/* The lowest offset at which `image` fits beside the `placed` ones it lives together with. */
static size_t lowest_offset(const wisp_plan *plan, const int *order, int placed,
                            const wisp_image *image) {
  size_t offset = 0;
  for (int i = 0; i < placed;) {
    const wisp_image *other = &plan->images[order[i]];
    const int clash = live_together(image, other) && offset < other->offset + align(other->size) &&
                      other->offset < offset + align(image->size);
    if (clash) offset = other->offset + align(other->size);
    i = clash ? 0 : i + 1;
  }
  return offset;
}

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
    plan->heads[i].logits =
        (const float *)(const void *)(plan->arena +
                                      plan->images[plan->model->head[i].tensor].offset);
}

wisp_status wisp_place_make(wisp_plan *plan, wisp_error *error) {
  int *order = calloc((size_t)plan->image_count, sizeof *order);
  if (!order) return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory to plan the network.");
  sort_by_size(plan, order);
  size_t end = 0;
  for (int i = 0; i < plan->image_count && end <= WISP_ARENA_MAX; i++) {
    wisp_image *image = &plan->images[order[i]];
    image->offset = lowest_offset(plan, order, i, image);
    if (image->offset + align(image->size) > end) end = image->offset + align(image->size);
  }
  free(order);
  if (end > WISP_ARENA_MAX - SLACK)
    return wisp_fail(error, WISP_ERR_LIMIT,
                     "An input of %dx%d needs more than %d bytes; use a smaller size.",
                     plan->height, plan->width, WISP_ARENA_MAX);
  plan->arena_size = end + SLACK;
  plan->arena = aligned_alloc(ALIGNMENT, align(plan->arena_size));
  if (!plan->arena)
    return wisp_fail(error, WISP_ERR_MEMORY,
                     "There is no memory for the %zu bytes that an input of %dx%d needs.",
                     plan->arena_size, plan->height, plan->width);
  set_pointers(plan);
  return WISP_OK;
}
