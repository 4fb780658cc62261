/* wisp.c - the detector: walks the stages, computes nothing itself.
 * SPDX-License-Identifier: Apache-2.0 */
#include "../wisp.h"

#include <stdlib.h>
#include <string.h>

#include "../wisp_testing.h"
#include "error.h"
#include "payload.h"
#include "plan.h"
#include "stages.h"

enum { WARM_SIDE = 32 };

struct wisp_detector {
  wisp_model *model; /* whose weights it takes as they arrive; NULL: they stay the model's */
  wisp_plan *plan;
  wisp_pool *pool;
  double (*clock)(void);
  int warm_up;
  wisp_fit grey;        /* of the frame it warms up with */
  wisp_box *candidates; /* [WISP_MAX_CANDIDATES] */
  wisp_seen *seen; /* [WISP_MAX_SEEN] of a frame and its tiles; NULL until tiles are asked for */
  wisp_box *boxes; /* of the last batch, [frames][most asked for] */
  size_t box_capacity;
  wisp_mask *masks; /* of the last batch that wanted them, one frame's behind the other's */
  size_t mask_capacity;
  wisp_mask_room mask_room;
};

const char *wisp_version(void) { return WISP_VERSION; }

wisp_settings wisp_default_settings(void) { return (wisp_settings){.threads = 1}; }

wisp_forced wisp_default_forced(void) { return (wisp_forced){.signed_bytes = -1}; }

wisp_options wisp_default_options(void) {
  return (wisp_options){.confidence = 0.25f,
                        .iou = 0.45f,
                        .max_detections = 300,
                        .rect = 1,
                        .tile_columns = 1,
                        .tile_rows = 1,
                        .tile_overlap = 0.2f};
}

/* ---- open and close ---- */

/* NULL if this build or engine has none such. */
static const wisp_kernels *choose_kernels(wisp_kernel_set set) {
  switch (set) {
    case WISP_KERNELS_SCALAR: return wisp_kernels_scalar();
    case WISP_KERNELS_NARROW: return wisp_kernels_set(1) ? wisp_kernels_set(0) : NULL;
    case WISP_KERNELS_FUSED: return wisp_kernels_set(1);
    case WISP_KERNELS_BEST: return wisp_kernels_best();
  }
  return NULL;
}

static wisp_status open_plan(wisp_detector *d, const wisp_model *model, const wisp_settings *s,
                             wisp_error *error) {
  const wisp_forced forced = s->forced ? *s->forced : wisp_default_forced();
  const wisp_kernels *kernels = choose_kernels(forced.kernels);
  if (!kernels)
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "There are no kernels of kind %d in this build; 2 and 3 need relaxed SIMD.",
                     (int)forced.kernels);
  if (forced.signed_bytes < -1 || forced.signed_bytes > 1)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "signed_bytes is -1, 0 or 1, not %d.",
                     forced.signed_bytes);
  const wisp_sign own = wisp_kernels_sign(kernels);
  if (own == WISP_COMPUTES_WRONGLY)
    return wisp_fail(error, WISP_ERR_UNSUPPORTED,
                     "This engine computes the dot products of the %s kernels wrongly.",
                     kernels->name);
  const int is_signed = own == WISP_SIGNED,
            flip = forced.signed_bytes < 0 ? is_signed : forced.signed_bytes;
  if (flip != is_signed && !kernels->any_sign)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "The %s kernels read bytes as %s on this machine.",
                     kernels->name, is_signed ? "signed" : "unsigned");
  const int height = s->height ? s->height : model->input_height,
            width = s->width ? s->width : model->input_width;
  return wisp_plan_open(&d->plan, model, kernels, height, width, wisp_pool_threads(d->pool), flip,
                        error);
}

static wisp_status check_model(const wisp_model *model, int complete, wisp_error *error) {
  if (model->state == WISP_IS_BROKEN)
    return wisp_fail(error, model->broken.status, "%s", model->broken.message);
  if (model->state == WISP_READS_PREAMBLE)
    return wisp_fail(error, WISP_ERR_TRUNCATED,
                     "The model ends within its first bytes; download it again.");
  if (complete ? model->state != WISP_IS_COMPLETE : !wisp_model_has_header(model))
    return wisp_fail(error, WISP_ERR_TRUNCATED,
                     "The model ends before its %zu bytes are there; download it again.",
                     model->size);
  if (model->weights_moved)
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "The model's weights went to another detector; feed it to a new model.");
  return WISP_OK;
}

