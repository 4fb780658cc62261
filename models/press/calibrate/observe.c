/* observe.c - runs a calibration picture and keeps what quantise needs to know of it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "observe.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "corridor.h"
#include "lot.h"

enum { ROWS_APART = 4 /* of which the histogram sees one */ };

/* ---- open and close ---- */

static int open_spread(wisp_spread *spread, int channels) {
  spread->bins = calloc(WISP_BINS, sizeof *spread->bins);
  spread->pixels = calloc(WISP_PIXELS_MOST * (size_t)channels, sizeof *spread->pixels);
  return spread->bins && spread->pixels;
}

static wisp_status open_parts(wisp_observer *observer, wisp_error *error) {
  const wisp_net *net = observer->net;
  const size_t n = (size_t)net->layer_count;
  int most = 0;
  observer->spreads = calloc(n + 1, sizeof *observer->spreads);
  observer->moments = calloc(n, sizeof *observer->moments);
  int complete = observer->spreads && observer->moments;
  for (size_t t = 0; t <= n && complete; t++)
    complete = open_spread(&observer->spreads[t], net->tensors[t].channels);
  for (size_t i = 0; i < n && complete; i++) {
    if (!wisp_net_mixes_channels(&net->layers[i])) continue;
    const int taps = wisp_net_taps(&net->layers[i]);
    complete = wisp_moments_open(&observer->moments[i], taps) == WISP_OK;
    most = wisp_max(most, wisp_moments_width(taps));
  }
  if (complete) observer->windows = calloc(WISP_SAMPLES * (size_t)most, sizeof *observer->windows);
  if (complete && observer->windows) return WISP_OK;
  return wisp_fail(error, WISP_ERR_MEMORY,
                   "There is no memory to observe %zu layers, %d taps wide.", n, most);
}

wisp_status wisp_observer_open(wisp_observer **out, const wisp_net *net, wisp_pool *pool,
                               wisp_error *error) {
  *out = NULL;
  wisp_observer *observer = calloc(1, sizeof *observer);
  if (!observer)
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory to observe anything.");
  observer->net = net;
  observer->pool = pool;
  const wisp_status status = open_parts(observer, error);
  if (status != WISP_OK) wisp_observer_close(&observer);
  *out = observer;
  return status;
}

void wisp_observer_close(wisp_observer **out) {
  wisp_observer *observer = *out;
  if (!observer) return;
  *out = NULL;
  for (int t = 0; t <= observer->net->layer_count && observer->spreads; t++) {
    free(observer->spreads[t].bins);
    free(observer->spreads[t].pixels);
  }
  for (int i = 0; i < observer->net->layer_count && observer->moments; i++)
    wisp_moments_close(&observer->moments[i]);
  free(observer->spreads);
  free(observer->moments);
  free(observer->windows);
  free(observer);
}

/* ---- values ---- */

/* Doubles the histogram's reach until it holds `most`: pairs of bins become one. */
static void widen(wisp_spread *spread, float most) {
  if (spread->reach == 0) spread->reach = 1.0f / 1024;
  while (spread->reach < most) {
    uint32_t merged[WISP_BINS / 2];
    for (int i = 0; i < WISP_BINS / 2; i++)
      merged[i] = spread->bins[2 * i] + spread->bins[2 * i + 1];
    memset(spread->bins, 0, WISP_BINS * sizeof *spread->bins);
    memcpy(spread->bins + WISP_BINS / 4, merged, sizeof merged);
    spread->reach *= 2;
  }
}

static void measure_range(wisp_spread *spread, const wisp_floats *tensor) {
  for (int c = 0; c < tensor->channels; c++)
    for (int y = 0; y < tensor->height; y++) {
      const float *row = tensor->data + (size_t)c * tensor->plane + y * tensor->pitch;
      for (int x = 0; x < tensor->width; x++) {
        if (row[x] < spread->low) spread->low = row[x];
        if (row[x] > spread->high) spread->high = row[x];
      }
    }
}

static void count_values(wisp_spread *spread, const wisp_floats *tensor) {
  measure_range(spread, tensor);
  if (!isfinite(spread->high - spread->low)) return; /* the heads will tell */
  widen(spread, spread->high > -spread->low ? spread->high : -spread->low);
  const float per_bin = WISP_BINS / 2 / spread->reach;
  for (int c = 0; c < tensor->channels; c++)
    for (int y = c % ROWS_APART; y < tensor->height; y += ROWS_APART) {
      const float *row = tensor->data + (size_t)c * tensor->plane + y * tensor->pitch;
      for (int x = 0; x < tensor->width; x++) {
        const float bin = (row[x] + spread->reach) * per_bin;
        if (bin >= 0 && bin < WISP_BINS) spread->bins[(int)bin]++;
      }
    }
}

