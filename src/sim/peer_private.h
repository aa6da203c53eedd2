/* sim/peer_private: the fields of a scripted server and of one connection to it, for peer.c (lines, output,
 * time), peer_commands.c (what is answered) and peer_memory.c (what is remembered, rules, greylisting).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SIM_PEER_PRIVATE_H
#define SIM_PEER_PRIVATE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "base/random.h"
#include "base/slice.h"
#include "sim/peer.h"

enum {
    PEER_MEMORY_BYTES_MAX = 512 << 20, /* of one server: bulk runs meet it with 100,000 names */
    PEER_INPUT_BYTES_MAX = 256 * 1024,
    PEER_ANSWER_BYTES_MAX = 64 * 1024,
    PEER_KEY_BYTES_MAX = 1024,
    PEER_HOUR_MS = 3600 * 1000,
};

/* What is remembered under a key: since when, how often, and one more time of the user's own. */
struct peer_row {
    uint64_t first_ms, mark_ms;
    unsigned count;
};

struct peer_server {
    const struct peer_script *script;
    struct random random;
    struct peer_seen seen;
    struct map memory;                                      /* keys and rows in the arena */
    struct map helo_known, senders_known, recipients_known; /* the names in seen */
    const struct peer_observer *observer;                   /* NULL: nobody */
    void *observer_context;
    struct arena arena;
};

/* Bytes that go out at a time; in order. */
struct peer_chunk {
    struct peer_chunk *next;
    uint64_t due_ms;
    size_t len;
    char bytes[];
};

struct peer {
    struct peer_server *server;
    char client[IP_TEXT_BYTES];
    struct buf input;
    struct peer_chunk *first, *last, *lent;
    unsigned counts[PEER_AT_COUNT]; /* commands of this session */
    unsigned visit, rcpts_in_transaction, bad;
    uint32_t flood_left;
    struct buf sender; /* of the transaction */
    bool has_hello, has_mail, is_utf8_mail, is_tls, is_receiving, has_quit;
    bool wants_tls, wants_close, has_left;
};

/* One answer in the making. */
struct peer_answer {
    const char *say; /* lines without CRLF, separated by \n; NULL: none at all */
    uint64_t delay_ms;
    bool closes, counts_as_bad;
};

/* peer.c: queues an answer with placeholders filled in; rcpt is the path for %r and %l. */
void peer_say(struct peer *peer, const struct peer_answer *answer, struct slice rcpt,
              uint64_t now_ms);
void peer_say_raw(struct peer *peer, struct slice bytes, uint64_t due_ms);

/* peer_commands.c */
void peer_greet(struct peer *peer, uint64_t now_ms);
void peer_obey(struct peer *peer, struct slice line, uint64_t now_ms);

/* peer_memory.c */
struct peer_row *peer_recall(struct peer_server *server, char kind, struct slice key,
                             uint64_t now_ms);
void peer_name_seen(struct peer_names *names, struct map *known, struct slice name);
/* The rule that decides, or NULL. who: the recipient, sender or name. */
const struct peer_rule *peer_rule_for(struct peer *peer, enum peer_at at, struct slice who,
                                      uint64_t now_ms);
bool peer_is_live(const struct peer_script *script, struct slice path);
/* The mailbox's own answer; NULL where it has none. */
const char *peer_mailbox_say(const struct peer_script *script, struct slice path);
bool peer_is_served(const struct peer_script *script, struct slice path);
bool peer_catches(const struct peer_script *script, struct slice path);
struct slice peer_local_of(struct slice path);
/* True: still greylisted, *out_left_s to go. */
bool peer_is_grey(struct peer *peer, struct slice rcpt, uint64_t now_ms, uint64_t *out_left_s);
void peer_note_bad(struct peer *peer, uint64_t now_ms);
bool peer_is_blocked(struct peer *peer, uint64_t now_ms);

#endif
