/* engine/park_bytes: an ask that waits as bytes, and back: its address, who asked, what the record will need, and its
 * case (verify/case_pack). What the domain or the configuration knows is not in them, nor what the next question sets
 * anew: the probe, its lane, how often it was asked again.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "address/normal.h"
#include "base/must.h"
#include "base/slice.h"
#include "engine/knocker_private.h"
#include "verify/case_pack.h"

enum { LINE_BYTES_MAX = 512 };

/* The address, and what is needed to tell it without more. */
struct head {
    struct slice local;
    bool needs_smtputf8, is_quoted, is_literal, is_idn, folds;
};

static void walk_head(struct pack *p, struct head *head)
{
    bool *const flags[] = {&head->needs_smtputf8, &head->is_quoted, &head->is_literal,
                           &head->is_idn, &head->folds};
    pack_bytes(p, &head->local);
    pack_flags(p, flags, sizeof flags / sizeof *flags);
}

static struct head head_of(const struct ask *ask)
{
    const struct hel_address *address = &ask->address;
    must(slice_equal(hel_address_domain(address), slice_of(ask->domain->name)));
    return (struct head){
        .local = hel_address_local(address),
        .needs_smtputf8 = address->needs_smtputf8,
        .is_quoted = address->is_quoted,
        .is_literal = address->is_literal,
        .is_idn = address->is_idn,
        .folds = ask->work->folded_key != NULL,
    };
}

static void make_address(const struct head *head, struct slice domain, struct hel_address *out)
{
    memcpy(out->wire, head->local.at, head->local.len);
    out->wire[head->local.len] = '@';
    memcpy(out->wire + head->local.len + 1, domain.at, domain.len);
    out->local_len = (unsigned short)head->local.len;
    out->wire_len = (unsigned short)(head->local.len + 1 + domain.len);
    out->domain_text_len = 0;
    out->needs_smtputf8 = head->needs_smtputf8;
    out->is_quoted = head->is_quoted;
    out->is_literal = head->is_literal;
    out->is_idn = head->is_idn;
}

/* Who asked; the text is mostly the address. */
struct asker {
    knocker_fn fn;
    void *context;
    bool is_address;
    struct slice text;
};

static void walk_asker(struct pack *p, struct asker *asker)
{
    bool *const flags[] = {&asker->is_address};
    pack_raw(p, &asker->fn, sizeof asker->fn);
    pack_raw(p, &asker->context, sizeof asker->context);
    pack_flags(p, flags, 1);
    if (!asker->is_address) {
        pack_bytes(p, &asker->text);
    }
}

static void write_askers(struct pack *p, const struct ask *ask)
{
    uint64_t count = 0;
    for (const struct caller *caller = ask->callers; caller != NULL; caller = caller->next) {
        count++;
    }
    pack_u64(p, &count);
    for (const struct caller *caller = ask->callers; caller != NULL; caller = caller->next) {
        struct asker asker = {caller->fn, caller->context,
                              slice_equal(caller->text, hel_address_wire(&ask->address)),
                              caller->text};
        walk_asker(p, &asker);
    }
}

static enum err read_askers(struct pack *p, struct ask *ask)
{
    uint64_t count = 0;
    enum err e = ERR_NONE;
    pack_u64(p, &count);
    for (uint64_t i = 0; i < count && e == ERR_NONE; i++) {
        struct asker asker = {.text = SLICE_NONE};
        walk_asker(p, &asker);
        struct slice text = asker.is_address ? hel_address_wire(&ask->address) : asker.text;
        e = ask_add_caller(ask, text, NULL, asker.fn, asker.context);
    }
    return e;
}

/* The line that gave the last answer. What is the same for all who are asked there is kept once. */

static void walk_ip(struct pack *p, struct ip *ip)
{
    pack_u8(p, &ip->family);
    if (ip->family != IP_NONE) {
        pack_raw(p, ip->bytes, ip->family == IP_V4 ? 4 : sizeof ip->bytes);
    }
}

static void walk_tls(struct pack *p, struct tls_info *tls)
{
    struct {
        char *at;
        size_t max;
    } const texts[] = {{tls->version, sizeof tls->version - 1},
                       {tls->cipher, sizeof tls->cipher - 1},
                       {tls->cert_result, sizeof tls->cert_result - 1}};
    bool *const flags[] = {&tls->is_cert_trusted, &tls->is_cert_for_host, &tls->is_cert_expired};
    pack_flags(p, flags, sizeof flags / sizeof *flags);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct slice text = slice_of(texts[i].at);
        pack_bytes(p, &text);
        must(text.len <= texts[i].max);
        memmove(texts[i].at, text.at, text.len);
        texts[i].at[text.len] = '\0';
    }
}

