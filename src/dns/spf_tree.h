/* dns/spf_tree: all that a domain's SPF policy is made of (RFC 7208): it and every policy that it includes or
 * redirects to, as a tree, with what is wrong in each, and with what the whole costs: terms that ask, names that are
 * not there, networks that lie in others. Where dns/spf ends at the first match or fault, this reads on.
 * It sends nothing: take its questions, give it the answers; one question is open at a time.
 *
 *     spf_tree_new -> loop { next -> question; answered(...) } until no question -> view -> free
 *
 * Policies whose name depends on the message (macros, RFC 7208 7) are named and not looked up.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DNS_SPF_TREE_H
#define DNS_SPF_TREE_H

#include "dns/spf.h"

enum {
    SPF_TREE_NODES_MAX = 48, /* policies; what is beyond them is cut */
    SPF_TREE_HOSTS_MAX = 64, /* names of a and mx that are looked up */
    SPF_TREE_NETS_MAX = 512,
    SPF_TREE_OVERLAPS_MAX = 8,
    SPF_TREE_DEPTH_MAX = 16,
};

enum spf_tree_how { SPF_TREE_ROOT, SPF_TREE_INCLUDE, SPF_TREE_REDIRECT };

struct spf_tree_node {
    enum spf_tree_how how;
    size_t parent; /* its place; of the root its own */
    unsigned depth;
    char domain[DNS_NAME_BYTES]; /* as it stands in the term; may hold macros */
    struct slice record;         /* as found; empty: none */
    enum spf_fault fault;
    struct slice bad_term; /* SPF_FAULT_SYNTAX */
    bool is_loop;          /* it is one of those above it */
    bool has_macro;        /* not looked up */
    unsigned lookups;      /* terms of this policy that ask */
    bool has_all, has_redirect, has_ptr, has_terms_after_all;
    enum spf_result all;          /* has_all */
    uint8_t widest_v4, widest_v6; /* the shortest prefix of an ip4, ip6; 255: there is none */
};

struct spf_tree_host {
    size_t node;
    struct slice term;
    char name[DNS_NAME_BYTES];
    uint16_t type;
    bool is_void; /* it is not there, or has no such records */
};

struct spf_tree_net {
    size_t node;
    struct slice term;
    struct ip_net net;
};

struct spf_tree_view {
    enum dns_answer_kind kind; /* of the question for the domain's own policy */
    enum dns_failure failure;
    const struct spf_tree_node *nodes; /* the root first; each behind its parent */
    size_t node_count;
    const struct spf_tree_host *hosts;
    size_t host_count;
    const struct spf_tree_net *nets;
    size_t net_count;
    struct {
        size_t inner, outer; /* places in nets */
    } overlaps[SPF_TREE_OVERLAPS_MAX];
    size_t overlap_count;
    unsigned lookups, voids; /* of all that was read */
    bool is_cut;             /* there is more */
};

struct spf_tree;

/* domain: A-labels. ERR_SYNTAX: it is too long; ERR_NOMEM. */
enum err spf_tree_new(struct slice domain, struct spf_tree **out) MUST_USE;
void spf_tree_free(struct spf_tree *tree); /* NULL is fine */

/* True: ask this; the name is valid until it is answered. False with none open: it is done. */
bool spf_tree_next(struct spf_tree *tree, struct slice *out_name, uint16_t *out_type);
void spf_tree_answered(struct spf_tree *tree, enum dns_transport transport, struct slice message);

/* What is known by now; lives as long as the tree, and until the next answer. */
const struct spf_tree_view *spf_tree_view(struct spf_tree *tree);

#endif
