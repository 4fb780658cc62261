/* prune.c - which weights become zero.
 * SPDX-License-Identifier: Apache-2.0 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "allocate.h"
#include "blocks.h"
#include "calibrate/teach.h"
#include "corridor.h"
#include "obs.h"

static const float MOST_OF_CHANNEL = 0.95f; /* of its blocks */

/* ---- l1: the smallest weights of each layer, as PyTorch's l1_unstructured; nothing is repaired ---- */

static int by_value(const void *a, const void *b) {
  float x = *(const float *)a, y = *(const float *)b;
  return (x > y) - (x < y);
}

/* The magnitude below which `count` of the weights lie. */
static wisp_status find_threshold(const wisp_net_layer *layer, size_t count, float *threshold) {
  size_t n = (size_t)layer->channels_out * (size_t)wisp_net_taps(layer);
  float *sorted = malloc(n * sizeof *sorted);
  if (!sorted) return WISP_ERR_MEMORY;
  for (size_t i = 0; i < n; i++) sorted[i] = fabsf(layer->weights[i]);
  qsort(sorted, n, sizeof *sorted, by_value);
  *threshold = count < n ? sorted[count] : INFINITY;
  free(sorted);
  return WISP_OK;
}

/* Of equal magnitudes the first ones go. */
static wisp_status prune_by_magnitude(wisp_net_layer *layer, float sparsity) {
  size_t n = (size_t)layer->channels_out * (size_t)wisp_net_taps(layer);
  size_t count = (size_t)lrintf(sparsity * (float)n), below = 0;
  float threshold;
  layer->pruned = malloc(n * sizeof *layer->pruned);
  if (!layer->pruned || find_threshold(layer, count, &threshold) != WISP_OK) return WISP_ERR_MEMORY;
  memcpy(layer->pruned, layer->weights, n * sizeof *layer->pruned);
  for (size_t i = 0; i < n; i++) below += fabsf(layer->weights[i]) < threshold;
  size_t equal = count - below;
  for (size_t i = 0; i < n; i++) {
    float size = fabsf(layer->weights[i]);
    int gone = size < threshold || (size == threshold && equal > 0);
    if (gone && size == threshold) equal--;
    if (gone) layer->pruned[i] = 0;
  }
  return WISP_OK;
}

/* ---- obs ---- */

typedef struct selling {
  wisp_obs *obs;             /* [layers] */
  wisp_blocks *blocks;       /* [layers] */
  wisp_allocate_layer *sold; /* [convolutions] */
} selling;

static wisp_status offer_layer(selling *s, const wisp_net *net, const wisp_teacher *teacher,
                               const wisp_press_settings *settings, int number, int place,
                               wisp_pool *pool) {
  const wisp_net_layer *layer = &net->layers[number];
  const wisp_net_tensor *out = &net->tensors[number + 1];
  wisp_blocks *blocks = &s->blocks[number];
  wisp_status status = wisp_blocks_open(blocks, net, layer, settings->block);
  if (!status)
    status = wisp_obs_open(&s->obs[number], &teacher->lessons[number].moments, layer->weights,
                           layer->channels_out, blocks, MOST_OF_CHANNEL, pool);
  if (status) return status;
  int even = settings->allocation == WISP_ALLOCATE_UNIFORM;
  double taps = (double)wisp_net_taps(layer) / blocks->count;
  s->sold[place] =
      (wisp_allocate_layer){.obs = &s->obs[number],
                            .sensitivity = teacher->lessons[number].sensitivity,
                            .block_macs = taps * out->height * out->width,
                            .fixed = even && (layer->inputs[0] == 0 || out->is_head),
                            .removed = calloc((size_t)layer->channels_out, sizeof(int))};
  return s->sold[place].removed ? WISP_OK : WISP_ERR_MEMORY;
}

