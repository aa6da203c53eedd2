/* The shift d solves seen - count * sigmoid(said as log odds + before + d) = d / variance: the most likely one where
 * shifts are spread around 0 with that variance.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify/prior.h"

#include <math.h>

enum { HALVINGS = 40 };

#define SHIFT_VARIANCE 1.0
#define SAID_MIN       0.001 /* nothing is certain */

void prior_add(struct prior_tally *tally, double said, bool was_alive)
{
    tally->count++;
    tally->said += said;
    tally->seen += was_alive ? 1.0 : 0.0;
}

static double clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

double prior_shift(const struct prior_tally *tally, double before)
{
    double count = tally->count;
    bool is_tally = tally->count > 0 && tally->said >= 0.0 && tally->said <= count &&
                    tally->seen >= 0.0 && tally->seen <= count;
    if (!is_tally) {
        return 0.0;
    }
    double said = clamp(tally->said / count, SAID_MIN, 1.0 - SAID_MIN);
    double odds = log(said / (1.0 - said)) + before;
    double low = -PRIOR_SHIFT_MAX;
    double high = PRIOR_SHIFT_MAX;
    for (int i = 0; i < HALVINGS; i++) { /* the left side falls with d, the right one grows */
        double middle = (low + high) / 2.0;
        double expected = count / (1.0 + exp(-(odds + middle)));
        if (tally->seen - expected > middle / SHIFT_VARIANCE) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return (low + high) / 2.0;
}