static wisp_status open_detector(wisp_detector **out, const wisp_model *model,
                                 const wisp_settings *settings, wisp_error *error) {
  wisp_detector *d = calloc(1, sizeof *d);
  wisp_status status = d ? WISP_OK : WISP_ERR_MEMORY;
  if (status == WISP_OK)
    status = wisp_pool_open(&d->pool, settings->threads > 1 ? settings->threads : 1);
  if (status == WISP_OK) d->candidates = malloc(WISP_MAX_CANDIDATES * sizeof *d->candidates);
  if (status != WISP_OK || !d->candidates) {
    wisp_close(&d);
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for a detector.");
  }
  d->clock = settings->clock;
  d->warm_up = settings->warm_up;
  status = open_plan(d, model, settings, error);
  const wisp_prototypes *prototypes = status == WISP_OK ? &d->plan->prototypes : NULL;
  if (prototypes && prototypes->count &&
      wisp_mask_open(&d->mask_room, prototypes->height, prototypes->width) != WISP_OK)
    status = wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for masks.");
  if (status == WISP_OK) *out = d;
  else wisp_close(&d);
  return status;
}

static wisp_status begin(wisp_detector **out, const wisp_model *model, int complete,
                         const wisp_settings *settings, wisp_error *error) {
  *out = NULL;
  if (settings->threads < 0 || settings->threads > WISP_MAX_THREADS)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "%d threads were asked for; 1 to %d are possible.",
                     settings->threads, WISP_MAX_THREADS);
  const wisp_status status = check_model(model, complete, error);
  return status == WISP_OK ? open_detector(out, model, settings, error) : status;
}

wisp_status wisp_begin(wisp_detector **out, wisp_model *model, const wisp_settings *settings,
                       wisp_error *error) {
  const wisp_status status = begin(out, model, 0, settings, error);
  if (status != WISP_OK) return status;
  (*out)->model = model;
  model->weights_moved = 1;
  return WISP_OK;
}

wisp_status wisp_open(wisp_detector **out, const wisp_model *model, const wisp_settings *settings,
                      wisp_error *error) {
  wisp_status status = begin(out, model, 1, settings, error);
  if (status == WISP_OK) status = wisp_advance(*out, error);
  if (status != WISP_OK) wisp_close(out);
  return status;
}

void wisp_close(wisp_detector **out) {
  wisp_detector *d = *out;
  if (!d) return;
  *out = NULL;
  wisp_plan_close(&d->plan);
  wisp_pool_close(&d->pool);
  wisp_mask_close(&d->mask_room);
  free(d->candidates);
  free(d->seen);
  free(d->boxes);
  free(d->masks);
  free(d);
}

static size_t mask_memory(const wisp_plan *p) {
  const wisp_view *v = &p->images[p->model->head[p->model->prototypes].tensor].view;
  return (size_t)v->plane / WISP_LANES * sizeof(float);
}

void wisp_describe(const wisp_detector *d, wisp_detector_info *info) {
  const wisp_plan *p = d->plan;
  *info = (wisp_detector_info){p->height,
                               p->width,
                               wisp_pool_threads(d->pool),
                               p->kernels->name,
                               p->flip != 0,
                               p->memory + WISP_MAX_CANDIDATES * sizeof *d->candidates +
                                   (p->prototypes.count ? mask_memory(p) : 0),
                               p->macs};
}

void wisp_describe_layer(const wisp_detector *d, int layer, wisp_layer_run *run) {
  const wisp_view *output = &d->plan->images[d->plan->model->layer[layer].output].view;
  *run = (wisp_layer_run){output->height, output->width, d->plan->layer_ms[layer]};
}

/* ---- detect ---- */

static wisp_status reserve_boxes(wisp_detector *d, int n, int each, wisp_error *error) {
  if (n < 0 || (size_t)n > SIZE_MAX / sizeof *d->boxes / (size_t)each)
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "%d frames with up to %d boxes each were given; that many don't fit.", n,
                     each);
  const size_t count = (size_t)n * (size_t)each;
  if (count <= d->box_capacity) return WISP_OK;
  wisp_box *boxes = realloc(d->boxes, count * sizeof *boxes);
  if (!boxes) return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for %zu boxes.", count);
  d->boxes = boxes;
  d->box_capacity = count;
  return WISP_OK;
}

