/* emscripten.h - in place of Emscripten's, so that the doors into wasm build for WASI, and natively for tests.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_ELSEWHERE_EMSCRIPTEN_H
#define WISP_ELSEWHERE_EMSCRIPTEN_H

/* An export, for WASI's linker with --export-dynamic. */
#define EMSCRIPTEN_KEEPALIVE __attribute__((used, visibility("default")))
#define EM_JS(type, name, parameters, ...) type name parameters;

/* Milliseconds; whoever builds a door has it. */
double emscripten_get_now(void);

#endif
