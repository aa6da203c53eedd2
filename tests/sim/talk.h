/* tests/sim/talk: plays a conversation with one scripted server and holds what it says against what is written.
 * A play is text, one step a line:
 *     S: text   the server's next line is exactly this
 *     C: text   the client sends this with CRLF
 *     T+ ms     so much time goes by
 *     TLS       the server waits for a handshake; it is made
 *     END       the server has closed
 *     NEW ip    the client leaves, and another connection comes from this address (the first: 192.0.2.1)
 * Before C, T+, TLS, END and NEW, and at the end, nothing said may be left over.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SIM_TALK_H
#define TESTS_SIM_TALK_H

#include "sim/peer.h"

struct talk {
    const char *name;
    struct peer_script script;
    const char *play;
};

void talk_play(const struct talk *talk);

/* The same, and the server's counts are handed to check before it is freed. */
void talk_check(const struct talk *talk, void (*check)(const struct peer_seen *seen));

#define TALK_HELLO        "S: 220 mx.peer.example ESMTP ready\nC: HELO us\nS: 250 mx.peer.example\n"
#define TALK_MAIL         TALK_HELLO "C: MAIL FROM:<a@us.example>\nS: 250 2.1.0 Ok\n"
#define TALK_UNKNOWN(who) "S: 550 5.1.1 <" who ">: Recipient address rejected: User unknown\n"
#define TALK_RCPT(who)    "C: RCPT TO:<" who ">\n"
#define TALK_OK           "S: 250 2.1.5 Ok\n"

#endif
