/* tools/probe_script: the dialogue of a conversation: what is said next, and what an answer means for the rest.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/must.h"
#include "base/slice.h"
#include "tools/probe_talk_private.h"

enum { TALK_STEPS_FIRST = 16 };

/* ---- steps ---- */

static uint64_t *asked(struct talk *talk, unsigned nth)
{
    return &talk->asked_ms[nth % (sizeof talk->asked_ms / sizeof *talk->asked_ms)];
}

/* Said: its answer is awaited from now on. */
static void owe(struct talk *talk)
{
    *asked(talk, talk->owed++) = door_now_ms(talk->door);
}

static struct probe_step *add_step(struct talk *talk)
{
    struct probe_talk *out = talk->out;
    if (out->step_count == PROBE_STEPS_MAX) {
        return NULL;
    }
    if (out->step_count == talk->steps_room) {
        size_t room = talk->steps_room == 0 ? TALK_STEPS_FIRST : talk->steps_room * 2;
        struct probe_step *grown = realloc(out->steps, room * sizeof *grown);
        if (grown == NULL) {
            talk->is_out_of_memory = true;
            return NULL;
        }
        out->steps = grown;
        talk->steps_room = room;
    }
    return &out->steps[out->step_count++];
}

/* NUL would end it early. */
static void copy_text(char *to, size_t room, struct slice text)
{
    size_t len = text.len < room - 1 ? text.len : room - 1;
    for (size_t i = 0; i < len; i++) {
        to[i] = text.at[i] == '\0' ? ' ' : text.at[i];
    }
    to[len] = '\0';
}

/* The tag of a command is the place of what it is about: recipients and trials count from 1. */
static struct slice about(const struct talk *talk, const struct hel_smtp_event *event)
{
    const struct probe_talk_config *config = talk->config;
    size_t nth = (size_t)event->tag;
    bool is_rcpt =
        event->stage == HEL_SMTP_RCPT || (event->stage == HEL_SMTP_BODY && config->is_lmtp);
    if (event->stage == HEL_SMTP_AUTH) {
        return slice_of(sasl_mechanism_name(talk->out->mechanism));
    }
    if (config->trial_count > 0 && nth > 0 && nth <= config->trial_count) {
        return is_rcpt ? config->trials[nth - 1].rcpt : config->trials[nth - 1].mail_from;
    }
    if (is_rcpt && nth > 0 && nth <= config->rcpt_count) {
        return config->rcpts[nth - 1];
    }
    return event->stage == HEL_SMTP_MAIL ? config->mail_from : SLICE_NONE;
}

static void keep_step(struct talk *talk, const struct hel_smtp_event *event)
{
    uint64_t now = door_now_ms(talk->door);
    uint64_t began = talk->owed > 0 ? *asked(talk, 0) : talk->began_ms + talk->out->connect_ms;
    struct probe_step *step = add_step(talk);
    if (step != NULL) {
        *step = (struct probe_step){.stage = event->stage,
                                    .began_ms = (uint32_t)(began - talk->began_ms),
                                    .took_ms = (uint32_t)(now - began),
                                    .code = event->reply.code,
                                    .enhanced = event->reply.enhanced,
                                    .in_tls = talk->is_secured};
        copy_text(step->about, sizeof step->about, about(talk, event));
        copy_text(step->text, sizeof step->text, event->reply.text);
    }
    if (talk->owed > 0) {
        talk->owed--;
        memmove(talk->asked_ms, talk->asked_ms + 1, sizeof talk->asked_ms - sizeof *talk->asked_ms);
    }
}

/* ---- ends ---- */

/* The rest of the script is not said; goodbye is. */
static void leave(struct talk *talk, enum probe_end end, enum hel_smtp_stage stage,
                  const char *detail)
{
    talk_end(talk, end, stage, detail);
    talk->place = TALK_AT_QUIT;
    if (talk->config->drops) {
        talk_over(talk);
    }
}

