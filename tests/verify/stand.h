/* tests/verify/stand: one case with its world, of which play.c turns the handles.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_VERIFY_STAND_H
#define TESTS_VERIFY_STAND_H

#include "base/intern.h"
#include "play.h"

struct stand {
    const struct play *play;
    char text[HEL_WIRE_BYTES]; /* the address */
    struct slice local;
    struct hel_address address;
    struct verify_probe asked;  /* the last one */
    struct verify_case *verify; /* NULL: there was no memory for it */
    struct verdict *verdict;    /* room for it */
    struct verify_domain own_domain, *domain;
    struct verify_config config;
    struct provider provider;
    struct route *route;
    bool others_ask; /* another case is told to be asking for the control */
    bool is_packed_often, is_routed;
    struct intern sayings; /* of what is packed */
    uint64_t now_ms;
};

void stand_route(struct stand *stand);
void stand_answer(struct stand *stand, const char *word);
/* Where it is packed often: the case is packed and unpacked, and must not notice. No answer may be owed. */
void stand_repack(struct stand *stand);
void stand_pass(struct stand *stand, uint64_t until_ms);

#endif
