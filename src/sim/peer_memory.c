/* sim/peer_memory: what a scripted server remembers between connections, and what its script says of it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "sim/peer_private.h"

struct peer_row *peer_recall(struct peer_server *server, char kind, struct slice key,
                             uint64_t now_ms)
{
    char full[PEER_KEY_BYTES_MAX];
    size_t len = key.len < sizeof full - 1 ? key.len : sizeof full - 1;
    full[0] = kind;
    memcpy(full + 1, key.at, len);
    struct slice name = slice_make(full, len + 1);
    struct peer_row *row = map_find(&server->memory, name);
    if (row != NULL) {
        return row;
    }
    struct slice kept;
    row = arena_alloc(&server->arena, sizeof *row);
    must(row != NULL && arena_copy(&server->arena, name, &kept) == ERR_NONE);
    row->first_ms = now_ms;
    must(map_put(&server->memory, kept, row) == ERR_NONE);
    return row;
}

void peer_name_seen(struct peer_names *names, struct map *known, struct slice name)
{
    if (map_find(known, name) != NULL) {
        return;
    }
    if (names->count == PEER_NAMES_MAX) {
        names->dropped++;
        return;
    }
    char *kept = calloc(1, name.len + 1);
    must(kept != NULL);
    memcpy(kept, name.at, name.len);
    names->at[names->count++] = kept;
    must(map_put(known, slice_make(kept, name.len), kept) == ERR_NONE);
}

struct slice peer_local_of(struct slice path)
{
    size_t at = slice_find_last_byte(path, '@');
    return at == path.len ? path : slice_sub(path, 0, at);
}

static bool is_same(const struct peer_script *script, struct slice a, struct slice b)
{
    return script->is_case_sensitive ? slice_equal(a, b) : slice_equal_nocase(a, b);
}

/* Of a script's word: a whole address, not a local part (which may hold a quoted @). */
static bool is_whole_path(struct slice word)
{
    return slice_find_byte(word, '@', 0) < word.len && !slice_ends(word, SLICE("\""));
}

bool peer_is_live(const struct peer_script *script, struct slice path)
{
    for (int i = 0; i < PEER_LIVE_MAX && script->live[i] != NULL; i++) {
        struct slice name = slice_of(script->live[i]);
        if (is_same(script, name, is_whole_path(name) ? path : peer_local_of(path))) {
            return true;
        }
    }
    return script->mailbox != NULL && script->mailbox(script->mailbox_context, path) != NULL;
}

const char *peer_mailbox_say(const struct peer_script *script, struct slice path)
{
    const char *say =
        script->mailbox == NULL ? NULL : script->mailbox(script->mailbox_context, path);
    return say == NULL || say[0] == '\0' ? NULL : say;
}

bool peer_is_served(const struct peer_script *script, struct slice path)
{
    if (script->domains[0] == NULL) {
        return true;
    }
    size_t at = slice_find_last_byte(path, '@');
    struct slice domain = slice_sub(path, at + 1, path.len);
    for (int i = 0; i < PEER_LIVE_MAX && script->domains[i] != NULL; i++) {
        if (slice_equal_nocase(slice_of(script->domains[i]), domain)) {
            return true;
        }
    }
    return false;
}

static size_t letters(struct slice s, size_t from)
{
    size_t at = from;
    while (at < s.len && ascii_is_alpha(s.at[at])) {
        at++;
    }
    return at - from;
}

static bool is_first_last(struct slice local)
{
    size_t first = letters(local, 0);
    bool has_dot = first > 0 && first < local.len && local.at[first] == '.';
    return has_dot && letters(local, first + 1) > 0 &&
           first + 1 + letters(local, first + 1) == local.len;
}

bool peer_catches(const struct peer_script *script, struct slice path)
{
    struct slice local = peer_local_of(path);
    switch (script->catch_all) {
    case PEER_CATCH_ALL_NO: return false;
    case PEER_CATCH_ALL_YES: return true;
    case PEER_CATCH_ALL_SHORT: return local.len <= script->catch_all_bytes;
    case PEER_CATCH_ALL_NAMES: return is_first_last(local);
    }
    return false;
}

static bool is_who(const struct peer *peer, const struct peer_rule *rule, struct slice who)
{
    if (rule->who == NULL || strcmp(rule->who, "*") == 0) {
        return true;
    }
    const struct peer_script *script = peer->server->script;
    struct slice wanted = slice_of(rule->who);
    if (rule->at != PEER_AT_RCPT) {
        return slice_equal_nocase(wanted, who);
    }
    if (strcmp(rule->who, "+") == 0 || strcmp(rule->who, "-") == 0) {
        bool exists = peer_is_live(script, who) || peer_catches(script, who);
        return exists == (rule->who[0] == '+');
    }
    return slice_equal_nocase(wanted, is_whole_path(wanted) ? who : peer_local_of(who));
}

