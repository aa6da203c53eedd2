/* tools/health_show: the form for people: area by area what stands there, then what to mend.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/slice.h"
#include "engine/writer.h"
#include "tools/health_report.h"

enum { SHOWN_BYTES = 300 }; /* of a record */

static void put_record(struct writer *w, const char *label, struct slice text)
{
    writer_printf(w, "  %s", label);
    writer_put_safe(w, slice_sub(text, 0, SHOWN_BYTES));
    writer_put(w, text.len > SHOWN_BYTES ? " ...\n" : "\n");
}

static void put_name(struct writer *w, const char *name)
{
    writer_put_safe(w, name[0] == '\0' ? SLICE(".") : slice_of(name));
}

/* ---- what stands there ---- */

static void put_dns(struct writer *w, const struct health_facts *facts)
{
    for (size_t i = 0; i < facts->ns_count; i++) {
        const struct health_ns *ns = &facts->ns[i];
        writer_put(w, "  NS ");
        put_name(w, ns->host.name);
        switch (ns->state) {
        case HEALTH_NS_OPEN: writer_put(w, "\n"); break;
        case HEALTH_NS_SILENT: writer_put(w, "  silent\n"); break;
        case HEALTH_NS_LAME: writer_put(w, "  no authority\n"); break;
        case HEALTH_NS_ANSWERED: writer_printf(w, "  serial %u\n", ns->serial); break;
        }
    }
}

static const char *port_words(const struct health_address *address)
{
    switch (address->port) {
    case HEALTH_PORT_OPEN: return "";
    case HEALTH_PORT_FAILED: return ", silent";
    case HEALTH_PORT_TURNED_AWAY: return ", turns us away";
    case HEALTH_PORT_TALKED: break;
    }
    return address->has_starttls ? ", talks, STARTTLS" : ", talks";
}

static void put_address(struct writer *w, const struct health_address *address)
{
    char ip[IP_TEXT_BYTES];
    writer_printf(w, "       %s", ip_format(&address->ip, ip));
    if (address->reverse_name[0] != '\0') {
        writer_put(w, address->is_confirmed ? " = " : " -> ");
        writer_put_safe(w, slice_of(address->reverse_name));
    }
    writer_put(w, port_words(address));
    writer_put(w, "\n");
}

static void put_mx(struct writer *w, const struct health_facts *facts)
{
    if (facts->has_null_mx && facts->mx_count == 1) {
        writer_put(w, "  takes no mail, and says so (null MX)\n");
        return;
    }
    for (size_t i = 0; i < facts->mx_count; i++) {
        const struct health_mx *mx = &facts->mx[i];
        writer_printf(w, "  %4u ", mx->preference);
        put_name(w, mx->host.name);
        writer_put(w, "\n");
        for (size_t k = 0; k < mx->host.address_count; k++) {
            put_address(w, mx->host.addresses[k]);
        }
    }
}

static void put_node(struct writer *w, const struct spf_tree_node *node)
{
    writer_put(w, "  ");
    for (unsigned i = 0; i < node->depth; i++) {
        writer_put(w, i + 1 == node->depth ? "+- " : "|  ");
    }
    writer_put(w, node->how == SPF_TREE_REDIRECT ? "redirect=" : "");
    writer_put_safe(w, slice_of(node->domain));
    if (node->is_loop) {
        writer_put(w, "  (again)\n");
    } else if (node->has_macro) {
        writer_put(w, "  (depends on the message)\n");
    } else if (node->record.len == 0) {
        writer_printf(w, "  (%s)\n", node->fault == SPF_FAULT_DNS ? "no answer" : "no policy");
    } else {
        writer_printf(w, "  [%u]  ", node->lookups);
        writer_put_safe(w, slice_sub(node->record, 0, SHOWN_BYTES));
        writer_put(w, node->record.len > SHOWN_BYTES ? " ...\n" : "\n");
    }
}

/* Nodes lie in the order in which they were found; a tree is drawn child by child. */
/* NOLINTNEXTLINE(misc-no-recursion): no deeper than SPF_TREE_DEPTH_MAX */
static void put_tree(struct writer *w, const struct spf_tree_view *spf, size_t from)
{
    put_node(w, &spf->nodes[from]);
    for (size_t i = from + 1; i < spf->node_count; i++) {
        if (spf->nodes[i].parent == from) {
            put_tree(w, spf, i);
        }
    }
}

