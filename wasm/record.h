/* record.h - structs that cross into JavaScript and back by the names of their fields: a table for each, told as text.
 * SPDX-License-Identifier: Apache-2.0
 *
 * web/src/wasm/record.js reads the text once; from then on it fills and reads structs by name. The text of a record is
 * its name and size, then a line a field: its name, which ends in "!" where it has to be given, what it holds, its
 * offset, and
 *
 *   of numbers side by side (int kernel[2])      how many
 *   of a pointer to numbers ("f32*")             the offset of the int that counts them
 *   of words                                     each with its value: min-max=0
 *
 * Between records stands an empty line. */
#ifndef WISP_RECORD_H
#define WISP_RECORD_H

#include <stddef.h>
#include <stdint.h>

typedef struct record_field {
  const char *name, *kind;
  size_t offset, count;
  const char *const *words; /* [word_count] by value; NULL where a value has no word */
  size_t word_count;
} record_field;

typedef struct record {
  const char *name;
  size_t size;
  const record_field *fields;
  size_t field_count;
} record;

#define RECORD(name, type, fields) {name, sizeof(type), fields, sizeof(fields) / sizeof *(fields)}

/* Rows of a table. What a field holds follows from its C type; another type doesn't compile. */
#define RECORD_FIELD(name, type, member) \
  RECORD_ROW(name, RECORD_KIND(((type *)0)->member), type, member, 1)
#define RECORD_NUMBERS(name, type, member)                            \
  RECORD_ROW(name, RECORD_KIND(((type *)0)->member[0]), type, member, \
             sizeof((type *)0)->member / sizeof((type *)0)->member[0])
#define RECORD_POINTER(name, type, member, count) \
  RECORD_ROW(name, RECORD_KIND(((type *)0)->member), type, member, offsetof(type, count))
/* An int that is 0 or 1. */
#define RECORD_FLAG(name, type, member) RECORD_ROW(name, "flag", type, member, 1)
/* An address that only goes back. */
#define RECORD_ADDRESS(name, type, member) RECORD_ROW(name, "address", type, member, 1)
/* One of `words`, an array by value. */
#define RECORD_WORD(name, type, member, words) \
  {name, "word", offsetof(type, member), 1, words, sizeof(words) / sizeof *(words)}
/* An int, where `words` are told by them. */
#define RECORD_NUMBER_OR_WORD(name, type, member, words) \
  {name, "i32", offsetof(type, member), 1, words, sizeof(words) / sizeof *(words)}

#define RECORD_ROW(name, kind, type, member, count) \
  {name, kind, offsetof(type, member), count, NULL, 0}
#define RECORD_KIND(value)  \
  _Generic((value),         \
      int: "i32",           \
      unsigned: "u32",      \
      size_t: "u32",        \
      int64_t: "i64",       \
      float: "f32",         \
      double: "f64",        \
      const char *: "text", \
      int *: "i32*",        \
      float *: "f32*")

/* The text of a door's own records and of those that both have: options, result, box, mask. NULL if it is too long. */
const char *record_tell(const record *own, size_t count);

#endif
