/* stem.c - the first convolution on pictures whose 2x2 blocks of pixels stand side by side as channels.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Output y of the plain convolution reads the rows y * stride - before + k, k < kernel. With an even stride the block
 * of such a row is y * stride / 2 + floor((k - before) / 2), and its row within the block the remainder: again
 * a convolution, whose kernel holds zeros where the plain kernel doesn't reach. */
#include "stem.h"

#include <stdlib.h>
#include <string.h>

#include "core/src/error.h"

enum { BLOCK = 2, COLOURS = 3, BLOCK_CHANNELS = BLOCK * BLOCK * COLOURS };

static int floor_half(int v) { return v >= 0 ? v / 2 : -((1 - v) / 2); }

/* Whether a convolution of the plain picture can be told on blocks: it steps over whole blocks. */
static int stem_fits(const wisp_window *window) {
  return window->stride[0] % BLOCK == 0 && window->stride[1] % BLOCK == 0;
}

static int reads_picture(const wisp_node *node) {
  for (int k = 0; k < node->input_count; k++)
    if (node->inputs[k] == 0) return 1;
  return 0;
}

int wisp_stem_block(const wisp_graph *graph, const int *readers, int *conflict) {
  int focus = 0, plain = 0, block = BLOCK;
  for (int i = 1; i < graph->node_count; i++) {
    const wisp_node *node = &graph->nodes[i];
    if (!readers[i] || !reads_picture(node)) continue;
    if (node->kind == WISP_NODE_FOCUS) {
      focus = i;
      continue;
    }
    plain = i;
    if (node->kind != WISP_NODE_CONV || node->groups > 1 || !stem_fits(&node->window)) block = 1;
  }
  *conflict = focus && plain ? plain : 0;
  return block;
}

static void block_axis(wisp_window *window, int axis) {
  int kernel = window->kernel[axis], before = window->pad[axis], after = window->pad[axis + 2];
  int first = floor_half(-before), last = floor_half(kernel - 1 - before);
  window->kernel[axis] = last - first + 1;
  window->stride[axis] /= BLOCK;
  window->pad[axis] = -first;
  /* so that the same number of outputs fits, whatever the even size of the picture */
  window->pad[axis + 2] = floor_half(before + after - kernel) + last + 1;
}

/* Where the plain kernel's row or column k lies: block of the new kernel, and within that block. */
static int block_of(int k, int before) { return floor_half(k - before) - floor_half(-before); }
static int within(int k, int before) { return k - before - BLOCK * floor_half(k - before); }

/* Where in [12][taps] the weight of a colour at (ky, kx) of the plain kernel lies. */
static size_t place_of(const wisp_window *plain, const wisp_window *blocked, int colour, int ky,
                       int kx) {
  int pixel = within(ky, plain->pad[0]) * BLOCK + within(kx, plain->pad[1]);
  int tap = block_of(ky, plain->pad[0]) * blocked->kernel[1] + block_of(kx, plain->pad[1]);
  int taps = blocked->kernel[0] * blocked->kernel[1];
  return (size_t)((pixel * COLOURS + colour) * taps + tap);
}

/* From plain weights to blocked ones, or back. */
static void move_weights(const wisp_window *plain, const wisp_window *blocked, int channels,
                         float *weights, float *blocks, int back) {
  int taps = blocked->kernel[0] * blocked->kernel[1];
  for (int o = 0; o < channels; o++, blocks += BLOCK_CHANNELS * taps)
    for (int c = 0; c < COLOURS; c++)
      for (int ky = 0; ky < plain->kernel[0]; ky++)
        for (int kx = 0; kx < plain->kernel[1]; kx++, weights++) {
          float *block = blocks + place_of(plain, blocked, c, ky, kx);
          if (back) *weights = *block;
          else *block = *weights;
        }
}

float *wisp_stem_weights(float *weights, int channels, wisp_window *window) {
  wisp_window plain = *window;
  block_axis(window, 0);
  block_axis(window, 1);
  size_t taps = (size_t)window->kernel[0] * (size_t)window->kernel[1];
  float *blocked = calloc((size_t)channels * BLOCK_CHANNELS * taps, sizeof *blocked);
  if (blocked) move_weights(&plain, window, channels, weights, blocked, 0);
  return blocked;
}

/* The way back: blocks as weights of the window `plain`, into [channels][3][kernel y][kernel x]. */
static void stem_plain(float *blocked, int channels, const wisp_window *plain, float *weights) {
  wisp_window window = *plain;
  block_axis(&window, 0);
  block_axis(&window, 1);
  move_weights(plain, &window, channels, weights, blocked, 1);
}

void wisp_stem_unfocus(float *weights, int taps) {
  /* Focus: (dy, dx) = (0,0) (1,0) (0,1) (1,1); blocks: (0,0) (0,1) (1,0) (1,1). */
  size_t pixel = (size_t)(COLOURS * taps);
  for (size_t i = 0; i < pixel; i++) {
    float below = weights[pixel + i];
    weights[pixel + i] = weights[2 * pixel + i];
    weights[2 * pixel + i] = below;
  }
}

wisp_status wisp_stem_meant(const wisp_net *net, const wisp_net_layer *layer,
                            const wisp_window *plain, size_t count, int channels_out,
                            float *weights, wisp_error *error) {
  const int in_blocks = layer->inputs[0] == 0 && net->block == BLOCK;
  const size_t channels = (size_t)layer->channels_out, taps = (size_t)wisp_net_taps(layer);
  const size_t pixels = (size_t)(plain->kernel[0] * plain->kernel[1]);
  wisp_window window = *plain;
  for (int axis = 0; axis < 2 && in_blocks; axis++) block_axis(&window, axis);
  if (layer->channels_out != channels_out || memcmp(&window, &layer->window, sizeof window) != 0 ||
      count != channels * (in_blocks ? COLOURS * pixels : taps))
    return wisp_fail(error, WISP_ERR_UNSUPPORTED,
                     "Node %d is not what it was: its groups or splits were folded, or it lost "
                     "channels. The network can't be given in the shape that it came in.",
                     layer->node);
  if (!in_blocks) {
    wisp_net_meant(net, layer, weights);
    return WISP_OK;
  }
  float *blocked = malloc(channels * taps * sizeof *blocked);
  if (!blocked)
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for the weights of node %d.",
                     layer->node);
  wisp_net_meant(net, layer, blocked);
  stem_plain(blocked, layer->channels_out, plain, weights);
  free(blocked);
  return WISP_OK;
}