static void refused(struct talk *talk, const struct hel_smtp_event *event)
{
    char detail[PROBE_DETAIL_BYTES];
    struct slice line =
        slice_sub(event->reply.text, 0, slice_find_byte(event->reply.text, '\n', 0));
    (void)snprintf(detail, sizeof detail, "%u %.*s", event->reply.code, SLICE_ARG(line));
    leave(talk, PROBE_END_REFUSED, event->stage, detail);
}

/* Whether the script ends behind this stage; then it is left. */
static bool stops(struct talk *talk, enum probe_stop stop, enum hel_smtp_stage stage)
{
    if (talk->config->stop != stop) {
        return false;
    }
    leave(talk, PROBE_END_DONE, stage, "");
    return true;
}

/* ---- logging in ---- */

static enum err digest(void *context, enum sasl_hash hash, struct slice bytes, uint8_t *out)
{
    return digest_any(context, (enum digest_kind)hash, bytes, out);
}
static enum err hmac(void *context, enum sasl_hash hash, struct slice key, struct slice bytes,
                     uint8_t *out)
{
    return digest_hmac(context, (enum digest_kind)hash, key, bytes, out);
}
static enum err derive(void *context, enum sasl_hash hash, struct slice password, struct slice salt,
                       uint32_t iterations, uint8_t *out)
{
    return digest_derive(context, (enum digest_kind)hash, password, salt, iterations, out);
}
_Static_assert((int)SASL_MD5 == (int)DIGEST_MD5 && (int)SASL_SHA_1 == (int)DIGEST_SHA_1 &&
                   (int)SASL_SHA_256 == (int)DIGEST_SHA_256,
               "one kind is cast to the other");

bool probe_offers_mechanism(struct slice extension_lines, struct slice mechanism)
{
    struct slice rest = extension_lines;
    while (rest.at != NULL) {
        struct slice line = slice_trim(slice_cut(&rest, '\n'));
        /* "AUTH=LOGIN" is how some wrote it before the RFC. */
        bool is_auth =
            slice_starts_nocase(line, SLICE("AUTH ")) || slice_starts_nocase(line, SLICE("AUTH="));
        struct slice words = slice_sub(line, 5, line.len);
        while (is_auth && words.at != NULL) {
            if (slice_equal_nocase(slice_trim(slice_cut(&words, ' ')), mechanism)) {
                return true;
            }
        }
    }
    return false;
}

/* The first of those wanted that is offered. */
static bool choose_mechanism(struct talk *talk)
{
    const struct probe_login *login = &talk->config->login;
    struct slice lines = hel_smtp_client_extension_lines(talk->client);
    for (size_t i = 0; i < login->mechanism_count; i++) {
        enum sasl_mechanism mechanism = login->mechanisms[i];
        if (probe_offers_mechanism(lines, slice_of(sasl_mechanism_name(mechanism)))) {
            talk->out->mechanism = mechanism;
            return true;
        }
    }
    return false;
}

static void make_nonce(struct talk *talk)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[(sizeof talk->nonce - 1) / 2];
    door_random_bytes(talk->door, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        talk->nonce[2 * i] = digits[bytes[i] >> 4];
        talk->nonce[2 * i + 1] = digits[bytes[i] & 15];
    }
}

static void begin_login(struct talk *talk)
{
    const struct probe_talk_config *config = talk->config;
    enum sasl_mechanism mechanism = talk->out->mechanism;
    talk->out->has_login = true;
    if (sasl_is_clear(mechanism) && !talk->is_secured && !config->login.is_clear_fine) {
        leave(talk, PROBE_END_WITHHELD, HEL_SMTP_AUTH,
              "the password would cross the line in the clear: --auth-plaintext allows it");
        return;
    }
    make_nonce(talk);
    talk->hashes = (struct sasl_hashes){config->digester, digest, hmac, derive};
    talk->sasl_config = (struct sasl_config){.mechanism = mechanism,
                                             .user = config->login.user,
                                             .password = config->login.password,
                                             .authorization = config->login.authorization,
                                             .nonce = slice_of(talk->nonce),
                                             .host = config->server_name,
                                             .port = config->port,
                                             .hashes = &talk->hashes};
    if (sasl_new(&talk->sasl_config, &talk->sasl) != ERR_NONE) {
        leave(talk, PROBE_END_LOCAL, HEL_SMTP_AUTH, "this user or password cannot be said");
        return;
    }
    talk->hides = true;
    if (hel_smtp_client_auth(talk->client, 1, slice_of(sasl_mechanism_name(mechanism)),
                             sasl_first(talk->sasl)) != ERR_NONE) {
        leave(talk, PROBE_END_LOCAL, HEL_SMTP_AUTH, "this user or password is too long");
        return;
    }
    owe(talk);
}

