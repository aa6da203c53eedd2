/* tools/health_report: the forms for programs: JSON, CSV, lines of a zone file.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tools/health_report.h"

#include <stdio.h>
#include <string.h>

#include "base/slice.h"
#include "base/text.h"
#include "engine/json_write.h"
#include "engine/writer.h"

static const char *kind_name(enum dns_answer_kind kind)
{
    switch (kind) {
    case DNS_ANSWER_OPEN: return "not_asked";
    case DNS_ANSWER_RECORDS: return "found";
    case DNS_ANSWER_NOT_FOUND: return "no_such_name";
    case DNS_ANSWER_NO_DATA: return "no_records";
    case DNS_ANSWER_CUT:
    case DNS_ANSWER_ERROR: break;
    }
    return "failed";
}

/* ---- JSON ---- */

static void json_text_record(struct json_writer *w, const char *key, const struct health_text *text)
{
    json_open(w, key, '{');
    json_string(w, "name", slice_of(text->name));
    json_string(w, "state", slice_of(kind_name(text->kind)));
    if (text->count > 0) {
        json_string(w, "record", text->text);
    } else {
        json_null(w, "record");
    }
    json_close(w, '}');
}

static const char *search_name(enum dmarc_search_state state)
{
    switch (state) {
    case DMARC_SEARCH_ASKING: return "not_asked";
    case DMARC_SEARCH_FOUND:
    case DMARC_SEARCH_SEVERAL:
    case DMARC_SEARCH_BROKEN: return "found";
    case DMARC_SEARCH_NONE: return "no_records";
    case DMARC_SEARCH_FAILED: break;
    }
    return "failed";
}

static void json_dmarc(struct json_writer *w, const struct health_facts *facts)
{
    char name[DNS_NAME_BYTES + 8];
    int len = snprintf(name, sizeof name, "_dmarc.%s", health_dmarc_domain(facts));
    const struct dmarc_search *dmarc = &facts->dmarc;
    json_open(w, "dmarc", '{');
    json_string(w, "name", slice_make(name, (size_t)len));
    json_string(w, "state", slice_of(search_name(dmarc->state)));
    if (health_has_dmarc_record(facts)) {
        json_string(w, "record", slice_make(dmarc->text, dmarc->text_bytes));
    } else {
        json_null(w, "record");
    }
    json_close(w, '}');
}

static const char *port_name(enum health_port_state state)
{
    switch (state) {
    case HEALTH_PORT_OPEN: return "not_asked";
    case HEALTH_PORT_FAILED: return "silent";
    case HEALTH_PORT_TURNED_AWAY: return "turns_away";
    case HEALTH_PORT_TALKED: return "talks";
    }
    return "not_asked";
}

static const char *listing_name(const struct health_facts *facts, size_t list, unsigned subject,
                                const struct fitness_listing *listing)
{
    const struct fitness_list_test *test = &facts->tests[list][subject];
    bool is_believed = test->listed.word.meaning == BLOCKLIST_LISTED &&
                       test->clean.word.meaning != BLOCKLIST_LISTED;
    if (!is_believed || listing->kind == DNS_ANSWER_ERROR) {
        return "no_answer";
    }
    switch (listing->word.meaning) {
    case BLOCKLIST_CLEAN:
    case BLOCKLIST_HARMLESS: return "clean";
    case BLOCKLIST_BROKEN:
    case BLOCKLIST_REFUSED: return "no_answer";
    case BLOCKLIST_LISTED: return "listed";
    }
    return "clean";
}

static void json_listings(struct json_writer *w, const struct health_facts *facts, unsigned subject,
                          const struct fitness_listing *listings)
{
    size_t count = facts->lists == NULL ? 0 : blocklist_count(facts->lists);
    json_open(w, "lists", '[');
    for (size_t i = 0; i < count; i++) {
        if (listings[i].kind != DNS_ANSWER_OPEN) {
            json_open(w, NULL, '{');
            json_string(w, "list", blocklist_at(facts->lists, i)->name);
            json_string(w, "state", slice_of(listing_name(facts, i, subject, &listings[i])));
            json_string(w, "meaning", listings[i].word.text);
            json_close(w, '}');
        }
    }
    json_close(w, ']');
}

