/* pictures.h - the calibration pictures that pruning looks at again: a fair choice of all that were observed.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_PICTURES_H
#define WISP_PICTURES_H

#include "core/src/base.h"
#include "core/src/error.h"
#include "net.h"

enum { WISP_MAX_PICTURES = 192 };

/* Zeroed is empty. */
typedef struct wisp_pictures {
  wisp_view kept[WISP_MAX_PICTURES]; /* bytes as wisp_prep lays them; owned */
  int count;
  int seen; /* of which these are the choice */
  uint32_t lot;
} wisp_pictures;

/* A picture of the size that the net reads, to be filled; `data` is the caller's to free, NULL without memory. */
wisp_view wisp_pictures_blank(const wisp_net *net);

/* Copies a picture, or leaves it out. */
wisp_status wisp_pictures_keep(wisp_pictures *pictures, const wisp_view *picture,
                               wisp_error *error);

/* Empty again; the lot goes on. */
void wisp_pictures_clear(wisp_pictures *pictures);

#endif