static void put_spf(struct writer *w, const struct health_facts *facts)
{
    if (facts->spf == NULL || facts->spf->nodes[0].record.len == 0) {
        return;
    }
    put_tree(w, facts->spf, 0);
    writer_printf(w, "  %u of %d lookups, %u of %d names that are not there\n", facts->spf->lookups,
                  SPF_LOOKUPS_MAX, facts->spf->voids, SPF_VOIDS_MAX);
    for (size_t i = 0; i < facts->egress_count; i++) {
        const struct health_egress *egress = &facts->egresses[i];
        char ip[IP_TEXT_BYTES];
        if (egress->has_spf) {
            writer_printf(w, "  from %s: %s", ip_format(&egress->address->ip, ip),
                          spf_result_name(egress->spf.result));
            writer_put(w, egress->spf.term[0] != '\0' ? " by " : "");
            writer_put_safe(w, slice_of(egress->spf.term));
            writer_put(w, "\n");
        }
    }
}

static void put_dkim(struct writer *w, const struct health_facts *facts)
{
    for (size_t i = 0; i < facts->key_count; i++) {
        const struct health_key *key = &facts->keys[i];
        if (!health_key_is_there(key)) {
            continue;
        }
        writer_put(w, "  ");
        writer_put_safe(w, slice_of(key->selector));
        writer_printf(w, ": %s", health_key_kind(key));
        if (key->key.bits > 0) {
            writer_printf(w, ", %u bits", key->key.bits);
        }
        writer_put(w, key->key.is_revoked ? ", revoked" : "");
        writer_put(w, key->key.is_testing ? ", testing\n" : "\n");
    }
}

/* RFC 7489 3.1: what a domain that passed SPF or DKIM must be to count. */
static void put_alignment(struct writer *w, enum dmarc_alignment alignment, const char *what)
{
    writer_printf(w, "  %s counts where its domain %s\n", what,
                  alignment == DMARC_STRICT
                      ? "is that of the From field itself (strict)"
                      : "and that of the From field belong to one organisation (relaxed)");
}

static void put_dmarc(struct writer *w, const struct health_facts *facts)
{
    const struct dmarc_search *dmarc = &facts->dmarc;
    if (!health_has_dmarc_record(facts)) {
        return;
    }
    if (!slice_equal(slice_of(facts->domain), slice_of(health_dmarc_domain(facts)))) {
        writer_put(w, "  of _dmarc.");
        writer_put_safe(w, slice_of(health_dmarc_domain(facts)));
        writer_put(w, "\n");
    }
    put_record(w, "", slice_make(dmarc->text, dmarc->text_bytes));
    put_alignment(w, dmarc->record.spf_alignment, "SPF");
    put_alignment(w, dmarc->record.dkim_alignment, "DKIM");
}

static void put_sts(struct writer *w, const struct health_facts *facts)
{
    struct slice rest = facts->sts_policy.body;
    if (facts->sts.count > 0) {
        put_record(w, "", facts->sts.text);
    }
    for (int i = 0; rest.at != NULL && rest.len > 0 && i < 20; i++) {
        put_record(w, "  ", slice_trim(slice_cut(&rest, '\n')));
    }
}

static void put_dane(struct writer *w, const struct health_facts *facts)
{
    writer_put(w, facts->is_authentic               ? "  signed, and the resolver vouches for it\n"
                  : facts->ds == DNS_ANSWER_RECORDS ? "  signed\n"
                                                    : "  not signed\n");
    for (size_t i = 0; i < facts->mx_count; i++) {
        const struct health_mx *mx = &facts->mx[i];
        for (size_t k = 0; k < mx->tlsa_count; k++) {
            writer_put(w, "  ");
            put_name(w, mx->host.name);
            writer_printf(w, "  TLSA %u %u %u\n", mx->tlsa[k].usage, mx->tlsa[k].selector,
                          mx->tlsa[k].matching);
        }
    }
}