/* tls is filled, or written, where the line has it. */
static void walk_shared_line(struct pack *p, struct ask_line *line, bool *has_tls,
                             struct tls_info *tls)
{
    uint32_t extensions = line->extensions;
    bool *const flags[] = {&line->is_secured, has_tls};
    pack_raw(p, &line->host, sizeof line->host); /* the site keeps it */
    pack_u8(p, &line->egress);
    pack_u32(p, &extensions);
    walk_ip(p, &line->ip);
    pack_flags(p, flags, sizeof flags / sizeof *flags);
    if (*has_tls) {
        walk_tls(p, tls);
    }
    line->extensions = extensions;
}

/* NULL: no memory. */
static struct interned *hold_line(const struct ask *ask)
{
    struct ask_line line = ask->work->line;
    struct tls_info tls = {.version = ""};
    bool has_tls = line.tls != NULL;
    struct buf bytes;
    buf_init(&bytes, LINE_BYTES_MAX);
    if (has_tls) {
        tls = *line.tls;
    }
    struct pack p = pack_into(&bytes);
    walk_shared_line(&p, &line, &has_tls, &tls);
    struct interned *held =
        p.err == ERR_NONE ? intern_hold(&ask->knocker->park.shared, buf_view(&bytes)) : NULL;
    buf_done(&bytes);
    return held;
}

static enum err read_line(struct ask *ask, const struct interned *held)
{
    struct tls_info tls = {.version = ""};
    bool has_tls = false;
    struct pack p = pack_from(interned_view(held));
    walk_shared_line(&p, &ask->work->line, &has_tls, &tls);
    if (!has_tls) {
        return ERR_NONE;
    }
    ask->work->line.tls = malloc(sizeof *ask->work->line.tls);
    if (ask->work->line.tls == NULL) {
        return ERR_NOMEM;
    }
    *ask->work->line.tls = tls;
    return ERR_NONE;
}

/* Without the zeroes of the last stages. */
static void walk_latencies(struct pack *p, struct ask_line *line)
{
    uint8_t count = HEL_SMTP_STAGE_COUNT;
    while (count > 0 && line->latency_ms[count - 1] == 0) {
        count--;
    }
    pack_u8(p, &count);
    for (size_t i = 0; i < count; i++) {
        pack_u32(p, &line->latency_ms[i]);
    }
    pack_u32(p, &line->latency_control_ms);
}

/* What the ask knows beside its case. */
struct rest {
    bool is_greylisted;
    struct interned *line; /* where one was tried */
};

static void walk_rest(struct pack *p, struct ask *ask, struct rest *rest)
{
    bool *const flags[] = {&ask->is_first,  &ask->work->was_tried, &ask->has_claim,
                           &ask->is_behind, &rest->is_greylisted,  &ask->is_patient};
    uint64_t wall_ms = (uint64_t)ask->asked_wall_ms;
    pack_flags(p, flags, sizeof flags / sizeof *flags);
    pack_u64(p, &ask->asked_ms);
    pack_since(p, &wall_ms, ask->asked_ms + ask->knocker->calendar_ms);
    pack_u32(p, &ask->work->spent_ms);
    pack_u8(p, &ask->egress);
    if (ask->work->was_tried) {
        pack_raw(p, &rest->line, sizeof(struct interned *));
        walk_latencies(p, &ask->work->line);
    }
    ask->asked_wall_ms = (int64_t)wall_ms;
}

static bool is_greylisted(const struct ask *ask)
{
    size_t count;
    const struct evidence *evidence = verify_case_evidence(ask->verify, &count);
    return count > 0 && evidence[count - 1].class.reason == REASON_GREYLISTED;
}

enum err park_bytes_write(struct ask *ask, struct buf *out)
{
    struct intern *shared = &ask->knocker->park.shared;
    struct head head = head_of(ask);
    struct rest rest = {is_greylisted(ask), ask->work->was_tried ? hold_line(ask) : NULL};
    if (ask->work->was_tried && rest.line == NULL) {
        return ERR_NOMEM;
    }
    struct pack p = pack_into(out);
    walk_head(&p, &head);
    write_askers(&p, ask);
    walk_rest(&p, ask, &rest);
    enum err e = p.err != ERR_NONE ? p.err : verify_case_pack(ask->verify, shared, out);
    if (e != ERR_NONE && rest.line != NULL) {
        intern_drop(shared, rest.line);
    }
    return e;
}

/* As far as the callers are over. */
static struct pack behind_askers(struct slice bytes, struct head *head)
{
    struct pack p = pack_from(bytes);
    uint64_t count = 0;
    *head = (struct head){.local = SLICE_NONE};
    walk_head(&p, head);
    pack_u64(&p, &count);
    for (uint64_t i = 0; i < count; i++) {
        struct asker asker = {.text = SLICE_NONE};
        walk_asker(&p, &asker);
    }
    return p;
}

