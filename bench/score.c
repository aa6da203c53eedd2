/* bench/score: what a likelihood costs: local parts of all kinds weighed again and again, with and without what is known
 * of the domain, and the model's file read. Prints one line of JSON.
 *     bench/score MODEL [ROUNDS]
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/slice.h"
#include "verify/likeness.h"

enum { TEXT_MAX = 1 << 17, ROUNDS = 200000, PARSES = 200 };

static const char *const locals[] = {"maria.garcia", "info",
                                     "xk29fj3q",     "asdfgh",
                                     "jsmith",       "katharina.schwarzenberger",
                                     "peter84",      "550e8400-e29b-41d4-a716-446655440000"};

enum { LOCALS = sizeof locals / sizeof *locals };

static double now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double weigh_ns(const struct likeness_model *model, const struct likeness_known *known,
                       unsigned rounds, double *sum)
{
    double begun = now_ns();
    for (unsigned i = 0; i < rounds; i++) {
        struct likeness likeness;
        likeness_weigh(model, slice_of(locals[i % LOCALS]), false, known, &likeness);
        *sum += likeness.log_odds;
    }
    return (now_ns() - begun) / rounds;
}

static double parse_us(struct slice text, struct likeness_model **out)
{
    struct fault fault;
    double begun = now_ns();
    for (int i = 0; i < PARSES; i++) {
        likeness_model_free(*out);
        *out = NULL;
        if (likeness_model_parse(text, out, &fault) != ERR_NONE) {
            (void)fprintf(stderr, "%s\n", fault.text);
            exit(1);
        }
    }
    return (now_ns() - begun) / PARSES / 1000.0;
}

int main(int argc, char **argv)
{
    static char text[TEXT_MAX];
    FILE *file = argc > 1 ? fopen(argv[1], "rbe") : NULL;
    if (file == NULL) {
        (void)fputs("bench/score MODEL [ROUNDS]\n", stderr);
        return 1;
    }
    size_t len = fread(text, 1, sizeof text, file);
    (void)fclose(file);
    unsigned rounds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : ROUNDS;
    rounds = rounds == 0 ? ROUNDS : rounds;
    struct likeness_model *model = NULL;
    double parse = parse_us(slice_make(text, len), &model);
    struct likeness_known known = {.patterns = {[LIKENESS_IS_DOTTED] = 7}};
    for (int i = 0; i < 10; i++) {
        prior_add(&known.domain, 0.7, i % 2 == 0);
        prior_add(&known.provider, 0.7, i % 3 == 0);
    }
    double sum = 0.0;
    double alone = weigh_ns(model, NULL, rounds, &sum);
    double with_known = weigh_ns(model, &known, rounds, &sum);
    (void)printf("{\"weigh_ns\":%.0f,\"weigh_known_ns\":%.0f,\"parse_us\":%.0f,\"sum\":%.3f}\n",
                 alone, with_known, parse, sum);
    likeness_model_free(model);
    return 0;
}
