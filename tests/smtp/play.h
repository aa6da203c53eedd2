/* tests/smtp/play: the part of a transcript that touches the client: steps of the caller, and events and
 * extensions as text.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SMTP_PLAY_H
#define TESTS_SMTP_PLAY_H

#include "base/buf.h"
#include "heloise/smtp_client.h"

struct play {
    const char *name;
    unsigned line;
    size_t cut;
    uint64_t now_ms;
    struct hel_smtp_client_config config;
    struct hel_smtp_client *client;
    struct buf peer;     /* said by the peer, not yet fed */
    size_t peer_total;   /* fed */
    struct buf expected; /* of the client, not yet compared */
    struct buf events;   /* one a line, not yet compared */
    unsigned commands;   /* taken by the client from the caller */
    unsigned replies;    /* given back */
};

/* Takes all events there are and writes them down. */
void play_pull(struct play *p);

/* "mail 1 a@b.example size=9" and so on; what the client answered. */
enum err play_act(struct play *p, struct slice words) MUST_USE;

void play_name_extensions(const struct play *p, struct buf *out);

#endif
