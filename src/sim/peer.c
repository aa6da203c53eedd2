/* sim/peer: lines in, answers out, each at its time. A command is looked at only when the answer to the
 * one before is out, as a server that reads its socket does.
 * SPDX-License-Identifier: Apache-2.0 */
#include "sim/peer.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "sim/peer_private.h"

enum { FLOOD_BLOCK_BYTES = 4096 };

enum err peer_server_new(const struct peer_script *script, uint64_t seed, struct peer_server **out)
{
    struct peer_server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        return ERR_NOMEM;
    }
    server->script = script;
    server->random.state = seed;
    map_init(&server->memory, seed);
    map_init(&server->helo_known, seed);
    map_init(&server->senders_known, seed);
    map_init(&server->recipients_known, seed);
    arena_init(&server->arena, PEER_MEMORY_BYTES_MAX);
    *out = server;
    return ERR_NONE;
}

static void names_done(struct peer_names *names)
{
    for (unsigned i = 0; i < names->count; i++) {
        free(names->at[i]);
    }
}

void peer_server_free(struct peer_server *server)
{
    if (server == NULL) {
        return;
    }
    names_done(&server->seen.helo);
    names_done(&server->seen.senders);
    names_done(&server->seen.recipients);
    map_done(&server->memory);
    map_done(&server->helo_known);
    map_done(&server->senders_known);
    map_done(&server->recipients_known);
    arena_done(&server->arena);
    free(server);
}

const struct peer_seen *peer_server_seen(const struct peer_server *server)
{
    return &server->seen;
}

void peer_server_change(struct peer_server *server, const struct peer_script *script)
{
    server->script = script;
}

const struct peer_script *peer_server_script(const struct peer_server *server)
{
    return server->script;
}

void peer_server_observe(struct peer_server *server, const struct peer_observer *observer,
                         void *context)
{
    server->observer = observer;
    server->observer_context = context;
}

enum err peer_new(struct peer_server *server, const struct ip *client, uint64_t now_ms,
                  struct peer **out)
{
    struct peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL) {
        return ERR_NOMEM;
    }
    peer->server = server;
    (void)ip_format(client, peer->client);
    buf_init(&peer->input, PEER_INPUT_BYTES_MAX);
    buf_init(&peer->sender, PEER_LINE_BYTES_MAX);
    peer->flood_left = server->script->flood_bytes;
    struct peer_row *row = peer_recall(server, 'v', slice_of(peer->client), now_ms);
    peer->visit = ++row->count;
    struct peer_seen *seen = &server->seen;
    seen->connections++;
    if (++seen->open > seen->open_peak) {
        seen->open_peak = seen->open;
    }
    if (server->observer != NULL) {
        server->observer->came(server->observer_context);
    }
    peer_greet(peer, now_ms);
    *out = peer;
    return ERR_NONE;
}

void peer_free(struct peer *peer)
{
    if (peer == NULL) {
        return;
    }
    peer_left(peer);
    while (peer->first != NULL) {
        struct peer_chunk *next = peer->first->next;
        free(peer->first);
        peer->first = next;
    }
    free(peer->lent);
    buf_done(&peer->input);
    buf_done(&peer->sender);
    free(peer);
}

void peer_left(struct peer *peer)
{
    if (peer->has_left) {
        return;
    }
    peer->has_left = true;
    struct peer_server *server = peer->server;
    struct peer_seen *seen = &server->seen;
    seen->open--;
    bool has_quit =
        peer->has_quit || slice_find_nocase(buf_view(&peer->input), SLICE("QUIT\r\n")) <
                              peer->input.len; /* it came while an answer was under way */
    bool was_spoken = peer->counts[PEER_AT_BANNER] > 0 && peer->first == NULL;
    if (was_spoken && !has_quit && !peer->wants_close && !peer->wants_tls &&
        server->script->tongue == PEER_SPEAKS_SMTP) {
        seen->left_without_quit++;
    }
}

/* Output. */

void peer_say_raw(struct peer *peer, struct slice bytes, uint64_t due_ms)
{
    struct peer_chunk *chunk = malloc(sizeof *chunk + bytes.len);
    must(chunk != NULL);
    chunk->next = NULL;
    chunk->due_ms = due_ms;
    chunk->len = bytes.len;
    memcpy(chunk->bytes, bytes.at, bytes.len);
    if (peer->last == NULL) {
        peer->first = chunk;
    } else {
        peer->last->next = chunk;
    }
    peer->last = chunk;
}