static wisp_status reserve_seen(wisp_detector *d, const wisp_options *o, wisp_error *error) {
  if (o->tiles == WISP_TILES_NONE || d->seen) return WISP_OK;
  d->seen = malloc(WISP_MAX_SEEN * sizeof *d->seen);
  return d->seen ? WISP_OK
                 : wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for the boxes of tiles.");
}

static wisp_status reserve_masks(wisp_detector *d, size_t count, wisp_error *error) {
  if (count <= d->mask_capacity) return WISP_OK;
  wisp_mask *masks =
      count <= SIZE_MAX / sizeof *masks ? realloc(d->masks, count * sizeof *masks) : NULL;
  if (!masks) return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for %zu masks.", count);
  d->masks = masks;
  d->mask_capacity = count;
  return WISP_OK;
}

static double now(const wisp_detector *d) { return d->clock ? d->clock() : 0; }

/* The whole input, or as much of it as the frame needs. */
static void set_shape(wisp_plan *plan, const wisp_frame *frame, int rect) {
  int height = plan->height, width = plan->width;
  if (rect) wisp_rect(frame, plan->model->stride, &height, &width);
  wisp_plan_shape(plan, height, width);
}

/* Leaves what is in a view of a frame, as boxes of the view, at the front of the candidates, and adds to the times.
 * Their masks are held where they are wanted. */
static wisp_status look(wisp_detector *d, const wisp_frame *view, const wisp_sight *sight,
                        const wisp_options *o, int *count, wisp_result *times) {
  const wisp_plan *p = d->plan;
  wisp_status status = WISP_OK;
  wisp_fit fit;
  const double start = now(d);
  set_shape(d->plan, view, o->rect);
  wisp_prep(view, p->kernels, p->model->block, p->flip, d->pool, &p->images[0].view, &fit);
  const double prepared = now(d);
  wisp_run(d->plan, 0, p->step_count, d->pool, o, d->clock);
  const double ran = now(d);
  const int found =
      wisp_decode(p->heads, p->model->heads, &fit, o, d->candidates, WISP_MAX_CANDIDATES);
  *count = wisp_nms(d->candidates, found, o, &fit);
  if (o->masks != WISP_MASKS_NONE)
    status = wisp_mask_make(&d->mask_room, p->heads, &p->prototypes, p->kernels, &fit, sight,
                            o->masks, d->candidates, *count);
  times->prep_ms += prepared - start;
  times->run_ms += ran - prepared;
  times->post_ms += now(d) - ran;
  return status;
}

/* The same of the frame and its tiles, once the frame has been looked at whole. */
static wisp_status look_closer(wisp_detector *d, const wisp_frame *frame, const wisp_options *o,
                               const wisp_tiles *tiles, int *count, wisp_result *times) {
  wisp_status status = WISP_OK;
  int seen = wisp_gather(d->seen, 0, d->candidates, *count, -1, (wisp_corner){0, 0});
  for (int i = 0; i < tiles->columns * tiles->rows && status == WISP_OK; i++) {
    const wisp_sight sight = {wisp_tile_at(tiles, frame, i), frame->width, frame->height};
    const wisp_corner at = sight.corner;
    const uint8_t *first = frame->rgba + (size_t)at.y * frame->stride + (size_t)at.x * 4;
    const wisp_frame tile = {first, tiles->width, tiles->height, frame->stride};
    status = look(d, &tile, &sight, o, count, times);
    seen = wisp_gather(d->seen, seen, d->candidates, *count, i, at);
  }
  const double start = now(d);
  const wisp_fit whole = {1, 0, 0, frame->width, frame->height};
  const int left = wisp_merge(d->seen, seen, tiles, frame, o, d->candidates);
  *count = wisp_nms(d->candidates, left, o, &whole);
  times->post_ms += now(d) - start;
  return status;
}

/* `masks` has room for as many as there are boxes; NULL: none are wanted. */
static wisp_status detect_one(wisp_detector *d, const wisp_frame *frame, const wisp_options *o,
                              wisp_box *boxes, wisp_mask *masks, wisp_result *result) {
  const size_t runs = d->mask_room.count;
  const wisp_sight whole = {{0, 0}, frame->width, frame->height};
  const wisp_tiles tiles = wisp_tile(frame, o, d->plan->height, d->plan->width);
  int count;
  *result = (wisp_result){.boxes = boxes, .masks = masks};
  wisp_status status = look(d, frame, &whole, o, &count, result);
  if (tiles.columns > 0 && status == WISP_OK)
    status = look_closer(d, frame, o, &tiles, &count, result);
  if (masks && status == WISP_OK)
    status = wisp_mask_pick(&d->mask_room, runs, d->candidates, count, masks);
  for (int i = 0; i < count; i++) boxes[i] = d->candidates[i];
  result->count = count;
  return status;
}

