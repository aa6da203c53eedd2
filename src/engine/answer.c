/* engine/answer: the record of an ask that is over, and what is kept of it in the store.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "address/normal.h"
#include "base/must.h"
#include "base/slice.h"
#include "engine/knocker_private.h"
#include "engine/record_json.h"
#include "verify/score.h"

enum {
    ANSWER_ARENA_BYTES = 1 << 20, /* a record with its transcript is far smaller */
    ANSWER_JSON_BYTES = 1 << 20,
    ANSWER_JSON_USUAL = 2048,          /* a record hardly has more: room for it at once */
    ANSWER_DETAIL_BYTES = 512,         /* of a fact: a word and the name of a host */
    ANSWER_SYNTAX_LIFE_S = 31 * 86400, /* the grammar does not change */
    ANSWER_UNBEGUN_LIFE_S = 300,
};

/* Copies what is made for the record alone into its arena; where memory is short the field stays empty: an answer
 * without its decoration is still the answer. Everything else is lent by the ask, the domain and the knowledge,
 * which outlive the record. */
static struct slice keep(struct record *record, struct slice s)
{
    struct slice copy = SLICE_NONE;
    if (s.len > 0 && arena_copy(&record->arena, s, &copy) != ERR_NONE) {
        return SLICE_NONE;
    }
    return copy;
}

static void fill_address(const struct ask *ask, struct record *record)
{
    const struct hel_address *address = &ask->address;
    const struct domain *domain = ask->domain;
    UNFILLED char normal[HEL_WIRE_BYTES];
    address_normal(address, normal);
    record->ascii = hel_address_wire(address);
    record->normalized = slice_equal(slice_of(normal), record->ascii)
                             ? record->ascii
                             : keep(record, slice_of(normal));
    record->local = hel_address_local(address);
    record->domain = hel_address_domain(address);
    UNFILLED char meant[HEL_WIRE_BYTES];
    if (domain != NULL && domain->suggestion.len > 0 &&
        address_with_domain(address, domain->suggestion, meant)) {
        record->did_you_mean = keep(record, slice_of(meant));
    }
}

static void fill_flags(const struct address_flags *flags, struct record *record)
{
    record->flags = (struct record_flags){
        .is_disposable = flags->domain.is_disposable,
        .is_role = flags->is_role,
        .is_free = flags->domain.is_free,
        .is_plus_tagged = flags->is_plus_tagged,
        .is_noreply = flags->is_noreply,
        .is_gov = flags->domain.is_gov,
        .is_edu = flags->domain.is_edu,
        .is_idn = flags->is_idn,
        .is_gibberish = flags->is_gibberish,
    };
    record->disposable_entry = keep(record, flags->domain.disposable_entry);
}

static void fill_route(const struct ask *ask, struct record *record)
{
    const struct domain *domain = ask->domain;
    const struct route *route = domain->route;
    if (route == NULL) {
        return;
    }
    record->has_dns = true;
    record->route_status = route->status;
    record->dns_failure = route->failure;
    record->is_implicit_mx = route->is_implicit_mx;
    record->ttl_s = route->ttl_s;
    record->smtp.latency_dns_ms = domain->dns_ms;
    for (size_t i = 0; i < route->exchanger_count && i < ROUTE_EXCHANGERS_MAX; i++) {
        const struct exchanger *from = &route->exchangers[i];
        struct record_mx *to = &record->mx[record->mx_count++];
        to->host = slice_of(from->host);
        to->preference = from->preference;
        to->address_count = from->address_count;
        memcpy(to->addresses, from->addresses, sizeof to->addresses);
    }
    const struct provider *provider =
        domain->site != NULL ? domain->site->provider : domain->provider;
    record->provider_name = provider->name;
    record->provider_label = provider->label;
    record->provider_class = slice_of(provider_class_name(provider->class));
    record->is_gateway = provider->class == PROVIDER_GATEWAY;
    if ((provider->traits & PROVIDER_ACCEPTS_ALL) != 0) {
        record->provider_trait = SLICE("accepts_all");
    } else if ((provider->traits & PROVIDER_FORBIDS_PROBING) != 0) {
        record->provider_trait = SLICE("forbids_probing");
    }
}

static struct slice control_result(const struct verify_summary *summary)
{
    switch (summary->control) {
    case CONTROL_REFUSED: return SLICE("refused");
    case CONTROL_ACCEPTED: return SLICE("accepted");
    case CONTROL_UNTESTABLE: return SLICE("untestable");
    case CONTROL_UNTESTED:
    case CONTROL_RUNNING: break;
    }
    return SLICE_NONE;
}

