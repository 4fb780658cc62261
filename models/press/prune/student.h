/* student.h - the network in integers so far, layer by layer over all pictures at once.
 * SPDX-License-Identifier: Apache-2.0
 *
 * Between layers the tensors of all pictures wait as the bytes they will be, and only as long as a layer is to come
 * that reads them. */
#ifndef WISP_STUDENT_H
#define WISP_STUDENT_H

#include "core/src/error.h"
#include "core/src/pool.h"
#include "float/exec.h"

typedef struct wisp_student wisp_student;

/* Borrows all; the scales of the net's tensors are known. */
wisp_status wisp_student_open(wisp_student **student, const wisp_net *net,
                              const wisp_view *pictures, int count, wisp_pool *pool,
                              wisp_error *error);
void wisp_student_close(wisp_student **student);

/* Puts what a layer reads of a picture into the executor, which is returned. */
wisp_exec *wisp_student_load(wisp_student *student, int layer, int picture);

/* Runs a layer for all pictures, a convolution with its integers. */
wisp_status wisp_student_run(wisp_student *student, int layer, wisp_error *error);

#endif
