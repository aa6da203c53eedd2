/* tests/verify/answers: evidence by name, so that tables of tests can be read: "yes", "no", "grey", ...
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_VERIFY_ANSWERS_H
#define TESTS_VERIFY_ANSWERS_H

#include "verify/claim.h"

/* One way to be answered, and the claim it amounts to. */
struct answer {
    const char *name;
    enum claim claim;
    struct evidence evidence;
};

extern const struct answer answers[];
extern const unsigned answer_count;

/* "yes", or with marks behind it: "grey+60" names a delay of 60 seconds, "yes!5" was said in a session
 * after five refusals, "yes%" in lines of differing codes, "no~" is said in other words, "blocked^" came while
 * another way out was well, "blocked?" was said to others. The test fails
 * for a name that is not known. */
struct evidence answer_of(const char *word);

#endif
