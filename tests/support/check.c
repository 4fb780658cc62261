/* check.c - checks that print what they saw, seeded random numbers, guard bytes.
 * SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <stdarg.h>

enum { SEED = 1, SHOWN = 20 /* failures printed */, GUARD_BYTE = 0xa5 };

static struct {
  long checks, failures;
  uint64_t random;
  char what[160];
} state;

void check_begin(int argc, char **argv) {
  const char *text = argc > 1 ? argv[1] : "";
  const unsigned long long seed = *text >= '0' && *text <= '9' ? strtoull(text, NULL, 10) : SEED;
  random_start(seed);
  setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
  printf("seed %llu\n", seed);
}

int check_end(void) {
  printf("%ld checks, %ld failed\n", state.checks, state.failures);
  return state.failures > 0;
}

void check_case(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(state.what, sizeof state.what, format, arguments);
  va_end(arguments);
}

/* Counts a check; returns 1 if its failure is to be printed. */
static int fails(int holds, const char *file, int line) {
  state.checks++;
  if (holds || state.failures++ >= SHOWN) return 0;
  printf("%s:%d: [%s] ", file, line, state.what);
  return 1;
}

int check_true(int holds, const char *text, const char *file, int line) {
  if (fails(holds, file, line)) printf("%s is false\n", text);
  return holds;
}

int check_equal(long long a, long long b, const char *text, const char *file, int line) {
  if (fails(a == b, file, line)) printf("%s: %lld, %lld\n", text, a, b);
  return a == b;
}

int check_near(double a, double b, double by, const char *text, const char *file, int line) {
  const int holds = a - b <= by && b - a <= by;
  if (fails(holds, file, line)) printf("%s: %.9g, %.9g\n", text, a, b);
  return holds;
}

int check_same(const void *a, const void *b, size_t size, const char *text, const char *file,
               int line) {
  const uint8_t *p = a, *q = b;
  size_t at = 0;
  while (at < size && p[at] == q[at]) at++;
  if (fails(at == size, file, line))
    printf("%s: byte %zu of %zu is %d, %d\n", text, at, size, p[at], q[at]);
  return at == size;
}

/* ---- random numbers: splitmix64 ---- */

void random_start(unsigned long long seed) { state.random = seed; }

uint64_t random_bits(void) {
  uint64_t z = state.random += 0x9e3779b97f4a7c15u;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
  z = (z ^ z >> 27) * 0x94d049bb133111ebu;
  return z ^ z >> 31;
}

int random_int(int low, int high) {
  return low + (int)(random_bits() % ((uint64_t)((int64_t)high - low) + 1));
}

double random_real(double low, double high) {
  return low + (high - low) * (double)(random_bits() >> 11) / 9007199254740992.0; /* 2^53 */
}

int random_chance(double share) { return random_real(0, 1) < share; }

void random_bytes(uint8_t *out, size_t size) {
  for (size_t i = 0; i < size; i++) out[i] = (uint8_t)random_bits();
}

/* ---- memory ---- */

void *check_allocate(size_t size) {
  void *bytes = calloc(size ? size : 1, 1);
  if (bytes) return bytes;
  printf("There is no memory for %zu bytes.\n", size);
  exit(1);
}

uint8_t *guard_open(size_t size) {
  uint8_t *bytes = check_allocate(size + 2 * GUARD);
  memset(bytes, GUARD_BYTE, size + 2 * GUARD);
  return bytes + GUARD;
}

int guard_holds(const uint8_t *bytes, size_t size) {
  for (int i = 0; i < GUARD; i++)
    if (bytes[i - GUARD] != GUARD_BYTE || bytes[size + (size_t)i] != GUARD_BYTE) return 0;
  return 1;
}

void guard_close(uint8_t *bytes) { free(bytes - GUARD); }
