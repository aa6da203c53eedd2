/* tools/health_policies: what stands in TXT records: SPF and DMARC by their machines, DKIM keys,
 * MTA-STS with its policy, TLS reports, BIMI.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "base/slice.h"
#include "engine/transport.h"
#include "tools/health_private.h"

enum {
    POLICY_BYTES_MAX = 65536, /* RFC 8461 3.2: 64 KB are enough */
    FETCH_MS = 10000,
    CONNECT_MS = 5000,
};

/* ---- machines that ask one question at a time ---- */

/* tree: the SPF policy as a whole; spf: what it says of one egress; neither: the search for DMARC, in the facts. */
struct health_run {
    TAILQ_ENTRY(health_run) link;
    struct health *health; /* NULL: nobody waits any more */
    struct spf_tree *tree;
    struct spf *spf;
    size_t egress;
    bool is_open;
};

static void pump(struct health_run *run);
static void dmarc_known(struct health *health);

static void free_run(struct health_run *run)
{
    spf_free(run->spf);
    spf_tree_free(run->tree);
    free(run);
}

static void on_run_answer(void *context, enum query_status status, struct slice message)
{
    struct health_run *run = context;
    struct health *health = run->health;
    if (health == NULL) {
        free_run(run);
        return;
    }
    if (run->tree != NULL) {
        spf_tree_answered(run->tree, transport_of(status), message);
    } else if (run->spf != NULL) {
        spf_answered(run->spf, transport_of(status), message);
    } else {
        dmarc_search_answered(&health->facts->dmarc, transport_of(status), message);
    }
    run->is_open = false;
    pump(run);
    health_one_over(health);
}

static void end_run(struct health_run *run)
{
    struct health *health = run->health;
    TAILQ_REMOVE(&health->runs, run, link);
    if (run->tree != NULL) {
        health->spf = run->tree;
        health->facts->spf = spf_tree_view(run->tree);
        run->tree = NULL;
    } else if (run->spf != NULL) {
        struct health_egress *egress = &health->facts->egresses[run->egress];
        egress->has_spf = true;
        egress->spf = *spf_outcome(run->spf);
    } else {
        dmarc_known(health);
    }
    free_run(run);
}

static bool next_question(struct health_run *run, struct slice *out_name, uint16_t *out_type)
{
    if (run->tree != NULL) {
        return spf_tree_next(run->tree, out_name, out_type);
    }
    return run->spf != NULL ? spf_next(run->spf, out_name, out_type)
                            : dmarc_search_next(&run->health->facts->dmarc, out_name, out_type);
}

static void pump(struct health_run *run)
{
    struct slice name;
    uint16_t type;
    if (!next_question(run, &name, &type)) {
        end_run(run);
        return;
    }
    run->is_open = true;
    health_one_begun(run->health);
    door_query(run->health->door, name, type, on_run_answer, run);
}

static struct health_run *add_run(struct health *health)
{
    struct health_run *run = calloc(1, sizeof *run);
    if (run != NULL) {
        run->health = health;
        TAILQ_INSERT_TAIL(&health->runs, run, link);
    }
    return run;
}

static void drop_run(struct health *health, struct health_run *run)
{
    TAILQ_REMOVE(&health->runs, run, link);
    run->health = NULL;
    if (!run->is_open) {
        free_run(run); /* others go with their answer */
    }
}

static void ask_spf_tree(struct health *health)
{
    struct health_run *run = add_run(health);
    if (run == NULL) {
        return;
    }
    if (spf_tree_new(slice_of(health->facts->domain), &run->tree) != ERR_NONE) {
        drop_run(health, run);
        return;
    }
    pump(run);
}

void health_ask_egress_spf(struct health *health, size_t egress)
{
    char sender[DNS_NAME_BYTES + 16];
    int len = snprintf(sender, sizeof sender, "postmaster@%s", health->facts->domain);
    struct spf_request request = {
        .ip = health->facts->egresses[egress].address->ip,
        .sender = slice_make(sender, (size_t)len),
        .helo = slice_of(health->facts->domain),
    };
    struct health_run *run = add_run(health);
    if (run == NULL) {
        return;
    }
    run->egress = egress;
    if (spf_new(&request, &run->spf) != ERR_NONE) {
        drop_run(health, run);
        return;
    }
    pump(run);
}

