/* blocks.c - the weights that become zero together.
 * SPDX-License-Identifier: Apache-2.0 */
#include "blocks.h"

#include <stdlib.h>

wisp_status wisp_blocks_open(wisp_blocks *blocks, const wisp_net *net, const wisp_net_layer *layer,
                             int size) {
  const int kernel = wisp_net_kernel_size(layer);
  int first = 0;
  *blocks = (wisp_blocks){.taps = malloc((size_t)wisp_net_taps(layer) * sizeof *blocks->taps)};
  if (!blocks->taps) return WISP_ERR_MEMORY;
  for (int i = 0; i < layer->input_count; i++) {
    const wisp_net_tensor *in = &net->tensors[layer->inputs[i]];
    for (int c = 0; c < in->channels; c += size)
      for (int k = 0; k < kernel; k++) {
        int *block = blocks->taps[blocks->count], lanes = 0;
        for (int lane = 0; lane < size && c + lane < in->channels; lane++) {
          const int tap = (first + wisp_net_channel_at(in, c + lane)) * kernel + k;
          if (wisp_net_is_used(layer, tap)) block[lanes++] = tap;
        }
        blocks->weights += lanes;
        blocks->count += lanes > 0;
        for (; lanes < 4; lanes++) block[lanes] = -1;
      }
    first += in->channels;
  }
  return WISP_OK;
}

void wisp_blocks_close(wisp_blocks *blocks) {
  free(blocks->taps);
  *blocks = (wisp_blocks){0};
}
