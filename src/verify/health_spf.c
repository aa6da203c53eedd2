/* verify/health_spf: checks of the SPF policy and of all that it includes (RFC 7208).
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"
#include "verify/health_private.h"

enum {
    LOOKUPS_NEAR = 9,
    STRING_MAX = 450, /* RFC 7208 3.4: a record beyond this may need TCP */
    WIDE_V4 = 15,     /* shorter prefixes let 131072 addresses and more send */
    WIDE_V6 = 31,
    SHOWN_BYTES = 120, /* of a term */
};

static struct slice shown(struct slice text)
{
    return slice_sub(text, 0, SHOWN_BYTES);
}

static const struct spf_tree_node *root(const struct health_facts *facts)
{
    return facts->spf == NULL ? NULL : &facts->spf->nodes[0];
}

/* The root where it is a policy, whatever is wrong in it. */
static const struct spf_tree_node *policy(const struct health_facts *facts)
{
    const struct spf_tree_node *node = root(facts);
    return node != NULL && node->record.len > 0 ? node : NULL;
}

static void look_missing(struct health_judge *j)
{
    const struct spf_tree_node *node = root(j->facts);
    if (node == NULL || node->fault != SPF_FAULT_NO_POLICY) {
        return;
    }
    bool takes_no_mail = health_takes_no_mail(j->facts);
    health_say(j, "say who may send for the domain",
               health_text_of(j, "%s. IN TXT \"v=spf1 %s-all\"", j->facts->domain,
                              takes_no_mail ? "" : "mx "),
               "%s has no SPF policy", j->facts->domain);
}

static void look_failing(struct health_judge *j)
{
    for (size_t i = 0; j->facts->spf != NULL && i < j->facts->spf->node_count; i++) {
        const struct spf_tree_node *node = &j->facts->spf->nodes[i];
        if (node->fault == SPF_FAULT_DNS) {
            health_say(j, "look at the name servers of that domain", NULL,
                       "the SPF policy of %s cannot be found out", node->domain);
        }
    }
}

static void look_several(struct health_judge *j)
{
    for (size_t i = 0; j->facts->spf != NULL && i < j->facts->spf->node_count; i++) {
        const struct spf_tree_node *node = &j->facts->spf->nodes[i];
        if (node->fault == SPF_FAULT_SEVERAL_RECORDS) {
            health_say(j, "join them into one: the terms of all, and one all at the end", NULL,
                       "%s has several SPF records", node->domain);
        }
    }
}

static void look_syntax(struct health_judge *j)
{
    for (size_t i = 0; j->facts->spf != NULL && i < j->facts->spf->node_count; i++) {
        const struct spf_tree_node *node = &j->facts->spf->nodes[i];
        if (node->fault == SPF_FAULT_SYNTAX) {
            health_say(j, "mend or remove the term", NULL,
                       "in the SPF policy of %s \"%.*s\" is not written as RFC 7208 asks",
                       node->domain, SLICE_ARG(shown(node->bad_term)));
        }
    }
}

static void look_lookups(struct health_judge *j)
{
    const struct spf_tree_view *spf = j->facts->spf;
    if (spf != NULL && spf->lookups > SPF_LOOKUPS_MAX) {
        health_say(j, "remove includes that are not needed, or name the networks: ip4, ip6", NULL,
                   "the SPF policy takes %s%u DNS lookups; %d are allowed",
                   spf->is_cut ? "more than " : "", spf->lookups, SPF_LOOKUPS_MAX);
    }
}

static void look_lookups_near(struct health_judge *j)
{
    const struct spf_tree_view *spf = j->facts->spf;
    if (spf != NULL && spf->lookups >= LOOKUPS_NEAR && spf->lookups <= SPF_LOOKUPS_MAX) {
        health_say(j, "remove includes that are not needed", NULL,
                   "the SPF policy takes %u of %d DNS lookups", spf->lookups, SPF_LOOKUPS_MAX);
    }
}

static void look_voids(struct health_judge *j)
{
    const struct spf_tree_view *spf = j->facts->spf;
    if (spf != NULL && spf->voids > SPF_VOIDS_MAX) {
        health_say(j, "remove the names that are gone", NULL,
                   "the SPF policy asks for %u names that are not there; %d are allowed",
                   spf->voids, SPF_VOIDS_MAX);
    }
}

static void look_void(struct health_judge *j)
{
    const struct spf_tree_view *spf = j->facts->spf;
    for (size_t i = 0; spf != NULL && spf->voids <= SPF_VOIDS_MAX && i < spf->host_count; i++) {
        if (spf->hosts[i].is_void) {
            health_say(
                j, "remove the term, or mend the name", NULL,
                "the term \"%.*s\" in the SPF policy of %s leads to %s, which has no %s record",
                SLICE_ARG(shown(spf->hosts[i].term)), spf->nodes[spf->hosts[i].node].domain,
                spf->hosts[i].name, spf->hosts[i].type == DNS_MX ? "MX" : "address");
        }
    }
}