/* ---- policies in TXT records ---- */

/* What a record of each kind begins with. */
static const struct slice sts_version = SLICE_LITERAL("v=STSv1");
static const struct slice rpt_version = SLICE_LITERAL("v=TLSRPTv1");
static const struct slice bimi_version = SLICE_LITERAL("v=BIMI1");

/* A semicolon, a space or the end follows it. */
static bool is_of_version(struct slice text, struct slice version)
{
    struct slice rest = slice_sub(text, version.len, text.len);
    return slice_starts_nocase(text, version) &&
           (rest.len == 0 || rest.at[0] == ';' || ascii_is_space(rest.at[0]));
}

static void read_text(struct health *health, struct health_text *out, struct slice version,
                      const struct dns_answer *answer)
{
    struct buf joined;
    buf_init(&joined, HEALTH_TEXT_BYTES_MAX);
    out->kind = answer->kind;
    out->failure = answer->failure;
    for (const struct dns_record *record = dns_answer_next(answer, NULL); record != NULL;
         record = dns_answer_next(answer, record)) {
        buf_clear(&joined);
        enum err e = dns_text_join(record->text, &joined);
        if (is_of_version(buf_view(&joined), version) && out->count++ == 0) {
            out->is_cut =
                arena_copy(&health->facts->arena, buf_view(&joined), &out->text) != ERR_NONE ||
                e != ERR_NONE;
        }
    }
    buf_done(&joined);
}

static void ask_text(struct health *health, const char *prefix, struct slice domain,
                     queries_answer_fn fn, struct health_text *out)
{
    if (health_join_name(prefix, domain, out->name)) {
        health_ask(health, slice_of(out->name), DNS_TXT, fn, out, 0);
    }
}

static void on_reports(void *owner, void *subject, size_t index, const char *asked,
                       const struct dns_answer *answer)
{
    (void)index;
    (void)asked;
    read_text(owner, subject, rpt_version, answer);
}

static void on_bimi(void *owner, void *subject, size_t index, const char *asked,
                    const struct dns_answer *answer)
{
    (void)index;
    (void)asked;
    read_text(owner, subject, bimi_version, answer);
}

/* ---- DMARC ---- */

static void on_permission(void *owner, void *subject, size_t index, const char *asked,
                          const struct dns_answer *answer)
{
    (void)owner;
    (void)index;
    (void)asked;
    struct health_report_target *target = subject;
    target->kind = answer->kind;
    target->is_authorised = dmarc_report_is_authorised(answer);
}

static bool is_target(const struct health_facts *facts, struct slice host)
{
    for (size_t i = 0; i < facts->report_count; i++) {
        if (slice_equal_nocase(slice_of(facts->reports[i].domain), host)) {
            return true;
        }
    }
    return false;
}

/* RFC 7489 7.1: only somebody else must agree, and to reports about the domain of the record. */
static void ask_permission(struct health *health, struct slice host)
{
    char organizational[DNS_NAME_BYTES];
    struct health_facts *facts = health->facts;
    struct health_report_target *target = &facts->reports[facts->report_count];
    if (facts->report_count == HEALTH_REPORTS_MAX || host.len >= DNS_NAME_BYTES ||
        is_target(facts, host) ||
        !public_suffix_organizational(health->config.suffixes, host, organizational) ||
        !dmarc_report_is_external(slice_of(facts->dmarc.organizational),
                                  slice_of(organizational)) ||
        !dmarc_report_name(slice_of(health_dmarc_domain(facts)), host, target->name)) {
        return;
    }
    memcpy(target->domain, host.at, host.len);
    facts->report_count++;
    health_ask(health, slice_of(target->name), DNS_TXT, on_permission, target, 0);
}

