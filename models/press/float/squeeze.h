/* squeeze.h - what squeeze-and-excitation needs, in float: the mean of a plane, a factor for each channel, and back.
 * SPDX-License-Identifier: Apache-2.0
 *
 * All of one channel; tensors are those of a layer's inputs and output. What goes back is added to `to`. */
#ifndef WISP_SQUEEZE_H
#define WISP_SQUEEZE_H

#include "floats.h"

/* in [height][width] -> out [1][1]: the mean. */
void wisp_squeeze_mean(const wisp_floats *in, const wisp_floats *out, int channel);
void wisp_squeeze_mean_back(const wisp_floats *gradient, const wisp_floats *to, int channel);

/* out = in times the number at by [1][1]. */
void wisp_squeeze_scale(const wisp_floats *in, const wisp_floats *by, const wisp_floats *out,
                        int channel);
/* To the image, by its factors; NULL where nobody asks. To the factors, by the image that was scaled. */
void wisp_squeeze_scale_back(const wisp_floats *gradient, const wisp_floats *in,
                             const wisp_floats *by, const wisp_floats *to_image,
                             const wisp_floats *to_factors, int channel);

#endif
