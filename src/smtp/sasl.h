/* smtp/sasl: what a client says to log in (RFC 4422): PLAIN (RFC 4616), LOGIN, CRAM-MD5 (RFC 2195), SCRAM-SHA-1 and
 * SCRAM-SHA-256 (RFC 5802, 7677, without channel binding), XOAUTH2, OAUTHBEARER (RFC 7628). Without I/O: challenges go
 * in and answers come out as they are, base64 is smtp/client_auth's. Hashes are the caller's (struct sasl_hashes), so
 * is the nonce. User and password are used as given, in UTF-8; SASLprep is not applied.
 *
 *     sasl_new -> sasl_first -> { challenge -> sasl_answer ... } until the server says 235 -> sasl_is_proven -> sasl_free
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_SASL_H
#define SMTP_SASL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

enum {
    SASL_BYTES_MAX = 9000,         /* of one word; 12288 in base64 (RFC 4954 4) */
    SASL_ITERATIONS_MAX = 1000000, /* of SCRAM: a server may not keep us busy for longer */
    SASL_HASH_BYTES = 32,          /* the longest */
};

enum sasl_mechanism {
    SASL_PLAIN,
    SASL_LOGIN,
    SASL_CRAM_MD5,
    SASL_SCRAM_SHA_1,
    SASL_SCRAM_SHA_256,
    SASL_XOAUTH2,
    SASL_OAUTHBEARER,
    SASL_MECHANISM_COUNT,
};

/* What is tried where nobody names a mechanism, the strongest first: those that take a password. */
enum { SASL_USUAL_COUNT = 5 };
extern const enum sasl_mechanism sasl_usual[SASL_USUAL_COUNT];

/* As in AUTH and EHLO. */
const char *sasl_mechanism_name(enum sasl_mechanism mechanism);
bool sasl_mechanism_parse(struct slice name, enum sasl_mechanism *out); /* in any case */
/* Who reads the line has what it takes to log in: only inside TLS. */
bool sasl_is_clear(enum sasl_mechanism mechanism);
/* The password is a bearer token (RFC 6750). */
bool sasl_wants_token(enum sasl_mechanism mechanism);

enum sasl_hash { SASL_MD5, SASL_SHA_1, SASL_SHA_256 };
size_t sasl_hash_bytes(enum sasl_hash hash);

/* Each writes sasl_hash_bytes to out, or fails: ERR_SYSTEM (not to be had), ERR_NOMEM. */
struct sasl_hashes {
    void *context;
    enum err (*digest)(void *context, enum sasl_hash hash, struct slice bytes, uint8_t *out);
    enum err (*hmac)(void *context, enum sasl_hash hash, struct slice key, struct slice bytes,
                     uint8_t *out);
    /* PBKDF2 (RFC 8018 5.2) of one block. */
    enum err (*derive)(void *context, enum sasl_hash hash, struct slice password, struct slice salt,
                       uint32_t iterations, uint8_t *out);
};

struct sasl_config {
    enum sasl_mechanism mechanism;
    struct slice user, password; /* the token, where one is wanted */
    struct slice authorization;  /* as whom to act; empty: as the user */
    struct slice nonce;          /* SCRAM: printable ASCII without comma, new each time */
    struct slice host;           /* OAUTHBEARER: of the server; empty: not said */
    uint16_t port;
    const struct sasl_hashes *hashes; /* CRAM-MD5, SCRAM */
};

struct sasl;

/* config and what it lends must live as long. ERR_NOMEM, ERR_SYNTAX: a user or password that the mechanism cannot
 * say (a NUL, a control character). */
enum err sasl_new(const struct sasl_config *config, struct sasl **out) MUST_USE;
void sasl_free(struct sasl *sasl); /* overwrites what it held */

/* The first word, to be said with AUTH; NULL: the server speaks first. Valid until the next call. */
const struct slice *sasl_first(struct sasl *sasl);

/* The answer to a challenge, valid until the next call. ERR_SYNTAX: the server does not speak the mechanism, or did not
 * prove that it knows the password: cancel. ERR_LIMIT: more work or text than is decent. ERR_SYSTEM, ERR_NOMEM. */
enum err sasl_answer(struct sasl *sasl, struct slice challenge, struct slice *out) MUST_USE;

/* After success: false where the mechanism has the server prove itself and it did not (RFC 5802 3). */
bool sasl_is_proven(const struct sasl *sasl);

#endif