static void put_services(struct writer *w, const struct health_facts *facts)
{
    for (size_t i = 0; i < facts->service_count; i++) {
        const struct health_service *service = &facts->services[i];
        for (size_t k = 0; k < service->target_count; k++) {
            writer_printf(w, "  %s  ", service->label);
            put_name(w, service->targets[k].host.name);
            writer_printf(w, ":%u\n", service->targets[k].port);
        }
    }
    if (facts->autoconfig.address_count > 0) {
        writer_printf(w, "  %s\n", facts->autoconfig.name);
    }
    if (facts->autodiscover.address_count > 0) {
        writer_printf(w, "  %s\n", facts->autodiscover.name);
    }
}

static void put_lists(struct writer *w, const struct health_facts *facts)
{
    if (facts->lists != NULL) {
        writer_printf(w, "  %zu lists asked\n", blocklist_count(facts->lists));
    }
    if (facts->age == HEALTH_AGE_KNOWN) {
        writer_printf(w, "  registered %d days ago\n",
                      (int)(facts->wall_ms / 86400000 - (int64_t)facts->registered_day));
    }
}

static void put_text(struct writer *w, const struct health_text *text)
{
    if (text->count > 0) {
        put_record(w, "", text->text);
    }
}

static void put_facts(struct writer *w, const struct health_facts *facts, enum health_area area)
{
    switch (area) {
    case HEALTH_DNS: put_dns(w, facts); return;
    case HEALTH_MX: put_mx(w, facts); return;
    case HEALTH_SPF: put_spf(w, facts); return;
    case HEALTH_DKIM: put_dkim(w, facts); return;
    case HEALTH_DMARC: put_dmarc(w, facts); return;
    case HEALTH_MTA_STS: put_sts(w, facts); return;
    case HEALTH_TLS_RPT: put_text(w, &facts->tls_rpt); return;
    case HEALTH_DANE: put_dane(w, facts); return;
    case HEALTH_BIMI: put_text(w, &facts->bimi); return;
    case HEALTH_AUTODISCOVERY: put_services(w, facts); return;
    case HEALTH_LISTS: put_lists(w, facts); return;
    case HEALTH_AREAS: return;
    }
}

/* ---- findings ---- */

static const char *colour_of(enum health_level level)
{
    switch (level) {
    case HEALTH_UNKNOWN: return "\033[1;36m";
    case HEALTH_ADVICE: return "\033[33m";
    case HEALTH_WARNING: return "\033[1;33m";
    case HEALTH_ERROR:
    case HEALTH_CRITICAL: break;
    }
    return "\033[1;31m";
}

static void put_line(struct writer *w, const char *before, const char *text)
{
    if (text[0] != '\0') {
        writer_put(w, before);
        writer_put_safe(w, slice_of(text));
        writer_put(w, "\n");
    }
}

static void put_finding(struct writer *w, const struct health_finding *finding)
{
    writer_put(w, "  ");
    writer_put_colour(w, colour_of(finding->check->level));
    writer_printf(w, "%-8s", health_level_name(finding->check->level));
    writer_put_colour(w, WRITER_COLOUR_END);
    put_line(w, " ", finding->text);
    put_line(w, "           ", finding->check->why);
    put_line(w, "           -> ", finding->todo);
    put_line(w, "              ", finding->record);
}

enum err health_write_text(const struct health_facts *facts, const struct health_report *report,
                           bool has_colour, struct buf *out)
{
    struct writer w = {.out = out, .has_colour = has_colour};
    bool is_there = facts->soa == DNS_ANSWER_RECORDS || facts->soa == DNS_ANSWER_NO_DATA;
    writer_printf(&w, "%s: grade %c, %u of 100\n", facts->domain, report->grade, report->score);
    for (int area = 0; area < HEALTH_AREAS && (is_there || area == HEALTH_DNS); area++) {
        writer_printf(&w, "\n%s\n", health_area_label((enum health_area)area));
        put_facts(&w, facts, (enum health_area)area);
        for (size_t i = 0; i < report->count; i++) {
            if ((int)report->findings[i].check->area == area) {
                put_finding(&w, &report->findings[i]);
            }
        }
    }
    return w.err;
}
