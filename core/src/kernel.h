/* kernel.h - what a kernel is, and the one table of them.
 * SPDX-License-Identifier: Apache-2.0
 *
 * A kernel takes pointers and sizes and gives bytes; it knows no model, thread or file. Activations are
 * u8 [planes][rows][pitch][4] (base.h), stored xor `flip` (0: unsigned, 0x80: signed, as the engine's dot product
 * reads them). Pixels of a plane are walked flat, the columns between rows included. */
#ifndef WISP_KERNEL_H
#define WISP_KERNEL_H

#include "base.h"
#include "operation.h"

enum {
  WISP_OVERREAD = 32 * WISP_LANES, /* bytes read past the last pixel of a plane, never written */
  WISP_PAIR = 2,                   /* output channels that share the pixels they load */
  WISP_PIECE = 288 /* pixels that a convolution sums at once at most: a multiple of every tile */
};

/* How a 32-bit sum becomes a byte (wisp_finish in kernels/finish_scalar.h is the definition). The sum is brought to a
 * 16-bit fixed-point number whose unit is chosen by finish.c, activated, added to the residual, and scaled to bytes. */
typedef struct wisp_finish {
  wisp_activation activation;
  int16_t limit;     /* the activation's range (operation.h) in units */
  int16_t fraction;  /* a unit in 32768ths of the limit: limit * fraction ~ 32767 */
  int16_t slope;     /* of leaky ReLU, q15 */
  int16_t out_scale; /* units of y -> output bytes, q15 */
  int16_t out_zero;
  int16_t residual_scale; /* residual bytes << 7 -> units of y, q15 */
  int16_t residual_zero;
  uint8_t flip;  /* xor-ed to every activation byte read or written: 0 or 0x80 */
  int32_t ratio; /* of wisp_mean or wisp_factor */
} wisp_finish;

/* Four output channels of a convolution. `stream` is what lower.c makes of their blocks: i32 words
 *
 *     stream =  pair pair            channels 0 and 1, 2 and 3
 *     pair   =  list list list       blocks for both channels, for the first alone, for the second alone
 *     list   =  groups, group*
 *     group  =  blocks, block*       at least one block, and so few that every 16-bit sum of the group is exact
 *     block  =  byte distance from the pixel to the four input channels, i8 [both: 2, alone: 1][4] weights
 */
typedef struct wisp_quad {
  const int32_t *stream;
  int32_t start[4]; /* of the 32-bit sums: bias, zero points */
  float scale[4];   /* sum -> units of wisp_finish; head: sum -> real */
} wisp_quad;

/* out[pixel][4] = finish(sums of the quad at in[pixel]) for n pixels; `residual` may be NULL. */
typedef void wisp_conv_kernel(const wisp_quad *quad, const wisp_finish *finish, const uint8_t *in,
                              const uint8_t *residual, uint8_t *out, int n);

/* out[c][pixel] = real value of channel c for n pixels; a NULL out[c] is left out. */
typedef void wisp_head_kernel(const wisp_quad *quad, uint8_t flip, const uint8_t *in,
                              float *const out[4], int n);

/* Four channels of a depthwise convolution: the same taps, each channel with weights of its own. `stream` is what
 * filter.c makes of them: i32 words
 *
 *     pairs, pair*
 *     pair   =  byte distances from the pixel to two taps, i8 [4 channels][2 taps] weights
 *
 * An odd tap has itself beside it, with weights of zero. */
typedef struct wisp_filter {
  const int32_t *stream;
  int32_t start[4]; /* of the 32-bit sums: bias, zero points */
  float scale[4];   /* sum -> units of wisp_finish */
} wisp_filter;

/* out[pixel][4] = finish(sums of the filter at in[pixel]) for n pixels; `residual` may be NULL. */
typedef void wisp_depthwise_kernel(const wisp_filter *filter, const wisp_finish *finish,
                                   const uint8_t *in, const uint8_t *residual, uint8_t *out, int n);

/* One output row of a max-pool over one plane: `in` is row 0, column 0 of the plane, `y` the output row. Pixels
 * outside the plane don't count. */
typedef struct wisp_maxpool_shape {
  int height, width, pitch; /* of the input */
  int kernel_height, kernel_width;
  int stride_y, stride_x;
  int pad_top, pad_left;
} wisp_maxpool_shape;
typedef void wisp_maxpool_kernel(const wisp_maxpool_shape *shape, const uint8_t *in, uint8_t flip,
                                 int y, uint8_t *out, int out_width);

enum { WISP_RATIO_ONE = 1 << 16, WISP_RATIO_MOST = 1 << 23 /* times any byte, it has 31 bits */ };

/* The mean of `n` numbers that sum to `sum`, times `ratio` of WISP_RATIO_ONE, rounded; n * 255 and more is never
 * summed up to 2^35. */
static inline int wisp_mean(int64_t sum, int64_t n, int32_t ratio) {
  const int64_t twice = 2 * sum * ratio + n * WISP_RATIO_ONE, by = 2 * n * WISP_RATIO_ONE;
  return (int)(twice / by - (twice % by < 0));
}

/* A byte less its zero point, times `ratio` of WISP_RATIO_ONE, rounded. */
static inline int wisp_factor(int byte, int zero_point, int32_t ratio) {
  return ((byte - zero_point) * ratio + WISP_RATIO_ONE / 2) >> 16;
}