static void look_no_policy(struct health_judge *j)
{
    const struct spf_tree_view *spf = j->facts->spf;
    for (size_t i = 1; spf != NULL && i < spf->node_count; i++) {
        const struct spf_tree_node *node = &spf->nodes[i];
        if (node->fault == SPF_FAULT_NO_POLICY) {
            health_say(j, "remove the term", NULL, "the SPF policy of %s %s %s, which has none",
                       spf->nodes[node->parent].domain,
                       node->how == SPF_TREE_REDIRECT ? "redirects to" : "includes that of",
                       node->domain);
        }
    }
}

static void look_loop(struct health_judge *j)
{
    const struct spf_tree_view *spf = j->facts->spf;
    for (size_t i = 1; spf != NULL && i < spf->node_count; i++) {
        const struct spf_tree_node *node = &spf->nodes[i];
        if (node->is_loop) {
            health_say(j, "remove the term", NULL, "the SPF policy of %s leads back to that of %s",
                       spf->nodes[node->parent].domain, node->domain);
        }
    }
}

static void look_pass_all(struct health_judge *j)
{
    const struct spf_tree_node *node = policy(j->facts);
    if (node != NULL && node->has_all && node->all == SPF_PASS) {
        health_say(j, "end the policy with -all or ~all", NULL,
                   "the SPF policy ends with +all: it lets everybody send for %s",
                   j->facts->domain);
    }
}

static void look_neutral_all(struct health_judge *j)
{
    const struct spf_tree_node *node = policy(j->facts);
    if (node != NULL && node->has_all && node->all == SPF_NEUTRAL) {
        health_say(j, "end the policy with -all or ~all", NULL,
                   "the SPF policy ends with ?all: it says nothing about all others");
    }
}

static void look_no_all(struct health_judge *j)
{
    const struct spf_tree_node *node = policy(j->facts);
    if (node != NULL && node->fault == SPF_FAULT_NONE && !node->has_all && !node->has_redirect) {
        health_say(j, "end the policy with -all or ~all", NULL,
                   "the SPF policy has neither all nor redirect: it says nothing about all others");
    }
}

/* ~all is as good as -all where DMARC acts on it. */
static void look_soft_all(struct health_judge *j)
{
    const struct spf_tree_node *node = policy(j->facts);
    bool is_enforced = health_dmarc_policy(j->facts) >= DMARC_POLICY_QUARANTINE;
    if (node != NULL && node->has_all && node->all == SPF_SOFTFAIL && !is_enforced) {
        health_say(j, "end the policy with -all, or publish a DMARC policy that is acted on", NULL,
                   "the SPF policy ends with ~all, and no DMARC policy makes anybody act on it");
    }
}

static void look_after_all(struct health_judge *j)
{
    const struct spf_tree_node *node = policy(j->facts);
    if (node != NULL && node->has_terms_after_all) {
        health_say(j, "move them in front of all, or remove them", NULL,
                   "the SPF policy has terms behind all, which nobody looks at");
    }
}

static void look_ptr(struct health_judge *j)
{
    const struct spf_tree_view *spf = j->facts->spf;
    for (size_t i = 0; spf != NULL && i < spf->node_count; i++) {
        if (spf->nodes[i].has_ptr) {
            health_say(j, "name the networks instead: ip4, ip6", NULL,
                       "the SPF policy of %s uses ptr", spf->nodes[i].domain);
        }
    }
}

static void look_overlaps(struct health_judge *j)
{
    const struct spf_tree_view *spf = j->facts->spf;
    for (size_t i = 0; spf != NULL && i < spf->overlap_count; i++) {
        const struct spf_tree_net *inner = &spf->nets[spf->overlaps[i].inner];
        const struct spf_tree_net *outer = &spf->nets[spf->overlaps[i].outer];
        if (inner->node != 0) {
            continue; /* somebody else's to mend */
        }
        health_say(j, "remove the narrower one", NULL, "\"%.*s\" lies in \"%.*s\" of %s",
                   SLICE_ARG(shown(inner->term)), SLICE_ARG(shown(outer->term)),
                   spf->nodes[outer->node].domain);
    }
}

static void look_wide(struct health_judge *j)
{
    const struct spf_tree_node *node = policy(j->facts);
    if (node == NULL) {
        return;
    }
    if (node->widest_v4 <= WIDE_V4) {
        health_say(j, "name the addresses that do send", NULL,
                   "the SPF policy lets an IPv4 network of /%u send", node->widest_v4);
    }
    if (node->widest_v6 <= WIDE_V6) {
        health_say(j, "name the addresses that do send", NULL,
                   "the SPF policy lets an IPv6 network of /%u send", node->widest_v6);
    }
}

