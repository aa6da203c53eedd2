/* sim/peer_commands: what a scripted server answers: its rules first, then as an honest server would.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "base/reader.h"
#include "base/text.h"
#include "sim/peer_private.h"

enum { SAY_BYTES_MAX = 8192 };

static const struct peer_script *script_of(const struct peer *peer)
{
    return peer->server->script;
}

static void say(struct peer *peer, const char *text, uint64_t now_ms)
{
    struct peer_answer answer = {.say = text, .delay_ms = script_of(peer)->delay_ms};
    peer_say(peer, &answer, SLICE_NONE, now_ms);
}

/* Counts the command and looks for a rule. True: the rule answered; what it says is in *out_code. */
static const struct peer_rule *begin(struct peer *peer, enum peer_at at, struct slice who,
                                     uint64_t now_ms)
{
    peer->counts[at]++;
    peer->server->seen.commands[at]++;
    return peer_rule_for(peer, at, who, now_ms);
}

static uint64_t delay_of(const struct peer *peer, const struct peer_rule *rule)
{
    return rule != NULL && rule->delay_ms > 0 ? rule->delay_ms : script_of(peer)->delay_ms;
}

/* The rule's word, or the honest one with the rule's delay and close. */
static struct peer_answer answer_of(const struct peer *peer, const struct peer_rule *rule,
                                    const char *honest)
{
    return (struct peer_answer){
        .say = rule != NULL && rule->say != NULL ? rule->say : honest,
        .delay_ms = delay_of(peer, rule),
        .closes = rule != NULL && rule->closes,
        .counts_as_bad = rule != NULL && rule->counts_as_bad,
    };
}

static bool is_good(const struct peer_answer *answer)
{
    return answer->say != NULL && answer->say[0] == '2';
}

/* The banner. */

static void append_lines(char out[SAY_BYTES_MAX], const char *code, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        size_t len = strlen(out);
        (void)snprintf(out + len, SAY_BYTES_MAX - len, "%s-line %u of a long story\n", code, i);
    }
}

static void greet_smtp(struct peer *peer, uint64_t now_ms)
{
    const struct peer_script *script = script_of(peer);
    const struct peer_rule *rule = begin(peer, PEER_AT_BANNER, slice_of(peer->client), now_ms);
    char text[SAY_BYTES_MAX] = "";
    append_lines(text, "220", script->banner_lines);
    size_t len = strlen(text);
    (void)snprintf(text + len, sizeof text - len, "220 %%h ESMTP ready");
    struct peer_answer answer = answer_of(peer, rule, text);
    if (rule == NULL || rule->delay_ms == 0) {
        answer.delay_ms = script->banner_delay_ms;
    }
    if (script->connections_max > 0 && peer->server->seen.open > script->connections_max) {
        answer.say = "421 4.7.0 %h Too many concurrent connections from %i";
        answer.closes = true;
    }
    peer_say(peer, &answer, SLICE_NONE, now_ms);
}

void peer_greet(struct peer *peer, uint64_t now_ms)
{
    static const char alert[] = {0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x46};
    switch (script_of(peer)->tongue) {
    case PEER_SPEAKS_SMTP: greet_smtp(peer, now_ms); return;
    case PEER_SPEAKS_ECHO: say(peer, "220 echo here", now_ms); return;
    case PEER_SPEAKS_HTTP:
        say(peer, "HTTP/1.0 400 Bad Request\nContent-Type: text/html\n\n<h1>Bad Request</h1>",
            now_ms);
        peer->wants_close = true;
        return;
    case PEER_SPEAKS_TLS:
        peer_say_raw(peer, slice_make(alert, sizeof alert), now_ms);
        peer->wants_close = true;
        return;
    case PEER_SPEAKS_NOTHING:
    case PEER_SPEAKS_FLOOD: return;
    }
}

/* EHLO and HELO. */

static void honest_ehlo(const struct peer *peer, char out[SAY_BYTES_MAX])
{
    static const char *const usual[] = {"PIPELINING", "SIZE 52428800", "8BITMIME",
                                        "ENHANCEDSTATUSCODES", NULL};
    const struct peer_script *script = script_of(peer);
    const char *const *extensions = script->extensions[0] == NULL ? usual : script->extensions;
    const char *lines[PEER_EXTENSIONS_MAX + 2];
    size_t count = 0;
    for (size_t i = 0; i < PEER_EXTENSIONS_MAX && extensions[i] != NULL; i++) {
        if (extensions[i][0] != '\0') {
            lines[count++] = extensions[i];
        }
    }
    if (script->tls != PEER_TLS_NONE && !peer->is_tls) {
        lines[count++] = "STARTTLS";
    }
    if (script->has_smtputf8) {
        lines[count++] = "SMTPUTF8";
    }
    out[0] = '\0';
    append_lines(out, "250", script->ehlo_lines);
    size_t len = strlen(out);
    (void)snprintf(out + len, SAY_BYTES_MAX - len, count == 0 ? "250 %%h" : "250-%%h");
    for (size_t i = 0; i < count; i++) {
        len = strlen(out);
        (void)snprintf(out + len, SAY_BYTES_MAX - len, "\n250%c%s", i + 1 == count ? ' ' : '-',
                       lines[i]);
    }
}

