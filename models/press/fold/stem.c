/* stem.c - the first convolution on pictures whose 2x2 cells of pixels stand side by side as channels.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Output y of the plain convolution reads the rows y * stride - before + k, k < kernel. With an even stride the cell
 * of such a row is y * stride / 2 + floor((k - before) / 2), and its row within the cell the remainder: again
 * a convolution, whose kernel holds zeros where the plain kernel doesn't reach. */
#include "stem.h"

#include <stdlib.h>
#include <string.h>

enum { CELL = 2, COLOURS = 3, CELL_CHANNELS = CELL * CELL * COLOURS };

static int floor_half(int v) { return v >= 0 ? v / 2 : -((1 - v) / 2); }

/* Whether a convolution of the plain picture can be written on cells: it steps over whole cells. */
static int stem_fits(const wisp_window *window) {
  return window->stride[0] % CELL == 0 && window->stride[1] % CELL == 0;
}

static int reads_picture(const wisp_node *node) {
  for (int k = 0; k < node->input_count; k++)
    if (node->inputs[k] == 0) return 1;
  return 0;
}

int wisp_stem_cell(const wisp_graph *graph, const int *readers, int *conflict) {
  int focus = 0, plain = 0, cell = CELL;
  for (int i = 1; i < graph->node_count; i++) {
    const wisp_node *node = &graph->nodes[i];
    if (!readers[i] || !reads_picture(node)) continue;
    if (node->kind == WISP_NODE_FOCUS) {
      focus = i;
      continue;
    }
    plain = i;
    if (node->kind != WISP_NODE_CONV || node->groups > 1 || !stem_fits(&node->window)) cell = 1;
  }
  *conflict = focus && plain ? plain : 0;
  return cell;
}

static void axis_in_cells(wisp_window *window, int axis) {
  const int kernel = window->kernel[axis], before = window->pad[axis],
            after = window->pad[axis + 2];
  const int first = floor_half(-before), last = floor_half(kernel - 1 - before);
  window->kernel[axis] = last - first + 1;
  window->stride[axis] /= CELL;
  window->pad[axis] = -first;
  /* so that the same number of outputs fits, whatever the even size of the picture */
  window->pad[axis + 2] = floor_half(before + after - kernel) + last + 1;
}

/* Where the plain kernel's row or column k lies: cell of the new kernel, and within that cell. */
static int cell_of(int k, int before) { return floor_half(k - before) - floor_half(-before); }
static int within(int k, int before) { return k - before - CELL * floor_half(k - before); }

/* Where in [12][taps] the weight of a colour at (ky, kx) of the plain kernel lies. */
static size_t place_of(const wisp_window *plain, const wisp_window *in_cells, int colour, int ky,
                       int kx) {
  const int pixel = within(ky, plain->pad[0]) * CELL + within(kx, plain->pad[1]);
  const int tap = cell_of(ky, plain->pad[0]) * in_cells->kernel[1] + cell_of(kx, plain->pad[1]);
  const int taps = in_cells->kernel[0] * in_cells->kernel[1];
  return (size_t)((pixel * COLOURS + colour) * taps + tap);
}

/* From plain weights to those on cells, or back. */
static void move_weights(const wisp_window *plain, const wisp_window *in_cells, int channels,
                         float *weights, float *cells, int back) {
  const int taps = in_cells->kernel[0] * in_cells->kernel[1];
  for (int o = 0; o < channels; o++, cells += CELL_CHANNELS * taps)
    for (int c = 0; c < COLOURS; c++)
      for (int ky = 0; ky < plain->kernel[0]; ky++)
        for (int kx = 0; kx < plain->kernel[1]; kx++, weights++) {
          float *cell = cells + place_of(plain, in_cells, c, ky, kx);
          if (back) *weights = *cell;
          else *cell = *weights;
        }
}

float *wisp_stem_weights(float *weights, int channels, wisp_window *window) {
  const wisp_window plain = *window;
  axis_in_cells(window, 0);
  axis_in_cells(window, 1);
  const size_t taps = (size_t)window->kernel[0] * (size_t)window->kernel[1];
  float *in_cells = calloc((size_t)channels * CELL_CHANNELS * taps, sizeof *in_cells);
  if (in_cells) move_weights(&plain, window, channels, weights, in_cells, 0);
  return in_cells;
}

wisp_window wisp_stem_window(const wisp_window *plain) {
  wisp_window window = *plain;
  for (int axis = 0; axis < 2; axis++) axis_in_cells(&window, axis);
  return window;
}

void wisp_stem_plain(float *in_cells, int channels, const wisp_window *plain, float *weights) {
  const wisp_window window = wisp_stem_window(plain);
  move_weights(plain, &window, channels, weights, in_cells, 1);
}

void wisp_stem_unfocus(float *weights, int taps) {
  /* Focus: (dy, dx) = (0,0) (1,0) (0,1) (1,1); cells: (0,0) (0,1) (1,0) (1,1). */
  const size_t pixel = (size_t)(COLOURS * taps);
  for (size_t i = 0; i < pixel; i++) {
    const float below = weights[pixel + i];
    weights[pixel + i] = weights[2 * pixel + i];
    weights[2 * pixel + i] = below;
  }
}