static void look_long(struct health_judge *j)
{
    const struct spf_tree_view *spf = j->facts->spf;
    for (size_t i = 0; spf != NULL && i < spf->node_count; i++) {
        const struct spf_tree_node *node = &spf->nodes[i];
        bool is_ours = i == 0; /* an included one is its owner's concern until it breaks */
        if (node->fault == SPF_FAULT_TOO_LONG || (is_ours && node->record.len > STRING_MAX)) {
            health_say(j, "move part of it to a name of its own and include that", NULL,
                       "the SPF record of %s is %s%zu bytes long", node->domain,
                       node->fault == SPF_FAULT_TOO_LONG ? "more than " : "",
                       node->fault == SPF_FAULT_TOO_LONG ? (size_t)SPF_RECORD_BYTES_MAX
                                                         : node->record.len);
        }
    }
}

static void look_egress(struct health_judge *j)
{
    char ip[IP_TEXT_BYTES];
    for (size_t i = 0; i < j->facts->egress_count; i++) {
        const struct health_egress *egress = &j->facts->egresses[i];
        if (!egress->has_spf || egress->spf.result == SPF_PASS) {
            continue;
        }
        ip_format(&egress->address->ip, ip);
        bool is_six = egress->address->ip.family == IP_V6;
        health_say(j, health_text_of(j, "add %s:%s to the policy", is_six ? "ip6" : "ip4", ip),
                   NULL, "SPF says %s for mail from %s%s%s", spf_result_name(egress->spf.result),
                   ip, egress->spf.fault == SPF_FAULT_NONE ? "" : ": ",
                   spf_fault_text(egress->spf.fault));
    }
}

static const struct health_check checks[] = {
    {"spf_missing", HEALTH_SPF, HEALTH_ERROR,
     "Anybody can send in the name of the domain, and large providers refuse or mark its mail.",
     look_missing},
    {"spf_failing", HEALTH_SPF, HEALTH_ERROR,
     "Receivers put mail off while a policy cannot be found out (RFC 7208 2.6.6).", look_failing},
    {"spf_several_records", HEALTH_SPF, HEALTH_ERROR,
     "With two policies none holds (RFC 7208 4.5): receivers see an error.", look_several},
    {"spf_syntax", HEALTH_SPF, HEALTH_ERROR,
     "One term that cannot be read spoils the whole policy (RFC 7208 4.6).", look_syntax},
    {"spf_too_many_lookups", HEALTH_SPF, HEALTH_ERROR,
     "Receivers stop at ten and see an error (RFC 7208 4.6.4); whoever stands behind is not let "
     "through.",
     look_lookups},
    {"spf_many_lookups", HEALTH_SPF, HEALTH_ADVICE,
     "One include more, here or in a policy that is included, and it fails for all.",
     look_lookups_near},
    {"spf_too_many_voids", HEALTH_SPF, HEALTH_ERROR,
     "Receivers give up at the third name that is not there (RFC 7208 4.6.4).", look_voids},
    {"spf_void", HEALTH_SPF, HEALTH_ADVICE,
     "It lets nobody send, costs a lookup, and whoever registers the name may send for you.",
     look_void},
    {"spf_leads_nowhere", HEALTH_SPF, HEALTH_ERROR,
     "An include or redirect without a policy is an error of the whole (RFC 7208 5.2, 6.1).",
     look_no_policy},
    {"spf_loop", HEALTH_SPF, HEALTH_ERROR,
     "Receivers go round until they hit the limit of lookups, and see an error.", look_loop},
    {"spf_pass_all", HEALTH_SPF, HEALTH_CRITICAL,
     "The policy vouches for every spammer; receivers distrust such domains.", look_pass_all},
    {"spf_neutral_all", HEALTH_SPF, HEALTH_WARNING, "It protects no more than no policy at all.",
     look_neutral_all},
    {"spf_without_all", HEALTH_SPF, HEALTH_WARNING,
     "What no term matches is neutral (RFC 7208 4.7): it protects no more than no policy.",
     look_no_all},
    {"spf_soft_all", HEALTH_SPF, HEALTH_ADVICE, "Forged mail is marked at most, and delivered.",
     look_soft_all},
    {"spf_terms_after_all", HEALTH_SPF, HEALTH_WARNING,
     "all matches everybody, so what stands behind it never counts (RFC 7208 5.1).",
     look_after_all},
    {"spf_ptr", HEALTH_SPF, HEALTH_ADVICE,
     "It is slow and unreliable, RFC 7208 5.5 advises against it, and some receivers skip it.",
     look_ptr},
    {"spf_overlap", HEALTH_SPF, HEALTH_ADVICE, "The narrower network adds nothing.", look_overlaps},
    {"spf_wide_network", HEALTH_SPF, HEALTH_WARNING,
     "Many strangers may send in the name of the domain.", look_wide},
    {"spf_long", HEALTH_SPF, HEALTH_ADVICE,
     "The answer does not fit into one packet (RFC 7208 3.4), and some receivers do not ask again "
     "over TCP.",
     look_long},
    {"spf_egress_not_covered", HEALTH_SPF, HEALTH_ERROR,
     "Mail from this address is refused, or marked as forged.", look_egress},
};

const struct health_checks health_spf_checks = {checks, sizeof checks / sizeof *checks};
