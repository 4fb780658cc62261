/* unpack.h - collects one section of a .wisp file from pieces of any size and checks its CRC.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_UNPACK_H
#define WISP_UNPACK_H

#include <stddef.h>
#include <stdint.h>

/* A section being filled. `bytes` belongs to the caller and holds `size`. */
typedef struct wisp_unpack {
  uint8_t *bytes;
  size_t size, filled;
  uint32_t crc; /* of the bytes filled so far */
} wisp_unpack;

void wisp_unpack_start(wisp_unpack *section, uint8_t *bytes, size_t size);

/* Takes what the section lacks from the front of *input, moving *input and *left on. Returns 1 once it is full. */
int wisp_unpack_feed(wisp_unpack *section, const uint8_t **input, size_t *left);

/* CRC-32 as in zlib, continued from `crc` (0 at first). */
uint32_t wisp_unpack_crc(uint32_t crc, const uint8_t *bytes, size_t size);

#endif
