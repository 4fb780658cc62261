/* settings.h - how to press.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_SETTINGS_H
#define WISP_SETTINGS_H

#include <stdint.h>

#include "core/src/error.h"

typedef enum wisp_ranging { WISP_RANGE_MINMAX, WISP_RANGE_MSE } wisp_ranging;
typedef enum wisp_rounding { WISP_ROUND_LEAST_SQUARES, WISP_ROUND_NEAREST } wisp_rounding;
typedef enum wisp_method { WISP_METHOD_OBS, WISP_METHOD_L1 } wisp_method;
typedef enum wisp_allocation {
  WISP_ALLOCATE_BY_METHOD, /* uniform of l1, else sensitivity */
  WISP_ALLOCATE_SENSITIVITY,
  WISP_ALLOCATE_UNIFORM
} wisp_allocation;

typedef struct wisp_press_settings {
  int weight_bits; /* 2 ... 7; 0: for each layer 3 ... 7, by what the end result loses */
  /* Of the end result. With weight_bits 0 it decides the bits, and 0 is a default; else it decides the share of zeros,
   * and 0 leaves that to `sparsity`. */
  float target_loss;
  wisp_ranging ranging;
  wisp_rounding rounding;
  float sparsity; /* share of all blocks of weights that become zero */
  /* weights along the input channels that become zero together: 1, 2 or 4; 0: 1 of l1, else 4 */
  int block;
  wisp_method method;
  wisp_allocation allocation; /* uniform: the same share in every layer */
  uint32_t seed;
} wisp_press_settings;

/* 7 bits, ranges and rounding by least squares, no zeros. */
wisp_press_settings wisp_press_default_settings(void);

/* Whether the share of zeros follows from the target loss. */
int wisp_settings_find_zeros(const wisp_press_settings *settings);

/* Whether there will be zeros, by what the end result loses. */
int wisp_settings_prune_by_loss(const wisp_press_settings *settings);

/* Decides what they leave to the method. A sentence for settings that can't be. */
wisp_status wisp_settings_complete(wisp_press_settings *settings, wisp_error *error);

#endif
