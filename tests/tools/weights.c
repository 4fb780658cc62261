/* weights.c - the plain integers of a .wisp file, and what they alone cost in its code: for bench/sizes.mjs.
 * SPDX-License-Identifier: Apache-2.0
 *
 *   wisp-weights FILE.wisp > FILE
 *
 * A line "bytes coded whole" for each layer that has weights, on standard error; its integers, zeros of absent blocks
 * included, on standard output. `coded` is the layer without scales and biases: coded again with all of them the same,
 * less the plain bits of a mantissa that each bias costs even so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/src/payload.h"
#include "pack/encode.h"

static wisp_model *read_model(const char *name) {
  static uint8_t piece[1 << 16];
  wisp_model *model;
  wisp_error error = {WISP_OK, ""};
  FILE *file = fopen(name, "rb");
  if (!file || wisp_model_open(&model) != WISP_OK) return NULL;
  wisp_status status = WISP_OK;
  for (size_t n; status == WISP_OK && (n = fread(piece, 1, sizeof piece, file)) > 0;)
    status = wisp_model_feed(model, piece, n, &error);
  fclose(file);
  if (model->state == WISP_IS_COMPLETE) return model;
  fprintf(stderr, "%s: %s\n", name, error.message);
  wisp_model_close(&model);
  return NULL;
}

/* Channels of each plane of the layer's inputs. */
static uint8_t *lanes_of(const wisp_model *model, const wisp_layer *layer, int planes) {
  uint8_t *lanes = malloc((size_t)planes), *to = lanes;
  if (lanes && layer->operation != WISP_OP_CONV) memset(lanes, 1, (size_t)planes);
  for (int k = 0; k < layer->input_count && lanes && layer->operation == WISP_OP_CONV; k++)
    for (int left = model->tensor[layer->inputs[k]].channels; left > 0; left -= WISP_LANES)
      *to++ = (uint8_t)wisp_min(left, WISP_LANES);
  return lanes;
}

/* Writes the layer's integers; returns how many. */
static size_t put_integers(const wisp_weights_view *v, const uint8_t *lanes, int8_t *blocks) {
  const int8_t *weights = v->weights;
  size_t count = 0;
  for (int b = 0; b < v->blocks; b++) {
    if (wisp_block_present(v, b)) {
      memcpy(blocks + (size_t)b * WISP_LANES, weights, WISP_LANES);
      weights += WISP_LANES;
    }
    count += fwrite(blocks + (size_t)b * WISP_LANES, 1, lanes[b % v->planes], stdout);
  }
  return count;
}

static int put_layer(const wisp_model *model, int index, wisp_encode *encode) {
  const wisp_layer *layer = &model->layer[index];
  const wisp_weights_view v = wisp_payload_view(model, index);
  uint8_t *lanes = lanes_of(model, layer, v.planes);
  int8_t *blocks = calloc((size_t)v.blocks, WISP_LANES);
  float *same = calloc((size_t)v.channels_out, sizeof *same);
  size_t coded = 0;
  const int complete = lanes && blocks && same;
  if (complete) {
    const size_t bytes = put_integers(&v, lanes, blocks);
    const wisp_encode_layer parts = {v.channels_out,
                                     layer->kernel_height,
                                     layer->kernel_width,
                                     v.planes,
                                     v.mask != NULL,
                                     lanes,
                                     same,
                                     same,
                                     blocks};
    wisp_encode_run(encode, &parts, &coded);
    coded -= (size_t)(v.channels_out * (23 - WISP_BIAS_DROPS) / 8);
    fprintf(stderr, "%zu %zu %zu\n", bytes, coded, layer->payload_size);
  }
  free(lanes);
  free(blocks);
  free(same);
  return complete && coded > 0;
}

int main(int argc, char **argv) {
  wisp_model *model = argc == 2 ? read_model(argv[1]) : NULL;
  wisp_encode *encode = wisp_encode_open();
  int well = model && encode;
  for (int i = 0; well && i < model->layers; i++)
    if (model->layer[i].payload_size > 0) well = put_layer(model, i, encode);
  wisp_encode_close(&encode);
  wisp_model_close(&model);
  return well ? 0 : 1;
}