static void answer_challenge(struct talk *talk, const struct hel_smtp_event *event)
{
    char challenge[SASL_BYTES_MAX];
    size_t len = 0;
    struct slice text = slice_trim(event->reply.text);
    struct slice answer = SLICE_NONE;
    bool is_read = text.len / 4 * 3 <= sizeof challenge && base64_read(text, challenge, &len);
    enum err e =
        is_read ? sasl_answer(talk->sasl, slice_make(challenge, len), &answer) : ERR_SYNTAX;
    talk->hides = true;
    if (e == ERR_NONE) {
        e = hel_smtp_client_auth_answer(talk->client, 1, answer);
    } else {
        talk_end(talk, PROBE_END_GARBAGE, HEL_SMTP_AUTH,
                 !is_read          ? "the challenge is not base64"
                 : e == ERR_LIMIT  ? "the challenge asks for more work than is decent"
                 : e == ERR_SYSTEM ? "OpenSSL does not offer the hash of this mechanism"
                                   : "the server does not speak the mechanism that it offers, or "
                                     "does not know the password");
        e = hel_smtp_client_auth_cancel(talk->client, 1);
    }
    talk->is_out_of_memory = talk->is_out_of_memory || e != ERR_NONE;
    owe(talk);
}

static void on_auth(struct talk *talk, const struct hel_smtp_event *event)
{
    if (event->reply.code == 334) {
        answer_challenge(talk, event);
        return;
    }
    if (!hel_reply_is_success(&event->reply)) {
        refused(talk, event);
        return;
    }
    talk->out->is_logged_in = true;
    talk->out->is_server_proven = sasl_is_proven(talk->sasl);
    (void)stops(talk, PROBE_STOP_AUTH, HEL_SMTP_AUTH);
}

/* ---- what an answer means ---- */

static void on_hello(struct talk *talk, const struct hel_smtp_event *event)
{
    struct probe_talk *out = talk->out;
    struct slice lines = hel_smtp_client_extension_lines(talk->client);
    bool will_secure = !talk->is_secured && (talk->config->tls_mode == PROBE_TLS_MAY ||
                                             talk->config->tls_mode == PROBE_TLS_MUST);
    keep_step(talk, event);
    out->has_hello = true;
    out->extensions = hel_smtp_client_extensions(talk->client);
    out->size_limit = hel_smtp_client_size_limit(talk->client);
    copy_text(out->extension_lines, sizeof out->extension_lines, lines);
    if (!talk->is_secured) {
        out->has_plain_hello = true;
        copy_text(out->plain_extension_lines, sizeof out->plain_extension_lines, lines);
    }
    bool will_restart = talk->place <= TALK_AT_XCLIENT &&
                        talk->config->xclient_count > 0; /* another EHLO follows */
    if (stops(talk, PROBE_STOP_FIRST_EHLO, HEL_SMTP_EHLO)) {
        return;
    }
    bool is_last =
        !will_restart && !(will_secure && (out->extensions & HEL_SMTP_EXT_STARTTLS) != 0);
    if (is_last) {
        (void)stops(talk, PROBE_STOP_EHLO, HEL_SMTP_EHLO);
    }
}

