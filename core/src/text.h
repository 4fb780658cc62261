/* text.h - what the format calls text: UTF-8 without a zero byte.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_TEXT_H
#define WISP_TEXT_H

#include <stddef.h>
#include <stdint.h>

int wisp_is_text(const uint8_t *bytes, size_t size);

/* Text from the brace that opens an object to the one that closes it; what is between is not read. */
int wisp_is_object(const uint8_t *bytes, size_t size);

#endif
