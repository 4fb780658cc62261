/* filter.c - turns the weights of a depthwise convolution into the streams that its kernel walks (kernel.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "error.h"
#include "payload.h"
#include "strides.h"

enum { PAIR = 4 /* words */ };

/* The weight of a channel at a tap; 0 past the last channel. */
static int weight_at(const wisp_weights_view *view, int channel, int tap) {
  if (channel >= view->channels_out) return 0;
  return view->weights[(channel * view->taps + tap) * WISP_LANES];
}

/* From an output pixel's place to the tap's pixel in plane `plane` of the input, in bytes. */
static int32_t distance_to(const wisp_plan *plan, const wisp_step *step, int plane, int tap) {
  const wisp_layer *l = &plan->model->layer[step->layer];
  const wisp_view *v = &plan->images[step->inputs[0]].view;
  const int planes = wisp_planes(plan->model->tensor[l->inputs[0]].channels);
  const int y = tap / l->kernel_width - l->pad_top, x = tap % l->kernel_width - l->pad_left;
  const int down = wisp_floor_div(y, l->stride_y), right = wisp_floor_div(x, l->stride_x);
  const int phase = (y - down * l->stride_y) * l->stride_x + (x - right * l->stride_x);
  return (int32_t)(v->data - plan->arena) + (phase * planes + plane) * v->plane +
         (down * v->pitch + right) * WISP_LANES;
}

static int32_t *put_pairs(const wisp_plan *plan, const wisp_step *step,
                          const wisp_weights_view *view, int plane, int32_t *word) {
  *word++ = (view->taps + 1) / 2;
  for (int tap = 0; tap < view->taps; tap += 2, word += PAIR) {
    const int is_alone = tap + 1 == view->taps;
    word[0] = distance_to(plan, step, plane, tap);
    word[1] = is_alone ? word[0] : distance_to(plan, step, plane, tap + 1);
    int8_t *weights = (int8_t *)(word + 2);
    for (int lane = 0; lane < WISP_LANES; lane++) {
      const int channel = plane * WISP_LANES + lane;
      *weights++ = (int8_t)weight_at(view, channel, tap);
      *weights++ = (int8_t)(is_alone ? 0 : weight_at(view, channel, tap + 1));
    }
  }
  return word;
}

/* Start and scale of one channel. 0 if a sum in units could leave 32 bits, where truncation is not the same
 * everywhere. */
static int set_numbers(const wisp_weights_view *view, int channel, int reads, double unit,
                       wisp_filter *filter) {
  const int lane = channel % WISP_LANES;
  const double scale = (double)view->scale[channel];
  int sum = 0, size = 0;
  for (int tap = 0; tap < view->taps; tap++) {
    sum += weight_at(view, channel, tap);
    size += abs(weight_at(view, channel, tap));
  }
  filter->start[lane] =
      (int32_t)floor((double)view->bias[channel] / scale + 0.5) + (int32_t)(sum * reads);
  filter->scale[lane] = (float)(scale / unit);
  return (fabs((double)filter->start[lane]) + size * 255.0) * (double)filter->scale[lane] <
         2147483000.0;
}

wisp_status wisp_filter_make(wisp_plan *plan, wisp_step *step, double unit, wisp_error *error) {
  const wisp_weights_view view = wisp_payload_view(plan->model, step->layer);
  const wisp_view *out = &plan->images[step->output].view;
  const int zero_point = plan->model->tensor[plan->model->layer[step->layer].inputs[0]].zero_point;
  const size_t planes = (size_t)wisp_planes(view.channels_out);
  const size_t words = planes * (size_t)(1 + (view.taps + 1) / 2 * PAIR);
  step->filters = calloc(planes, sizeof *step->filters);
  step->words = malloc(words * sizeof *step->words);
  if (!step->filters || !step->words)
    return wisp_fail(error, WISP_ERR_MEMORY, "There is no memory for the weights of layer %d.",
                     step->layer);
  int32_t *word = step->words;
  for (int p = 0; p < (int)planes; p++) {
    step->filters[p].stream = word;
    word = put_pairs(plan, step, &view, p, word);
  }
  for (int c = 0; c < view.channels_out; c++)
    if (!set_numbers(&view, c, plan->flip - zero_point, unit, &step->filters[c / WISP_LANES]))
      return wisp_fail(error, WISP_ERR_LIMIT,
                       "The weights of layer %d are too large for its output's steps of %g.",
                       step->layer, unit);
  plan->macs += (double)view.channels_out * view.taps * out->height * out->width;
  plan->memory += words * sizeof *step->words + planes * sizeof *step->filters;
  return WISP_OK;
}
