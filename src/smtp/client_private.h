/* smtp/client_private: the fields of a client, and what its files share: client.c (life, bytes, time, events),
 * client_queue.c, client_hello.c, client_starttls.c, client_transaction.c (MAIL, RCPT, RSET, QUIT), client_data.c,
 * client_auth.c, client_xclient.c.
 *
 * Invariants: (1) commands[0..sent) are on the wire or in `out` and owe a reply each, in this order;
 * commands[sent..count) wait, their text in `held`. (2) A reply belongs to commands[0]; without one it is
 * a 421 or an error, and so it is before the first byte of commands[0] was taken. (3) Nothing is released
 * behind a command that must end its group (RFC 2920 3.1). (4) `out` has room for all of `held`.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SMTP_CLIENT_PRIVATE_H
#define SMTP_CLIENT_PRIVATE_H

#include "base/buf.h"
#include "heloise/smtp_client.h"
#include "smtp/reply_private.h"

enum {
    CLIENT_REPLY_BYTES = 4096,
    CLIENT_UNSENT_BYTES = 65536,
    CLIENT_UNSENT_BYTES_MIN = 1024, /* EHLO and HELO must fit */
    CLIENT_COMMANDS = 256,
    CLIENT_COMMANDS_FIRST = 4,
    CLIENT_INPUT_BYTES =
        1 << 20, /* received and not yet looked at; the caller pulls after each read */
    CLIENT_HELO_BYTES = 256,
    CLIENT_PATH_BYTES = 1024,
    CLIENT_EXTENSION_BYTES = 8192,
    /* What most replies and nearly all commands need. With a name of usual length a client is a little less than 1032
     * bytes, the largest piece that glibc's allocator hands out again without a search. */
    CLIENT_INPUT_ROOM = 160,
    CLIENT_TEXT_ROOM = 128,
    CLIENT_OUT_ROOM = 128,
};

enum client_state {
    CLIENT_GREETING, /* until EHLO or HELO is accepted */
    CLIENT_HOLDING,  /* greeted; the caller says when EHLO goes out */
    CLIENT_READY,
    CLIENT_REFUSED,    /* by banner or EHLO: only QUIT is left */
    CLIENT_STARTING,   /* STARTTLS is on its way */
    CLIENT_HANDSHAKE,  /* the caller shakes hands */
    CLIENT_DATA,       /* DATA, the last of the queue, is not answered */
    CLIENT_BODY,       /* 354 was given */
    CLIENT_AUTH,       /* AUTH, or an answer of its exchange, is not answered */
    CLIENT_CHALLENGED, /* 334 was given: the caller's answer is due */
    CLIENT_XCLIENT,    /* XCLIENT, the last of the queue, is not answered */
    CLIENT_QUITTING,
    CLIENT_OVER, /* FAILED was given */
};

struct client_command {
    uint64_t tag;
    uint64_t start_at; /* in the stream to the peer; set on release */
    uint32_t len;      /* of its text */
    uint8_t stage;
    bool is_own; /* the client's: banner, EHLO, HELO */
};

struct hel_smtp_client {
    enum client_state state;
    struct hel_smtp_client_config config; /* helo_name points to helo */
    struct hel_reply_parser parser;
    struct buf input, out, held, extension_lines;
    struct client_command *commands; /* the first ones below, until there are more */
    unsigned command_count, command_room, sent_count;
    uint64_t now_ms, awaited_since_ms;
    uint64_t sent_total; /* bytes that the caller took */
    unsigned extensions;
    uint64_t size_limit;
    bool is_now_stale; /* the wait began when the caller had not told the time; see take_time */
    bool tried_helo, is_tls, is_logged_in;
    uint64_t *accepted; /* LMTP: tags of the recipients of this transaction, in order */
    unsigned accepted_count, accepted_room;
    bool is_closed, is_timed_out, is_closing, is_starved, is_flooded; /* why next() will fail */
    bool is_body_line_start; /* of the message being sent */
    bool body_had_cr;
    /* Last: what is not filled is not touched. */
    struct client_command first_commands[CLIENT_COMMANDS_FIRST];
    char input_room[CLIENT_INPUT_ROOM], text_room[CLIENT_TEXT_ROOM], out_room[CLIENT_OUT_ROOM];
    char helo[];
};

/* Queues one command; text is copied. ERR_LIMIT, ERR_NOMEM. */
enum err client_queue(struct hel_smtp_client *client, const struct client_command *command,
                      struct slice text) MUST_USE;
/* The same of a text in parts. */
enum err client_queue_parts(struct hel_smtp_client *client, const struct client_command *command,
                            const struct slice *parts, size_t count) MUST_USE;
void client_release(struct hel_smtp_client *client); /* what may go out now */
/* The oldest command on the wire; its reply is here. */
struct client_command client_take_command(struct hel_smtp_client *client);
void client_forget(struct hel_smtp_client *client); /* what EHLO said */

/* The answer to EHLO or HELO; true: *out is an event. */
bool client_on_hello(struct hel_smtp_client *client, const struct hel_reply *reply,
                     struct hel_smtp_event *out);
enum err client_say_hello(struct hel_smtp_client *client) MUST_USE;

/* A command whose answer decides what may follow: it goes alone, and *state waits for the answer. */
enum err client_queue_alone(struct hel_smtp_client *client, const struct client_command *command,
                            struct slice text, enum client_state state) MUST_USE;

bool client_path_is_safe(struct slice path);

/* client_auth.c, client_xclient.c: the answer came. */
void client_on_auth(struct hel_smtp_client *client, const struct hel_reply *reply);
/* ERR_NOMEM: the session begins anew, and there is no room for EHLO. */
enum err client_on_xclient(struct hel_smtp_client *client, const struct hel_reply *reply) MUST_USE;

/* client_data.c: the end of a message in text; LMTP owes an answer for each recipient. */
enum err client_queue_end(struct hel_smtp_client *client, uint64_t tag, struct slice text) MUST_USE;
/* LMTP: a recipient was accepted. ERR_NOMEM. */
enum err client_accept(struct hel_smtp_client *client, uint64_t tag) MUST_USE;

#endif
