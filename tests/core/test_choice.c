/* test_choice.c - which set of kernels is taken: how each reads bytes, and that one that computes wrongly is found out.
 * SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "kernel.h"

/* The probe says how a set reads bytes, and finds out one that computes wrongly. */
static void head_doubled(const wisp_quad *quad, uint8_t flip, const uint8_t *in,
                         float *const out[4], int n) {
  wisp_kernels_scalar()->head(quad, flip, in, out, n);
  for (int i = 0; i < n; i++) out[0][i] *= 2;
}

static void test_sign(const wisp_kernels *set) {
  const wisp_sign sign = wisp_kernels_sign(set);
  CHECK(sign == WISP_UNSIGNED || sign == WISP_SIGNED);
  printf("%s kernels read activations as %s\n", set->name,
         sign == WISP_SIGNED ? "signed" : "unsigned");
}

static void test_choice(void) {
  wisp_kernels wrong = *wisp_kernels_scalar();
  wrong.head = head_doubled;
  CHECK_EQ(wisp_kernels_sign(&wrong), WISP_COMPUTES_WRONGLY);
  CHECK_EQ(wisp_kernels_sign(wisp_kernels_scalar()), WISP_UNSIGNED);
  const wisp_kernels *best = wisp_kernels_best();
  int found = 0;
  for (int i = 0; wisp_kernels_set(i); i++) found += wisp_kernels_set(i) == best;
  CHECK_EQ(found, 1);
}

int main(int argc, char **argv) {
  check_begin(argc, argv);
  for (int i = 0; wisp_kernels_set(i); i++) test_sign(wisp_kernels_set(i));
  test_choice();
  return check_end();
}