static void obey_hello(struct peer *peer, enum peer_at at, struct slice name, uint64_t now_ms)
{
    peer_name_seen(&peer->server->seen.helo, &peer->server->helo_known, name);
    const struct peer_rule *rule = begin(peer, at, name, now_ms);
    char text[SAY_BYTES_MAX] = "250 %h";
    if (at == PEER_AT_EHLO && script_of(peer)->has_no_ehlo) {
        (void)snprintf(text, sizeof text, "502 5.5.1 Command not implemented");
    } else if (at == PEER_AT_EHLO) {
        honest_ehlo(peer, text);
    }
    struct peer_answer answer = answer_of(peer, rule, text);
    peer->has_hello = is_good(&answer);
    peer->has_mail = false;
    peer_say(peer, &answer, SLICE_NONE, now_ms);
}

static void obey_starttls(struct peer *peer, uint64_t now_ms)
{
    const struct peer_rule *rule = begin(peer, PEER_AT_STARTTLS, SLICE_NONE, now_ms);
    enum peer_tls tls = script_of(peer)->tls;
    const char *honest = "220 2.0.0 Ready to start TLS";
    if (tls == PEER_TLS_NONE || peer->is_tls) {
        honest = "502 5.5.1 Command not implemented";
    } else if (tls == PEER_TLS_INJECTED) {
        honest = "220 2.0.0 Ready to start TLS\n250 2.1.5 Ok, and again ok\n250 2.1.5 Ok";
    }
    struct peer_answer answer = answer_of(peer, rule, honest);
    peer_say(peer, &answer, SLICE_NONE, now_ms);
    if (!is_good(&answer)) {
        return;
    }
    if (tls == PEER_TLS_GARBAGE) {
        peer_say_raw(peer, SLICE("this is not TLS at all\r\n"), now_ms + answer.delay_ms);
        peer->wants_close = true;
        return;
    }
    peer->wants_tls = true;
    buf_clear(&peer->input); /* RFC 3207 6: what came in plaintext is discarded */
}

/* MAIL and RCPT. */

/* The path of "FROM:<path> PARAMETERS"; quoted strings in it may hold a '>'. */
static bool read_path(struct reader *r, struct slice keyword, struct slice *out_path,
                      struct slice *out_parameters)
{
    if (!reader_literal_nocase(r, keyword) || !reader_literal(r, SLICE("<"))) {
        return false;
    }
    bool is_quoted = false;
    struct slice rest = r->rest;
    for (size_t i = 0; i < rest.len; i++) {
        if (rest.at[i] == '\\') {
            i++;
        } else if (rest.at[i] == '"') {
            is_quoted = !is_quoted;
        } else if (rest.at[i] == '>' && !is_quoted) {
            *out_path = slice_sub(rest, 0, i);
            *out_parameters = slice_trim(slice_sub(rest, i + 1, rest.len));
            return true;
        }
    }
    return false;
}

static void obey_mail(struct peer *peer, struct slice argument, uint64_t now_ms)
{
    const struct peer_script *script = script_of(peer);
    struct reader r = reader_over(argument);
    struct slice path, parameters;
    if (!read_path(&r, SLICE("FROM:"), &path, &parameters)) {
        say(peer, "501 5.5.4 Syntax: MAIL FROM:<address>", now_ms);
        return;
    }
    peer_name_seen(&peer->server->seen.senders, &peer->server->senders_known, path);
    const struct peer_rule *rule = begin(peer, PEER_AT_MAIL, path, now_ms);
    bool is_utf8 = slice_find_nocase(parameters, SLICE("SMTPUTF8")) < parameters.len;
    buf_clear(&peer->sender);
    must(buf_append(&peer->sender, path) == ERR_NONE);
    char grey[SAY_BYTES_MAX];
    uint64_t left_s;
    const char *honest = "250 2.1.0 Ok";
    if (!peer->has_hello || peer->has_mail) {
        honest = "503 5.5.1 Bad sequence of commands";
    } else if (script->is_tls_required && !peer->is_tls) {
        honest = "530 5.7.0 Must issue a STARTTLS command first";
    } else if (is_utf8 && !script->has_smtputf8) {
        honest = "555 5.5.4 Unsupported option: SMTPUTF8";
    } else if (script->greylist_s > 0 && script->greylist_kind == PEER_GREYLIST_MAIL &&
               peer_is_grey(peer, SLICE_NONE, now_ms, &left_s)) {
        (void)snprintf(grey, sizeof grey,
                       "451 4.7.1 Greylisting in action, please come back in %" PRIu64 " seconds",
                       left_s);
        honest = grey;
    }
    struct peer_answer answer = answer_of(peer, rule, honest);
    if (is_good(&answer)) {
        peer->has_mail = true;
        peer->is_utf8_mail = is_utf8;
        peer->rcpts_in_transaction = 0;
    }
    peer_say(peer, &answer, SLICE_NONE, now_ms);
}

