/* SPDX-License-Identifier: Apache-2.0 */
#include "play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/reader.h"
#include "base/slice.h"

static const char *failure_name(enum hel_smtp_failure failure)
{
    switch (failure) {
    case HEL_SMTP_FAILURE_PROTOCOL: return "protocol";
    case HEL_SMTP_FAILURE_TIMEOUT: return "timeout";
    case HEL_SMTP_FAILURE_CLOSED: return "closed";
    case HEL_SMTP_FAILURE_CLOSING: return "closing";
    case HEL_SMTP_FAILURE_NOMEM: return "nomem";
    }
    return "?";
}

static enum err write_event(struct play *p, const struct hel_smtp_event *event)
{
    struct buf *out = &p->events;
    const struct hel_reply *reply = &event->reply;
    const struct hel_enhanced *enhanced = &reply->enhanced;
    const char *stage = hel_smtp_stage_name(event->stage);
    switch (event->kind) {
    case HEL_SMTP_EVENT_HELLO: return buf_printf(out, "hello %d\n", reply->code);
    case HEL_SMTP_EVENT_START_TLS:
        p->replies++;
        return buf_printf(out, "starttls %d%s\n", reply->code,
                          event->is_plaintext_dropped ? " dropped" : "");
    case HEL_SMTP_EVENT_REPLY:
        p->replies += event->stage > HEL_SMTP_EHLO ? 1 : 0;
        if (enhanced->class_digit == 0) {
            return buf_printf(out, "reply %s %d %d\n", stage, (int)event->tag, reply->code);
        }
        return buf_printf(out, "reply %s %d %d %d.%d.%d\n", stage, (int)event->tag, reply->code,
                          enhanced->class_digit, enhanced->subject, enhanced->detail);
    case HEL_SMTP_EVENT_FAILED:
        if (reply->code == 0) {
            return buf_printf(out, "failed %s %s\n", stage, failure_name(event->failure));
        }
        return buf_printf(out, "failed %s %s %d\n", stage, failure_name(event->failure),
                          reply->code);
    }
    return ERR_STATE;
}

void play_pull(struct play *p)
{
    struct hel_smtp_event event;
    while (hel_smtp_client_next(p->client, &event)) {
        assert_int_equal(write_event(p, &event), ERR_NONE);
        /* Whatever the peer says: never more answers than commands. */
        assert_true(p->replies <= p->commands);
    }
}

static enum err act_mail(struct play *p, uint64_t tag, struct slice words)
{
    struct slice rest = words;
    struct hel_smtp_mail mail = {.reverse_path = slice_cut(&rest, ' ')};
    while (rest.at != NULL) {
        struct slice word = slice_cut(&rest, ' ');
        struct reader r = reader_over(word);
        mail.smtputf8 = mail.smtputf8 || slice_equal(word, SLICE("smtputf8"));
        mail.body_8bitmime = mail.body_8bitmime || slice_equal(word, SLICE("8bit"));
        if (reader_literal(&r, SLICE("size="))) {
            assert_true(reader_number(&r, UINT64_MAX, &mail.size));
        }
    }
    return hel_smtp_client_mail(p->client, tag, &mail);
}

static enum err act_rcpt(struct play *p, uint64_t tag, struct slice words)
{
    return hel_smtp_client_rcpt(p->client, tag, words);
}

static enum err act_data(struct play *p, uint64_t tag, struct slice words)
{
    (void)words;
    return hel_smtp_client_data(p->client, tag);
}

static enum err act_end(struct play *p, uint64_t tag, struct slice words)
{
    (void)words;
    return hel_smtp_client_body_end(p->client, tag);
}

static enum err act_bdat(struct play *p, uint64_t tag, struct slice words)
{
    struct slice rest = words;
    bool is_last = slice_equal(slice_cut(&rest, ' '), SLICE("last"));
    return hel_smtp_client_bdat(p->client, tag, rest.at == NULL ? SLICE_NONE : rest, is_last);
}

static enum err act_rset(struct play *p, uint64_t tag, struct slice words)
{
    (void)words;
    return hel_smtp_client_rset(p->client, tag);
}

static enum err act_quit(struct play *p, uint64_t tag, struct slice words)
{
    (void)words;
    return hel_smtp_client_quit(p->client, tag);
}

static enum err act_starttls(struct play *p, uint64_t tag, struct slice words)
{
    (void)words;
    return hel_smtp_client_starttls(p->client, tag);
}

static const struct {
    const char *verb;
    enum err (*act)(struct play *p, uint64_t tag, struct slice words);
} acts[] = {
    {"mail", act_mail}, {"rcpt", act_rcpt}, {"data", act_data}, {"end", act_end},
    {"bdat", act_bdat}, {"rset", act_rset}, {"quit", act_quit}, {"starttls", act_starttls},
};

enum err play_act(struct play *p, struct slice words)
{
    struct slice rest = words;
    struct slice verb = slice_cut(&rest, ' ');
    if (slice_equal(verb, SLICE("tls"))) {
        hel_smtp_client_tls_ready(p->client, p->now_ms);
        return ERR_NONE;
    }
    if (slice_equal(verb, SLICE("close"))) {
        hel_smtp_client_peer_closed(p->client);
        return ERR_NONE;
    }
    if (slice_equal(verb, SLICE("body"))) {
        return hel_smtp_client_body(p->client, rest.at == NULL ? SLICE_NONE : rest);
    }
    struct slice tag_text = rest.at == NULL ? SLICE_NONE : slice_cut(&rest, ' ');
    struct reader r = reader_over(tag_text);
    uint64_t tag = 0;
    assert_true(reader_number(&r, INT32_MAX, &tag));
    for (size_t i = 0; i < sizeof acts / sizeof *acts; i++) {
        if (slice_equal(verb, slice_of(acts[i].verb))) {
            enum err e = acts[i].act(p, tag, rest.at == NULL ? SLICE_NONE : rest);
            p->commands += e == ERR_NONE ? 1 : 0;
            return e;
        }
    }
    fail_msg("%s:%u: no such step", p->name, p->line);
    return ERR_STATE;
}

void play_name_extensions(const struct play *p, struct buf *out)
{
    static const char *const names[] = {
        "PIPELINING", "STARTTLS", "SIZE", "8BITMIME",   "SMTPUTF8",   "CHUNKING",
        "ENHANCED",   "DSN",      "AUTH", "BINARYMIME", "REQUIRETLS", "LIMITS",
    };
    unsigned offered = hel_smtp_client_extensions(p->client);
    uint64_t limit = hel_smtp_client_size_limit(p->client);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if ((offered >> i & 1) == 0) {
            continue;
        }
        assert_int_equal(buf_printf(out, "%s%s", out->len > 0 ? " " : "", names[i]), ERR_NONE);
        if (1u << i == HEL_SMTP_EXT_SIZE && limit > 0) {
            assert_int_equal(buf_printf(out, "=%llu", (unsigned long long)limit), ERR_NONE);
        }
    }
    if (out->len == 0) {
        assert_int_equal(buf_append(out, SLICE("none")), ERR_NONE);
    }
}