static bool is_in_count(const struct peer *peer, const struct peer_rule *rule)
{
    unsigned n = peer->counts[rule->at];
    unsigned visit = peer->visit;
    return n >= rule->from && (rule->to == 0 || n <= rule->to) &&
           peer->rcpts_in_transaction >= rule->from_in_transaction && visit >= rule->from_visit &&
           (rule->to_visit == 0 || visit <= rule->to_visit) && peer->bad >= rule->after_bad &&
           (rule->client == NULL || strcmp(rule->client, peer->client) == 0) &&
           !(rule->is_plain_only && peer->is_tls);
}

/* times and for_ms: by recipient at RCPT, by client elsewhere. */
static bool is_in_time(struct peer *peer, size_t index, const struct peer_rule *rule,
                       struct slice who, uint64_t now_ms)
{
    if (rule->times == 0 && rule->for_ms == 0) {
        return true;
    }
    char key[PEER_KEY_BYTES_MAX];
    struct slice subject = rule->at == PEER_AT_RCPT ? who : slice_of(peer->client);
    int len = snprintf(key, sizeof key, "%zu|%.*s", index,
                       subject.len > 900 ? 900 : (int)subject.len, subject.at);
    struct peer_row *row = peer_recall(peer->server, 'r', slice_make(key, (size_t)len), now_ms);
    if (rule->times > 0 && row->count >= rule->times) {
        return false;
    }
    if (rule->for_ms > 0 && now_ms - row->first_ms >= rule->for_ms) {
        return false;
    }
    row->count++;
    return true;
}

const struct peer_rule *peer_rule_for(struct peer *peer, enum peer_at at, struct slice who,
                                      uint64_t now_ms)
{
    const struct peer_script *script = peer->server->script;
    for (size_t i = 0; i < PEER_RULES_MAX; i++) {
        const struct peer_rule *rule = &script->rules[i];
        if (rule->say == NULL && rule->delay_ms == 0 && !rule->closes) {
            return NULL;
        }
        if (rule->at == at && is_who(peer, rule, who) && is_in_count(peer, rule) &&
            is_in_time(peer, i, rule, who, now_ms)) {
            return rule;
        }
    }
    return NULL;
}

bool peer_is_grey(struct peer *peer, struct slice rcpt, uint64_t now_ms, uint64_t *out_left_s)
{
    const struct peer_script *script = peer->server->script;
    char key[PEER_KEY_BYTES_MAX];
    struct slice sender = buf_view(&peer->sender);
    int len = snprintf(key, sizeof key, "%s", peer->client);
    if (script->greylist_kind != PEER_GREYLIST_CLIENT) {
        len += snprintf(key + len, sizeof key - (size_t)len, "|%.*s",
                        sender.len > 300 ? 300 : (int)sender.len, sender.at);
    }
    if (script->greylist_kind == PEER_GREYLIST_TRIPLET) {
        len += snprintf(key + len, sizeof key - (size_t)len, "|%.*s",
                        rcpt.len > 300 ? 300 : (int)rcpt.len, rcpt.at);
    }
    struct peer_row *row = peer_recall(peer->server, 'g', slice_make(key, (size_t)len), now_ms);
    uint64_t wait_ms = (uint64_t)script->greylist_s * 1000;
    if (row->count++ == 0) {
        row->mark_ms = now_ms;
    }
    uint64_t age_ms = now_ms - row->mark_ms;
    if (age_ms >= wait_ms) {
        row->mark_ms = now_ms - wait_ms; /* passed for good: asking again does not restart it */
        return false;
    }
    if (script->greylist_restarts && row->count > 1) {
        row->mark_ms = now_ms;
        age_ms = 0;
    }
    *out_left_s = (wait_ms - age_ms + 999) / 1000;
    return true;
}

void peer_note_bad(struct peer *peer, uint64_t now_ms)
{
    struct peer_server *server = peer->server;
    peer->bad++;
    if (peer->bad > server->seen.bad_peak) {
        server->seen.bad_peak = peer->bad;
    }
    struct peer_row *row = peer_recall(server, 'b', slice_of(peer->client), now_ms);
    if (now_ms - row->first_ms >= PEER_HOUR_MS) {
        row->first_ms = now_ms; /* a block that is on stays on */
        row->count = 0;
    }
    row->count++;
    if (server->script->block_after_bad > 0 && row->count >= server->script->block_after_bad) {
        row->mark_ms = now_ms + (uint64_t)server->script->block_s * 1000;
    }
}

bool peer_is_blocked(struct peer *peer, uint64_t now_ms)
{
    if (peer->server->script->block_after_bad == 0) {
        return false;
    }
    return peer_recall(peer->server, 'b', slice_of(peer->client), now_ms)->mark_ms > now_ms;
}
