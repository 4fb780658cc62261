/* check.c - what a caller may ask of a detection.
 * SPDX-License-Identifier: Apache-2.0 */
#include "error.h"
#include "stages.h"

static wisp_status check_tiles(const wisp_options *o, wisp_error *error) {
  if (!(o->tile_overlap >= 0 && o->tile_overlap <= 0.5f))
    return wisp_fail(error, WISP_ERR_ARGUMENT, "The overlap of tiles is %g; 0 to 0.5 is possible.",
                     (double)o->tile_overlap);
  if (o->tiles == WISP_TILES_NONE || o->tiles == WISP_TILES_AUTO) return WISP_OK;
  if (o->tiles != WISP_TILES_GRID)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "There is no tiling %d.", (int)o->tiles);
  if (o->tile_columns < 1 || o->tile_columns > WISP_MAX_TILES || o->tile_rows < 1 ||
      o->tile_rows > WISP_MAX_TILES)
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "%d columns and %d rows of tiles were asked for; 1 to %d are possible.",
                     o->tile_columns, o->tile_rows, WISP_MAX_TILES);
  return WISP_OK;
}

static wisp_status check_masks(const wisp_options *o, int has_masks, wisp_error *error) {
  if (o->masks < WISP_MASKS_NONE || o->masks > WISP_MASKS_BY_ROW)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "The order of masks is %d; 0 to %d are possible.",
                     (int)o->masks, WISP_MASKS_BY_ROW);
  if (o->masks != WISP_MASKS_NONE && !has_masks)
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "Masks were asked for, but the model finds boxes only; press a YOLOv5 that "
                     "segments, as yolov5n-seg.");
  return check_tiles(o, error);
}

wisp_status wisp_check_options(const wisp_options *o, int has_masks, wisp_error *error) {
  if (!(o->confidence >= 0 && o->confidence <= 1))
    return wisp_fail(error, WISP_ERR_ARGUMENT, "The confidence is %g; 0 to 1 is possible.",
                     (double)o->confidence);
  if (!(o->iou >= 0 && o->iou <= 1))
    return wisp_fail(error, WISP_ERR_ARGUMENT, "The IoU is %g; 0 to 1 is possible.",
                     (double)o->iou);
  if (o->max_detections < 1 || o->max_detections > WISP_MAX_CANDIDATES)
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "At most %d boxes were asked for; 1 to %d are possible.", o->max_detections,
                     WISP_MAX_CANDIDATES);
  return check_masks(o, has_masks, error);
}

wisp_status wisp_check_frame(const wisp_frame *f, int index, wisp_error *error) {
  if (!f->rgba || f->width < 1 || f->height < 1 || f->width > WISP_MAX_FRAME_SIDE ||
      f->height > WISP_MAX_FRAME_SIDE)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "Frame %d is %dx%d; sides of 1 to %d are possible.",
                     index, f->width, f->height, WISP_MAX_FRAME_SIDE);
  if (f->stride < (size_t)f->width * 4)
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "Frame %d has rows of %zu bytes; its width %d needs %d.", index, f->stride,
                     f->width, f->width * 4);
  return WISP_OK;
}