static void on_banner(struct talk *talk, const struct hel_smtp_event *event)
{
    keep_step(talk, event);
    struct slice first =
        slice_sub(event->reply.text, 0, slice_find_byte(event->reply.text, '\n', 0));
    copy_text(talk->out->banner, sizeof talk->out->banner, first);
    if (!hel_reply_is_success(&event->reply)) {
        refused(talk, event);
    } else if (!stops(talk, PROBE_STOP_BANNER, HEL_SMTP_BANNER)) {
        talk->is_out_of_memory =
            talk->is_out_of_memory || hel_smtp_client_hello(talk->client) != ERR_NONE;
        owe(talk);
    }
}

static void on_rcpt(struct talk *talk, const struct hel_smtp_event *event)
{
    if (hel_reply_is_success(&event->reply)) {
        talk->out->accepted_rcpts++;
    }
    bool is_last = event->tag == talk->config->rcpt_count;
    if (is_last && talk->out->accepted_rcpts == 0) {
        refused(talk, event);
    } else if (is_last) {
        (void)stops(talk, PROBE_STOP_RCPT, HEL_SMTP_RCPT);
    }
}

static void on_mail(struct talk *talk, const struct hel_smtp_event *event)
{
    if (!hel_reply_is_success(&event->reply)) {
        refused(talk, event);
    } else {
        (void)stops(talk, PROBE_STOP_MAIL, HEL_SMTP_MAIL);
    }
}

static void on_data(struct talk *talk, const struct hel_smtp_event *event)
{
    bool is_good =
        talk->config->uses_bdat ? hel_reply_is_success(&event->reply) : event->reply.code == 354;
    if (!is_good) {
        refused(talk, event);
        return;
    }
    if (talk->config->stop == PROBE_STOP_DATA) { /* QUIT would be a line of the message */
        talk_end(talk, PROBE_END_DONE, HEL_SMTP_DATA, "");
        talk_over(talk);
    }
}

static void on_body(struct talk *talk, const struct hel_smtp_event *event)
{
    if (!hel_reply_is_success(&event->reply)) {
        refused(talk, event);
    } else if (talk->owed == 0) {
        leave(talk, PROBE_END_DONE, HEL_SMTP_BODY, "");
    }
}

/* Trials: the answer is the finding, whatever it is. */
static void on_trial(struct talk *talk, const struct hel_smtp_event *event)
{
    /* MAIL refused: no RCPT; RSET all the same, so that every trial begins alike. */
    if (event->stage == HEL_SMTP_MAIL && !hel_reply_is_success(&event->reply)) {
        talk->trial_part = 2;
    }
}

static void on_reply(struct talk *talk, const struct hel_smtp_event *event)
{
    keep_step(talk, event);
    if (talk->place == TALK_AT_TRIALS) {
        on_trial(talk, event);
        return;
    }
    switch (event->stage) {
    case HEL_SMTP_STARTTLS:
        if (talk->config->tls_mode == PROBE_TLS_MUST) {
            refused(talk, event);
        }
        break;
    case HEL_SMTP_AUTH: on_auth(talk, event); break;
    case HEL_SMTP_XCLIENT:
        if (!hel_reply_is_success(&event->reply)) {
            refused(talk, event);
        } else if (!stops(talk, PROBE_STOP_XCLIENT, HEL_SMTP_XCLIENT) && event->reply.code == 220 &&
                   talk->place == TALK_AT_AUTH) {
            owe(talk); /* the client greets again */
        }
        break;
    case HEL_SMTP_MAIL: on_mail(talk, event); break;
    case HEL_SMTP_RCPT: on_rcpt(talk, event); break;
    case HEL_SMTP_DATA: on_data(talk, event); break;
    case HEL_SMTP_BODY: on_body(talk, event); break;
    case HEL_SMTP_QUIT:
        talk_end(talk, PROBE_END_DONE, HEL_SMTP_QUIT, "");
        talk_over(talk);
        break;
    case HEL_SMTP_EHLO: refused(talk, event); break;
    case HEL_SMTP_CONNECT:
    case HEL_SMTP_BANNER:
    case HEL_SMTP_RSET:
    case HEL_SMTP_STAGE_COUNT: break;
    }
}

