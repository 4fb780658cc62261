/* text.c - what the format calls text: UTF-8 without a zero byte.
 * SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

/* Bytes that follow the first of a character; -1 if no character begins so. */
static int length_after(int first) {
  if (first >= 0x01 && first <= 0x7f) return 0;
  if (first >= 0xc2 && first <= 0xdf) return 1;
  if (first >= 0xe0 && first <= 0xef) return 2;
  return first >= 0xf0 && first <= 0xf4 ? 3 : -1;
}

int wisp_is_text(const uint8_t *bytes, size_t size) {
  for (size_t i = 0; i < size;) {
    const int first = bytes[i++];
    int more = length_after(first);
    if (more < 0 || (size_t)more > size - i) return 0;
    /* not longer than need be, no surrogate, no more than U+10FFFF */
    int low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    int high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    for (; more > 0; more--, i++, low = 0x80, high = 0xbf)
      if (bytes[i] < low || bytes[i] > high) return 0;
  }
  return 1;
}

int wisp_is_object(const uint8_t *bytes, size_t size) {
  return size >= 2 && bytes[0] == '{' && bytes[size - 1] == '}' && wisp_is_text(bytes, size);
}
