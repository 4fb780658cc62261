/* pictures.c - the calibration pictures that pruning looks at again: a fair choice of all that were observed.
 * SPDX-License-Identifier: Apache-2.0 */
#include "pictures.h"

#include <stdlib.h>
#include <string.h>

#include "lot.h"

static size_t size_of(const wisp_view *picture) {
  return (size_t)wisp_planes(picture->channels) * (size_t)picture->plane;
}

wisp_view wisp_pictures_blank(const wisp_net *net) {
  const wisp_net_tensor *input = &net->tensors[0];
  wisp_view view = {.channels = input->channels,
                    .height = input->height,
                    .width = input->width,
                    .pitch = input->width,
                    .plane = input->height * input->width * WISP_LANES};
  view.data = calloc(size_of(&view), 1);
  return view;
}

wisp_status wisp_pictures_keep(wisp_pictures *pictures, const wisp_view *picture,
                               wisp_error *error) {
  const int place = wisp_lot_place(&pictures->lot, pictures->seen, WISP_MAX_PICTURES);
  if (place < WISP_MAX_PICTURES) {
    wisp_view *kept = &pictures->kept[place];
    uint8_t *bytes = kept->data ? kept->data : malloc(size_of(picture));
    if (!bytes)
      return wisp_fail(error, WISP_ERR_MEMORY,
                       "There is no memory to keep %d pictures; give fewer.", place + 1);
    memcpy(bytes, picture->data, size_of(picture));
    *kept = *picture;
    kept->data = bytes;
    pictures->count = wisp_max(pictures->count, place + 1);
  }
  pictures->seen++;
  return WISP_OK;
}

void wisp_pictures_clear(wisp_pictures *pictures) {
  for (int i = 0; i < pictures->count; i++) free(pictures->kept[i].data);
  *pictures = (wisp_pictures){.lot = pictures->lot};
}
