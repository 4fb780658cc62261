/* section.c - collects one section of a .wisp file from pieces of any size and checks its CRC.
 * SPDX-License-Identifier: Apache-2.0 */
#include "section.h"

#include <string.h>

uint32_t wisp_section_crc(uint32_t crc, const uint8_t *bytes, size_t size) {
  /* Remainders of the 16 half bytes for the reflected polynomial 0xEDB88320. */
  static const uint32_t half[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                    0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                    0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                    0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
  crc = ~crc;
  for (size_t i = 0; i < size; i++) {
    crc ^= bytes[i];
    crc = crc >> 4 ^ half[crc & 15];
    crc = crc >> 4 ^ half[crc & 15];
  }
  return ~crc;
}

void wisp_section_start(wisp_section *section, uint8_t *bytes, size_t size) {
  *section = (wisp_section){.bytes = bytes, .size = size};
}

int wisp_section_feed(wisp_section *section, const uint8_t **input, size_t *left) {
  const size_t lacks = section->size - section->filled;
  const size_t taken = *left < lacks ? *left : lacks;
  if (taken > 0) { /* *input may be NULL if nothing is left of it */
    memcpy(section->bytes + section->filled, *input, taken);
    section->crc = wisp_section_crc(section->crc, *input, taken);
    section->filled += taken;
    *input += taken;
    *left -= taken;
  }
  return section->filled == section->size;
}