static const char *grey_text(const struct peer *peer, uint64_t left_s, char out[SAY_BYTES_MAX])
{
    const char *text = script_of(peer)->greylist_say;
    if (text == NULL) {
        text = "451 4.7.1 <%r>: Recipient address rejected: Greylisted, see you in %d seconds";
    }
    size_t len = 0;
    out[0] = '\0';
    for (const char *at = text; *at != '\0' && len + 24 < SAY_BYTES_MAX; at++) {
        if (at[0] == '%' && at[1] == 'd') {
            len += (size_t)snprintf(out + len, SAY_BYTES_MAX - len, "%" PRIu64, left_s);
            at++;
        } else {
            out[len++] = *at;
            out[len] = '\0';
        }
    }
    return out;
}

static const char *honest_rcpt(struct peer *peer, struct slice path, uint64_t now_ms,
                               char grey[SAY_BYTES_MAX])
{
    const struct peer_script *script = script_of(peer);
    uint64_t left_s;
    bool exists = peer_is_live(script, path) || peer_catches(script, path);
    const char *unknown = script->unknown;
    if (unknown == NULL) {
        unknown = "550 5.1.1 <%r>: Recipient address rejected: User unknown";
    }
    if (!peer->has_mail) {
        return "503 5.5.1 Error: need MAIL command";
    }
    if (!text_is_ascii(path) && !peer->is_utf8_mail) {
        return "553 5.6.7 Address requires SMTPUTF8";
    }
    if (peer_is_blocked(peer, now_ms)) {
        peer->server->seen.blocked++;
        return "550 5.7.1 Client host %i blocked: too many invalid recipients, try again in an "
               "hour";
    }
    if (!peer_is_served(script, path)) {
        return script->relay_denied != NULL ? script->relay_denied
                                            : "554 5.7.1 <%r>: Relay access denied";
    }
    if (!exists && script->greylist_spares_dead) {
        return unknown;
    }
    if (script->greylist_s > 0 && script->greylist_kind != PEER_GREYLIST_MAIL &&
        peer_is_grey(peer, path, now_ms, &left_s)) {
        return grey_text(peer, left_s, grey);
    }
    if (!exists) {
        return unknown;
    }
    const char *own = peer_mailbox_say(script, path);
    return own != NULL ? own : script->ok != NULL ? script->ok : "250 2.1.5 Ok";
}

static void count_rcpt(struct peer *peer, const struct peer_answer *answer, struct slice path,
                       uint64_t now_ms)
{
    struct peer_seen *seen = &peer->server->seen;
    char first = answer->say == NULL ? '\0' : answer->say[0];
    seen->accepted += first == '2';
    seen->deferred += first == '4';
    seen->refused += first == '5';
    /* 503 is about the order of commands, whoever the recipient is. */
    bool is_bad = first == '5' && strncmp(answer->say, "503", 3) != 0;
    if (is_bad || answer->counts_as_bad) {
        peer_note_bad(peer, now_ms);
    }
    const struct peer_server *server = peer->server;
    if (server->observer == NULL) {
        return;
    }
    struct reader r = reader_over(answer->say == NULL ? SLICE_NONE : slice_of(answer->say));
    uint64_t code = 0;
    (void)reader_number(&r, 999, &code); /* none where the line closes without a word */
    struct peer_rcpt rcpt = {.path = path,
                             .code = (unsigned)code,
                             .rcpts = peer->counts[PEER_AT_RCPT],
                             .refused = peer->bad};
    server->observer->answered(server->observer_context, &rcpt, now_ms);
}

