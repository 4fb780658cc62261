/* channels.h - removes whole channels where the loss is least, and lets what reads the others make up for them: a
 * smaller dense network.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Tensors that are added to each other, pooled or upsampled share their channels and lose them together. A channel's
 * loss is what the convolutions that read it lose after a least-squares refit of their other weights (Hassibi & Stork,
 * Optimal Brain Surgeon, 1993, with the weights of a channel as one), as much as their outputs matter to the end. */
#ifndef WISP_CHANNELS_H
#define WISP_CHANNELS_H

#include "calibrate/teach.h"

/* Removes channels until about `share` of the multiply-adds is saved. The observer and executors of the net are useless
 * then. *saved: the share that was. `teacher` knows what outputs matter; NULL: as much as each other, over their
 * variance. WISP_ERR_MEMORY leaves the net as it was. */
wisp_status wisp_channels(wisp_net *net, const wisp_observer *seen, const wisp_teacher *teacher,
                          double share, wisp_pool *pool, double *saved);

#endif