static int64_t wall_of(const struct ask *ask, uint64_t at_ms)
{
    if (at_ms == 0) {
        return 0;
    }
    return ask->asked_wall_ms + ((int64_t)at_ms - (int64_t)ask->asked_ms);
}

static void fill_summary(const struct ask *ask, struct record *record)
{
    struct verify_summary summary;
    verify_case_summary(ask->verify, &summary);
    struct record_smtp *smtp = &record->smtp;
    smtp->attempts = summary.attempts;
    smtp->control_tested = summary.control_tested;
    smtp->control_result = control_result(&summary);
    smtp->control_code = summary.control_code;
    smtp->control_count = summary.control_count;
    smtp->greylist_seen = summary.greylist_seen;
    smtp->greylist_first_at_ms = wall_of(ask, summary.greylist_first_ms);
    smtp->greylist_passed_at_ms = wall_of(ask, summary.greylist_passed_ms);
    if (summary.greylist_passed_ms > summary.greylist_first_ms) {
        smtp->greylist_waited_s =
            (uint32_t)((summary.greylist_passed_ms - summary.greylist_first_ms) / 1000);
    }
}

static void fill_smtp(const struct ask *ask, const struct verdict *verdict, struct record *record)
{
    struct record_smtp *smtp = &record->smtp;
    if (ask->work->was_tried) {
        const struct ask_line *line = &ask->work->line;
        smtp->ip = line->ip;
        smtp->extensions = line->extensions;
        memcpy(smtp->latency_ms, line->latency_ms, sizeof smtp->latency_ms);
        smtp->latency_control_ms = line->latency_control_ms;
        smtp->host = slice_of(line->host);
        smtp->port = ask->knocker->config.port;
        const struct traffic_egress *egress = egress_at(ask->knocker, line->egress);
        smtp->egress = egress->name;
        smtp->helo = egress->helo_name;
        smtp->tls_used = line->is_secured;
        if (line->is_secured && line->tls != NULL) {
            smtp->tls_version = slice_of(line->tls->version);
            smtp->tls_cipher = slice_of(line->tls->cipher);
            smtp->tls_cert_ok = line->tls->is_cert_trusted && line->tls->is_cert_for_host &&
                                !line->tls->is_cert_expired;
        }
    }
    smtp->was_tried = ask->work->was_tried;
    smtp->stage = verdict->stage;
    fill_summary(ask, record);
    size_t count;
    const struct evidence *evidence = verify_case_evidence(ask->verify, &count);
    if (verdict->deciding < 0 || (size_t)verdict->deciding >= count) {
        return;
    }
    const struct evidence *deciding = &evidence[verdict->deciding];
    smtp->code = deciding->code;
    smtp->enhanced = deciding->enhanced;
    smtp->text = slice_of(deciding->text);
    smtp->rule = slice_of(deciding->class.rule);
    smtp->mail_from = deciding->is_null_sender
                          ? SLICE_NONE
                          : egress_at(ask->knocker, deciding->egress)->mail_from;
}

static void fill_verdict(const struct verdict *verdict, struct record *record)
{
    record->status = verdict->status;
    record->sub = verdict->sub;
    record->block_kind = verdict->block_kind;
    record->skip = verdict->skip;
    record->score = verdict->score;
    record->confidence = verdict->confidence;
    record->reason_count = verdict->reason_count;
    memcpy(record->reasons, verdict->reasons, verdict->reason_count * sizeof record->reasons[0]);
    record->is_catch_all = verdict->is_catch_all;
    record->is_full = verdict->is_full;
    record->is_disabled = verdict->is_disabled;
    record->retry_after_s = verdict->retry_after_s;
}

/* A verdict that needs no evidence, with its one reason. */
static void fill_plain(struct record *record, enum verdict_sub sub, int score, const char *detail)
{
    record->sub = sub;
    record->status = verdict_status_of(sub);
    record->score = score;
    record->confidence = record->status == VERDICT_UNDELIVERABLE ? 1.0 : 0.0;
    record->reason_count = 1;
    struct verdict_reason *reason = &record->reasons[0];
    reason->code = verdict_sub_name(sub);
    reason->effect = score;
    (void)snprintf(reason->detail, sizeof reason->detail, "%s", detail);
}

static void fill_syntax(struct record *record, const struct hel_address_error *error)
{
    char detail[VERDICT_DETAIL_BYTES];
    (void)snprintf(detail, sizeof detail, "column %u: %.*s", error->column,
                   VERDICT_DETAIL_BYTES - 24, error->text);
    fill_plain(record, SUB_INVALID_SYNTAX, 0, detail);
}