static const char *failure_text(enum hel_smtp_failure failure)
{
    switch (failure) {
    case HEL_SMTP_FAILURE_PROTOCOL: return "what the server sends is not SMTP";
    case HEL_SMTP_FAILURE_TIMEOUT: return "the server did not answer in time";
    case HEL_SMTP_FAILURE_CLOSED: return "the server closed the line";
    case HEL_SMTP_FAILURE_CLOSING: return "the server ended the session (421)";
    case HEL_SMTP_FAILURE_NOMEM: break;
    }
    return "out of memory";
}

static void on_failed(struct talk *talk, const struct hel_smtp_event *event)
{
    static const enum probe_end ends[] = {
        [HEL_SMTP_FAILURE_PROTOCOL] = PROBE_END_GARBAGE,
        [HEL_SMTP_FAILURE_TIMEOUT] = PROBE_END_TIMEOUT,
        [HEL_SMTP_FAILURE_CLOSED] = PROBE_END_CLOSED,
        [HEL_SMTP_FAILURE_CLOSING] = PROBE_END_CLOSED,
        [HEL_SMTP_FAILURE_NOMEM] = PROBE_END_LOCAL,
    };
    /* Once all was said a server may leave as it likes. */
    if (talk->place == TALK_AT_GOODBYE && event->failure == HEL_SMTP_FAILURE_CLOSED) {
        talk_end(talk, PROBE_END_DONE, HEL_SMTP_QUIT, "");
    } else {
        talk_note(talk, "%s", failure_text(event->failure));
    }
    talk_end(talk, ends[event->failure], event->stage, failure_text(event->failure));
    talk_over(talk);
}

void talk_on_event(struct talk *talk, const struct hel_smtp_event *event)
{
    switch (event->kind) {
    case HEL_SMTP_EVENT_HELLO: on_hello(talk, event); break;
    case HEL_SMTP_EVENT_START_TLS:
        keep_step(talk, event);
        talk->out->had_plaintext_behind_starttls = event->is_plaintext_dropped;
        owe(talk); /* the EHLO inside */
        talk_shake(talk);
        break;
    case HEL_SMTP_EVENT_REPLY:
        if (event->stage == HEL_SMTP_BANNER) {
            on_banner(talk, event);
        } else {
            on_reply(talk, event);
        }
        break;
    case HEL_SMTP_EVENT_FAILED: on_failed(talk, event); break;
    }
}

/* ---- what is said ---- */

/* Each says what is due at its place, if anything, and moves on. */

static void say_starttls(struct talk *talk)
{
    enum probe_tls_mode mode = talk->config->tls_mode;
    bool is_wanted = mode == PROBE_TLS_MAY || mode == PROBE_TLS_MUST;
    bool is_offered = (hel_smtp_client_extensions(talk->client) & HEL_SMTP_EXT_STARTTLS) != 0;
    talk->place = TALK_AT_XCLIENT;
    if (talk->is_secured || !is_wanted) {
        return;
    }
    if (!is_offered && mode == PROBE_TLS_MUST) {
        leave(talk, PROBE_END_NOT_OFFERED, HEL_SMTP_STARTTLS, "STARTTLS is not offered");
    } else if (is_offered && hel_smtp_client_starttls(talk->client, 1) == ERR_NONE) {
        owe(talk);
    }
}

static void say_xclient(struct talk *talk)
{
    const struct probe_talk_config *config = talk->config;
    talk->place = TALK_AT_AUTH;
    if (config->xclient_count == 0) {
        return;
    }
    enum err e = hel_smtp_client_xclient(talk->client, 1, config->xclient, config->xclient_count);
    if (e == ERR_NONE) {
        owe(talk);
    } else {
        leave(talk, e == ERR_STATE ? PROBE_END_NOT_OFFERED : PROBE_END_LOCAL, HEL_SMTP_XCLIENT,
              e == ERR_STATE ? "XCLIENT is not offered" : "the values for XCLIENT cannot be said");
    }
}