static void json_address(struct json_writer *w, const struct health_facts *facts,
                         const struct health_address *address)
{
    char ip[IP_TEXT_BYTES];
    json_open(w, NULL, '{');
    json_string(w, "ip", slice_of(ip_format(&address->ip, ip)));
    json_bool(w, "public", !address->is_special);
    json_string(w, "reverse_name", slice_of(address->reverse_name));
    json_bool(w, "reverse_name_confirmed", address->is_confirmed);
    json_string(w, "smtp", slice_of(port_name(address->port)));
    json_bool(w, "starttls", address->has_starttls);
    json_listings(w, facts, address->ip.family == IP_V6 ? FITNESS_ADDRESS_V6 : FITNESS_ADDRESS_V4,
                  address->listings);
    json_close(w, '}');
}

static void json_mx(struct json_writer *w, const struct health_facts *facts)
{
    json_open(w, "mx", '[');
    for (size_t i = 0; i < facts->mx_count; i++) {
        const struct health_mx *mx = &facts->mx[i];
        json_open(w, NULL, '{');
        json_int(w, "preference", mx->preference);
        json_string(w, "host", slice_of(mx->host.name));
        json_bool(w, "alias", mx->host.is_alias);
        json_int(w, "tlsa", (int64_t)mx->tlsa_count);
        json_bool(w, "tlsa_authentic", mx->tlsa_count > 0 && mx->is_tlsa_authentic);
        json_open(w, "addresses", '[');
        for (size_t k = 0; k < mx->host.address_count; k++) {
            json_address(w, facts, mx->host.addresses[k]);
        }
        json_close(w, ']');
        json_close(w, '}');
    }
    json_close(w, ']');
}

static const char *ns_name(enum health_ns_state state)
{
    switch (state) {
    case HEALTH_NS_OPEN: return "not_asked";
    case HEALTH_NS_SILENT: return "silent";
    case HEALTH_NS_LAME: return "lame";
    case HEALTH_NS_ANSWERED: return "answers";
    }
    return "not_asked";
}

