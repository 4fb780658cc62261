/* bits.h - how many bits the weights of each convolution get so that the file is small for what the end result loses.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_BITS_H
#define WISP_BITS_H

#include "calibrate/teach.h"

/* Sets `account.bits` of every convolution to 3 ... 7: the fewest in all for which the expected loss of a picture, in
 * teach.h's measure, stays below `target`. The ranges are known. WISP_ERR_MEMORY. */
wisp_status wisp_bits(wisp_net *net, const wisp_observer *seen, const wisp_teacher *teacher,
                      double target, wisp_pool *pool);

#endif
