/* stb.c - Sean Barrett's stb_image as a translation unit of its own: PNG, JPEG and binary PNM, from memory.
 * SPDX-License-Identifier: Apache-2.0 */
#include "core/wisp.h"

#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_JPEG
#define STBI_ONLY_PNG
#define STBI_ONLY_PNM
#define STBI_NO_STDIO
#define STBI_NO_THREAD_LOCALS
#define STBI_MAX_DIMENSIONS WISP_MAX_FRAME_SIDE
#include <stb_image.h>
