/* runtime.c - the flat door over wisp.h: what web/src/detect/engine.js may call in a runtime module.
 * SPDX-License-Identifier: Apache-2.0
 *
 * One module instance holds one model and one detector, so this is the one place of the runtime with state of its
 * own. Structs cross as runtime_records() tells, text as UTF-8 that ends in a zero byte; both stay valid until the call
 * that fills them again. Functions that can fail return a wisp_status; runtime_error_message() then has the
 * sentence. */
#include <emscripten/emscripten.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/wisp.h"
#include "core/wisp_testing.h"
#include "flatten.h"
#include "record.h"

/* A picture's room; grows, never shrinks. */
typedef struct runtime_room {
  uint8_t *rgba;
  size_t cap;
} runtime_room;

/* The picture of one place in the batch. */
typedef struct runtime_slot {
  runtime_room room;
  uint8_t *rgba; /* in its own room or in the landing */
  int width, height;
} runtime_slot;

/* What a detector is opened with. */
typedef struct runtime_settings {
  wisp_settings own;
  wisp_forced forced;
} runtime_settings;

static struct {
  wisp_model *model;
  wisp_detector *detector;
  int expects; /* whether to begin the detector, with `settings`, once the model's header has arrived */
  runtime_settings settings;
  wisp_options options;
  uint8_t *piece; /* model bytes on their way in */
  size_t piece_cap;
  uint8_t *wanted;      /* [classes] */
  runtime_room landing; /* where another thread may write a picture that is yet to come */
  runtime_slot *slots;
  wisp_frame *frames;
  wisp_result *results;
  int batch; /* length of the three above */
  wisp_error error;
} door;

static wisp_status runtime_fail(wisp_status status, const char *message) {
  door.error.status = status;
  strncpy(door.error.message, message, sizeof door.error.message - 1);
  return status;
}

EMSCRIPTEN_KEEPALIVE const char *runtime_error_name(void) {
  return wisp_status_name(door.error.status);
}
EMSCRIPTEN_KEEPALIVE const char *runtime_error_message(void) { return door.error.message; }

/* ---- what crosses by name ---- */

static const char *const KERNELS[] = {
    [WISP_KERNELS_BEST] = "auto", [WISP_KERNELS_NARROW] = "narrow", [WISP_KERNELS_FUSED] = "fused"};

static const record_field SETTINGS[] = {
    RECORD_FIELD("width", runtime_settings, own.width),
    RECORD_FIELD("height", runtime_settings, own.height),
    RECORD_FIELD("threads", runtime_settings, own.threads),
    RECORD_FLAG("warmUp", runtime_settings, own.warm_up),
    RECORD_WORD("kernels", runtime_settings, forced.kernels, KERNELS)};

static const record_field MODEL[] = {RECORD_FIELD("inputWidth", wisp_model_info, input_width),
                                     RECORD_FIELD("inputHeight", wisp_model_info, input_height),
                                     RECORD_FIELD("stride", wisp_model_info, stride),
                                     RECORD_FIELD("classes", wisp_model_info, classes),
                                     RECORD_FIELD("layers", wisp_model_info, layers),
                                     RECORD_FIELD("masks", wisp_model_info, masks),
                                     RECORD_FIELD("provenance", wisp_model_info, provenance)};

static const record_field LAYER[] = {RECORD_FIELD("operation", wisp_layer_info, operation),
                                     RECORD_FIELD("activation", wisp_layer_info, activation),
                                     RECORD_FIELD("channelsIn", wisp_layer_info, channels_in),
                                     RECORD_FIELD("channelsOut", wisp_layer_info, channels_out),
                                     RECORD_FIELD("kernelHeight", wisp_layer_info, kernel_height),
                                     RECORD_FIELD("kernelWidth", wisp_layer_info, kernel_width),
                                     RECORD_FIELD("stride", wisp_layer_info, stride),
                                     RECORD_FIELD("blocks", wisp_layer_info, blocks),
                                     RECORD_FIELD("blocksPresent", wisp_layer_info, blocks_present),
                                     RECORD_FLAG("isHead", wisp_layer_info, is_head),
                                     RECORD_FIELD("bytes", wisp_layer_info, bytes)};

static const record_field LAYER_RUN[] = {RECORD_FIELD("height", wisp_layer_run, height),
                                         RECORD_FIELD("width", wisp_layer_run, width),
                                         RECORD_FIELD("ms", wisp_layer_run, ms)};

static const record_field DETECTOR[] = {
    RECORD_FIELD("width", wisp_detector_info, width),
    RECORD_FIELD("height", wisp_detector_info, height),
    RECORD_FIELD("threads", wisp_detector_info, threads),
    RECORD_FIELD("kernels", wisp_detector_info, kernels),
    RECORD_FLAG("signedBytes", wisp_detector_info, signed_bytes),
    RECORD_FIELD("memory", wisp_detector_info, memory),
    RECORD_FIELD("macs", wisp_detector_info, macs)};

