/* finish.c - the real scales and the activation of a convolution as the fixed-point constants of its kernels.
 * SPDX-License-Identifier: Apache-2.0
 *
 * With u the unit of the 16-bit number x that a sum becomes: x = real / u, byte = out_scale * x /
 * 32768 + zero. u is chosen so that out_scale is a whole number and no step loses a bit that shows. */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "error.h"
#include "network.h"
#include "strides.h"

/* Above this share of 32768, the byte range would saturate x. */
static const double HEADROOM = 32640;

/* The least unit in which the output and the residual fit. Leaky ReLU needs more for what lies far below 0, but not so
 * much that a unit is more than a quarter of an output step. */
static double least_unit(const wisp_layer *l, const wisp_tensor *out, const wisp_tensor *residual) {
  const double added = residual ? 255.0 * residual->scale : 0;
  double reach = 255.0 * out->scale + added;
  if (l->activation == WISP_ACT_LEAKY && l->slope > 0)
    reach = fmax(
        reach, fmin((out->zero_point * out->scale + added) / l->slope, HEADROOM * out->scale / 4));
  return reach / HEADROOM;
}

wisp_status wisp_finish_make(wisp_plan *plan, wisp_step *step, double *unit, wisp_error *error) {
  const wisp_model *m = plan->model;
  const wisp_layer *l = &m->layer[step->layer];
  const wisp_tensor *out = &m->tensor[l->output],
                    *residual = l->residual >= 0 ? &m->tensor[l->residual] : NULL;
  const wisp_activation_row row = wisp_activation_row_of(l->activation);
  assert(!residual || !row.is_share); /* header.c */
  wisp_finish *f = &step->finish;
  memset(f, 0, sizeof *f);
  f->activation = l->activation;
  f->flip = plan->flip;
  const double range = row.range, least = least_unit(l, out, residual);
  int fraction = 1; /* a power of two */
  while (range > 0 && !row.is_share && range * fraction / 32767 < least && fraction < 8192)
    fraction *= 2;
  const double wished = range > 0 ? range * fraction / 32767 : least;
  if (wished < least && !row.is_share)
    return wisp_fail(error, WISP_ERR_LIMIT,
                     "Layer %d has output steps of %g, too coarse for its activation.", step->layer,
                     (double)out->scale);
  const double out_scale = floor((row.is_share ? 1 : wished * 32768) / out->scale + 0.5);
  if (out_scale < 1 || out_scale > 32767)
    return wisp_fail(error, WISP_ERR_LIMIT,
                     "Layer %d needs 16-bit steps of %g for an output with steps of %g.",
                     step->layer, wished, (double)out->scale);
  f->out_scale = (int16_t)out_scale;
  f->out_zero = (int16_t)out->zero_point;
  *unit = row.is_share ? wished : f->out_scale * (double)out->scale / 32768;
  f->fraction = (int16_t)fraction;
  f->limit = (int16_t)(32767 / fraction);
  f->slope = (int16_t)fmin(floor(l->slope * 32768.0 + 0.5), 32767);
  if (residual) {
    const double scale = residual->scale / (128 * *unit) * 32768;
    if (scale > 32767)
      return wisp_fail(error, WISP_ERR_LIMIT,
                       "Layer %d adds a residual of steps %g to an output of steps %g.",
                       step->layer, (double)residual->scale, (double)out->scale);
    f->residual_scale = (int16_t)floor(scale + 0.5);
    f->residual_zero = (int16_t)residual->zero_point;
  }
  return WISP_OK;
}