/* No case was begun: it was stopped first, or our own memory or the resolver failed. */
static void fill_unbegun(const struct ask *ask, struct record *record)
{
    if (ask->is_expired && ask->expired_why == SKIP_CANCELLED) {
        fill_plain(record, SUB_SKIPPED, 40, "stopped before anything was asked");
        record->skip = SKIP_CANCELLED;
    } else if (ask->is_expired && ask->is_behind) {
        fill_plain(record, SUB_SKIPPED, 40, "another process was still asking this address");
        record->skip = SKIP_BUDGET;
    } else if (ask->is_expired && ask->domain != NULL && ask->domain->route == NULL) {
        fill_plain(record, SUB_DNS_ERROR, 35, "no answer from DNS in the time given");
        record->dns_failure = DNS_FAILURE_TIMEOUT;
        record->has_dns = true;
        record->route_status = ROUTE_DNS_ERROR;
        record->retry_after_s = 300;
    } else {
        fill_plain(record, SUB_INTERNAL_ERROR, 40, "out of memory");
    }
}

struct line_list {
    struct record *record;
    struct record_line *lines;
    size_t count;
};

static void keep_line(void *context, uint32_t t_ms, char direction, struct slice line)
{
    struct line_list *list = context;
    list->lines[list->count++] = (struct record_line){
        .t_ms = t_ms, .direction = direction, .text = keep(list->record, line)};
}

static void count_line(void *context, uint32_t t_ms, char direction, struct slice line)
{
    size_t *count = context;
    (void)t_ms;
    (void)direction;
    (void)line;
    (*count)++;
}

static void fill_transcript(const struct ask *ask, struct record *record)
{
    size_t count = 0;
    transcript_each(&ask->work->transcript, count_line, &count);
    if (count == 0) {
        return;
    }
    struct line_list list = {.record = record};
    list.lines = arena_alloc(&record->arena, count * sizeof *list.lines);
    if (list.lines == NULL) {
        return;
    }
    transcript_each(&ask->work->transcript, keep_line, &list);
    record->transcript = list.lines;
    record->transcript_count = list.count;
}

/* knowledge NULL: it is not there. */
static void head(const struct knowledge *knowledge, int64_t wall_ms, struct record *out)
{
    memset(out, 0, offsetof(struct record, reasons));
    out->engine_version = SLICE(HELOISE_VERSION);
    arena_init(&out->arena, ANSWER_ARENA_BYTES);
    if (knowledge != NULL) {
        out->rules_version = slice_of(rules_version(knowledge_rules(knowledge)));
    }
    out->checked_at_ms = wall_ms;
}

/* Whether all of the knowledge is there. Until the next answer begins the lists stay as they are now. */
static bool begin(struct knocker *knocker, struct record *out)
{
    int64_t now_ms =
        door_wall_ms(knocker->door); /* before the look at the lists: list_shelf_date */
    bool is_learned = knocker_learn(knocker, KNOWLEDGE_LISTS) && list_reader_renew(&knocker->lists);
    head(is_learned ? knocker->knowledge : NULL, now_ms, out);
    return is_learned;
}

void answer_invalid(struct knocker *knocker, const struct hel_address_error *error,
                    struct record *out)
{
    bool is_learned = knocker_learn(knocker, KNOWLEDGE_LISTS);
    knocker_refuse(is_learned ? knocker->knowledge : NULL, error, door_wall_ms(knocker->door), out);
}

void knocker_refuse(const struct knowledge *knowledge, const struct hel_address_error *error,
                    int64_t wall_ms, struct record *out)
{
    head(knowledge, wall_ms, out);
    fill_syntax(out, error);
    out->expires_at_ms = out->checked_at_ms + (int64_t)ANSWER_SYNTAX_LIFE_S * 1000;
}

static void decide_with(const struct ask *ask, bool is_over, const struct verify_hints *hints,
                        const struct verify_history *history, struct verdict *out)
{
    if (is_over) {
        verify_case_verdict(ask->verify, hints, history, out);
    } else {
        verify_case_verdict_so_far(ask->verify, hints, history, door_now_ms(ask->knocker->door),
                                   out);
    }
}