static void obey_rcpt(struct peer *peer, struct slice argument, uint64_t now_ms)
{
    const struct peer_script *script = script_of(peer);
    struct reader r = reader_over(argument);
    struct slice path, parameters;
    if (!read_path(&r, SLICE("TO:"), &path, &parameters)) {
        say(peer, "501 5.5.4 Syntax: RCPT TO:<address>", now_ms);
        return;
    }
    struct peer_seen *seen = &peer->server->seen;
    peer_name_seen(&seen->recipients, &peer->server->recipients_known, path);
    peer->rcpts_in_transaction++;
    const struct peer_rule *rule = begin(peer, PEER_AT_RCPT, path, now_ms);
    if (peer->counts[PEER_AT_RCPT] > seen->rcpts_peak) {
        seen->rcpts_peak = peer->counts[PEER_AT_RCPT];
    }
    char grey[SAY_BYTES_MAX];
    bool is_decided = rule != NULL && rule->say != NULL;
    const char *honest = is_decided ? NULL : honest_rcpt(peer, path, now_ms, grey);
    struct peer_answer answer = answer_of(peer, rule, honest);
    if (script->rcpt_delay_max_ms > 0) {
        uint32_t span = script->rcpt_delay_max_ms - script->rcpt_delay_min_ms + 1;
        answer.delay_ms += script->rcpt_delay_min_ms + random_below(&peer->server->random, span);
    }
    bool is_bad = answer.say != NULL && answer.say[0] == '5';
    answer.delay_ms += is_bad ? script->bad_delay_ms : 0;
    answer.closes = answer.closes || (is_bad && script->closes_after_bad);
    count_rcpt(peer, &answer, path, now_ms);
    peer_say(peer, &answer, path, now_ms);
}

/* The rest. */

static void obey_simple(struct peer *peer, enum peer_at at, const char *honest, uint64_t now_ms)
{
    const struct peer_rule *rule = begin(peer, at, SLICE_NONE, now_ms);
    struct peer_answer answer = answer_of(peer, rule, honest);
    if (at == PEER_AT_RSET && is_good(&answer)) {
        peer->has_mail = false;
    }
    if (at == PEER_AT_DATA && answer.say != NULL && answer.say[0] == '3') {
        peer->is_receiving = true;
    }
    if (at == PEER_AT_QUIT) {
        peer->has_quit = true;
        answer.closes = true;
    }
    peer_say(peer, &answer, SLICE_NONE, now_ms);
}

static void obey_other(struct peer *peer, struct slice verb, uint64_t now_ms)
{
    struct peer_seen *seen = &peer->server->seen;
    if (slice_equal_nocase(verb, SLICE("NOOP"))) {
        say(peer, "250 2.0.0 Ok", now_ms);
        return;
    }
    seen->bdat += slice_equal_nocase(verb, SLICE("BDAT"));
    seen->vrfy += slice_equal_nocase(verb, SLICE("VRFY"));
    seen->expn += slice_equal_nocase(verb, SLICE("EXPN"));
    seen->others++;
    say(peer, "502 5.5.2 Error: command not recognized", now_ms);
}

void peer_obey(struct peer *peer, struct slice line, uint64_t now_ms)
{
    if (peer->is_receiving) {
        if (slice_equal(line, SLICE("."))) {
            peer->is_receiving = false;
            say(peer, "250 2.0.0 Ok: taken and forgotten", now_ms);
        }
        return;
    }
    size_t space = slice_find_byte(line, ' ', 0);
    struct slice verb = slice_sub(line, 0, space);
    struct slice argument = slice_trim(slice_sub(line, space, line.len));
    if (slice_equal_nocase(verb, SLICE("EHLO"))) {
        obey_hello(peer, PEER_AT_EHLO, argument, now_ms);
    } else if (slice_equal_nocase(verb, SLICE("HELO"))) {
        obey_hello(peer, PEER_AT_HELO, argument, now_ms);
    } else if (slice_equal_nocase(verb, SLICE("STARTTLS"))) {
        obey_starttls(peer, now_ms);
    } else if (slice_equal_nocase(verb, SLICE("MAIL"))) {
        obey_mail(peer, argument, now_ms);
    } else if (slice_equal_nocase(verb, SLICE("RCPT"))) {
        obey_rcpt(peer, argument, now_ms);
    } else if (slice_equal_nocase(verb, SLICE("RSET"))) {
        obey_simple(peer, PEER_AT_RSET, "250 2.0.0 Ok", now_ms);
    } else if (slice_equal_nocase(verb, SLICE("DATA"))) {
        obey_simple(peer, PEER_AT_DATA, "354 End data with <CR><LF>.<CR><LF>", now_ms);
    } else if (slice_equal_nocase(verb, SLICE("QUIT"))) {
        obey_simple(peer, PEER_AT_QUIT, "221 2.0.0 Bye", now_ms);
    } else {
        obey_other(peer, verb, now_ms);
    }
}