static enum err fill_in(const struct peer *peer, char letter, struct slice rcpt, struct buf *out)
{
    switch (letter) {
    case 'r': return buf_append(out, rcpt);
    case 'l': return buf_append(out, peer_local_of(rcpt));
    case 'f': return buf_append(out, buf_view(&peer->sender));
    case 'i': return buf_append(out, slice_of(peer->client));
    case 'h': {
        const char *name = peer->server->script->name;
        return buf_append(out, slice_of(name == NULL ? "mx.peer.example" : name));
    }
    case '0': return buf_append_byte(out, '\0');
    case '8': return buf_append_byte(out, (char)0xE9);
    default: return buf_append_byte(out, letter);
    }
}

static void expand(const struct peer *peer, const char *say, struct slice rcpt, struct buf *out)
{
    struct slice line_end = peer->server->script->has_bare_lf ? SLICE("\n") : SLICE("\r\n");
    enum err e = ERR_NONE;
    for (const char *at = say; *at != '\0' && e == ERR_NONE; at++) {
        if (*at == '\n') {
            e = buf_append(out, line_end);
        } else if (*at == '%' && at[1] != '\0') {
            at++;
            e = fill_in(peer, *at, rcpt, out);
        } else {
            e = buf_append_byte(out, *at);
        }
    }
    must(e == ERR_NONE && buf_append(out, line_end) == ERR_NONE);
}

static void say_in_pieces(struct peer *peer, struct slice bytes, uint64_t due_ms)
{
    const struct peer_script *script = peer->server->script;
    size_t size = script->chunk_bytes == 0 ? bytes.len : script->chunk_bytes;
    for (size_t at = 0; at < bytes.len; at += size) {
        peer_say_raw(peer, slice_sub(bytes, at, at + size), due_ms);
        due_ms += script->chunk_ms;
    }
}

void peer_say(struct peer *peer, const struct peer_answer *answer, struct slice rcpt,
              uint64_t now_ms)
{
    if (answer->say != NULL && answer->say[0] != '\0') {
        struct buf out;
        buf_init(&out, PEER_ANSWER_BYTES_MAX);
        expand(peer, answer->say, rcpt, &out);
        say_in_pieces(peer, buf_view(&out), now_ms + answer->delay_ms);
        buf_done(&out);
    } else if (answer->closes) {
        peer_say_raw(peer, SLICE_NONE, now_ms + answer->delay_ms);
    }
    if (answer->closes) {
        peer->wants_close = true;
    }
}

/* An endless banner, a block at a time. */
static bool next_flood(struct peer *peer, uint64_t now_ms)
{
    if (peer->flood_left == 0 || peer->server->script->tongue != PEER_SPEAKS_FLOOD) {
        return false;
    }
    struct slice line = SLICE("220-welcome to a server that has very much to say before mail\r\n");
    char block[FLOOD_BLOCK_BYTES];
    size_t len = 0;
    while (len + line.len <= sizeof block) {
        memcpy(block + len, line.at, line.len);
        len += line.len;
    }
    peer->flood_left -= peer->flood_left < len ? peer->flood_left : (uint32_t)len;
    peer_say_raw(peer, slice_make(block, len), now_ms);
    return true;
}

static bool take_line(struct peer *peer, char line[PEER_LINE_BYTES_MAX], struct slice *out)
{
    struct slice input = buf_view(&peer->input);
    size_t end = slice_find_byte(input, '\n', 0);
    if (end == input.len || peer->wants_close || peer->wants_tls) {
        return false;
    }
    size_t len = end < PEER_LINE_BYTES_MAX ? end : PEER_LINE_BYTES_MAX;
    memcpy(line, input.at, len);
    buf_drop_front(&peer->input, end + 1);
    while (len > 0 && line[len - 1] == '\r') {
        len--;
    }
    *out = slice_make(line, len);
    return true;
}

static bool is_rcpt(struct slice line)
{
    return slice_starts_nocase(line, SLICE("RCPT"));
}

static void obey_two(struct peer *peer, struct slice first, struct slice second, uint64_t now_ms)
{
    struct peer_answer refusal = {.say = "503 5.5.1 Bad sequence of commands"};
    switch (peer->server->script->grouping) {
    case PEER_GROUPS_GOOD:
        peer_obey(peer, first, now_ms);
        peer_obey(peer, second, now_ms);
        return;
    case PEER_GROUPS_SWALLOWED: peer_obey(peer, first, now_ms); return;
    case PEER_GROUPS_REFUSED:
        peer_obey(peer, first, now_ms);
        peer_say(peer, &refusal, SLICE_NONE, now_ms);
        return;
    case PEER_GROUPS_CROSSED:
        peer_obey(peer, second, now_ms);
        peer_obey(peer, first, now_ms);
        return;
    }
}

