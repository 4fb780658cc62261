/* section.h - collects one section of a .wisp file from pieces of any size and checks its CRC.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_SECTION_H
#define WISP_SECTION_H

#include <stddef.h>
#include <stdint.h>

/* A section being filled. `bytes` belongs to the caller and holds `size`. */
typedef struct wisp_section {
  uint8_t *bytes;
  size_t size, filled;
  uint32_t crc; /* of the bytes filled so far */
} wisp_section;

void wisp_section_start(wisp_section *section, uint8_t *bytes, size_t size);

/* Takes what the section lacks from the front of *input, moving *input and *left on. Returns 1 once it is full. */
int wisp_section_feed(wisp_section *section, const uint8_t **input, size_t *left);

/* CRC-32 as in zlib, continued from `crc` (0 at first). */
uint32_t wisp_section_crc(uint32_t crc, const uint8_t *bytes, size_t size);

#endif
