/* run.c - input -> heads: walks the plan's steps, each as tasks of some rows and some channels.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "network.h"
#include "stages.h"
#include "steps/task.h"

void wisp_run(wisp_plan *plan, int first, int last, wisp_pool *pool, const wisp_options *options,
              double (*clock)(void)) {
  if (first == 0) memset(plan->layer_ms, 0, (size_t)plan->model->layers * sizeof *plan->layer_ms);
  double before = clock ? clock() : 0;
  for (int p = 0; first == 0 && p < wisp_planes(plan->images[0].view.channels); p++)
    wisp_task_border(&plan->images[0], p, 0, plan->images[0].view.height);
  for (int s = first; s < last; s++) {
    const wisp_step *step = &plan->steps[s];
    if (step->for_masks && options->masks == WISP_MASKS_NONE) continue;
    wisp_job j = {plan, step, wisp_least_logit(options->confidence),
                  options->masks != WISP_MASKS_NONE};
    wisp_pool_run(pool, step->kind->task, &j, step->strips * step->chunks);
    const double now = clock ? clock() : 0;
    plan->layer_ms[step->layer] += now - before;
    before = now;
  }
}
