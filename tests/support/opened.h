/* opened.h - drawn networks as models, and detectors of them with kernels of the test's choice.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_TEST_OPENED_H
#define WISP_TEST_OPENED_H

#include "core/wisp.h"
#include "core/wisp_testing.h"

/* A drawn network that segments, or one that does not. To be closed. */
wisp_model *draw_model(int with_masks);

/* NULL where it can't be opened. */
wisp_detector *open_forced(const wisp_model *model, int threads, wisp_kernel_set kernels);

#endif
