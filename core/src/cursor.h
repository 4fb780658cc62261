/* cursor.h - numbers out of bytes, front to back; past the end they are zeros.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_CURSOR_H
#define WISP_CURSOR_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct wisp_cursor {
  const uint8_t *at, *end;
  int overrun;
  const uint8_t *reserved; /* the first byte that has to be 0 and is not; NULL if there is none */
} wisp_cursor;

static inline const uint8_t *wisp_cursor_take(wisp_cursor *c, size_t size) {
  static const uint8_t zeros[4];
  if ((size_t)(c->end - c->at) < size) {
    c->overrun = 1;
    c->at = c->end;
    return size <= sizeof zeros ? zeros : NULL;
  }
  c->at += size;
  return c->at - size;
}

static inline int wisp_cursor_u8(wisp_cursor *c) { return *wisp_cursor_take(c, 1); }

static inline int wisp_cursor_u16(wisp_cursor *c) {
  const uint8_t *b = wisp_cursor_take(c, 2);
  return b[0] | b[1] << 8;
}

static inline uint32_t wisp_cursor_u32(wisp_cursor *c) {
  const uint8_t *b = wisp_cursor_take(c, 4);
  return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static inline void wisp_cursor_zeros(wisp_cursor *c, size_t size) {
  const uint8_t *b = wisp_cursor_take(c, size);
  for (size_t i = 0; i < size && !c->reserved; i++)
    if (b[i] != 0) c->reserved = b + i;
}

static inline float wisp_cursor_f32(wisp_cursor *c) {
  const uint32_t bits = wisp_cursor_u32(c);
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

#endif