/* out[lane] = the mean of that lane over a plane, in steps of the output: wisp_mean. */
typedef struct wisp_average {
  int height, width, pitch; /* of the input */
  int32_t ratio;            /* the input's scale / the output's */
  int in_zero, out_zero;
  uint8_t flip;
} wisp_average;
typedef void wisp_average_kernel(const wisp_average *average, const uint8_t *in,
                                 uint8_t out[WISP_LANES]);

/* out[pixel][lane] = in[pixel][lane] * factors[lane] for n pixels: what wisp_finish makes of 0 and a residual, whose
 * scale is the lane's factor. Factors are at least -32767. */
typedef void wisp_scale_kernel(const wisp_finish *finish, const int16_t factors[WISP_LANES],
                               const uint8_t *in, uint8_t *out, int n);

/* out[x] = in[x % factor][x / factor]: rows of `width` input pixels each, which may be the same. */
typedef void wisp_upsample_kernel(const uint8_t *const in[], int width, int factor, uint8_t *out);

/* out[i % stride][i / stride] = in[i] for `n` pixels. */
typedef void wisp_deal_kernel(const uint8_t *in, int n, int stride, uint8_t *const out[]);

/* Letterboxing, in three passes over rows; the arithmetic is that of prep.c.
 * A blend is where an output pixel lies between two source pixels: 11-bit weights that sum to WISP_BLEND_ONE. */
enum { WISP_BLEND_ONE = 1 << 11 };
typedef struct wisp_blend {
  int32_t at;              /* byte offset of the first of the two pixels */
  int16_t weight, weight2; /* of the first and of the second */
} wisp_blend;

/* Along a row: out[x][4] = the two RGBA pixels of blends[x], times WISP_BLEND_ONE / 16. */
typedef void wisp_blend_row_kernel(const uint8_t *row, const wisp_blend *blends, int n,
                                   int16_t *out);
/* Across two such rows, weighed by weight and WISP_BLEND_ONE - weight: out[x][4] bytes. */
typedef void wisp_blend_rows_kernel(const int16_t *above, const int16_t *below, int weight, int n,
                                    uint8_t *out);
/* Two rows of 2 n RGBA pixels as n cells of 2 x 2 pixels: twelve channels on three planes, xor `flip`. */
typedef void wisp_fold_kernel(const uint8_t *upper, const uint8_t *lower, int n, uint8_t flip,
                              uint8_t *const planes[3]);

/* Both passes at half size: out[x][4] = the 2 x 2 pixels from 2 x on of two rows, averaged. */
typedef void wisp_halve_kernel(const uint8_t *upper, const uint8_t *lower, int n, uint8_t *out);

/* One row a kernel: name, type. Declares it, gives it a slot, a scalar and a SIMD twin. The relaxed build has the first
 * rows twice: engines differ in which dot product is fast. */
#define WISP_KERNEL_DOT_ROWS(ROW) \
  ROW(conv, wisp_conv_kernel)     \
  ROW(head, wisp_head_kernel)
#define WISP_KERNEL_OTHER_ROWS(ROW)       \
  ROW(depthwise, wisp_depthwise_kernel)   \
  ROW(maxpool, wisp_maxpool_kernel)       \
  ROW(average, wisp_average_kernel)       \
  ROW(scale, wisp_scale_kernel)           \
  ROW(upsample, wisp_upsample_kernel)     \
  ROW(deal, wisp_deal_kernel)             \
  ROW(blend_row, wisp_blend_row_kernel)   \
  ROW(blend_rows, wisp_blend_rows_kernel) \
  ROW(halve, wisp_halve_kernel)           \
  ROW(fold, wisp_fold_kernel)
#define WISP_KERNEL_ROWS(ROW) WISP_KERNEL_DOT_ROWS(ROW) WISP_KERNEL_OTHER_ROWS(ROW)

#define WISP_KERNEL_DECLARE(name, type) type wisp_k_##name##__scalar, wisp_k_##name##__simd;
WISP_KERNEL_ROWS(WISP_KERNEL_DECLARE)
#undef WISP_KERNEL_DECLARE
#define WISP_KERNEL_DECLARE(name, type) type wisp_k_##name##__fused;
WISP_KERNEL_DOT_ROWS(WISP_KERNEL_DECLARE)
#undef WISP_KERNEL_DECLARE

typedef struct wisp_kernels {
  const char *name; /* "scalar", "simd", "relaxed", "relaxed-fused" */
  int any_sign;     /* whether both representations work, not only the engine's own */
  int wide_sums;    /* whether groups may be of any size, since no sum has 16 bits */
  int tile;         /* pixels that a convolution sums together */
  int half_cost;    /* of up to half a tile, per cent of a whole one's time */
#define WISP_KERNEL_SLOT(name, type) type *name;
  WISP_KERNEL_ROWS(WISP_KERNEL_SLOT)
#undef WISP_KERNEL_SLOT
} wisp_kernels;

/* How this engine's dot products read activation bytes. */
typedef enum wisp_sign { WISP_UNSIGNED, WISP_SIGNED, WISP_COMPUTES_WRONGLY } wisp_sign;
wisp_sign wisp_kernels_sign(const wisp_kernels *kernels);

/* The scalar twins; the sets that this build was compiled for, NULL from the first index on that it lacks. Static. */
const wisp_kernels *wisp_kernels_scalar(void);
const wisp_kernels *wisp_kernels_set(int index);

/* The set of this build that is fastest in this engine and computes rightly. */
const wisp_kernels *wisp_kernels_best(void);

#endif
