/* predict.c - the tables and the memory of the coder's expectations.
 * SPDX-License-Identifier: Apache-2.0 */
#include "predict.h"

#include <string.h>

enum { EVEN = 32768, FIRST_MEAN = 12 << 6, HALF = 2048 };

static void make_even(wisp_bit *bits, size_t n) {
  for (size_t i = 0; i < n; i++) bits[i] = (wisp_bit){EVEN, 0};
}

void wisp_predict_open(wisp_predict *p) {
  /* Third parts of octaves, in 64ths. */
  static const int steps[WISP_PREDICT_LEVELS - 1] = {
      3,   7,   12,  18,  26,  36,  49,   65,   85,   110,  142,  182, 232,
      296, 376, 477, 604, 764, 965, 1220, 1540, 1943, 2451, 3092, 3899};
  for (int i = 0; i <= WISP_PREDICT_SEEN; i++) p->rate[i] = (uint16_t)(131072 / (2 * i + 3));
  for (int i = 0; i < (int)sizeof p->level; i++) {
    p->level[i] = 0;
    for (int k = 0; k < WISP_PREDICT_LEVELS - 1; k++) p->level[i] += i * 4 >= steps[k];
  }
  make_even(p->scale, sizeof p->scale / sizeof(wisp_bit));
  make_even(p->scale_top, sizeof p->scale_top / sizeof(wisp_bit));
  make_even(&p->sign, 1);
  make_even(p->exponent, sizeof p->exponent / sizeof(wisp_bit));
  make_even(&p->mask[0][0], sizeof p->mask / sizeof(wisp_bit));
  make_even(&p->side[0][0], sizeof p->side / sizeof(wisp_bit));
  make_even(&p->class[0][0][0][0], sizeof p->class / sizeof(wisp_bit));
  make_even(&p->mantissa[0][0][0], sizeof p->mantissa / sizeof(wisp_bit));
  p->column = p->share = NULL;
  p->row = NULL;
  p->here = NULL;
}

void wisp_predict_close(wisp_predict *p) {
  free(p->column);
  free(p->share);
  free(p->row);
  free(p->here);
  p->column = p->share = NULL;
  p->row = NULL;
  p->here = NULL;
}

int wisp_predict_layer(wisp_predict *p, int kernel_height, int kernel_width, int planes,
                       const uint8_t *lanes) {
  wisp_predict_close(p);
  p->kernel_width = kernel_width;
  p->planes = planes;
  p->positions = kernel_height * kernel_width * planes;
  p->lanes = lanes;
  const size_t n = (size_t)p->positions;
  p->column = calloc(n * WISP_LANES, sizeof *p->column);
  p->share = malloc(n * sizeof *p->share);
  p->row = malloc(n * WISP_LANES);
  p->here = malloc(n);
  if (!p->column || !p->share || !p->row || !p->here) return 0;
  for (size_t i = 0; i < n; i++) p->share[i] = HALF;
  p->last_scale = 0;
  p->number = -1;
  p->mean = FIRST_MEAN;
  p->present = HALF;
  return 1;
}

void wisp_predict_row(wisp_predict *p) {
  memset(p->row, 0, (size_t)p->positions * WISP_LANES);
  p->number++;
  p->seen = 1;
  p->last[0] = p->last[1] = p->last[2] = p->mean >> 6;
}
