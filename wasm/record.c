/* record.c - tables of structs as text, and those of the structs that both doors have.
 * SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/wisp.h"

static const char *const TILINGS[] = {
    [WISP_TILES_NONE] = "none", [WISP_TILES_AUTO] = "auto", [WISP_TILES_GRID] = "grid"};
static const char *const MASKS[] = {
    [WISP_MASKS_NONE] = "none", [WISP_MASKS_BY_COLUMN] = "rle", [WISP_MASKS_BY_ROW] = "bitmap"};

static const record_field OPTIONS[] = {RECORD_FIELD("confidence", wisp_options, confidence),
                                       RECORD_FIELD("iou", wisp_options, iou),
                                       RECORD_FIELD("maxDetections", wisp_options, max_detections),
                                       RECORD_FLAG("classAgnostic", wisp_options, class_agnostic),
                                       RECORD_FLAG("multiLabel", wisp_options, multi_label),
                                       RECORD_FLAG("rect", wisp_options, rect),
                                       RECORD_WORD("tiles", wisp_options, tiles, TILINGS),
                                       RECORD_FIELD("tileColumns", wisp_options, tile_columns),
                                       RECORD_FIELD("tileRows", wisp_options, tile_rows),
                                       RECORD_FIELD("tileOverlap", wisp_options, tile_overlap),
                                       RECORD_WORD("masks", wisp_options, masks, MASKS)};

static const record_field RESULT[] = {
    RECORD_ADDRESS("boxes", wisp_result, boxes), RECORD_FIELD("count", wisp_result, count),
    RECORD_FIELD("prep", wisp_result, prep_ms),  RECORD_FIELD("run", wisp_result, run_ms),
    RECORD_FIELD("post", wisp_result, post_ms),  RECORD_ADDRESS("masks", wisp_result, masks)};

static const record_field BOX[] = {
    RECORD_FIELD("x1", wisp_box, x1),       RECORD_FIELD("y1", wisp_box, y1),
    RECORD_FIELD("x2", wisp_box, x2),       RECORD_FIELD("y2", wisp_box, y2),
    RECORD_FIELD("score", wisp_box, score), RECORD_FIELD("label", wisp_box, label)};

static const record_field MASK[] = {
    RECORD_FIELD("x", wisp_mask, x),         RECORD_FIELD("y", wisp_mask, y),
    RECORD_FIELD("width", wisp_mask, width), RECORD_FIELD("height", wisp_mask, height),
    RECORD_ADDRESS("runs", wisp_mask, runs), RECORD_FIELD("count", wisp_mask, run_count)};

/* Of both doors. */
static const record SHARED[] = {RECORD("options", wisp_options, OPTIONS),
                                RECORD("result", wisp_result, RESULT), RECORD("box", wisp_box, BOX),
                                RECORD("mask", wisp_mask, MASK)};

typedef struct writer {
  const char *text;
  char *at; /* NULL once there was no room */
  size_t left;
} writer;

static void put(writer *w, const char *format, ...) {
  if (!w->at) return;
  va_list values;
  va_start(values, format);
  const int length = vsnprintf(w->at, w->left, format, values);
  va_end(values);
  const int fits = length >= 0 && (size_t)length < w->left;
  w->at = fits ? w->at + length : NULL;
  w->left -= fits ? (size_t)length : 0;
}

static void put_field(writer *w, const record_field *field) {
  put(w, "\n%s %s %u %u", field->name, field->kind, (unsigned)field->offset,
      (unsigned)field->count);
  for (size_t value = 0; value < field->word_count; value++)
    if (field->words[value]) put(w, " %s=%u", field->words[value], (unsigned)value);
}

static void put_records(writer *w, const record *records, size_t count) {
  for (size_t i = 0; i < count; i++) {
    put(w, "%s%s %u", w->at == w->text ? "" : "\n\n", records[i].name, (unsigned)records[i].size);
    for (size_t k = 0; k < records[i].field_count; k++) put_field(w, &records[i].fields[k]);
  }
}

const char *record_tell(const record *own, size_t count) {
  static char text[4096];
  writer w = {text, text, sizeof text};
  put_records(&w, SHARED, sizeof SHARED / sizeof *SHARED);
  put_records(&w, own, count);
  return w.at ? text : NULL;
}