static void keep_pixels(wisp_spread *spread, const wisp_floats *tensor, uint32_t *lot) {
  for (int i = 0; i < WISP_PIXELS; i++) {
    const int y = wisp_lot_below(lot, tensor->height), x = wisp_lot_below(lot, tensor->width);
    const int place = wisp_lot_place(lot, spread->pixels_seen++, WISP_PIXELS_MOST);
    if (place >= WISP_PIXELS_MOST) continue;
    spread->pixels_kept = wisp_max(spread->pixels_kept, place + 1);
    float *to = spread->pixels + (size_t)place * (size_t)tensor->channels;
    for (int c = 0; c < tensor->channels; c++)
      to[c] = tensor->data[(size_t)c * tensor->plane + (size_t)(y * tensor->pitch + x)];
  }
}

/* ---- windows ---- */

void wisp_observe_window(const wisp_net_layer *layer, const wisp_exec *exec, int y, int x,
                         float *to) {
  const wisp_window *window = &layer->window;
  for (int i = 0; i < layer->input_count; i++) {
    const wisp_floats in = wisp_exec_tensor(exec, layer->inputs[i]);
    const float *origin = in.data + (y * window->stride[0] - window->pad[0]) * in.pitch +
                          x * window->stride[1] - window->pad[1];
    for (int c = 0; c < in.channels; c++, origin += in.plane)
      for (int ky = 0; ky < window->kernel[0]; ky++, to += window->kernel[1])
        memcpy(to, origin + ky * in.pitch, (size_t)window->kernel[1] * sizeof *to);
  }
  const int taps = wisp_net_taps(layer);
  memset(to, 0, (size_t)(wisp_moments_width(taps) - taps) * sizeof *to);
}

static void count_windows(wisp_observer *observer, const wisp_exec *exec, int number) {
  const wisp_net_layer *layer = &observer->net->layers[number];
  const wisp_net_tensor *out = &observer->net->tensors[number + 1];
  wisp_moments *moments = &observer->moments[number];
  const int width = wisp_moments_width(moments->taps);
  for (int s = 0; s < WISP_SAMPLES; s++) {
    float *window = observer->windows + s * width;
    const int y = wisp_lot_below(&observer->lot, out->height),
              x = wisp_lot_below(&observer->lot, out->width);
    wisp_observe_window(layer, exec, y, x, window);
  }
  wisp_moments_add(moments, observer->windows, NULL, WISP_SAMPLES, observer->pool);
}

/* ---- the picture ---- */

typedef struct watching {
  wisp_observer *observer;
  const wisp_exec *exec;
} watching;

/* Pools and upsamples share their input's range; heads have none. */
static void watch(void *context, int tensor) {
  const watching *w = context;
  const wisp_net *net = w->observer->net;
  wisp_spread *spread = &w->observer->spreads[tensor];
  const wisp_net_layer *layer = tensor > 0 ? &net->layers[tensor - 1] : NULL;
  const int moved = layer && wisp_net_keeps_range(layer);
  const wisp_floats values = wisp_exec_tensor(w->exec, tensor);
  if (!net->tensors[tensor].is_head) keep_pixels(spread, &values, &w->observer->lot);
  if (!net->tensors[tensor].is_head && !moved) count_values(spread, &values);
  if (layer && wisp_net_mixes_channels(layer)) count_windows(w->observer, w->exec, tensor - 1);
}

static int all_finite(const wisp_floats *head) {
  for (int c = 0; c < head->channels; c++)
    for (int y = 0; y < head->height; y++) {
      const float *row = head->data + (size_t)c * head->plane + y * head->pitch;
      for (int x = 0; x < head->width; x++)
        if (!isfinite(row[x])) return 0;
    }
  return 1;
}

wisp_status wisp_observe(wisp_observer *observer, wisp_exec *exec, const wisp_view *picture,
                         wisp_error *error) {
  watching w = {observer, exec};
  wisp_exec_run(exec, picture, watch, &w);
  observer->pictures++;
  for (int i = 0; i < observer->net->head_count; i++) {
    const wisp_floats head = wisp_exec_tensor(exec, observer->net->heads[i].tensor);
    if (!all_finite(&head))
      return wisp_fail(error, WISP_ERR_ARGUMENT,
                       "Head %d overflows on calibration picture %d; check the weights.", i,
                       observer->pictures);
  }
  return WISP_OK;
}
