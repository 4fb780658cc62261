/* check.h - what every C test needs: checks that print what they saw, seeded random numbers, guard bytes.
 * SPDX-License-Identifier: Apache-2.0
 *
 *   int main(int argc, char **argv) {
 *     check_begin(argc, argv);       a first argument that is a number is the seed
 *     CHECK_EQ(1 + 1, 2);
 *     return check_end();            0 if every check held
 *   } */
#ifndef WISP_CHECK_H
#define WISP_CHECK_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD = 64 /* bytes before and after a guarded buffer */, CHECK_SKIPPED = 77 };

void check_begin(int argc, char **argv);
int check_end(void);

/* Names the case at hand, as printf does; printed with each failure. */
#define CHECK_CASE(...) check_case(__VA_ARGS__)

/* Each gives 1 if it held, so that a test can stop early. */
#define CHECK(condition) check_true(!!(condition), #condition, __FILE__, __LINE__)
#define CHECK_EQ(a, b) check_equal(a, b, #a " == " #b, __FILE__, __LINE__)
#define CHECK_NEAR(a, b, by) check_near(a, b, by, #a " ~ " #b, __FILE__, __LINE__)
#define CHECK_SAME(a, b, size) check_same(a, b, size, #a " same as " #b, __FILE__, __LINE__)

void check_case(const char *format, ...) __attribute__((format(printf, 1, 2)));
int check_true(int holds, const char *text, const char *file, int line);
int check_equal(long long a, long long b, const char *text, const char *file, int line);
int check_near(double a, double b, double by, const char *text, const char *file, int line);
int check_same(const void *a, const void *b, size_t size, const char *text, const char *file,
               int line);

/* ---- random numbers, the same for the same seed ---- */

void random_start(unsigned long long seed);
uint64_t random_bits(void);
int random_int(int low, int high);           /* both possible */
double random_real(double low, double high); /* low possible */
int random_chance(double share);
void random_bytes(uint8_t *out, size_t size);

/* ---- memory; there always is some ---- */

void *check_allocate(size_t size); /* zeros */
/* Bytes whose GUARD neighbours on both sides must stay as they are. */
uint8_t *guard_open(size_t size);
int guard_holds(const uint8_t *bytes, size_t size);
void guard_close(uint8_t *bytes);

#endif
