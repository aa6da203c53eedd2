/* cli/score: what the two halves of `heloise score` share: score.c (the command, and telling likelihoods), score_learn.c
 * (learning from a list of outcomes).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SCORE_H
#define CLI_SCORE_H

#include "engine/knowledge.h"
#include "engine/likely.h"

struct score_run {
    struct knowledge *knowledge;
    struct store *store;
    struct likely_means means;
    bool wants_json;
};

/* path "-": standard input. Exit code; what is wrong was said. */
int score_learn(const struct score_run *run, const char *path);

#endif
