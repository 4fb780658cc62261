/* stem.h - the first convolution on pictures whose 2x2 cells of pixels stand side by side as channels.
 * SPDX-License-Identifier: Apache-2.0
 *
 * FORMAT.md's input of block 2: channel (dy * 2 + dx) * 3 + c is colour c of the pixel (dy, dx) of a cell. */
#ifndef WISP_STEM_H
#define WISP_STEM_H

#include "net.h"

/* The side of the picture's cells: 2 if all that read the picture can (Focus wants it, convolutions of even stride
 * allow it), else 1. `readers` counts those of each node; those of dead ones don't matter. *conflict: a node that
 * reads the picture plain while another reads it through a focus, or 0. */
int wisp_stem_cell(const wisp_graph *graph, const int *readers, int *conflict);

/* The weights of that convolution on cells, `malloc`ed, and its window. `weights` is
 * [channels][3][kernel y][kernel x]. NULL without memory. */
float *wisp_stem_weights(float *weights, int channels, wisp_window *window);

/* The window on cells that the plain one becomes. */
wisp_window wisp_stem_window(const wisp_window *plain);

/* The way back: cells as weights of the window `plain`, into [channels][3][kernel y][kernel x]. */
void wisp_stem_plain(float *in_cells, int channels, const wisp_window *plain, float *weights);

/* From the channel order of YOLOv5's Focus to that of cells, or back, in place: `weights` are the 12 channels
 * [12][taps] of one output channel. */
void wisp_stem_unfocus(float *weights, int taps);

#endif