/* The text that record.h describes. */
EMSCRIPTEN_KEEPALIVE const char *runtime_records(void) {
  static const record RECORDS[] = {
      RECORD("settings", runtime_settings, SETTINGS), RECORD("model", wisp_model_info, MODEL),
      RECORD("layer", wisp_layer_info, LAYER), RECORD("layerRun", wisp_layer_run, LAYER_RUN),
      RECORD("detector", wisp_detector_info, DETECTOR)};
  return record_tell(RECORDS, sizeof RECORDS / sizeof *RECORDS);
}

/* ---- model ---- */

/* Room for the next `size` bytes of the file; 0 without memory. */
EMSCRIPTEN_KEEPALIVE uint8_t *runtime_model_buffer(size_t size) {
  if (size > door.piece_cap) {
    free(door.piece);
    door.piece = malloc(size);
    door.piece_cap = door.piece ? size : 0;
  }
  return door.piece;
}

/* "settings" at their defaults, for the caller to fill before it feeds: what the detector will be is known before the
 * model, so most of runtime_open's work is done while that arrives. */
EMSCRIPTEN_KEEPALIVE runtime_settings *runtime_expect(void) {
  door.expects = 1;
  door.settings = (runtime_settings){wisp_default_settings(), wisp_default_forced()};
  door.settings.own.clock = emscripten_get_now;
  door.settings.own.forced = &door.settings.forced;
  return &door.settings;
}

/* Does what can be done with what has arrived of the model. */
static wisp_status runtime_advance(void) {
  wisp_model_info info;
  if (!door.detector) {
    if (!door.expects || wisp_model_describe(door.model, &info) != WISP_OK) return WISP_OK;
    const wisp_status status =
        wisp_begin(&door.detector, door.model, &door.settings.own, &door.error);
    if (status != WISP_OK) return status;
  }
  const wisp_status status = wisp_advance(door.detector, &door.error);
  return status == WISP_ERR_TRUNCATED ? WISP_OK : status;
}

/* Takes the first `size` bytes of that room. */
EMSCRIPTEN_KEEPALIVE int runtime_feed(size_t size) {
  if (!door.model && wisp_model_open(&door.model) != WISP_OK)
    return runtime_fail(WISP_ERR_MEMORY, "There is no memory for the model.");
  const wisp_status status = wisp_model_feed(door.model, door.piece, size, &door.error);
  return status == WISP_OK ? runtime_advance() : status;
}

/* Bytes of the whole file; 0 until its preamble has arrived. */
EMSCRIPTEN_KEEPALIVE size_t runtime_model_size(void) {
  return door.model ? wisp_model_size(door.model) : 0;
}

/* "model"; 0 until the header has arrived. */
EMSCRIPTEN_KEEPALIVE const wisp_model_info *runtime_model(void) {
  static wisp_model_info info;
  return door.model && wisp_model_describe(door.model, &info) == WISP_OK ? &info : NULL;
}

EMSCRIPTEN_KEEPALIVE const char *runtime_class(int label) {
  return door.model ? wisp_model_class(door.model, label) : NULL;
}

/* "layer" */
EMSCRIPTEN_KEEPALIVE const wisp_layer_info *runtime_layer(int layer) {
  static wisp_layer_info info;
  return door.model && wisp_model_layer(door.model, layer, &info) == WISP_OK ? &info : NULL;
}

/* ---- detector ---- */

/* Makes places for frames 0 ... n - 1. Half-made places are kept for the next call or close. */
static int runtime_reserve(int n) {
  if (n <= door.batch) return 1;
  runtime_slot *slots = realloc(door.slots, (size_t)n * sizeof *slots);
  if (slots) door.slots = slots;
  wisp_frame *frames = realloc(door.frames, (size_t)n * sizeof *frames);
  if (frames) door.frames = frames;
  wisp_result *results = realloc(door.results, (size_t)n * sizeof *results);
  if (results) door.results = results;
  if (!slots || !frames || !results) return 0;
  memset(door.slots + door.batch, 0, (size_t)(n - door.batch) * sizeof *slots);
  memset(door.results + door.batch, 0, (size_t)(n - door.batch) * sizeof *results);
  door.batch = n;
  return 1;
}

/* What the room held is lost where it must grow. New memory is touched here, for that takes longer than a copy. */
static uint8_t *runtime_grow(runtime_room *room, uint64_t size) {
  if (size > room->cap) {
    free(room->rgba);
    room->rgba = size <= PTRDIFF_MAX ? malloc((size_t)size) : NULL;
    room->cap = room->rgba ? (size_t)size : 0;
    if (room->rgba) memset(room->rgba, 0, room->cap);
  }
  return room->rgba;
}

static uint64_t runtime_frame_size(int width, int height) {
  return width < 1 || height < 1 ? 0 : (uint64_t)width * (uint64_t)height * 4;
}

/* Frame i is the picture in these bytes; with NULL it is none. */
static uint8_t *runtime_show(int i, uint8_t *rgba, int width, int height) {
  runtime_slot *slot = &door.slots[i];
  slot->rgba = rgba;
  slot->width = rgba ? width : 0;
  slot->height = rgba ? height : 0;
  return rgba;
}

