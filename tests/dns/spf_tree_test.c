/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/spf_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../sim/zone_lines.h"
#include "base/slice.h"

enum {
    WIRE_BYTES = 1 << 20,
    QUESTIONS_MAX = (SPF_TREE_NODES_MAX + 2 * SPF_TREE_HOSTS_MAX) * (1 + DNS_ALIASES_MAX),
    TEXT_BYTES = 4096,
};

static struct spf_tree *read_tree(const struct zone *zone, const char *domain)
{
    static struct dns_message message;
    struct spf_tree *tree;
    struct slice name;
    uint16_t type;
    unsigned count = 0;
    assert_int_equal(spf_tree_new(slice_of(domain), &tree), ERR_NONE);
    while (spf_tree_next(tree, &name, &type)) {
        struct buf wire;
        assert_true(++count <= QUESTIONS_MAX);
        buf_init(&wire, WIRE_BYTES);
        enum zone_failure failure = zone_ask(zone, name, type, 1, &message);
        assert_int_equal(dns_message_write(&message, &wire), ERR_NONE);
        spf_tree_answered(tree,
                          failure == ZONE_TIMEOUT ? DNS_TRANSPORT_TIMEOUT : DNS_TRANSPORT_ANSWERED,
                          buf_view(&wire));
        buf_done(&wire);
    }
    return tree;
}

/* "a.example/0 b.example/1! lookups 2 voids 1 overlaps 0": names with their depth, and a mark for a fault (!), a loop
 * (@) or a macro (%). */
static void print(const struct spf_tree_view *view, char out[TEXT_BYTES])
{
    size_t len = 0;
    for (size_t i = 0; i < view->node_count; i++) {
        const struct spf_tree_node *node = &view->nodes[i];
        len += (size_t)snprintf(out + len, TEXT_BYTES - len, "%s/%u%s%s%s ", node->domain,
                                node->depth, node->fault != SPF_FAULT_NONE ? "!" : "",
                                node->is_loop ? "@" : "", node->has_macro ? "%" : "");
    }
    (void)snprintf(out + len, TEXT_BYTES - len, "lookups %u voids %u overlaps %zu%s", view->lookups,
                   view->voids, view->overlap_count, view->is_cut ? " cut" : "");
}

/* RFC 7208 4.6.4, 5.2, 6.1 */
static void trees_are_read_whole(void **state)
{
    (void)state;
    static const struct {
        const char *name, *zone, *says;
    } rows[] = {
        {"one", "a.example TXT v=spf1 ip4:192.0.2.1 -all",
         "a.example/0 lookups 0 voids 0 overlaps 0"},
        {"none", "a.example TXT hello", "a.example/0! lookups 0 voids 0 overlaps 0"},
        {"include",
         "a.example TXT v=spf1 include:b.example a -all\nb.example TXT v=spf1 mx -all\n"
         "a.example A 192.0.2.1",
         "a.example/0 b.example/1 lookups 3 voids 1 overlaps 0"},
        {"redirect", "a.example TXT v=spf1 redirect=b.example\nb.example TXT v=spf1 -all",
         "a.example/0 b.example/1 lookups 1 voids 0 overlaps 0"},
        {"redirect behind all", "a.example TXT v=spf1 -all redirect=b.example",
         "a.example/0 lookups 0 voids 0 overlaps 0"},
        {"loop", "a.example TXT v=spf1 include:b.example\nb.example TXT v=spf1 include:a.example",
         "a.example/0 b.example/1 a.example/2@ lookups 2 voids 0 overlaps 0"},
        {"itself", "a.example TXT v=spf1 include:a.example",
         "a.example/0 a.example/1@ lookups 1 voids 0 overlaps 0"},
        {"twice below each other's sides",
         "a.example TXT v=spf1 include:b.example include:b.example\nb.example TXT v=spf1 -all",
         "a.example/0 b.example/1 b.example/1 lookups 2 voids 0 overlaps 0"},
        {"macro", "a.example TXT v=spf1 include:%{i}.b.example exists:%{i}.c.example -all",
         "a.example/0 %{i}.b.example/1% lookups 2 voids 0 overlaps 0"},
        {"fault and the rest", "a.example TXT v=spf1 ipv4:1.2.3.4 a:gone.example -all",
         "a.example/0! lookups 1 voids 1 overlaps 0"},
        {"overlap over policies",
         "a.example TXT v=spf1 ip4:192.0.2.0/24 include:b.example -all\n"
         "b.example TXT v=spf1 ip4:192.0.2.7 ip6:2001:db8::1 -all",
         "a.example/0 b.example/1 lookups 1 voids 0 overlaps 1"},
        {"silence", "a.example TXT v=spf1 include:b.example -all\nb.example FAIL timeout",
         "a.example/0 b.example/1! lookups 1 voids 0 overlaps 0"},
        {"alias", "a.example CNAME b.example\nb.example TXT v=spf1 -all",
         "a.example/0 lookups 0 voids 0 overlaps 0"},
        {"aliases in a ring", "a.example CNAME b.example\nb.example CNAME a.example",
         "a.example/0! lookups 0 voids 0 overlaps 0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct zone *zone;
        char text[TEXT_BYTES];
        assert_int_equal(zone_new(&zone), ERR_NONE);
        zone_add_lines(zone, rows[i].zone, NULL);
        struct spf_tree *tree = read_tree(zone, "A.Example.");
        print(spf_tree_view(tree), text);
        if (strcmp(text, rows[i].says) != 0) {
            fail_msg("%s: is '%s', wanted '%s'", rows[i].name, text, rows[i].says);
        }
        spf_tree_free(tree);
        zone_free(zone);
    }
}

/* Each of a hundred policies includes the next one three times over. */
static void endless_trees_are_cut(void **state)
{
    (void)state;
    struct zone *zone;
    assert_int_equal(zone_new(&zone), ERR_NONE);
    for (unsigned i = 0; i < 100; i++) {
        char name[32];
        char text[128];
        (void)snprintf(name, sizeof name, "p%u.example", i);
        (void)snprintf(text, sizeof text,
                       "v=spf1 include:p%u.example include:p%u.example include:p%u.example", i + 1,
                       i + 2, i + 3);
        assert_int_equal(zone_add(zone, name, DNS_TXT, text, 60), ERR_NONE);
    }
    struct spf_tree *tree = read_tree(zone, "p0.example");
    const struct spf_tree_view *view = spf_tree_view(tree);
    assert_true(view->is_cut);
    assert_int_equal(view->node_count, SPF_TREE_NODES_MAX);
    for (size_t i = 1; i < view->node_count; i++) {
        assert_true(view->nodes[i].parent < i && view->nodes[i].depth <= SPF_TREE_DEPTH_MAX);
    }
    spf_tree_free(tree);
    zone_free(zone);
}

static void names_that_are_none_are_refused(void **state)
{
    (void)state;
    char name[DNS_NAME_BYTES + 1];
    struct spf_tree *tree;
    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(spf_tree_new(slice_of(name), &tree), ERR_SYNTAX);
    assert_int_equal(spf_tree_new(SLICE_NONE, &tree), ERR_SYNTAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees_are_read_whole),
        cmocka_unit_test(endless_trees_are_cut),
        cmocka_unit_test(names_that_are_none_are_refused),
    };
    return cmocka_run_group_tests_name("dns/spf_tree", tests, NULL, NULL);
}