typedef struct frames_call {
  wisp_detector *detector;
  const wisp_frame *frames;
  int count;
  const wisp_options *options;
  wisp_result *results;
  wisp_status status;
} frames_call;

static void detect_all(void *context) {
  frames_call *c = context;
  wisp_detector *d = c->detector;
  const size_t each = (size_t)c->options->max_detections;
  const int wants_masks = c->options->masks != WISP_MASKS_NONE;
  int masks = 0;
  d->mask_room.count = d->mask_room.held_count = 0;
  for (int i = 0; i < c->count && c->status == WISP_OK; i++) {
    c->status = detect_one(d, &c->frames[i], c->options, d->boxes + (size_t)i * each,
                           wants_masks ? d->masks + masks : NULL, &c->results[i]);
    masks += c->results[i].count;
  }
  if (wants_masks && c->status == WISP_OK) wisp_mask_place(&d->mask_room, d->masks, masks);
}

static wisp_status check_ready(const wisp_detector *d, wisp_error *error) {
  if (d->plan->ready == d->plan->step_count) return WISP_OK;
  return wisp_fail(error, WISP_ERR_TRUNCATED, "The weights of layer %d have not arrived.",
                   d->plan->steps[d->plan->ready].layer);
}

wisp_status wisp_detect(wisp_detector *d, const wisp_frame *frames, int n,
                        const wisp_options *options, wisp_result *results, wisp_error *error) {
  wisp_status status = check_ready(d, error);
  if (status == WISP_OK) status = wisp_check_options(options, d->plan->model->masks, error);
  for (int i = 0; status == WISP_OK && i < n; i++) status = wisp_check_frame(&frames[i], i, error);
  if (status == WISP_OK) status = reserve_boxes(d, n, options->max_detections, error);
  if (status == WISP_OK) status = reserve_seen(d, options, error);
  if (status == WISP_OK && options->masks != WISP_MASKS_NONE)
    status = reserve_masks(d, (size_t)n * (size_t)options->max_detections, error);
  if (status != WISP_OK) return status;
  frames_call all = {d, frames, n, options, results, WISP_OK};
  wisp_pool_lead(d->pool, detect_all, &all);
  if (all.status == WISP_OK) return WISP_OK;
  return wisp_fail(error, all.status, "There is no memory for the run lengths of masks.");
}

/* ---- while the model arrives ---- */

typedef struct warm_call {
  wisp_detector *detector;
  int first;
} warm_call;

/* Steps [first, ready) of a detection on a grey frame. */
static void warm_up(void *context) {
  wisp_detector *d = ((const warm_call *)context)->detector;
  const int first = ((const warm_call *)context)->first;
  wisp_plan *p = d->plan;
  uint8_t grey[WARM_SIDE * WARM_SIDE * 4];
  memset(grey, WISP_GREY, sizeof grey);
  const wisp_frame frame = {grey, WARM_SIDE, WARM_SIDE, WARM_SIDE * 4};
  wisp_options options = wisp_default_options();
  if (p->model->masks) options.masks = WISP_MASKS_BY_ROW; /* for the layers that only they need */
  if (first == 0)
    wisp_prep(&frame, p->kernels, p->model->block, p->flip, d->pool, &p->images[0].view, &d->grey);
  wisp_run(p, first, p->ready, d->pool, &options, d->clock);
  if (p->ready < p->step_count) return;
  const int found = wisp_decode(p->heads, p->model->heads, &d->grey, &options, d->candidates,
                                WISP_MAX_CANDIDATES);
  wisp_nms(d->candidates, found, &options, &d->grey);
}

/* What is lowered lives on in the plan. */
static void drop_weights(wisp_detector *d, int first) {
  for (int s = first; s < d->plan->ready; s++) wisp_payload_drop(d->model, d->plan->steps[s].layer);
}

wisp_status wisp_advance(wisp_detector *d, wisp_error *error) {
  const int first = d->plan->ready;
  const wisp_status status = wisp_plan_advance(d->plan, error);
  if (status != WISP_OK) return status;
  if (d->model) drop_weights(d, first);
  warm_call warm = {d, first};
  if (d->warm_up && d->plan->ready > first) wisp_pool_lead(d->pool, warm_up, &warm);
  return check_ready(d, error);
}
