/* corridor.h - the press corridor on one page: float graph -> layers -> ranges -> zeros -> integers -> bytes.
 * SPDX-License-Identifier: Apache-2.0
 *
 *   wisp_graph -- fold --> wisp_net -- observe --> wisp_observer -- range --> the net's ranges
 *   -- quantise --> the net's integers -- pack --> the bytes of a .wisp file
 *
 * By what the end result loses, there is between range and pack: teach --> wisp_teacher -- bits, prune --> the net's
 * bits and zeros -- rebuild, in place of quantise --> the net's integers.
 *
 * Each stage is the file of its name, and none calls another; press.c walks them. What takes an error gives a sentence
 * with every status but WISP_OK. */
#ifndef WISP_CORRIDOR_H
#define WISP_CORRIDOR_H

#include "core/src/base.h"
#include "core/src/error.h"
#include "core/src/pool.h"
#include "progress.h"
#include "settings.h"

/* What the stages work on. */
typedef struct wisp_graph wisp_graph;       /* graph.h */
typedef struct wisp_net wisp_net;           /* net.h */
typedef struct wisp_exec wisp_exec;         /* float/exec.h */
typedef struct wisp_observer wisp_observer; /* calibrate/observe.h */
typedef struct wisp_teacher wisp_teacher;   /* calibrate/teach.h */

/* Float graph -> layers. Takes weights, heads and classes out of the graph, which can only be closed after.
 * WISP_ERR_UNSUPPORTED names the node that the format can't express. */
wisp_status wisp_fold(wisp_graph *graph, wisp_net **net, wisp_error *error);

/* Runs a calibration picture and keeps what quantise needs to know of it. */
wisp_status wisp_observe(wisp_observer *observer, wisp_exec *exec, const wisp_view *picture,
                         wisp_error *error);

/* Removes channels until about `share` of the multiply-adds is saved; *saved: the share that was. `teacher` knows what
 * outputs matter; NULL: as much as each other, over their variance. The observer and executors of the net are useless
 * then. A failure leaves the net as it was. */
wisp_status wisp_channels(wisp_net *net, const wisp_observer *seen, const wisp_teacher *teacher,
                          double share, wisp_pool *pool, double *saved, wisp_error *error);

/* Observed values -> scale and zero point of every tensor. */
void wisp_range(wisp_net *net, const wisp_observer *seen, wisp_ranging ranging);

/* What the float network says of `count` pictures, bytes as wisp_prep lays them. */
wisp_status wisp_teach(wisp_teacher **teacher, const wisp_net *net, const wisp_view *pictures,
                       int count, uint32_t seed, wisp_pool *pool, const wisp_progress *progress,
                       wisp_error *error);

/* Sets `account.bits` of every layer: as the settings say, or else to 3 ... 7, the fewest in all for which the expected
 * loss of a picture, in teach.h's measure, stays below the target; `teacher` is needed only then. */
wisp_status wisp_bits(wisp_net *net, const wisp_observer *seen, const wisp_teacher *teacher,
                      const wisp_press_settings *settings, wisp_pool *pool, wisp_error *error);

/* Sets `pruned` of the layers that lose weights, and of no others. `teacher` is needed for OBS only. */
wisp_status wisp_prune(wisp_net *net, const wisp_teacher *teacher,
                       const wisp_press_settings *settings, wisp_pool *pool,
                       const wisp_progress *progress, wisp_error *error);

/* Integers for the weights, each layer by itself. Ranges and bits are known. */
wisp_status wisp_quantise(wisp_net *net, const wisp_observer *seen,
                          const wisp_press_settings *settings, wisp_pool *pool,
                          const wisp_progress *progress, wisp_error *error);

/* The same with what zeros and rounding break made up for, layer by layer, on the teacher's pictures. Where there are
 * zeros it changes `pruned`. */
wisp_status wisp_rebuild(wisp_net *net, const wisp_observer *seen, const wisp_teacher *teacher,
                         const wisp_view *pictures, wisp_pool *pool, const wisp_progress *progress,
                         wisp_error *error);

/* Whether the network was trained with wisp's integers: the importer told the range of every tensor that needs one. */
int wisp_trained(const wisp_net *net);
/* Such a network keeps its ranges and integers; nothing is left to choose. */
wisp_status wisp_trained_quantise(wisp_net *net, wisp_error *error);

/* Fills `account` of every convolution of a quantised net, except the bits; without `seen` only what can be counted. */
wisp_status wisp_account(wisp_net *net, const wisp_observer *seen, wisp_pool *pool,
                         wisp_error *error);

/* A quantised net -> the bytes of a .wisp file, `malloc`ed. `provenance` is the text of a JSON object. */
wisp_status wisp_pack(const wisp_net *net, const char *provenance, uint8_t **bytes, size_t *size,
                      wisp_error *error);

#endif