static void json_ns(struct json_writer *w, const struct health_facts *facts)
{
    json_open(w, "ns", '[');
    for (size_t i = 0; i < facts->ns_count; i++) {
        const struct health_ns *ns = &facts->ns[i];
        json_open(w, NULL, '{');
        json_string(w, "host", slice_of(ns->host.name));
        json_string(w, "state", slice_of(ns_name(ns->state)));
        if (ns->state == HEALTH_NS_ANSWERED) {
            json_int(w, "serial", ns->serial);
        } else {
            json_null(w, "serial");
        }
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void json_spf(struct json_writer *w, const struct health_facts *facts)
{
    static const char *const hows[] = {"domain", "include", "redirect"};
    const struct spf_tree_view *spf = facts->spf;
    json_open(w, "spf", '{');
    json_int(w, "lookups", spf == NULL ? 0 : spf->lookups);
    json_int(w, "voids", spf == NULL ? 0 : spf->voids);
    json_open(w, "policies", '[');
    for (size_t i = 0; spf != NULL && i < spf->node_count; i++) {
        const struct spf_tree_node *node = &spf->nodes[i];
        json_open(w, NULL, '{');
        json_string(w, "domain", slice_of(node->domain));
        json_string(w, "how", slice_of(hows[node->how]));
        json_int(w, "parent", (int64_t)node->parent);
        json_string(w, "record", node->record);
        json_int(w, "lookups", node->lookups);
        json_string(w, "fault", slice_of(spf_fault_text(node->fault)));
        json_close(w, '}');
    }
    json_close(w, ']');
    json_close(w, '}');
}

static void json_keys(struct json_writer *w, const struct health_facts *facts)
{
    json_open(w, "dkim", '[');
    for (size_t i = 0; i < facts->key_count; i++) {
        const struct health_key *key = &facts->keys[i];
        if (!health_key_is_there(key)) {
            continue;
        }
        json_open(w, NULL, '{');
        json_string(w, "selector", slice_of(key->selector));
        json_string(w, "from", slice_of(health_key_from_name(key->from)));
        json_string(w, "kind", slice_of(health_key_kind(key)));
        json_int(w, "bits", key->key.bits);
        json_bool(w, "revoked", key->key.is_revoked);
        json_bool(w, "testing", key->key.is_testing);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void json_egresses(struct json_writer *w, const struct health_facts *facts)
{
    json_open(w, "egresses", '[');
    for (size_t i = 0; i < facts->egress_count; i++) {
        const struct health_egress *egress = &facts->egresses[i];
        char ip[IP_TEXT_BYTES];
        json_open(w, NULL, '{');
        json_string(w, "ip", slice_of(ip_format(&egress->address->ip, ip)));
        json_string(w, "spf",
                    slice_of(egress->has_spf ? spf_result_name(egress->spf.result) : "not_asked"));
        json_string(w, "reverse_name", slice_of(egress->address->reverse_name));
        json_listings(w, facts,
                      egress->address->ip.family == IP_V6 ? FITNESS_ADDRESS_V6 : FITNESS_ADDRESS_V4,
                      egress->address->listings);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void json_services(struct json_writer *w, const struct health_facts *facts)
{
    json_open(w, "services", '[');
    for (size_t i = 0; i < facts->service_count; i++) {
        const struct health_service *service = &facts->services[i];
        for (size_t k = 0; k < service->target_count; k++) {
            json_open(w, NULL, '{');
            json_string(w, "service", slice_of(service->label));
            json_string(w, "host", slice_of(service->targets[k].host.name));
            json_int(w, "port", service->targets[k].port);
            json_close(w, '}');
        }
    }
    json_close(w, ']');
}

static void json_facts(struct json_writer *w, const struct health_facts *facts)
{
    json_open(w, "facts", '{');
    json_string(w, "domain_state", slice_of(kind_name(facts->soa)));
    json_bool(w, "dnssec", facts->is_authentic);
    json_ns(w, facts);
    json_mx(w, facts);
    json_spf(w, facts);
    json_keys(w, facts);
    json_dmarc(w, facts);
    json_text_record(w, "mta_sts", &facts->sts);
    if (facts->sts_policy.state == HEALTH_FETCH_DONE) {
        json_string(w, "mta_sts_policy", facts->sts_policy.body);
    } else {
        json_null(w, "mta_sts_policy");
    }
    json_text_record(w, "tls_rpt", &facts->tls_rpt);
    json_text_record(w, "bimi", &facts->bimi);
    json_services(w, facts);
    json_bool(w, "autoconfig", facts->autoconfig.address_count > 0);
    json_bool(w, "autodiscover", facts->autodiscover.address_count > 0);
    json_listings(w, facts, FITNESS_DOMAIN, facts->listings);
    json_egresses(w, facts);
    if (facts->age == HEALTH_AGE_KNOWN) {
        json_int(w, "registered_days_ago",
                 facts->wall_ms / 86400000 - (int64_t)facts->registered_day);
    } else {
        json_null(w, "registered_days_ago");
    }
    json_close(w, '}');
}

enum err health_write_json(const struct health_facts *facts, const struct health_report *report,
                           struct buf *out)
{
    struct json_writer w;
    char grade[2] = {report->grade, '\0'};
    json_begin(&w, out);
    json_open(&w, NULL, '{');
    json_string(&w, "domain", slice_of(facts->domain));
    json_string(&w, "grade", slice_of(grade));
    json_int(&w, "score", report->score);
    json_bool(&w, "complete", !facts->is_partial && !report->is_cut);
    json_open(&w, "findings", '[');
    for (size_t i = 0; i < report->count; i++) {
        const struct health_finding *finding = &report->findings[i];
        json_open(&w, NULL, '{');
        json_string(&w, "check", slice_of(finding->check->name));
        json_string(&w, "area", slice_of(health_area_name(finding->check->area)));
        json_string(&w, "level", slice_of(health_level_name(finding->check->level)));
        json_string(&w, "text", slice_of(finding->text));
        json_string(&w, "why", slice_of(finding->check->why));
        json_string(&w, "todo", slice_of(finding->todo));
        json_string(&w, "record", slice_of(finding->record));
        json_close(&w, '}');
    }
    json_close(&w, ']');
    json_facts(&w, facts);
    json_close(&w, '}');
    return w.err;
}

/* ---- CSV ---- */

/* A field that a spreadsheet takes for a formula gets a quote in front. */
static enum err put_field(struct buf *out, const char *text, char end)
{
    static const char formula[] = "=+-@";
    struct buf safe;
    buf_init(&safe, HEALTH_REPORT_BYTES_MAX);
    enum err e = buf_append_byte(out, '"');
    if (text[0] != '\0' && strchr(formula, text[0]) != NULL) {
        e = e != ERR_NONE ? e : buf_append_byte(out, '\'');
    }
    e = e != ERR_NONE ? e : text_append_printable(&safe, slice_of(text));
    for (size_t i = 0; i < safe.len && e == ERR_NONE; i++) {
        e = safe.at[i] == '"' ? buf_append(out, SLICE("\"\"")) : buf_append_byte(out, safe.at[i]);
    }
    buf_done(&safe);
    e = e != ERR_NONE ? e : buf_append_byte(out, '"');
    return e != ERR_NONE ? e : buf_append_byte(out, end);
}

enum err health_write_csv_head(struct buf *out)
{
    return buf_append(out, SLICE("domain,grade,score,check,level,text,todo,record\r\n"));
}

static enum err put_row(const struct health_facts *facts, const struct health_report *report,
                        const struct health_finding *finding, struct buf *out)
{
    char score[8];
    char grade[2] = {report->grade, '\0'};
    (void)snprintf(score, sizeof score, "%u", report->score);
    const char *const fields[] = {
        facts->domain,
        grade,
        score,
        finding == NULL ? "" : finding->check->name,
        finding == NULL ? "" : health_level_name(finding->check->level),
        finding == NULL ? "" : finding->text,
        finding == NULL ? "" : finding->todo,
        finding == NULL ? "" : finding->record,
    };
    enum { FIELDS = sizeof fields / sizeof *fields };
    enum err e = ERR_NONE;
    for (size_t i = 0; i < FIELDS && e == ERR_NONE; i++) {
        e = put_field(out, fields[i], i + 1 < FIELDS ? ',' : '\r');
    }
    return e != ERR_NONE ? e : buf_append_byte(out, '\n');
}

enum err health_write_csv(const struct health_facts *facts, const struct health_report *report,
                          struct buf *out)
{
    enum err e = report->count == 0 ? put_row(facts, report, NULL, out) : ERR_NONE;
    for (size_t i = 0; i < report->count && e == ERR_NONE; i++) {
        e = put_row(facts, report, &report->findings[i], out);
    }
    return e;
}

/* ---- records ---- */

static void put_remark(struct writer *w, const char *text)
{
    if (text[0] != '\0') {
        writer_put(w, "; ");
        writer_put_safe(w, slice_of(text));
        writer_put(w, "\n");
    }
}

enum err health_write_fixes(const struct health_facts *facts, const struct health_report *report,
                            struct buf *out)
{
    struct writer w = {.out = out};
    writer_printf(&w, "; %s: grade %c\n", facts->domain, report->grade);
    for (size_t i = 0; i < report->count; i++) {
        const struct health_finding *finding = &report->findings[i];
        writer_put(&w, "\n");
        put_remark(&w, finding->text);
        put_remark(&w, finding->todo);
        if (finding->record[0] != '\0') {
            writer_put_safe(&w, slice_of(finding->record));
            writer_put(&w, "\n");
        }
    }
    return w.err;
}