static void say_auth(struct talk *talk)
{
    const struct probe_login *login = &talk->config->login;
    talk->place = TALK_AT_XFORWARD;
    if (login->mechanism_count == 0) {
        (void)stops(talk, PROBE_STOP_AUTH, HEL_SMTP_AUTH);
    } else if (choose_mechanism(talk)) {
        begin_login(talk);
    } else if (!login->is_optional) {
        leave(talk, PROBE_END_NOT_OFFERED, HEL_SMTP_AUTH,
              "none of the wanted mechanisms is offered");
    }
}

static void say_xforward(struct talk *talk)
{
    const struct probe_talk_config *config = talk->config;
    talk->place = config->trial_count > 0 ? TALK_AT_TRIALS : TALK_AT_MAIL;
    if (config->xforward_count == 0) {
        return;
    }
    enum err e =
        hel_smtp_client_xforward(talk->client, 1, config->xforward, config->xforward_count);
    if (e == ERR_NONE) {
        owe(talk);
    } else {
        leave(talk, e == ERR_STATE ? PROBE_END_NOT_OFFERED : PROBE_END_LOCAL, HEL_SMTP_XCLIENT,
              e == ERR_STATE ? "XFORWARD is not offered"
                             : "the values for XFORWARD cannot be said");
    }
}

static void say_trial(struct talk *talk)
{
    const struct probe_talk_config *config = talk->config;
    if (talk->next_trial == config->trial_count) {
        leave(talk, PROBE_END_DONE, HEL_SMTP_RCPT, "");
        return;
    }
    const struct probe_trial *trial = &config->trials[talk->next_trial];
    uint64_t tag = talk->next_trial + 1;
    const struct hel_smtp_mail mail = {.reverse_path = trial->mail_from};
    enum err e = ERR_NONE;
    switch (talk->trial_part) {
    case 0: e = hel_smtp_client_mail(talk->client, tag, &mail); break;
    case 1: e = hel_smtp_client_rcpt(talk->client, tag, trial->rcpt); break;
    default: e = hel_smtp_client_rset(talk->client, tag); break;
    }
    talk->trial_part++;
    if (talk->trial_part > 2) {
        talk->trial_part = 0;
        talk->next_trial++;
    }
    if (e == ERR_NONE) {
        owe(talk);
    }
}

static void say_mail(struct talk *talk)
{
    const struct probe_talk_config *config = talk->config;
    unsigned offered = hel_smtp_client_extensions(talk->client);
    if (!config->has_envelope) {
        leave(talk, PROBE_END_DONE, HEL_SMTP_EHLO, "");
        return;
    }
    const struct hel_smtp_mail mail = {
        .reverse_path = config->mail_from,
        .smtputf8 = config->needs_smtputf8,
        .body_8bitmime = config->needs_8bit && (offered & HEL_SMTP_EXT_8BITMIME) != 0,
        .size = config->has_message ? config->message.len : 0,
        .parameters = config->mail_parameters,
    };
    talk->place = TALK_AT_RCPT;
    enum err e = hel_smtp_client_mail(talk->client, 1, &mail);
    if (e == ERR_NONE) {
        owe(talk);
    } else {
        leave(talk, e == ERR_STATE ? PROBE_END_NOT_OFFERED : PROBE_END_LOCAL, HEL_SMTP_MAIL,
              e == ERR_STATE ? "an address needs SMTPUTF8, which is not offered"
                             : "this sender cannot be said");
    }
}

static void say_rcpt(struct talk *talk)
{
    const struct probe_talk_config *config = talk->config;
    struct slice rcpt = config->rcpts[talk->next_rcpt++];
    enum err e =
        hel_smtp_client_rcpt_with(talk->client, talk->next_rcpt, rcpt, config->rcpt_parameters);
    if (e != ERR_NONE) {
        leave(talk, PROBE_END_LOCAL, HEL_SMTP_RCPT, "this recipient cannot be said");
        return;
    }
    owe(talk);
    if (talk->next_rcpt == config->rcpt_count) {
        talk->place = TALK_AT_DATA;
    }
}