static void ask_permissions(struct health *health, const struct dmarc_uri *uris, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (uris[i].host.len > 0) {
            ask_permission(health, uris[i].host);
        }
    }
}

static void dmarc_known(struct health *health)
{
    const struct dmarc_record *record = &health->facts->dmarc.record;
    health->facts->has_dmarc = true;
    if (health->facts->dmarc.state == DMARC_SEARCH_FOUND) {
        ask_permissions(health, record->aggregate, record->aggregate_count);
        ask_permissions(health, record->failure, record->failure_count);
    }
}

static void ask_dmarc(struct health *health)
{
    struct health_facts *facts = health->facts;
    char organizational[DNS_NAME_BYTES];
    struct slice domain = slice_of(facts->domain);
    if (!public_suffix_organizational(health->config.suffixes, domain, organizational) ||
        dmarc_search_init(&facts->dmarc, domain, slice_of(organizational)) != ERR_NONE) {
        return; /* too long a name for one in front of it */
    }
    struct health_run *run = add_run(health);
    if (run != NULL) {
        pump(run);
    }
}

/* ---- DKIM ---- */

static void on_key(void *owner, void *subject, size_t index, const char *asked,
                   const struct dns_answer *answer)
{
    (void)owner;
    (void)index;
    (void)asked;
    struct health_key *key = subject;
    key->kind = answer->kind;
    key->failure = answer->failure;
    key->fault = dkim_key_answer(answer, &key->key);
}

static void add_key(struct health *health, struct slice selector, enum health_key_from from)
{
    struct health_facts *facts = health->facts;
    if (selector.len == 0 || selector.len >= HEALTH_SELECTOR_BYTES ||
        facts->key_count == HEALTH_KEYS_MAX) {
        return;
    }
    for (size_t i = 0; i < facts->key_count; i++) {
        if (slice_equal_nocase(slice_of(facts->keys[i].selector), selector)) {
            return;
        }
    }
    struct health_key *key = &facts->keys[facts->key_count++];
    key->from = from;
    memcpy(key->selector, selector.at, selector.len);
    if (dkim_key_name(selector, slice_of(facts->domain), key->name)) {
        health_ask(health, slice_of(key->name), DNS_TXT, on_key, key, 0);
    }
}

static void ask_keys(struct health *health)
{
    char selectors[HEALTH_KEYS_MAX][HEALTH_SELECTOR_BYTES];
    struct slice domain = slice_of(health->facts->domain);
    struct reader r = reader_over(health->config.selectors);
    struct slice line;
    for (size_t i = 0; i < health->config.given_count; i++) {
        add_key(health, health->config.given[i], HEALTH_KEY_GIVEN);
    }
    size_t count = health_mail_selectors(health->config.mail, domain, selectors, HEALTH_KEYS_MAX);
    for (size_t i = 0; i < count; i++) {
        add_key(health, slice_of(selectors[i]), HEALTH_KEY_MAIL);
    }
    while (reader_line(&r, &line)) {
        line = slice_trim(line);
        if (!slice_starts(line, SLICE("#"))) {
            add_key(health, line, HEALTH_KEY_COMMON);
        }
    }
}

/* ---- MTA-STS ---- */

static void on_fetched(void *context, const struct http_client_answer *answer)
{
    struct health *health = context;
    struct health_policy_file *file = &health->facts->sts_policy;
    struct arena *arena = &health->facts->arena;
    health->fetch = NULL;
    file->status = answer->status;
    bool is_redirect = answer->end == HTTP_CLIENT_END_REDIRECTED;
    bool is_kept = answer->end == HTTP_CLIENT_END_ANSWERED &&
                   arena_copy(arena, answer->body, &file->body) == ERR_NONE &&
                   arena_copy(arena, answer->content_type, &file->content_type) == ERR_NONE;
    file->state = is_kept ? HEALTH_FETCH_DONE : HEALTH_FETCH_FAILED;
    (void)snprintf(file->words, sizeof file->words, "%s",
                   is_redirect ? "it redirects, which is not followed (RFC 8461 3.3)"
                   : answer->detail[0] != '\0' ? answer->detail
                                               : http_end_name(answer->end));
    health_one_over(health);
}

