/* dns/spf_tree: policies and hosts are read in the order in which they were found; whose answer is awaited is the
 * first that has none.
 * SPDX-License-Identifier: Apache-2.0 */
#include "dns/spf_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/must.h"
#include "base/slice.h"
#include "dns/spf_private.h"

enum { ARENA_BYTES_MAX = SPF_TREE_NODES_MAX * (SPF_RECORD_BYTES_MAX + 64) };

struct spf_tree {
    struct arena arena;
    struct spf_tree_view view;
    struct spf_tree_node nodes[SPF_TREE_NODES_MAX];
    struct spf_tree_host hosts[SPF_TREE_HOSTS_MAX];
    struct spf_tree_net nets[SPF_TREE_NETS_MAX];
    size_t nodes_done, hosts_done;
    char name[DNS_NAME_BYTES]; /* being asked */
    uint16_t type;
    bool is_sent;
    unsigned aliases;
};

static bool copy_name(char out[DNS_NAME_BYTES], struct slice name)
{
    if (slice_ends(name, SLICE("."))) {
        name = slice_sub(name, 0, name.len - 1);
    }
    if (name.len == 0 || name.len >= DNS_NAME_BYTES) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        out[i] = ascii_lower(name.at[i]);
    }
    out[name.len] = '\0';
    return true;
}

static bool has_macro(struct slice name)
{
    return slice_find_byte(name, '%', 0) < name.len;
}

/* Whether this one, or one above it, has that name. */
static bool is_above(const struct spf_tree *tree, size_t from, const char *domain)
{
    for (size_t i = from;; i = tree->nodes[i].parent) {
        if (strcmp(tree->nodes[i].domain, domain) == 0) {
            return true;
        }
        if (i == 0) {
            return false;
        }
    }
}

static void add_node(struct spf_tree *tree, size_t parent, enum spf_tree_how how,
                     struct slice domain)
{
    struct spf_tree_view *view = &tree->view;
    if (view->node_count == SPF_TREE_NODES_MAX || tree->nodes[parent].depth == SPF_TREE_DEPTH_MAX) {
        view->is_cut = true;
        return;
    }
    struct spf_tree_node *node = &tree->nodes[view->node_count];
    *node = (struct spf_tree_node){.how = how, .parent = parent};
    node->depth = how == SPF_TREE_ROOT ? 0 : tree->nodes[parent].depth + 1;
    node->widest_v4 = node->widest_v6 = UINT8_MAX;
    node->has_macro = has_macro(domain);
    if (!copy_name(node->domain, domain)) {
        view->is_cut = true;
        return;
    }
    node->is_loop = how != SPF_TREE_ROOT && is_above(tree, parent, node->domain);
    view->node_count++;
}

static void add_host(struct spf_tree *tree, size_t node, const struct spf_term *term)
{
    struct spf_tree_view *view = &tree->view;
    struct slice name =
        term->domain_spec.len > 0 ? term->domain_spec : slice_of(tree->nodes[node].domain);
    if (has_macro(name)) {
        return;
    }
    if (view->host_count == SPF_TREE_HOSTS_MAX) {
        view->is_cut = true;
        return;
    }
    struct spf_tree_host *host = &tree->hosts[view->host_count];
    *host = (struct spf_tree_host){.node = node, .term = term->text};
    host->type = term->kind == SPF_MX ? DNS_MX : DNS_A;
    view->host_count += copy_name(host->name, name) ? 1 : 0;
}

static bool lies_in(const struct ip_net *inner, const struct ip_net *outer)
{
    return inner->ip.family == outer->ip.family && inner->bits >= outer->bits &&
           ip_net_contains(outer, &inner->ip);
}

static void add_overlap(struct spf_tree_view *view, size_t inner, size_t outer)
{
    if (view->overlap_count < SPF_TREE_OVERLAPS_MAX) {
        view->overlaps[view->overlap_count].inner = inner;
        view->overlaps[view->overlap_count++].outer = outer;
    }
}

