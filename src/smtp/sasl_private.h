/* smtp/sasl_private: the fields of a login, for sasl.c and sasl_scram.c only.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_SASL_PRIVATE_H
#define SMTP_SASL_PRIVATE_H

#include "base/buf.h"
#include "smtp/sasl.h"

struct sasl {
    const struct sasl_config *config;
    unsigned challenges; /* answered */
    struct buf out;
    struct slice first;
    struct buf bare; /* SCRAM: client-first-message-bare */
    uint8_t server_signature[SASL_HASH_BYTES];
    bool is_proven;
};

/* sasl_scram.c: each appends to sasl->out. */
enum err sasl_scram_first(struct sasl *sasl) MUST_USE;
enum err sasl_scram_answer(struct sasl *sasl, struct slice challenge) MUST_USE;
bool sasl_is_scram(enum sasl_mechanism mechanism);

#endif
