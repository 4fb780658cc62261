/* groups.c - tensors that share their channels.
 * SPDX-License-Identifier: Apache-2.0 */
#include "groups.h"

#include <stdlib.h>

static int root(const wisp_groups *groups, int tensor) {
  while (groups->of[tensor] != tensor) tensor = groups->of[tensor];
  return tensor;
}

static void unite(wisp_groups *groups, int a, int b) {
  const int one = root(groups, a), other = root(groups, b);
  const int first = wisp_min(one, other), last = wisp_max(one, other);
  groups->of[last] = first;
  groups->fixed[first] |= groups->fixed[last];
}

/* What a layer that takes channels one by one reads stays in its order, and so does what it writes. */
static void add_layer(wisp_groups *groups, const wisp_net *net, int number) {
  const wisp_net_layer *layer = &net->layers[number];
  const int mixed = wisp_net_is_per_channel(layer) || layer->channel_used;
  for (int k = 0; k < layer->input_count && mixed; k++)
    groups->fixed[root(groups, layer->inputs[k])] = 1;
  if (wisp_net_is_per_channel(layer)) groups->fixed[number + 1] = 1;
  for (int k = 0; k < layer->input_count && wisp_net_keeps_channels(layer); k++)
    unite(groups, layer->inputs[k], number + 1);
  if (layer->residual >= 0) unite(groups, layer->residual, number + 1);
}

wisp_status wisp_groups_open(wisp_groups *groups, const wisp_net *net) {
  const size_t n = (size_t)net->layer_count + 1;
  *groups = (wisp_groups){calloc(n, sizeof *groups->of), calloc(n, sizeof *groups->fixed)};
  if (!groups->of || !groups->fixed) {
    wisp_groups_close(groups);
    return WISP_ERR_MEMORY;
  }
  for (int t = 0; t <= net->layer_count; t++) {
    groups->of[t] = t;
    groups->fixed[t] = t == 0 || net->tensors[t].is_output;
  }
  for (int i = 0; i < net->layer_count; i++) add_layer(groups, net, i);
  for (int t = 0; t <= net->layer_count; t++) groups->of[t] = root(groups, t);
  return WISP_OK;
}

void wisp_groups_close(wisp_groups *groups) {
  free(groups->of);
  free(groups->fixed);
  *groups = (wisp_groups){0};
}
