/* wisp.h - the public API: open a model, detect boxes, close.
 * SPDX-License-Identifier: Apache-2.0
 *
 *   wisp_model *model;  wisp_model_open(&model);
 *   wisp_model_feed(model, bytes, size, &error);     as often as bytes arrive
 *   wisp_detector *detector;  wisp_open(&detector, model, &settings, &error);
 *   wisp_detect(detector, &frame, 1, &options, &result, &error);
 *   wisp_close(&detector);  wisp_model_close(&model);
 *
 * wisp_begin and wisp_advance instead of wisp_open do most of its work while the bytes are on their way.
 *
 * Nothing here is global. One detector is used by one thread at a time. Every function that can fail returns
 * a wisp_status; a wisp_error, where one is taken, may be NULL. What may be called after an error stands beside each;
 * close may always be, also with NULL in the place, where it leaves NULL. */
#ifndef WISP_H
#define WISP_H

#include <stddef.h>
#include <stdint.h>

/* Of this header; and of the library, as a static string. */
#define WISP_VERSION "0.1.0"
const char *wisp_version(void);

enum {
  WISP_MAX_THREADS = 64,
  WISP_MAX_FRAME_SIDE = 32768, /* pixels */
  WISP_MAX_DETECTIONS = 30000,
  WISP_MAX_TILES = 32 /* along a side of a frame */
};

typedef enum wisp_status {
  WISP_OK = 0,
  WISP_ERR_ARGUMENT = -1,    /* a value the caller gave is out of range */
  WISP_ERR_MEMORY = -2,      /* an allocation failed */
  WISP_ERR_FORMAT = -3,      /* the bytes are no .wisp file, or contradict themselves */
  WISP_ERR_VERSION = -4,     /* a .wisp file of another version */
  WISP_ERR_TRUNCATED = -5,   /* the file ends early */
  WISP_ERR_CHECKSUM = -6,    /* the bytes were damaged on the way */
  WISP_ERR_UNSUPPORTED = -7, /* an operation this build does not know */
  WISP_ERR_LIMIT = -8        /* larger than the limits of FORMAT.md or of this machine */
} wisp_status;

/* The name of a status as spelled above, e.g. "WISP_ERR_FORMAT". Static. */
const char *wisp_status_name(wisp_status status);

typedef struct wisp_error {
  wisp_status status;
  char message[192]; /* one sentence that holds the offending value */
} wisp_error;

/* ---- model: a .wisp file as it arrives (models/FORMAT.md) ---- */

typedef struct wisp_model wisp_model;

/* After an error *model is NULL. */
wisp_status wisp_model_open(wisp_model **model);
/* Takes the next `size` bytes of the file, in pieces of any size. The bytes may be reused after the call. After an
 * error the model is of no use: feeding it gives the same error again. */
wisp_status wisp_model_feed(wisp_model *model, const void *bytes, size_t size, wisp_error *error);
/* Bytes of the whole file, once its preamble has arrived; 0 before. */
size_t wisp_model_size(const wisp_model *model);
/* Not before the detectors that were opened on it. */
void wisp_model_close(wisp_model **model);

typedef struct wisp_model_info {
  int input_height, input_width; /* the size the file asks for */
  int stride;                    /* height and width are multiples of it */
  int classes, layers, heads;
  int masks;              /* prototypes that masks are made of; 0: it finds boxes only */
  const char *provenance; /* JSON text; lives as long as the model */
} wisp_model_info;

typedef struct wisp_layer_info {
  const char *operation;  /* "conv", "maxpool", "upsample", "depthwise" */
  const char *activation; /* "none", "relu", "silu", ...: as core/src/operation.h names them */
  int channels_in, channels_out;
  int kernel_height, kernel_width;
  int stride;                 /* down; across may differ */
  int blocks, blocks_present; /* 1x4 weight blocks; 0 without weights */
  int is_head;                /* whether its output is decoded to boxes */
  size_t bytes;               /* of its payload in the file */
} wisp_layer_info;

/* Both need a header that has arrived, WISP_ERR_TRUNCATED otherwise; WISP_ERR_ARGUMENT where there is no such layer.
 * After an error nothing has changed. */
wisp_status wisp_model_describe(const wisp_model *model, wisp_model_info *info);
wisp_status wisp_model_layer(const wisp_model *model, int layer, wisp_layer_info *info);
/* UTF-8, lives as long as the model; NULL if `label` is out of range. */
const char *wisp_model_class(const wisp_model *model, int label);

/* ---- detector ---- */

typedef struct wisp_detector wisp_detector;

typedef struct wisp_settings {
  int height, width; /* of the network's input; 0: as the model says */
  int threads; /* 0, 1: the caller's alone; up to WISP_MAX_THREADS that start, in builds with threads */
  double (*clock)(void); /* milliseconds, for wisp_result's times; NULL: they stay 0 */
  int warm_up; /* each layer runs once on grey, so that the first frame is no slower than the next */
  const struct wisp_forced *forced; /* for tests and measurements: wisp_testing.h; NULL: nothing */
} wisp_settings;

wisp_settings wisp_default_settings(void);

/* Plans all memory. The model must be complete and must outlive the detector, which borrows it. After an error
 * *detector is NULL and the model as before: it may be opened with other settings. */
wisp_status wisp_open(wisp_detector **detector, const wisp_model *model,
                      const wisp_settings *settings, wisp_error *error);

