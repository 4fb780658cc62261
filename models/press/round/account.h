/* account.h - what pressing did to each convolution: its bits, its zeros, what its outputs lost.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef WISP_ACCOUNT_H
#define WISP_ACCOUNT_H

#include "corridor.h"

/* Fills `account` of every convolution of a quantised net; `bits` is left alone. */
wisp_status wisp_account(wisp_net *net, const wisp_observer *seen, wisp_pool *pool);

/* Only what can be counted, for a net that no picture was shown to. */
void wisp_account_count(wisp_net *net);

#endif
