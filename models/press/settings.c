/* settings.c - how to press: the defaults, what they leave to the method, and what can't be.
 * SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include "core/src/base.h"

static const float MOST_SPARSITY = 0.95f;

wisp_press_settings wisp_press_default_settings(void) {
  return (wisp_press_settings){
      .weight_bits = 7, .ranging = WISP_RANGE_MSE, .rounding = WISP_ROUND_LEAST_SQUARES, .seed = 1};
}

static wisp_status check(const wisp_press_settings *settings, wisp_error *error) {
  if (settings->weight_bits != 0 && (settings->weight_bits < 2 || settings->weight_bits > 7))
    return wisp_fail(error, WISP_ERR_ARGUMENT, "Weights of %d bits are not possible; give 2 to 7.",
                     settings->weight_bits);
  if (!(settings->target_loss >= 0))
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "A target loss of %g is not possible; give one from 0 on.",
                     (double)settings->target_loss);
  if (settings->target_loss > 0 && settings->weight_bits != 0 && settings->sparsity > 0)
    return wisp_fail(
        error, WISP_ERR_ARGUMENT,
        "A target loss finds the share of zeros, or with bits: \"auto\" the bits; %g of the "
        "blocks zero and %d bits leave it nothing to find.",
        (double)settings->sparsity, settings->weight_bits);
  if (wisp_settings_find_zeros(settings) && settings->method != WISP_METHOD_OBS)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "Only the obs method finds zeros by a target loss.");
  if (wisp_settings_find_zeros(settings) && settings->allocation == WISP_ALLOCATE_UNIFORM)
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "A target loss gives each layer its own share of zeros; uniform can't be.");
  if (!(settings->sparsity >= 0 && settings->sparsity <= MOST_SPARSITY))
    return wisp_fail(error, WISP_ERR_ARGUMENT, "A sparsity of %g is not possible; give 0 to %g.",
                     (double)settings->sparsity, (double)MOST_SPARSITY);
  if (settings->block != 1 && settings->block != 2 && settings->block != WISP_LANES)
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "Blocks of 1x%d weights are not possible; give 1, 2 or 4.", settings->block);
  if (settings->method != WISP_METHOD_OBS && settings->method != WISP_METHOD_L1)
    return wisp_fail(error, WISP_ERR_ARGUMENT, "There is no method %d of pruning.",
                     (int)settings->method);
  if (settings->method == WISP_METHOD_L1 &&
      (settings->block != 1 || settings->allocation != WISP_ALLOCATE_UNIFORM))
    return wisp_fail(error, WISP_ERR_ARGUMENT,
                     "The l1 method takes single weights, the same share in each layer.");
  return WISP_OK;
}

int wisp_settings_find_zeros(const wisp_press_settings *settings) {
  return settings->target_loss > 0 && settings->weight_bits != 0;
}

int wisp_settings_prune_by_loss(const wisp_press_settings *settings) {
  if (wisp_settings_find_zeros(settings)) return 1;
  return settings->sparsity > 0 && settings->method == WISP_METHOD_OBS;
}

wisp_status wisp_settings_complete(wisp_press_settings *settings, wisp_error *error) {
  const int single = settings->method == WISP_METHOD_L1;
  if (settings->block == 0) settings->block = single ? 1 : WISP_LANES;
  if (settings->allocation == WISP_ALLOCATE_BY_METHOD)
    settings->allocation = single ? WISP_ALLOCATE_UNIFORM : WISP_ALLOCATE_SENSITIVITY;
  return check(settings, error);
}
