/* prune.c - which weights become zero.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stages.h"

static const float MOST_SPARSITY = 0.95f;

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

/* ---- settings ---- */

static wisp_status check_settings(const wisp_press_settings *settings, wisp_error *error) {
  if (!(settings->sparsity >= 0 && settings->sparsity <= MOST_SPARSITY))
    return wisp_fail(error, WISP_ERR_ARGUMENT, "A sparsity of %g is not possible; give 0 to %g.",
                     (double)settings->sparsity, (double)MOST_SPARSITY);
  if (settings->block != 1 && settings->block != 2 && settings->block != WISP_LANES)
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "Blocks of 1x%d weights are not possible; give 1, 2 or 4.", settings->block);
  int magnitude = settings->method == WISP_METHOD_L1;
  if (magnitude && (settings->block != 1 || settings->allocation != WISP_ALLOCATE_UNIFORM))
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "The l1 method takes single weights, the same share in each layer.");
  if (!magnitude && settings->sparsity > 0)
    return wisp_fail(error, WISP_ERR_UNSUPPORTED,
                     "Only the l1 method prunes so far; the sparsity was %g.",
                     (double)settings->sparsity);
  return WISP_OK;
}

static void forget(wisp_net *net) {
  for (int i = 0; i < net->layer_count; i++) {
    free(net->layers[i].pruned);
    net->layers[i].pruned = NULL;
  }
}

wisp_status wisp_prune(wisp_net *net, const wisp_press_settings *settings, wisp_error *error) {
  wisp_status status = check_settings(settings, error);
  if (status) return status;
  forget(net);
  for (int i = 0; i < net->layer_count && settings->sparsity > 0 && !status; i++)
    if (net->layers[i].operation == WISP_OP_CONV)
      status = prune_by_magnitude(&net->layers[i], settings->sparsity);
  if (!status) return WISP_OK;
  forget(net);
  return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory to prune the network.");
}
