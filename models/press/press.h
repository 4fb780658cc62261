/* press.h - the compressor: a float network and calibration pictures in, a .wisp file out.
 * SPDX-License-Identifier: Apache-2.0
 *
 *   wisp_press *press;  wisp_press_open(&press);
 *   wisp_graph_add(wisp_press_graph(press), &node, &error);   node by node (graph.h)
 *   wisp_press_fold(press, threads, &error);
 *   wisp_press_observe(press, &frame, &error);            for each calibration picture
 *   wisp_press_quantise(press, &settings, NULL, &error);   zeros, then integers
 *   wisp_press_pack(press, provenance, &bytes, &size, &error);
 *   wisp_press_close(&press);
 *
 * The steps come in this order; one too early fails with a sentence. After fold, `detect` may be called at any time. */
#ifndef WISP_PRESS_H
#define WISP_PRESS_H

#include "core/wisp.h"
#include "graph.h"
#include "net.h"
#include "progress.h"
#include "settings.h"

typedef struct wisp_press wisp_press;

wisp_status wisp_press_open(wisp_press **press);
void wisp_press_close(wisp_press **press);

/* The graph to build; NULL once it is folded. */
wisp_graph *wisp_press_graph(wisp_press *press);

/* Folds the graph and plans the float executor on `threads` threads. The graph is gone then, also after a failure. */
wisp_status wisp_press_fold(wisp_press *press, int threads, wisp_error *error);

/* Runs a picture, letterboxed, and keeps what is to be known of it. */
wisp_status wisp_press_observe(wisp_press *press, const wisp_frame *frame, wisp_error *error);

/* Whether the network came with the range of every tensor, as training with wisp's integers leaves it. */
int wisp_press_trained(const wisp_press *press);

/* Removes whole channels, about `share` of the multiply-adds, 0 ... 0.7, where the loss is least; `*saved` is the share
 * that was. Needs observed pictures, which have to be shown again afterwards. */
wisp_status wisp_press_channels(wisp_press *press, double share, double *saved, wisp_error *error);

/* Needs at least one observed picture, or a trained network: that keeps its integers where no picture was observed.
 * May be called again with other settings. `progress` may be NULL. */
wisp_status wisp_press_quantise(wisp_press *press, const wisp_press_settings *settings,
                                const wisp_progress *progress, wisp_error *error);

/* What that did to each layer, in execution order; NULL past the last convolution, and before quantise. `node` is the
 * graph's. The press's until its next quantise. */
const wisp_net_account *wisp_press_account(const wisp_press *press, int convolution, int *node);

/* What the integers of that convolution stand for, `weights` [channels_out][channels_in][kernel y][kernel x], and its
 * biases [channels_out]. `window`, `weight_count` and `channels_out` are the graph's: one that reads the picture may
 * have another window by now (stem.h), and where the rest changed there is nothing to give. */
wisp_status wisp_press_dequantise(const wisp_press *press, int convolution,
                                  const wisp_window *window, size_t weight_count, int channels_out,
                                  float *weights, float *biases, wisp_error *error);

/* The bytes are the press's and stay until its next pack. `provenance` is the text of a JSON object. */
wisp_status wisp_press_pack(wisp_press *press, const char *provenance, const uint8_t **bytes,
                            size_t *size, wisp_error *error);

/* Boxes of the float network, by the runtime's own letterbox, decoding and suppression. They are the press's and stay
 * until its next detect. Times stay 0. */
wisp_status wisp_press_detect(wisp_press *press, const wisp_frame *frame,
                              const wisp_options *options, wisp_result *result, wisp_error *error);

#endif