static bool next_line(struct peer *peer, uint64_t now_ms)
{
    char line[PEER_LINE_BYTES_MAX], behind[PEER_LINE_BYTES_MAX];
    struct slice first, second;
    if (!take_line(peer, line, &first)) {
        return false;
    }
    if (peer->server->script->grouping != PEER_GROUPS_GOOD && is_rcpt(first) &&
        is_rcpt(buf_view(&peer->input)) && take_line(peer, behind, &second)) {
        obey_two(peer, first, second, now_ms);
    } else {
        peer_obey(peer, first, now_ms);
    }
    return true;
}

/* Takes all commands that are there, and makes one piece of what is due by then. */
static void bunch(struct peer *peer, uint64_t now_ms)
{
    while (next_line(peer, now_ms)) {
    }
    struct peer_chunk *first = peer->first;
    while (first->next != NULL && first->next->due_ms <= now_ms) {
        struct peer_chunk *next = first->next;
        first = realloc(first, sizeof *first + first->len + next->len);
        must(first != NULL);
        memcpy(first->bytes + first->len, next->bytes, next->len);
        first->len += next->len;
        first->next = next->next;
        free(next);
    }
    peer->first = first;
    peer->last = first->next == NULL ? first : peer->last;
}

bool peer_next_output(struct peer *peer, uint64_t now_ms, struct slice *out_bytes,
                      uint64_t *out_at_ms)
{
    free(peer->lent);
    peer->lent = NULL;
    while (peer->first == NULL && (next_flood(peer, now_ms) || next_line(peer, now_ms))) {
    }
    struct peer_chunk *chunk = peer->first;
    if (chunk == NULL) {
        *out_at_ms = UINT64_MAX;
        return false;
    }
    *out_at_ms = chunk->due_ms;
    if (chunk->due_ms > now_ms) {
        return false;
    }
    if (peer->server->script->is_bunching) {
        bunch(peer, now_ms);
        chunk = peer->first;
    }
    peer->first = chunk->next;
    if (peer->first == NULL) {
        peer->last = NULL;
    }
    peer->lent = chunk;
    *out_bytes = slice_make(chunk->bytes, chunk->len);
    return true;
}

bool peer_wants_tls(const struct peer *peer)
{
    return peer->wants_tls && peer->first == NULL;
}

bool peer_wants_close(const struct peer *peer)
{
    return peer->wants_close && peer->first == NULL;
}

void peer_tls_done(struct peer *peer, uint64_t now_ms)
{
    (void)now_ms;
    peer->wants_tls = false;
    peer->is_tls = true;
    peer->has_hello = false;
    peer->has_mail = false;
    buf_clear(&peer->input);
}

/* Input. */

static bool offers_pipelining(const struct peer_script *script)
{
    if (script->extensions[0] == NULL) {
        return true;
    }
    for (int i = 0; i < PEER_EXTENSIONS_MAX && script->extensions[i] != NULL; i++) {
        if (strcmp(script->extensions[i], "PIPELINING") == 0) {
            return true;
        }
    }
    return false;
}

/* RFC 2920 3.1: nothing before the banner and EHLO's answer are out; elsewhere only where it is offered. */
static void note_early(struct peer *peer, struct slice bytes)
{
    bool is_waiting = peer->first != NULL ||
                      slice_find_byte(buf_view(&peer->input), '\n', 0) < buf_view(&peer->input).len;
    bool may = peer->has_hello && offers_pipelining(peer->server->script);
    bool is_farewell = slice_starts_nocase(bytes, SLICE("QUIT"));
    if (is_waiting && !may && !is_farewell) {
        peer->server->seen.early_commands++;
    }
}

void peer_received(struct peer *peer, struct slice bytes, uint64_t now_ms)
{
    enum peer_tongue tongue = peer->server->script->tongue;
    if (peer->wants_close || tongue == PEER_SPEAKS_NOTHING) {
        return;
    }
    if (tongue == PEER_SPEAKS_ECHO) {
        peer_say_raw(peer, bytes, now_ms + peer->server->script->delay_ms);
        return;
    }
    if (tongue == PEER_SPEAKS_SMTP) {
        note_early(peer, bytes);
    }
    if (buf_append(&peer->input, bytes) != ERR_NONE) {
        peer->wants_close = true; /* more than any client of ours sends */
    }
}