static void decide(struct ask *ask, bool is_over, struct verdict *verdict, struct record *out)
{
    const struct knocker *knocker = ask->knocker;
    struct address_flags flags = {.is_role = false};
    must(ask->domain != NULL); /* a case has one */
    if (!knocker->is_ignorant) {
        address_flags(list_reader_lists(&knocker->lists), &ask->address, &ask->domain->flags,
                      &flags);
    }
    struct verify_hints hints = {
        .is_disposable = flags.domain.is_disposable,
        .is_role = flags.is_role,
        .is_free = flags.domain.is_free,
        .is_gibberish = flags.is_gibberish,
        .has_suggestion = ask->domain->suggestion.len > 0,
    };
    UNFILLED struct verify_history history;
    bool has_history = history_read(ask, &history);
    fill_flags(&flags, out);
    const struct verify_history *earlier = has_history ? &history : NULL;
    decide_with(ask, is_over, &hints, earlier, verdict);
    UNFILLED struct verify_likeness likeness;
    if (score_is_ambiguous(verdict->sub) && answer_likeness(ask, &likeness)) {
        hints.likeness = &likeness;
        decide_with(ask, is_over, &hints, earlier, verdict);
    }
}

static uint32_t fill_case(struct ask *ask, bool is_over, struct record *out)
{
    struct verdict *verdict = &ask->knocker->verdict;
    decide(ask, is_over, verdict, out);
    fill_verdict(verdict, out);
    fill_smtp(ask, verdict, out);
    return verdict->life_s;
}

static void build(struct ask *ask, bool is_over, struct record *out)
{
    struct knocker *knocker = ask->knocker;
    if (ask->work->syntax != NULL) {
        answer_invalid(knocker, ask->work->syntax, out);
        return;
    }
    uint32_t life_s = ANSWER_UNBEGUN_LIFE_S;
    if (begin(knocker, out) && ask->domain != NULL) {
        domain_describe(ask->domain);
    }
    fill_address(ask, out);
    fill_route(ask, out);
    if (ask->verify != NULL) {
        life_s = fill_case(ask, is_over, out);
    } else if (is_over) {
        fill_unbegun(ask, out);
    } else {
        fill_plain(out, SUB_SKIPPED, 40, "its mail servers are still being looked up");
        out->skip = SKIP_BUDGET;
    }
    fill_transcript(ask, out);
    uint64_t now = door_now_ms(knocker->door);
    out->duration_ms = (uint32_t)(now - ask->asked_ms);
    /* Not after the look at the lists: their change is dated after it, and the loop's time may have been behind the clock
     * when the ask came. */
    int64_t ended_ms = wall_of(ask, now);
    out->checked_at_ms = ended_ms < out->checked_at_ms ? ended_ms : out->checked_at_ms;
    out->expires_at_ms = out->checked_at_ms + (int64_t)life_s * 1000;
    ask_apply_signals(ask, out);
}

void answer_build(struct ask *ask, struct record *out)
{
    build(ask, true, out);
}

void answer_build_so_far(struct ask *ask, struct record *out)
{
    if (ask->is_unbegun) {
        (void)ask_begin(ask); /* without memory it looks as if its servers were not known yet */
    }
    build(ask, false, out);
}

/* A full or broken store never spoils an answer: the record is already there; the caller of the
 * store's flush is told. */
void answer_store(struct ask *ask, const struct record *record)
{
    struct knocker *knocker = ask->knocker;
    bool is_final = record->sub != SUB_SKIPPED && record->sub != SUB_INTERNAL_ERROR;
    if (knocker->store == NULL || ask->domain == NULL || !is_final) {
        return;
    }
    char key[KNOCKER_KEY_BYTES];
    struct buf json;
    buf_init(&json, ANSWER_JSON_BYTES);
    if (buf_reserve(&json, ANSWER_JSON_USUAL) == ERR_NONE &&
        record_write_json(record, &json) == ERR_NONE) {
        struct store_verdict row = {
            .key = ask_store_key(ask, key),
            .domain = record->domain,
            .status = slice_of(verdict_status_name(record->status)),
            .sub_status = slice_of(verdict_sub_name(record->sub)),
            .checked_at_ms = record->checked_at_ms,
            .expires_at_ms = record->expires_at_ms,
            .json = buf_view(&json),
        };
        knocker->counts.store_errors += store_verdict_put(knocker->store, &row) == ERR_NONE ? 0 : 1;
        struct store_fact fact = {
            .key = ask->key,
            .domain = row.domain,
            .kind = SLICE_LITERAL("probe"),
            .source = egress_at(knocker, ask->work->line.egress)->name,
            .at_ms = record->checked_at_ms,
        };
        struct buf detail;
        buf_init(&detail, ANSWER_DETAIL_BYTES);
        fact.detail = history_detail(ask, record->sub, &detail);
        knocker->counts.store_errors += store_fact_put(knocker->store, &fact) == ERR_NONE ? 0 : 1;
        buf_done(&detail);
        knocker_wrote(knocker);
    }
    buf_done(&json);
}
