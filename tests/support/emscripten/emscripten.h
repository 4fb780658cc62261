/* emscripten.h - in place of Emscripten's, so that the doors into wasm build for this machine; a test is their page.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_TEST_EMSCRIPTEN_H
#define WISP_TEST_EMSCRIPTEN_H

#define EMSCRIPTEN_KEEPALIVE
#define EM_JS(type, name, parameters, ...) type name parameters;

double emscripten_get_now(void);

#endif