static void fail_fetch(struct health *health, const char *words)
{
    struct health_policy_file *file = &health->facts->sts_policy;
    file->state = HEALTH_FETCH_FAILED;
    (void)snprintf(file->words, sizeof file->words, "%.*s", (int)sizeof file->words - 1, words);
}

static void fetch_policy(struct health *health, const struct ip *ip)
{
    char url[DNS_NAME_BYTES + 64];
    struct fault fault;
    struct health_policy_file *file = &health->facts->sts_policy;
    bool is_reached = ip->family == IP_V4 || door_has_ipv6(health->door);
    if (file->state != HEALTH_FETCH_OPEN || health->fetch != NULL || !is_reached) {
        return;
    }
    int len = snprintf(url, sizeof url, "https://mta-sts.%s/.well-known/mta-sts.txt",
                       health->facts->domain);
    const struct http_client_request request = {
        .method = HTTP_CLIENT_GET,
        .url = slice_make(url, (size_t)len),
        .timeout_ms = FETCH_MS,
        .connect_timeout_ms = CONNECT_MS,
        .response_bytes_max = POLICY_BYTES_MAX,
        .connect_ip = *ip,
        .connect_port = health->config.policy_port,
    };
    if (http_client_ask(health->config.http, &request, on_fetched, health, &health->fetch,
                        &fault) == ERR_NONE) {
        health_one_begun(health);
    } else {
        fail_fetch(health, fault.text);
    }
}

/* Both questions for the address are over, and nothing was begun. */
static void on_policy_host(void *owner, void *subject, size_t index, const char *asked,
                           const struct dns_answer *answer)
{
    (void)index;
    (void)asked;
    struct health *health = owner;
    bool *is_last = subject;
    for (const struct dns_record *record = dns_answer_next(answer, NULL); record != NULL;
         record = dns_answer_next(answer, record)) {
        fetch_policy(health, &record->ip);
    }
    if (*is_last && health->fetch == NULL && health->facts->sts_policy.state == HEALTH_FETCH_OPEN) {
        fail_fetch(health, "the name has no address");
    }
    *is_last = true;
}

static void on_sts(void *owner, void *subject, size_t index, const char *asked,
                   const struct dns_answer *answer)
{
    (void)index;
    (void)asked;
    struct health *health = owner;
    struct health_text *sts = subject;
    char name[DNS_NAME_BYTES];
    read_text(health, sts, sts_version, answer);
    if (sts->count == 0 || health->config.http == NULL) {
        return;
    }
    bool *is_last = arena_alloc(&health->facts->arena, sizeof *is_last);
    if (is_last != NULL && health_join_name("mta-sts", slice_of(health->facts->domain), name)) {
        health_ask(health, slice_of(name), DNS_A, on_policy_host, is_last, 0);
        health_ask(health, slice_of(name), DNS_AAAA, on_policy_host, is_last, 0);
    }
}

void health_ask_sts(struct health *health)
{
    struct health_facts *facts = health->facts;
    ask_text(health, "_mta-sts", slice_of(facts->domain), on_sts, &facts->sts);
}

void health_ask_policies(struct health *health)
{
    struct health_facts *facts = health->facts;
    struct slice domain = slice_of(facts->domain);
    ask_spf_tree(health);
    ask_dmarc(health);
    ask_keys(health);
    health_ask_sts(health);
    ask_text(health, "_smtp._tls", domain, on_reports, &facts->tls_rpt);
    ask_text(health, "default._bimi", domain, on_bimi, &facts->bimi);
}

void health_drop_policies(struct health *health)
{
    while (!TAILQ_EMPTY(&health->runs)) {
        /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): it takes itself out of the list */
        drop_run(health, TAILQ_FIRST(&health->runs));
    }
    if (health->fetch != NULL) {
        http_client_cancel(health->fetch);
        health->fetch = NULL;
    }
}