static void add_net(struct spf_tree *tree, size_t node, const struct spf_term *term)
{
    struct spf_tree_view *view = &tree->view;
    struct spf_tree_node *of = &tree->nodes[node];
    uint8_t *widest = term->kind == SPF_IP4 ? &of->widest_v4 : &of->widest_v6;
    *widest = term->net.bits < *widest ? term->net.bits : *widest;
    if (view->net_count == SPF_TREE_NETS_MAX) {
        view->is_cut = true;
        return;
    }
    size_t place = view->net_count++;
    tree->nets[place] = (struct spf_tree_net){node, term->text, term->net};
    for (size_t i = 0; i < place; i++) {
        if (lies_in(&term->net, &tree->nets[i].net)) {
            add_overlap(view, place, i);
            return;
        }
        if (lies_in(&tree->nets[i].net, &term->net)) {
            add_overlap(view, i, place);
            return;
        }
    }
}

static void count_lookup(struct spf_tree *tree, size_t node)
{
    tree->nodes[node].lookups++;
    tree->view.lookups++;
}

static void take_term(struct spf_tree *tree, size_t place, const struct spf_term *term)
{
    struct spf_tree_node *node = &tree->nodes[place];
    bool is_mechanism = term->kind <= SPF_EXISTS;
    node->has_terms_after_all = node->has_terms_after_all || (node->has_all && is_mechanism);
    switch (term->kind) {
    case SPF_ALL:
        node->all = node->has_all ? node->all : term->result;
        node->has_all = true;
        return;
    case SPF_INCLUDE:
        count_lookup(tree, place);
        add_node(tree, place, SPF_TREE_INCLUDE, term->domain_spec);
        return;
    case SPF_A:
    case SPF_MX:
        count_lookup(tree, place);
        add_host(tree, place, term);
        return;
    case SPF_PTR:
        node->has_ptr = true;
        count_lookup(tree, place);
        return;
    case SPF_EXISTS: count_lookup(tree, place); return;
    case SPF_IP4:
    case SPF_IP6: add_net(tree, place, term); return;
    case SPF_REDIRECT:
    case SPF_EXPLANATION:
    case SPF_MODIFIER: return;
    }
}

/* A redirect counts and is followed only where no mechanism ends the policy (RFC 7208 6.1). */
static void read_policy(struct spf_tree *tree, size_t place, struct slice terms)
{
    struct spf_tree_node *node = &tree->nodes[place];
    struct spf_modifiers modifiers;
    struct spf_term term;
    if (!spf_record_check(terms, &modifiers, &node->bad_term)) {
        node->fault = SPF_FAULT_SYNTAX;
    }
    struct reader r = reader_over(terms);
    enum spf_read read = spf_term_next(&r, &term);
    for (; read != SPF_READ_END; read = spf_term_next(&r, &term)) {
        if (read == SPF_READ_TERM) {
            take_term(tree, place, &term);
        }
    }
    struct slice redirect = modifiers.redirect.domain_spec;
    if (redirect.len > 0 && !node->has_all) {
        node->has_redirect = true;
        count_lookup(tree, place);
        add_node(tree, place, SPF_TREE_REDIRECT, redirect);
    }
}

/* RFC 7208 4.5: "v=spf1" and a space or the end. */
static bool is_policy(struct slice text)
{
    return slice_starts_nocase(text, SLICE("v=spf1")) && (text.len == 6 || text.at[6] == ' ');
}

static void take_policies(struct spf_tree *tree, size_t place, const struct dns_answer *answer)
{
    struct spf_tree_node *node = &tree->nodes[place];
    const struct dns_record *record = dns_answer_next(answer, NULL);
    unsigned found = 0;
    struct buf joined;
    buf_init(&joined, SPF_RECORD_BYTES_MAX);
    for (; record != NULL; record = dns_answer_next(answer, record)) {
        buf_clear(&joined);
        enum err e = dns_text_join(record->text, &joined);
        if (!is_policy(buf_view(&joined)) || found++ > 0) {
            continue;
        }
        if (e != ERR_NONE ||
            arena_copy(&tree->arena, buf_view(&joined), &node->record) != ERR_NONE) {
            node->fault = SPF_FAULT_TOO_LONG;
        }
    }
    buf_done(&joined);
    if (found > 1) {
        node->fault = SPF_FAULT_SEVERAL_RECORDS;
    } else if (found == 0) {
        node->fault = SPF_FAULT_NO_POLICY;
    }
    if (node->record.len > 0) {
        read_policy(tree, place, slice_sub(node->record, 6, node->record.len));
    }
}

