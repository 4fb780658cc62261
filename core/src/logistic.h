/* logistic.h - e^x and the logistic function with the same bits on every engine.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_LOGISTIC_H
#define WISP_LOGISTIC_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* e^x to within 2 units in the last place for |x| <= 87, from plain f32 operations, so that every engine has the same
 * bits: x = k ln 2 + r, e^r by its Taylor polynomial on |r| <= ln 2 / 2. */
static inline float wisp_exponential(float x) {
  const float k = floorf(x * 1.44269504f + 0.5f);
  const float r = (x - k * 0.693359375f) + k * 2.12194440e-4f; /* ln 2 in two parts */
  float p = 1.0f / 5040;
  const float terms[] = {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1, 1};
  for (int i = 0; i < 7; i++) p = p * r + terms[i];
  const uint32_t bits = (uint32_t)((int32_t)k + 127) << 23;
  float power;
  memcpy(&power, &bits, sizeof power);
  return p * power;
}

static inline float wisp_sigmoid(float x) {
  const float clamped = x < -80 ? -80 : x > 80 ? 80 : x;
  return 1 / (1 + wisp_exponential(-clamped));
}

#endif