/* Room for frame i's RGBA bytes, rows without gaps; 0 without memory. */
EMSCRIPTEN_KEEPALIVE uint8_t *runtime_frame_buffer(int i, int width, int height) {
  const uint64_t size = runtime_frame_size(width, height);
  if (i < 0 || size == 0 || !runtime_reserve(i + 1)) return NULL;
  return runtime_show(i, runtime_grow(&door.slots[i].room, size), width, height);
}

/* Room for `size` bytes that whoever shares this memory may fill at any time, detecting or not; 0 without memory. */
EMSCRIPTEN_KEEPALIVE uint8_t *runtime_landing(size_t size) {
  return runtime_grow(&door.landing, size);
}

/* Frame i is the picture that was written there; 0 where there is no room of that size. */
EMSCRIPTEN_KEEPALIVE uint8_t *runtime_land(int i, int width, int height) {
  const uint64_t size = runtime_frame_size(width, height);
  if (i < 0 || size == 0 || size > door.landing.cap || !runtime_reserve(i + 1)) return NULL;
  return runtime_show(i, door.landing.rgba, width, height);
}

/* Lays frame i, where it is transparent, on the colour 0xRRGGBB. */
EMSCRIPTEN_KEEPALIVE void runtime_flatten(int i, uint32_t colour) {
  if (i < 0 || i >= door.batch) return;
  const runtime_slot *slot = &door.slots[i];
  flatten(slot->rgba, (size_t)slot->width * (size_t)slot->height, colour);
}

/* The detector of the model that has arrived, as runtime_expect said; gives the room of the model's pieces back. */
EMSCRIPTEN_KEEPALIVE int runtime_open(void) {
  if (!door.model || !door.expects)
    return runtime_fail(WISP_ERR_TRUNCATED, "No byte of a model has arrived.");
  free(door.piece);
  door.piece = NULL;
  door.piece_cap = 0;
  wisp_status status = door.detector
                           ? wisp_advance(door.detector, &door.error)
                           : wisp_open(&door.detector, door.model, &door.settings.own, &door.error);
  if (status != WISP_OK) return status;
  wisp_model_info info;
  wisp_model_describe(door.model, &info);
  if (!door.wanted) door.wanted = malloc((size_t)info.classes + 1);
  if (!door.wanted)
    return runtime_fail(WISP_ERR_MEMORY, "There is no memory for the class filter.");
  memset(door.wanted, 1, (size_t)info.classes);
  if (door.settings.own.warm_up) runtime_frame_buffer(0, 1280, 720); /* a common size */
  return WISP_OK;
}

/* "detector"; 0 until open. */
EMSCRIPTEN_KEEPALIVE const wisp_detector_info *runtime_detector(void) {
  static wisp_detector_info info;
  if (!door.detector) return NULL;
  wisp_describe(door.detector, &info);
  return &info;
}

/* u8 [classes]: nonzero where boxes of that class are wanted; all ones after open. */
EMSCRIPTEN_KEEPALIVE uint8_t *runtime_class_filter(void) { return door.wanted; }

/* "options" at their defaults, for the caller to fill before it detects. */
EMSCRIPTEN_KEEPALIVE wisp_options *runtime_options(void) {
  door.options = wisp_default_options();
  return &door.options;
}

/* Frames 0 ... n - 1, of the classes that the filter wants. */
EMSCRIPTEN_KEEPALIVE int runtime_detect(int n) {
  if (!door.detector) return runtime_fail(WISP_ERR_ARGUMENT, "detect was called before open.");
  if (n < 1 || n > door.batch)
    return runtime_fail(WISP_ERR_ARGUMENT, "detect needs as many frames as it is told of.");
  for (int i = 0; i < n; i++) {
    const runtime_slot *slot = &door.slots[i];
    door.frames[i] = (wisp_frame){slot->rgba, slot->width, slot->height, (size_t)slot->width * 4};
  }
  door.options.classes = door.wanted;
  return wisp_detect(door.detector, door.frames, n, &door.options, door.results, &door.error);
}

/* "result" of frame i; its boxes, "box" [count], are valid until the next detect. */
EMSCRIPTEN_KEEPALIVE const wisp_result *runtime_result(int i) {
  return i >= 0 && i < door.batch ? &door.results[i] : NULL;
}

/* "layerRun" of a layer that the model has; 0 until open. */
EMSCRIPTEN_KEEPALIVE const wisp_layer_run *runtime_layer_run(int layer) {
  static wisp_layer_run run;
  if (!door.detector) return NULL;
  wisp_describe_layer(door.detector, layer, &run);
  return &run;
}

/* Back to the state before the first feed. Legal at any time, also twice. */
EMSCRIPTEN_KEEPALIVE void runtime_close(void) {
  wisp_close(&door.detector);
  wisp_model_close(&door.model);
  for (int i = 0; i < door.batch; i++) free(door.slots[i].room.rgba);
  free(door.landing.rgba);
  free(door.slots);
  free(door.frames);
  free(door.results);
  free(door.piece);
  free(door.wanted);
  memset(&door, 0, sizeof door);
}
