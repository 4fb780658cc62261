/* format.h - the numbers of models/FORMAT.md: who reads a file, plans it or writes one takes them from here.
 * SPDX-License-Identifier: Apache-2.0
 *
 * In the order of FORMAT.md; in quotes what it says of a number. The codes of operations and activations are in
 * operation.h. */
#ifndef WISP_FORMAT_H
#define WISP_FORMAT_H

/* ---- preamble ---- */

enum {
  WISP_FORMAT_VERSION = 2,   /* "version: 2" */
  WISP_PREAMBLE = 24,        /* "Preamble: 24 bytes" */
  WISP_MAX_HEADER = 4 << 20, /* "size of the header in bytes, at most 4 MiB" */
  WISP_MAX_FILE = 1 << 30    /* "size of the whole file in bytes, at most 1 GiB" */
};

/* ---- header ---- */

/* "u8 flags": bits */
enum {
  WISP_LAYER_RESIDUAL = 1, /* "bit 0: a residual follows the inputs" */
  WISP_LAYER_MASKED = 2    /* "bit 1: the payload has a block mask" */
};

/* "Head kinds" */
typedef enum wisp_head_kind {
  WISP_HEAD_YOLOV5 = 1,
  WISP_HEAD_YOLOV8 = 2,
  WISP_HEAD_PROTOTYPES = 3
} wisp_head_kind;

enum { WISP_BINS_A_SIDE = 16 /* of head kind 2: "16 logits for each side" */ };

/* What the width of a field leaves room for. */
enum {
  WISP_MAX_INPUTS = 255,        /* "u8 inputs" */
  WISP_MAX_ANCHORS = 255,       /* "u8 anchors" */
  WISP_MAX_HEAD_STRIDE = 65535, /* "u16 stride" */
  WISP_MAX_CLASS_NAME = 65535   /* "class, each: u16 length" in bytes */
};

/* ---- payload ---- */

enum {
  WISP_WEIGHT_MIN = -64, /* "weights [blocks present][4], each -64 ... 63" */
  WISP_WEIGHT_MAX = 63,
  WISP_SCALE_DROPS = 16, /* of a scale "its lowest 16 bits are 0" */
  WISP_BIAS_DROPS = 13   /* of a bias "its lowest 13 bits are 0" */
};

/* ---- limits a reader enforces ---- */

enum {
  WISP_MAX_TENSORS = 1024,   /* "at most 1,024 tensors" */
  WISP_MAX_LAYERS = 1024,    /* "1,024 layers"; each writes a tensor, so one less in truth */
  WISP_MAX_READS = 4096,     /* "that read 4,096 tensors together": planning takes their square */
  WISP_MAX_HEADS = 16,       /* "16 heads" */
  WISP_MAX_CLASSES = 4096,   /* "4,096 classes" */
  WISP_MAX_MASKS = 128,      /* "128 masks" */
  WISP_MAX_CHANNELS = 16384, /* "channels 1 ... 16,384" */
  WISP_MAX_KERNEL = 15,      /* "kernel 1 ... 15" */
  WISP_MAX_STRIDE = 8,       /* "stride 1 ... 8" */
  WISP_MAX_SUM = 1 << 30,    /* "|weight| * 255 + |bias / scale| < 2^30 for every output channel" */
  WISP_MAX_BLOCKS = 1 << 25, /* "A layer has at most 2^25 blocks" */
  WISP_PRESENT_A_BYTE = 4096, /* "a payload of n bytes fewer than 4096 n blocks that are present" */
  WISP_BLOCKS_A_BYTE = 16384, /* "and 16384 n in all" */
  WISP_MAX_INPUT_SIDE = 4096, /* "Planning refuses inputs above 4096" */
  WISP_MAX_SIDE = 8192        /* "and tensors above 8192 a side" */
};

#endif