static void take_node(struct spf_tree *tree, const struct dns_answer *answer)
{
    size_t place = tree->nodes_done++;
    struct spf_tree_node *node = &tree->nodes[place];
    if (place == 0) {
        tree->view.kind = answer->kind;
        tree->view.failure = answer->failure;
    }
    if (answer->kind == DNS_ANSWER_RECORDS) {
        take_policies(tree, place, answer);
    } else {
        bool is_known = answer->kind == DNS_ANSWER_NOT_FOUND || answer->kind == DNS_ANSWER_NO_DATA;
        node->fault = is_known ? SPF_FAULT_NO_POLICY : SPF_FAULT_DNS;
    }
}

/* A host without IPv4 is asked for IPv6 before it counts as absent. */
static bool asks_again(struct spf_tree_host *host, const struct dns_answer *answer)
{
    if (host->type == DNS_A && answer->kind == DNS_ANSWER_NO_DATA) {
        host->type = DNS_AAAA;
        return true;
    }
    return false;
}

static void take_host(struct spf_tree *tree, const struct dns_answer *answer)
{
    struct spf_tree_host *host = &tree->hosts[tree->hosts_done];
    if (asks_again(host, answer)) {
        return;
    }
    host->is_void = answer->kind == DNS_ANSWER_NOT_FOUND || answer->kind == DNS_ANSWER_NO_DATA;
    tree->view.voids += host->is_void ? 1 : 0;
    tree->hosts_done++;
}

/* ---- the caller's side ---- */

enum err spf_tree_new(struct slice domain, struct spf_tree **out)
{
    struct spf_tree *tree = calloc(1, sizeof *tree);
    if (tree == NULL) {
        return ERR_NOMEM;
    }
    arena_init(&tree->arena, ARENA_BYTES_MAX);
    tree->view.nodes = tree->nodes;
    tree->view.hosts = tree->hosts;
    tree->view.nets = tree->nets;
    add_node(tree, 0, SPF_TREE_ROOT, domain);
    if (tree->view.node_count == 0) {
        spf_tree_free(tree);
        return ERR_SYNTAX;
    }
    *out = tree;
    return ERR_NONE;
}

void spf_tree_free(struct spf_tree *tree)
{
    if (tree != NULL) {
        arena_done(&tree->arena);
        free(tree);
    }
}

static void ask(struct spf_tree *tree, const char *name, uint16_t type)
{
    (void)copy_name(tree->name, slice_of(name)); /* it was copied before */
    tree->type = type;
    tree->aliases = 0;
}

bool spf_tree_next(struct spf_tree *tree, struct slice *out_name, uint16_t *out_type)
{
    if (tree->is_sent) {
        return false;
    }
    if (tree->aliases == 0) {
        while (tree->nodes_done < tree->view.node_count &&
               (tree->nodes[tree->nodes_done].is_loop || tree->nodes[tree->nodes_done].has_macro)) {
            tree->nodes_done++;
        }
        if (tree->nodes_done < tree->view.node_count) {
            ask(tree, tree->nodes[tree->nodes_done].domain, DNS_TXT);
        } else if (tree->hosts_done < tree->view.host_count) {
            ask(tree, tree->hosts[tree->hosts_done].name, tree->hosts[tree->hosts_done].type);
        } else {
            return false;
        }
    }
    tree->is_sent = true;
    *out_name = slice_of(tree->name);
    *out_type = tree->type;
    return true;
}

void spf_tree_answered(struct spf_tree *tree, enum dns_transport transport, struct slice message)
{
    must(tree->is_sent);
    struct dns_answer answer;
    tree->is_sent = false;
    dns_answer_read(tree->name, tree->type, transport, message, &answer);
    tree->aliases += answer.aliases;
    if (answer.kind == DNS_ANSWER_CUT && tree->aliases <= DNS_ALIASES_MAX) {
        memcpy(tree->name, answer.name, sizeof tree->name);
        return;
    }
    tree->aliases = 0;
    if (tree->nodes_done < tree->view.node_count) {
        take_node(tree, &answer);
    } else {
        take_host(tree, &answer);
    }
}

const struct spf_tree_view *spf_tree_view(struct spf_tree *tree)
{
    return &tree->view;
}