/* The weights with zeros where blocks are gone. */
static wisp_status mask_layer(const selling *s, wisp_net *net, int number, int place) {
  wisp_net_layer *layer = &net->layers[number];
  const wisp_obs *obs = &s->obs[number];
  size_t taps = (size_t)wisp_net_taps(layer), n = (size_t)layer->channels_out * taps;
  int any = 0;
  for (int o = 0; o < layer->channels_out; o++) any |= s->sold[place].removed[o];
  if (!any) return WISP_OK;
  layer->pruned = malloc(n * sizeof *layer->pruned);
  if (!layer->pruned) return WISP_ERR_MEMORY;
  for (size_t i = 0; i < n; i++) /* a weight that is zero by chance may be learnt */
    layer->pruned[i] = layer->weights[i] == 0 ? FLT_MIN : layer->weights[i];
  for (int o = 0; o < layer->channels_out; o++)
    for (int k = 0; k < s->sold[place].removed[o]; k++) {
      const int *block = s->blocks[number].taps[obs->order[o * obs->blocks + k]];
      for (int lane = 0; lane < WISP_LANES && block[lane] >= 0; lane++)
        layer->pruned[(size_t)o * taps + (size_t)block[lane]] = 0;
    }
  return WISP_OK;
}

static wisp_status sell(selling *s, wisp_net *net, const wisp_teacher *teacher,
                        const wisp_press_settings *settings, wisp_pool *pool,
                        const wisp_progress *progress) {
  int count = 0;
  wisp_status status = WISP_OK;
  for (int i = 0; i < net->layer_count && !status; i++) {
    if (wisp_net_mixes_channels(&net->layers[i]))
      status = offer_layer(s, net, teacher, settings, i, count++, pool);
    wisp_tell(progress, (double)(i + 1) / net->layer_count);
  }
  if (status) return status;
  if (settings->allocation == WISP_ALLOCATE_UNIFORM)
    wisp_allocate_evenly(s->sold, count, (double)settings->sparsity);
  else wisp_allocate_by_loss(s->sold, count, (double)settings->sparsity);
  for (int i = 0, place = 0; i < net->layer_count && !status; i++)
    if (wisp_net_mixes_channels(&net->layers[i])) status = mask_layer(s, net, i, place++);
  return status;
}

static wisp_status prune_by_loss(wisp_net *net, const wisp_teacher *teacher,
                                 const wisp_press_settings *settings, wisp_pool *pool,
                                 const wisp_progress *progress) {
  size_t n = (size_t)wisp_max(net->layer_count, 1);
  selling s = {calloc(n, sizeof *s.obs), calloc(n, sizeof *s.blocks), calloc(n, sizeof *s.sold)};
  wisp_status status = WISP_ERR_MEMORY;
  if (s.obs && s.blocks && s.sold) status = sell(&s, net, teacher, settings, pool, progress);
  for (size_t i = 0; i < n; i++) {
    if (s.obs) wisp_obs_close(&s.obs[i]);
    if (s.blocks) wisp_blocks_close(&s.blocks[i]);
    if (s.sold) free(s.sold[i].removed);
  }
  free(s.obs);
  free(s.blocks);
  free(s.sold);
  return status;
}

/* ---- both ---- */

static void forget(wisp_net *net) {
  for (int i = 0; i < net->layer_count; i++) {
    free(net->layers[i].pruned);
    net->layers[i].pruned = NULL;
  }
}

wisp_status wisp_prune(wisp_net *net, const wisp_teacher *teacher,
                       const wisp_press_settings *settings, wisp_pool *pool,
                       const wisp_progress *progress, wisp_error *error) {
  wisp_status status = WISP_OK;
  forget(net);
  if (settings->sparsity == 0) return WISP_OK;
  if (settings->method == WISP_METHOD_OBS)
    status = prune_by_loss(net, teacher, settings, pool, progress);
  for (int i = 0; i < net->layer_count && settings->method == WISP_METHOD_L1 && !status; i++)
    if (wisp_net_mixes_channels(&net->layers[i]))
      status = prune_by_magnitude(&net->layers[i], settings->sparsity);
  if (!status) return WISP_OK;
  forget(net);
  return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory to prune the network.");
}
