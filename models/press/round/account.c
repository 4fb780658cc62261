/* account.c - what pressing did to each convolution: its bits, its zeros, what its outputs lost.
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "blocks.h"
#include "calibrate/observe.h"
#include "corridor.h"

typedef struct accounting {
  wisp_net *net;
  const wisp_observer *seen;
  int *failed; /* [layers]: no memory */
} accounting;

/* One channel's vectors, [taps] each. */
typedef struct channel {
  float *weights, *after, *before; /* what was wanted; what is lost, with repair and without */
} channel;

/* v' C v with C the covariance of the inputs. */
static double variance(const wisp_moments *moments, const float *v) {
  const double n = moments->weight;
  double total = 0, mean = 0;
  for (int i = 0; i < moments->taps; i++) {
    const float *row = moments->products + wisp_moment_at(i, 0);
    float sum = 0;
    for (int j = 0; j < i; j++) sum += row[j] * v[j];
    total += (double)v[i] * (2 * (double)sum + (double)row[i] * (double)v[i]);
    mean += (double)v[i] * (double)moments->sums[i];
  }
  return fmax(total / n - mean / n * (mean / n), 0);
}

/* What the channel's integers lose, and what they would lose had each weight but been rounded. */
static void fill_channel(const wisp_net *net, const wisp_net_layer *layer, int o, channel *c) {
  const int taps = wisp_net_taps(layer), kernel = wisp_net_kernel_size(layer);
  const int8_t *integers = layer->quantised.weights + (size_t)o * (size_t)taps;
  const float high = (float)(1 << (layer->account.bits - 1)) - 1;
  memcpy(c->weights, layer->weights + (size_t)o * (size_t)taps, (size_t)taps * sizeof(float));
  for (int i = 0, k = 0; i < layer->input_count; i++) {
    const wisp_net_tensor *in = &net->tensors[layer->inputs[i]];
    const float unit = layer->quantised.scale[o] / in->scale;
    for (int end = k + in->channels * kernel; k < end; k++) {
      const float nearest = fminf(fmaxf(rintf(c->weights[k] / unit), -high - 1), high);
      const int gone = layer->pruned && layer->pruned[(size_t)o * (size_t)taps + (size_t)k] == 0;
      c->after[k] = c->weights[k] - (float)integers[k] * unit;
      c->before[k] = c->weights[k] - (gone ? 0 : nearest * unit);
    }
  }
}

/* Weights that read no channel that is used are none; nor is a block of them. */
static wisp_status count_zeros(const wisp_net *net, wisp_net_layer *layer) {
  wisp_net_account *account = &layer->account;
  wisp_blocks blocks;
  const wisp_status status = wisp_blocks_open(&blocks, net, layer, WISP_LANES);
  for (int o = 0; o < layer->channels_out && status == WISP_OK; o++) {
    const int8_t *weights = layer->quantised.weights + (size_t)o * (size_t)wisp_net_taps(layer);
    for (int b = 0; b < blocks.count; b++) {
      int used = 0, zeros = 0;
      for (; used < WISP_LANES && blocks.taps[b][used] >= 0; used++)
        zeros += !weights[blocks.taps[b][used]];
      account->weights += used;
      account->zeros += zeros;
      account->zero_blocks += zeros == used;
    }
    account->blocks += blocks.count;
  }
  wisp_blocks_close(&blocks);
  return status;
}

/* All but the errors. */
static wisp_status count(const wisp_net *net, int number) {
  wisp_net_layer *layer = &net->layers[number];
  const wisp_net_tensor *out = &net->tensors[number + 1];
  layer->account = (wisp_net_account){.bits = layer->account.bits};
  const wisp_status status = count_zeros(net, layer);
  layer->account.macs = (double)layer->account.weights * out->height * out->width;
  return status;
}

static void account_task(void *context, int number) {
  const accounting *a = context;
  wisp_net_layer *layer = &a->net->layers[number];
  if (!wisp_net_mixes_channels(layer)) return;
  const size_t n = (size_t)wisp_net_taps(layer);
  double wanted = 0, before = 0, after = 0;
  channel c = {.weights = malloc(3 * n * sizeof *c.weights)};
  a->failed[number] = !c.weights;
  if (!c.weights) return;
  c.after = c.weights + n;
  c.before = c.weights + 2 * n;
  for (int o = 0; o < layer->channels_out; o++) {
    fill_channel(a->net, layer, o, &c);
    wanted += variance(&a->seen->moments[number], c.weights);
    after += variance(&a->seen->moments[number], c.after);
    before += variance(&a->seen->moments[number], c.before);
  }
  free(c.weights);
  a->failed[number] = count(a->net, number) != WISP_OK;
  layer->account.error_before = wanted > 0 ? before / wanted : 0;
  layer->account.error_after = wanted > 0 ? after / wanted : 0;
}

/* Until something better is known, each layer's error weighs the same. */
static void share_out(wisp_net *net) {
  double total = 0;
  for (int i = 0; i < net->layer_count; i++) total += net->layers[i].account.error_after;
  for (int i = 0; i < net->layer_count && total > 0; i++)
    net->layers[i].account.share = net->layers[i].account.error_after / total;
}

static wisp_status no_memory(wisp_error *error) {
  return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory to sum up what was lost.");
}

wisp_status wisp_account(wisp_net *net, const wisp_observer *seen, wisp_pool *pool,
                         wisp_error *error) {
  if (!seen) {
    for (int i = 0; i < net->layer_count; i++)
      if (wisp_net_mixes_channels(&net->layers[i]) && count(net, i) != WISP_OK)
        return no_memory(error);
    return WISP_OK;
  }
  accounting a = {net, seen, calloc((size_t)net->layer_count, sizeof *a.failed)};
  if (!a.failed) return no_memory(error);
  wisp_pool_run(pool, account_task, &a, net->layer_count);
  int failed = 0;
  for (int i = 0; i < net->layer_count; i++) failed |= a.failed[i];
  free(a.failed);
  if (failed) return no_memory(error);
  share_out(net);
  return WISP_OK;
}
