/* operands.c - what a node yields while a graph is folded: tensors side by side, of which some channels are picked.
 * SPDX-License-Identifier: Apache-2.0 */
#include "operands.h"

#include <stdlib.h>
#include <string.h>

void wisp_operands_close(wisp_operands *operands) {
  free(operands->items);
  free(operands->picks);
  *operands = (wisp_operands){0};
}

static int channels_of(const wisp_operands *operands, int item, const wisp_net *net) {
  return net->tensors[operands->items[item].tensor].channels;
}

/* Channels of all items. */
static int operands_width(const wisp_operands *operands, const wisp_net *net) {
  int width = 0;
  for (int i = 0; i < operands->count; i++) width += channels_of(operands, i, net);
  return width;
}

static int *copy_of(const int *numbers, int n) {
  int *copy = malloc((size_t)n * sizeof *copy);
  if (copy) memcpy(copy, numbers, (size_t)n * sizeof *copy);
  return copy;
}

int wisp_operands_copy(wisp_operands *out, const wisp_operands *of) {
  *out = *of;
  out->items = malloc((size_t)of->count * sizeof *out->items);
  out->picks = of->picks ? copy_of(of->picks, of->channels) : NULL;
  if (out->items) memcpy(out->items, of->items, (size_t)of->count * sizeof *out->items);
  return out->items && !of->picks == !out->picks;
}

/* The first part of `to` takes the picks of an operand whose channels begin at `first`. */
static void copy_picks(const wisp_operands *of, int first, int *to) {
  for (int c = 0; c < of->channels; c++) to[c] = first + (of->picks ? of->picks[c] : c);
}

int wisp_operands_concat(wisp_operands *out, const wisp_operands *const *inputs, int n,
                         const wisp_net *net) {
  int picked = 0;
  *out = (wisp_operands){0};
  for (int i = 0; i < n; i++) {
    out->count += inputs[i]->count;
    out->channels += inputs[i]->channels;
    picked |= inputs[i]->picks != NULL;
  }
  out->items = malloc((size_t)out->count * sizeof *out->items);
  if (picked) out->picks = malloc((size_t)out->channels * sizeof *out->picks);
  if (!out->items || (picked && !out->picks)) return 0;
  wisp_operand *item = out->items;
  int *pick = out->picks, width = 0;
  for (int i = 0; i < n; i++) {
    memcpy(item, inputs[i]->items, (size_t)inputs[i]->count * sizeof *item);
    item += inputs[i]->count;
    if (!picked) continue;
    copy_picks(inputs[i], width, pick);
    pick += inputs[i]->channels;
    width += operands_width(inputs[i], net);
  }
  return 1;
}

/* Leaves out the tensors that nobody picks of. */
static void drop_unpicked(wisp_operands *operands, const wisp_net *net) {
  int kept = 0, first = 0;
  for (int i = 0; i < operands->count; i++) {
    const int n = channels_of(operands, i, net);
    int used = 0;
    for (int c = 0; c < operands->channels; c++)
      used |= operands->picks[c] >= first && operands->picks[c] < first + n;
    if (used) {
      operands->items[kept++] = operands->items[i];
      first += n;
      continue;
    }
    for (int c = 0; c < operands->channels; c++)
      if (operands->picks[c] >= first) operands->picks[c] -= n;
  }
  operands->count = kept;
}

/* Picks that name every channel in order are none. */
static void tidy(wisp_operands *operands, const wisp_net *net) {
  int in_order = operands->picks && operands->channels == operands_width(operands, net);
  for (int c = 0; c < operands->channels && in_order; c++) in_order = operands->picks[c] == c;
  if (!in_order) return;
  free(operands->picks);
  operands->picks = NULL;
}

int wisp_operands_select(wisp_operands *out, const wisp_operands *of, const int *picks, int n,
                         const wisp_net *net) {
  if (!wisp_operands_copy(out, of)) return 0;
  int *own = malloc((size_t)n * sizeof *own);
  if (!own) return 0;
  for (int c = 0; c < n; c++) own[c] = of->picks ? of->picks[picks[c]] : picks[c];
  free(out->picks);
  out->picks = own;
  out->channels = n;
  drop_unpicked(out, net);
  tidy(out, net);
  return 1;
}

void wisp_operands_follow(wisp_operands *out, const wisp_operands *in, const wisp_net *net) {
  for (int c = 0; c < in->channels && in->picks; c++) {
    int item = 0, channel = in->picks[c], first = 0;
    for (; channel >= channels_of(in, item, net); item++) {
      channel -= channels_of(in, item, net);
      first += channels_of(out, item, net);
    }
    out->picks[c] = first + channel;
  }
  tidy(out, net);
}

float *wisp_operands_spread(const wisp_operands *operands, const wisp_net *net,
                            const float *weights, int rows, int taps, uint8_t *used) {
  const int width = operands_width(operands, net);
  if ((double)rows * width * taps > WISP_MOST_WEIGHTS) return NULL;
  float *spread = calloc((size_t)rows * (size_t)width * (size_t)taps, sizeof *spread);
  if (!spread) return NULL;
  memset(used, 0, (size_t)width);
  for (int c = 0; c < operands->channels; c++) used[operands->picks[c]] = 1;
  for (int o = 0; o < rows; o++)
    for (int c = 0; c < operands->channels; c++) {
      float *to = spread + ((size_t)o * (size_t)width + (size_t)operands->picks[c]) * (size_t)taps;
      for (int k = 0; k < taps; k++) to[k] += *weights++; /* a channel may be picked twice */
    }
  return spread;
}
