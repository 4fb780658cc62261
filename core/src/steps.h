/* steps.h - a plan: the images of a network at one size, the steps that fill them, and where all of it lies.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_STEPS_H
#define WISP_STEPS_H

#include "../wisp.h"
#include "base.h"
#include "kernel.h"
#include "operation.h"

/* One output of the network: real numbers, f32 [anchors][channels of an anchor][cells], cells row by row. */
typedef struct wisp_head {
  wisp_head_kind kind;
  const float *logits;
  const float *anchors; /* [count][2] width, height in input pixels */
  int count, classes, height, width, stride;
  int pitch; /* cells from row to row; a channel is `pitch * height` numbers */
  int masks; /* coefficients of an anchor's mask */
} wisp_head;

/* How many it predicts, each class aside: they are numbered by anchors, rows, columns. */
static inline int wisp_predictions(const wisp_head *head) {
  return head->count * head->height * head->width;
}

/* What masks are made of: bytes of `view`, real = scale * (byte xor flip - zero point); or, where `reals` is set, f32
 * [count][cells], whose rows are `pitch` and whose channels `plane` numbers apart. */
typedef struct wisp_prototypes {
  int count; /* 0: the network makes no masks */
  int height, width;
  wisp_view view;
  float scale;
  int zero_point;
  uint8_t flip;
  const float *reals;
  int pitch;
  size_t plane;
} wisp_prototypes;

/* A tensor in memory, or its phases: its pixels sorted by their place in the stride of the convolution that reads them;
 * or a head's numbers. Of phases, plane (y * stride_x + x) * planes + p has what plane p has from (y, x) on. */
typedef struct wisp_image {
  wisp_view view;
  int stride_y, stride_x; /* 0 of what is no phases */
  int margin; /* columns that neighbours along a row are apart at least: pitch >= width + margin */
  int pitch_of;    /* the image whose pitch it has too, since a kernel walks both with one index */
  uint8_t border;  /* the byte around the picture */
  int first, last; /* steps that write it and that read it last */
  size_t size; /* 0: only its phases are read; at most WISP_ARENA_MAX, even if that is too little */
  size_t offset;
} wisp_image;

enum { WISP_ARENA_MAX = 0x7fffffff /* bytes: distances have 32 bits */ };

typedef struct wisp_plan wisp_plan;
typedef struct wisp_step wisp_step;

/* What a plan makes of an operation, each in its file of steps/. */
typedef struct wisp_step_kind {
  /* A layer's scales and weights, once they are there, as what its kernels take; NULL: it has nothing of its own. */
  wisp_status (*make)(wisp_plan *plan, wisp_step *step, wisp_error *error);
  void (*task)(void *context,
               int index); /* of step->strips * step->chunks; `context` is a wisp_job */
} wisp_step_kind;

#define WISP_STEP_DECLARE(word, code, name, ...) extern const wisp_step_kind wisp_step_##name;
WISP_OPERATION_ROWS(WISP_STEP_DECLARE)
#undef WISP_STEP_DECLARE
/* A convolution that writes a head; a tensor -> its phases, if no convolution writes them. */
extern const wisp_step_kind wisp_step_head, wisp_step_sort;

struct wisp_step {
  const wisp_step_kind *kind;
  int layer;
  int *inputs; /* [input_count] images */
  int input_count;
  int output, residual; /* images; residual -1 if there is none */
  int phases;           /* convolution: the image of the output's phases; -1 if there is none */
  /* Pixels are walked flat, the columns between rows with them, or row by row where that is fewer tiles: of every
   * `stretch` the first `span`. Of a convolution all channels are computed for `piece` pixels, in whole stretches,
   * before the next ones. */
  int span, stretch, piece;
  int rows, strips; /* output rows of a task; tasks along the height */
  int units; /* quads; otherwise planes, of what is sorted those of the input; 1 for a head */
  int chunk, chunks; /* units of a task; tasks along the channels */
  int quad_count;
  wisp_quad *quads;     /* head: first those of all channels that gate, then each anchor's others */
  wisp_filter *filters; /* depthwise: [planes of the output] */
  int32_t *words;       /* the streams of quads or filters */
  wisp_finish finish;
  int *channels;  /* head: [quad_count][4] channels of the quads, -1 where there is none */
  int gate_quads; /* head: how many of them are of channels that gate */
  int box_quads; /* head: how many then are an anchor's others; its coefficients' come behind those of all */
  int for_masks; /* whether nothing but masks needs it */
};

struct wisp_plan {
  const wisp_model *model;
  const wisp_kernels *kernels;
  uint8_t flip;               /* xor-ed to activation bytes in memory */
  int height, width, threads; /* the largest input that there is room for */
  int shape[2];               /* height and width of the one at hand: shape.c */
  int image_count, step_count;
  int ready;          /* steps that can run: their weights have arrived and are lowered */
  wisp_status failed; /* what kept the next from it */
  wisp_image *images; /* tensor t is image t */
  wisp_step *steps;
  wisp_head *heads; /* [model->heads] */
  wisp_prototypes prototypes;
  uint8_t *arena;
  size_t arena_size, memory; /* memory: everything the plan holds */
  double macs;               /* of a frame, without absent blocks */
  double *layer_ms;          /* [layers] of the last run */
};

/* A step that runs. */
typedef struct wisp_job {
  const wisp_plan *plan;
  const wisp_step *step;
  float least; /* logit with which a box can pass */
  int masks;   /* whether they are wanted */
} wisp_job;

#endif
