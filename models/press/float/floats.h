/* floats.h - a borrowed view of a float tensor.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_FLOATS_H
#define WISP_FLOATS_H

#include <stddef.h>

/* f32 [channels][rows][pitch]: pixel (y, x) of channel c is data[c * plane + y * pitch + x]. Around the pixels lies
 * a border of zeros, as wide as the widest padding of the network; the end of a row is also the start of the next. */
typedef struct wisp_floats {
  float *data; /* pixel (0, 0) of channel 0 */
  int channels, height, width;
  int pitch;
  size_t plane;
} wisp_floats;

#endif