void park_bytes_drop(struct ask *ask, struct slice bytes)
{
    struct intern *shared = &ask->knocker->park.shared;
    struct head head;
    struct ask_work work = {.was_tried = false};
    struct ask seen = {.knocker = ask->knocker, .work = &work};
    struct rest rest = {.line = NULL};
    struct pack p = behind_askers(bytes, &head);
    walk_rest(&p, &seen, &rest);
    if (rest.line != NULL) {
        intern_drop(shared, rest.line);
    }
    verify_packed_drop(p.from.rest, shared);
}

void park_bytes_view(const struct domain *domain, struct slice bytes, struct park_view *out)
{
    struct head head;
    struct ask_work work = {.was_tried = false};
    struct ask seen = {.knocker = domain->knocker, .work = &work};
    struct rest rest = {.line = NULL};
    struct pack p = behind_askers(bytes, &head);
    walk_rest(&p, &seen, &rest);
    *out = (struct park_view){
        .local = head.local, .folds = head.folds, .is_greylisted = rest.is_greylisted};
    if (rest.line != NULL) {
        struct tls_info tls = {.version = ""};
        bool has_tls = false;
        p = pack_from(interned_view(rest.line));
        walk_shared_line(&p, &work.line, &has_tls, &tls);
        out->host = work.line.host;
    }
}

bool park_bytes_has_context(struct slice bytes, const void *context)
{
    struct pack p = pack_from(bytes);
    struct head head = {.local = SLICE_NONE};
    uint64_t count = 0;
    walk_head(&p, &head);
    pack_u64(&p, &count);
    for (uint64_t i = 0; i < count; i++) {
        struct asker asker = {.text = SLICE_NONE};
        walk_asker(&p, &asker);
        if (asker.context == context) {
            return true;
        }
    }
    return false;
}

bool park_bytes_is_leaving(struct slice bytes, const struct knocker_leaver *leaver)
{
    struct pack p = pack_from(bytes);
    struct head head = {.local = SLICE_NONE};
    uint64_t count = 0;
    walk_head(&p, &head);
    pack_u64(&p, &count);
    for (uint64_t i = 0; i < count; i++) {
        struct asker asker = {.text = SLICE_NONE};
        walk_asker(&p, &asker);
        if (leaver->is_leaving(leaver->of, asker.fn, asker.context)) {
            return true;
        }
    }
    return false;
}

static enum err read_key(struct ask *ask, const struct head *head)
{
    char key[HEL_WIRE_BYTES];
    ask->key = hel_address_wire(&ask->address);
    if (!head->folds) {
        return ERR_NONE;
    }
    address_key(&ask->address, key);
    ask->work->folded_key = strdup(key);
    ask->key = ask->work->folded_key == NULL ? SLICE_NONE : slice_of(ask->work->folded_key);
    return ask->work->folded_key == NULL ? ERR_NOMEM : ERR_NONE;
}

/* The case comes last: what it took from the shared words cannot be given back. */
static enum err read_parts(struct ask *ask, struct slice bytes)
{
    struct knocker *knocker = ask->knocker;
    struct domain *domain = ask->domain;
    struct pack p = pack_from(bytes);
    struct head head = {.local = SLICE_NONE};
    struct rest rest = {.line = NULL};
    walk_head(&p, &head);
    make_address(&head, slice_of(domain->name), &ask->address);
    enum err e = read_key(ask, &head);
    e = e != ERR_NONE ? e : read_askers(&p, ask);
    if (e != ERR_NONE) {
        return e;
    }
    walk_rest(&p, ask, &rest);
    e = rest.line != NULL ? read_line(ask, rest.line) : ERR_NONE;
    e = e != ERR_NONE ? e : map_put(&knocker->asks, ask->key, ask);
    ask->is_listed = e == ERR_NONE;
    if (e != ERR_NONE) {
        return e;
    }
    struct verify_borrowed borrowed = {&knocker->config.verify, &ask->address,
                                       &domain->memory,         domain->route,
                                       domain->provider,        &knocker->spare_cases};
    e = verify_case_unpack(&p, &borrowed, &knocker->park.shared, &ask->verify);
    if (e == ERR_NONE && rest.line != NULL) {
        intern_drop(&knocker->park.shared, rest.line);
    }
    return e;
}

enum err park_bytes_read(struct domain *domain, struct slice bytes, struct ask **out)
{
    struct head head = {.local = SLICE_NONE};
    struct pack p = pack_from(bytes);
    walk_head(&p, &head);
    struct ask *ask = ask_alloc(domain->knocker, head.local.len + 1 + strlen(domain->name));
    if (ask == NULL) {
        return ERR_NOMEM;
    }
    ask->domain = domain;
    enum err e = ask_equip(ask) ? read_parts(ask, bytes) : ERR_NOMEM;
    if (e != ERR_NONE) {
        ask_leave_table(ask);
        ask_dispose(ask);
        return e;
    }
    transcript_init(&ask->work->transcript, ask->asked_ms, ask_watched, ask);
    ask->is_fresh = ask->knocker->config.is_fresh;
    ask->age_ms_max = ask->knocker->config.cache_age_ms_max;
    *out = ask;
    return ERR_NONE;
}