static void say_data(struct talk *talk)
{
    const struct probe_talk_config *config = talk->config;
    if (!config->has_message) {
        leave(talk, PROBE_END_DONE, HEL_SMTP_RCPT, "");
        return;
    }
    talk->place = TALK_AT_BODY;
    if (config->uses_bdat) {
        if ((hel_smtp_client_extensions(talk->client) & HEL_SMTP_EXT_CHUNKING) == 0) {
            leave(talk, PROBE_END_NOT_OFFERED, HEL_SMTP_DATA, "CHUNKING is not offered");
        }
        return;
    }
    if (hel_smtp_client_data(talk->client, 1) == ERR_NONE) {
        owe(talk);
    }
}

static void say_message(struct talk *talk)
{
    const struct probe_talk_config *config = talk->config;
    struct slice piece =
        slice_sub(config->message, talk->message_at, talk->message_at + TALK_PIECE_BYTES);
    bool is_last = talk->message_at + piece.len == config->message.len;
    talk->message_at += piece.len;
    talk->is_in_message = true;
    if (config->uses_bdat) {
        talk_note(talk, "chunk of %zu bytes of the message%s", piece.len,
                  is_last ? ", the last" : "");
        enum err e = hel_smtp_client_bdat(talk->client, 1, piece, is_last);
        talk->is_out_of_memory = talk->is_out_of_memory || e != ERR_NONE;
        owe(talk);
    } else {
        enum err e = hel_smtp_client_body(talk->client, piece);
        talk->is_out_of_memory = talk->is_out_of_memory || e != ERR_NONE;
    }
    if (!is_last) {
        return;
    }
    talk->place = TALK_AT_END;
    if (!config->uses_bdat) {
        talk_note(talk, "message of %zu bytes", config->message.len);
        enum err e = hel_smtp_client_body_end(talk->client, 1);
        talk->is_out_of_memory = talk->is_out_of_memory || e != ERR_NONE;
        owe(talk);
    }
    /* LMTP answers once for each recipient (RFC 2033 4.2). */
    for (unsigned i = 1; config->is_lmtp && i < talk->out->accepted_rcpts; i++) {
        owe(talk);
    }
}

static void say_quit(struct talk *talk)
{
    talk->is_in_message = false;
    talk->place = TALK_AT_GOODBYE;
    if (hel_smtp_client_quit(talk->client, 1) == ERR_NONE) {
        owe(talk);
    } else {
        talk_over(talk);
    }
}

/* Recipients may follow MAIL at once, where the server bears it and the user wants it (RFC 2920). */
static bool may_pipeline(const struct talk *talk)
{
    bool is_offered = (hel_smtp_client_extensions(talk->client) & HEL_SMTP_EXT_PIPELINING) != 0;
    return talk->config->pipelines && is_offered && (talk->place == TALK_AT_RCPT) &&
           talk->owed < sizeof talk->asked_ms / sizeof *talk->asked_ms;
}

void talk_go_on(struct talk *talk)
{
    bool is_greeted = talk->out->has_hello || talk->place == TALK_AT_QUIT;
    while (talk->state == TALK_TALKING && is_greeted && (talk->owed == 0 || may_pipeline(talk))) {
        switch (talk->place) {
        case TALK_AT_STARTTLS: say_starttls(talk); break;
        case TALK_AT_XCLIENT: say_xclient(talk); break;
        case TALK_AT_AUTH: say_auth(talk); break;
        case TALK_AT_XFORWARD: say_xforward(talk); break;
        case TALK_AT_TRIALS: say_trial(talk); break;
        case TALK_AT_MAIL: say_mail(talk); break;
        case TALK_AT_RCPT: say_rcpt(talk); break;
        case TALK_AT_DATA: say_data(talk); break;
        case TALK_AT_BODY: say_message(talk); return;
        case TALK_AT_QUIT: say_quit(talk); break;
        case TALK_AT_END:
        case TALK_AT_GOODBYE: return;
        }
    }
}