/* The same in steps, while the model arrives; its header must be there. The weights then live once: the model gives
 * each layer's to the detector, and no other detector can be opened on it. After an error as wisp_open. */
wisp_status wisp_begin(wisp_detector **detector, wisp_model *model, const wisp_settings *settings,
                       wisp_error *error);
/* Takes the layers that have arrived since. WISP_ERR_TRUNCATED while some have not: feed the model and call again. The
 * detector is ready once it is WISP_OK; after any other error it is of no use, nor is the model. */
wisp_status wisp_advance(wisp_detector *detector, wisp_error *error);

void wisp_close(wisp_detector **detector);

typedef struct wisp_detector_info {
  int height, width, threads;
  const char *kernels; /* "scalar", "simd", "relaxed", "relaxed-fused" */
  int signed_bytes;    /* whether activations are stored as u8 ^ 0x80 */
  size_t memory;       /* bytes the detector holds */
  double macs;         /* multiply-adds a frame, absent blocks not counted */
} wisp_detector_info;

void wisp_describe(const wisp_detector *detector, wisp_detector_info *info);

/* A picture: rows of RGBA bytes (A is ignored), `stride` bytes apart. Borrowed. Sides 1 ... WISP_MAX_FRAME_SIDE. */
typedef struct wisp_frame {
  const uint8_t *rgba;
  int width, height;
  size_t stride;
} wisp_frame;

/* Whether tiles of a frame are looked at too, which show small things larger. */
typedef enum wisp_tiling {
  WISP_TILES_NONE,
  WISP_TILES_AUTO, /* of frames r > 2 times as wide or high as the input, tiles of up to sqrt(r) times its size */
  WISP_TILES_GRID /* of every frame, tile_columns x tile_rows */
} wisp_tiling;

/* How the pixels of masks are counted. */
typedef enum wisp_mask_order {
  WISP_MASKS_NONE = 0,      /* no masks */
  WISP_MASKS_BY_COLUMN = 1, /* all of the frame, column after column, as COCO's run lengths do */
  WISP_MASKS_BY_ROW = 2     /* the box's pixels, row after row */
} wisp_mask_order;

typedef struct wisp_options {
  float confidence;   /* boxes score above it; 0 ... 1 */
  float iou;          /* boxes of a class overlap less than or equal to it; 0 ... 1 */
  int max_detections; /* 1 ... WISP_MAX_DETECTIONS */
  int class_agnostic; /* suppress across classes */
  int multi_label;    /* every class above `confidence` gives a box, not only the best */
  /* Nonzero: of the input only the smallest rectangle of whole strides that holds the letterboxed frame is computed, as
   * a detector opened at that size would. 0: all of it. */
  int rect;
  /* With tiles, the boxes are those of the whole frame and of its tiles together: each thing as the view has it that
   * shows it largest and whole, and once. */
  wisp_tiling tiles;
  int tile_columns, tile_rows; /* 1 ... WISP_MAX_TILES */
  float
      tile_overlap; /* of neighbours, as a share of a tile's side; 0 ... 0.5. Things larger than it may be cut */
  /* Whether boxes get masks, each of the view that the box is from; WISP_ERR_ARGUMENT of a model without. The boxes are
   * the same. */
  wisp_mask_order masks;
  const uint8_t *classes; /* [classes], nonzero: wanted; NULL: all */
} wisp_options;

/* confidence .25, iou .45, max_detections 300, rect, all classes, as YOLOv5's detect; no masks, no tiles, overlap .2 */
wisp_options wisp_default_options(void);

/* Corners in source pixels, clipped to the frame; best score first. */
typedef struct wisp_box {
  float x1, y1, x2, y2;
  float score;
  int32_t label;
  int32_t prediction; /* the network's that it comes from, by heads, anchors, rows, columns */
} wisp_box;

/* Which pixels of the frame belong to a box: run lengths, of zeros and of ones in turn, zeros first. */
typedef struct wisp_mask {
  int x, y, width, height; /* the box in whole pixels: outside there are zeros */
  const uint32_t *runs;
  int run_count;
} wisp_mask;

typedef struct wisp_result {
  const wisp_box *boxes; /* the detector's; valid until its next detect */
  int count;
  double prep_ms, run_ms,
      post_ms;            /* letterbox; network; decode, NMS and masks; of all tiles together */
  const wisp_mask *masks; /* [count], as long as the boxes; NULL if none were asked for */
} wisp_result;

/* `n` frames to `n` results. Allocates only where `n`, max_detections or masks' runs are more than ever before, or
 * tiles are asked for the first time; the first of a detector with threads starts one more. After an error nothing has
 * changed, the boxes of the detect before included, but for WISP_ERR_MEMORY where masks are wanted: those are gone. It
 * may be called again. */
wisp_status wisp_detect(wisp_detector *detector, const wisp_frame *frames, int n,
                        const wisp_options *options, wisp_result *results, wisp_error *error);

typedef struct wisp_layer_run {
  int height, width; /* of its output */
  double ms;         /* in the last detect, of its last tile; 0 before it and without a clock */
} wisp_layer_run;

/* What layer 0 ... wisp_model_info.layers - 1 does here. */
void wisp_describe_layer(const wisp_detector *detector, int layer, wisp_layer_run *run);

#endif
