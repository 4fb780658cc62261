/* draw.h - random small networks of every shape the FORMAT allows.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_TEST_DRAW_H
#define WISP_TEST_DRAW_H

#include "writer.h"

/* Some layers of all operations, with odd channel counts, concats, residuals, masks, and one to
 * three heads. To be freed with net_free. */
void draw_net(net *n);

/* A small fixed one: stem, strided convolution, max-pool, upsample, concat, residual, a head of
 * 3 anchors and 2 classes; 32x32. The same bytes each time. */
void draw_small_net(net *n);

/* RGBA pixels: noise, a gradient, or one colour. To be freed. */
uint8_t *draw_picture(int width, int height);

#endif
