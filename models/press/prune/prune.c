/* prune.c - which weights become zero.
 * SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "allocate.h"
#include "blocks.h"
#include "calibrate/teach.h"
#include "core/src/head.h"
#include "corridor.h"
#include "obs.h"
#include "order.h"

static const float MOST_OF_CHANNEL = 0.95f; /* of its blocks */

/* ---- l1: the smallest weights of each layer, as PyTorch's l1_unstructured; nothing is repaired ---- */

static int by_value(const void *a, const void *b) {
  const float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

/* The magnitude below which `share` of the weights that are used lie; *count: of how many. */
static wisp_status find_threshold(const wisp_net_layer *layer, float share, float *threshold,
                                  size_t *count) {
  const size_t taps = (size_t)wisp_net_taps(layer), n = (size_t)layer->channels_out * taps;
  size_t used = 0;
  float *sorted = malloc(n * sizeof *sorted);
  if (!sorted) return WISP_ERR_MEMORY;
  for (size_t i = 0; i < n; i++)
    if (wisp_net_is_used(layer, (int)(i % taps))) sorted[used++] = fabsf(layer->weights[i]);
  qsort(sorted, used, sizeof *sorted, by_value);
  *count = (size_t)lrintf(share * (float)used);
  *threshold = *count < used ? sorted[*count] : INFINITY;
  free(sorted);
  return WISP_OK;
}

/* Of equal magnitudes the first ones go. */
static wisp_status prune_by_magnitude(wisp_net_layer *layer, float sparsity) {
  const size_t taps = (size_t)wisp_net_taps(layer), n = (size_t)layer->channels_out * taps;
  size_t below = 0, count;
  float threshold;
  layer->pruned = malloc(n * sizeof *layer->pruned);
  if (!layer->pruned || find_threshold(layer, sparsity, &threshold, &count) != WISP_OK)
    return WISP_ERR_MEMORY;
  memcpy(layer->pruned, layer->weights, n * sizeof *layer->pruned);
  for (size_t i = 0; i < n; i++)
    below += wisp_net_is_used(layer, (int)(i % taps)) && fabsf(layer->weights[i]) < threshold;
  size_t equal = count - below;
  for (size_t i = 0; i < n; i++) {
    if (!wisp_net_is_used(layer, (int)(i % taps))) continue;
    const float size = fabsf(layer->weights[i]);
    const int gone = size < threshold || (size == threshold && equal > 0);
    if (gone && size == threshold) equal--;
    if (gone) layer->pruned[i] = 0;
  }
  return WISP_OK;
}

/* ---- obs ---- */

/* Of a head's work, what is done at least: its other channels are computed where a gate is open. */
static const double LEAST_OF_HEAD = 0.15;

/* Of the blocks, where nobody says how many become zero. */
static const double USUAL_SHARE = 0.3;

/* By layer; what is no convolution has no channels. */
typedef struct pruning {
  double *work; /* of one weight */
  wisp_obs *obs;
  wisp_blocks *blocks;
  wisp_allocate_layer *layers;
} pruning;

/* The part of a layer's multiply-adds that a picture needs. */
static double part_computed(const wisp_net *net, int tensor) {
  for (int i = 0; i < net->head_count; i++) {
    const wisp_yolo_head *head = &net->heads[i];
    const wisp_head_form form = wisp_head_form_of(head->kind, net->class_count, head->masks);
    if (head->tensor == tensor && form.gates > 0)
      return fmax((double)form.gates / form.channels, LEAST_OF_HEAD);
  }
  return 1;
}

static void measure_work(const pruning *p, const wisp_net *net) {
  for (int i = 0; i < net->layer_count; i++) {
    const wisp_net_tensor *out = &net->tensors[i + 1];
    p->work[i] = part_computed(net, i + 1) * out->height * out->width;
  }
}

static wisp_status study_layer(pruning *p, const wisp_net *net, const wisp_teacher *teacher,
                               const wisp_press_settings *settings, int number, wisp_pool *pool) {
  const wisp_net_layer *layer = &net->layers[number];
  const wisp_net_tensor *out = &net->tensors[number + 1];
  wisp_blocks *blocks = &p->blocks[number];
  wisp_status status = wisp_blocks_open(blocks, net, layer, settings->block);
  if (status == WISP_OK)
    status = wisp_obs_open(&p->obs[number], &teacher->lessons[number].moments, layer->weights,
                           layer->channels_out, blocks, MOST_OF_CHANNEL, pool);
  if (status != WISP_OK) return status;
  const int even = settings->allocation == WISP_ALLOCATE_UNIFORM;
  const double weights = (double)blocks->weights / wisp_max(blocks->count, 1);
  p->layers[number] =
      (wisp_allocate_layer){.sensitivity = teacher->lessons[number].sensitivity,
                            .block_work = weights * p->work[number],
                            .fixed = even && (layer->inputs[0] == 0 || out->is_head),
                            .removed = calloc((size_t)layer->channels_out, sizeof(int))};
  return p->layers[number].removed ? WISP_OK : WISP_ERR_MEMORY;
}

/* The weights with zeros where blocks are gone. */
static wisp_status mask_layer(const pruning *p, wisp_net *net, int number) {
  wisp_net_layer *layer = &net->layers[number];
  const wisp_obs *obs = &p->obs[number];
  const size_t taps = (size_t)wisp_net_taps(layer), n = (size_t)layer->channels_out * taps;
  int any = 0;
  for (int o = 0; o < layer->channels_out; o++) any |= p->layers[number].removed[o];
  if (!any) return WISP_OK;
  layer->pruned = malloc(n * sizeof *layer->pruned);
  if (!layer->pruned) return WISP_ERR_MEMORY;
  for (size_t i = 0; i < n; i++) { /* a weight that is zero by chance may be learnt */
    const int may_learn = layer->weights[i] == 0 && wisp_net_is_used(layer, (int)(i % taps));
    layer->pruned[i] = may_learn ? FLT_MIN : layer->weights[i];
  }
  for (int o = 0; o < layer->channels_out; o++)
    for (int k = 0; k < p->layers[number].removed[o]; k++) {
      const int *block = p->blocks[number].taps[obs->order[o * obs->blocks + k]];
      for (int lane = 0; lane < WISP_LANES && block[lane] >= 0; lane++)
        layer->pruned[(size_t)o * taps + (size_t)block[lane]] = 0;
    }
  return WISP_OK;
}

static wisp_status choose_blocks(pruning *p, wisp_net *net, const wisp_teacher *teacher,
                                 const wisp_press_settings *settings, wisp_pool *pool,
                                 const wisp_progress *progress) {
  wisp_status status = WISP_OK;
  measure_work(p, net);
  if (settings->block > 1)
    status = wisp_order(net, teacher, p->work, settings->block,
                        settings->sparsity > 0 ? (double)settings->sparsity : USUAL_SHARE, pool);
  for (int i = 0; i < net->layer_count && status == WISP_OK; i++) {
    if (wisp_net_mixes_channels(&net->layers[i]))
      status = study_layer(p, net, teacher, settings, i, pool);
    wisp_tell(progress, (double)(i + 1) / net->layer_count);
  }
  if (status != WISP_OK) return status;
  for (int i = 0; i < net->layer_count; i++) p->layers[i].obs = &p->obs[i];
  if (settings->allocation == WISP_ALLOCATE_UNIFORM)
    wisp_allocate_evenly(p->layers, net->layer_count, (double)settings->sparsity);
  else if (wisp_settings_find_zeros(settings))
    wisp_allocate_to_loss(p->layers, net->layer_count, (double)settings->target_loss);
  else wisp_allocate_by_loss(p->layers, net->layer_count, (double)settings->sparsity);
  for (int i = 0; i < net->layer_count && status == WISP_OK; i++)
    if (wisp_net_mixes_channels(&net->layers[i])) status = mask_layer(p, net, i);
  return status;
}

static wisp_status prune_by_loss(wisp_net *net, const wisp_teacher *teacher,
                                 const wisp_press_settings *settings, wisp_pool *pool,
                                 const wisp_progress *progress) {
  const size_t n = (size_t)wisp_max(net->layer_count, 1);
  pruning p = {calloc(n, sizeof *p.work), calloc(n, sizeof *p.obs), calloc(n, sizeof *p.blocks),
               calloc(n, sizeof *p.layers)};
  wisp_status status = WISP_ERR_MEMORY;
  if (p.work && p.obs && p.blocks && p.layers)
    status = choose_blocks(&p, net, teacher, settings, pool, progress);
  for (size_t i = 0; i < n; i++) {
    if (p.obs) wisp_obs_close(&p.obs[i]);
    if (p.blocks) wisp_blocks_close(&p.blocks[i]);
    if (p.layers) free(p.layers[i].removed);
  }
  free(p.work);
  free(p.obs);
  free(p.blocks);
  free(p.layers);
  return status;
}

/* ---- both ---- */

static void forget(wisp_net *net) {
  for (int i = 0; i < net->layer_count; i++) {
    free(net->layers[i].pruned);
    net->layers[i].pruned = NULL;
  }
  wisp_net_forget_orders(net);
}

wisp_status wisp_prune(wisp_net *net, const wisp_teacher *teacher,
                       const wisp_press_settings *settings, wisp_pool *pool,
                       const wisp_progress *progress, wisp_error *error) {
  wisp_status status = WISP_OK;
  forget(net);
  if (settings->sparsity == 0 && !wisp_settings_find_zeros(settings)) return WISP_OK;
  if (settings->method == WISP_METHOD_OBS)
    status = prune_by_loss(net, teacher, settings, pool, progress);
  for (int i = 0; i < net->layer_count && settings->method == WISP_METHOD_L1 && status == WISP_OK;
       i++)
    if (wisp_net_mixes_channels(&net->layers[i]))
      status = prune_by_magnitude(&net->layers[i], settings->sparsity);
  if (status == WISP_OK) return WISP_OK;
  forget(net);
  return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory to prune the network.");
}
