/* grouped.c - convolutions of several groups as layers of the format: depthwise ones, and dense ones with zeros.
 * SPDX-License-Identifier: Apache-2.0 */
#include "grouped.h"

#include <stdlib.h>
#include <string.h>

static int taps_of(const wisp_node *node) {
  return node->window.kernel[0] * node->window.kernel[1];
}

int wisp_grouped_is_depthwise(const wisp_node *node, int channels_in) {
  return node->groups > 1 && node->groups == channels_in && node->channels == channels_in;
}

float *wisp_grouped_dense(const wisp_node *node, int channels_in) {
  const size_t taps = (size_t)taps_of(node), row = (size_t)channels_in * taps;
  if ((double)row * node->channels > WISP_MOST_WEIGHTS) return NULL;
  const int from = channels_in / node->groups, to = node->channels / node->groups;
  float *dense = calloc((size_t)node->channels * row, sizeof *dense);
  for (int o = 0; o < node->channels && dense; o++) {
    const size_t n = (size_t)from * taps;
    memcpy(dense + (size_t)o * row + (size_t)(o / to) * n, node->weights + (size_t)o * n,
           n * sizeof *dense);
  }
  return dense;
}

int wisp_grouped_part(const wisp_node *node, const wisp_operands *in, int item, const wisp_net *net,
                      float **weights, float **bias, int **picks) {
  const size_t taps = (size_t)taps_of(node);
  const int n = net->tensors[in->items[item].tensor].channels;
  int first = 0, last = 0, twice = 0;
  for (int i = 0; i < item; i++) first += net->tensors[in->items[i].tensor].channels;
  *picks = malloc((size_t)n * sizeof **picks);
  *weights = calloc((size_t)n * taps, sizeof **weights);
  *bias = calloc((size_t)n, sizeof **bias);
  const int complete = *picks && *weights && *bias;
  for (int channel = 0; channel < n && complete; channel++) (*picks)[channel] = -1;
  for (int c = 0; c < in->channels && complete; c++) {
    const int channel = (in->picks ? in->picks[c] : c) - first;
    if (channel < 0 || channel >= n) continue;
    twice |= (*picks)[channel] >= 0;
    (*picks)[channel] = c;
    last = channel > last ? channel : last;
    memcpy(*weights + (size_t)channel * taps, node->weights + (size_t)c * taps,
           taps * sizeof **weights);
    if (node->bias) (*bias)[channel] = node->bias[c];
  }
  if (!complete) return 0;
  return twice ? -1 : last + 1;
}
