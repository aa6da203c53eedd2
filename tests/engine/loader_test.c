/* engine/loader: what is waited for is there, in any order of waiting; what is wrong is told where it is waited for, and
 * the parts before it can be used.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/loader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/must.h"

enum { PATH_ROOM = 4096 };

static void loads_in_order(void **state)
{
    static const enum knowledge_part orders[][3] = {
        {KNOWLEDGE_PROVIDERS, KNOWLEDGE_RULES, KNOWLEDGE_LISTS},
        {KNOWLEDGE_LISTS, KNOWLEDGE_PROVIDERS, KNOWLEDGE_RULES},
        {KNOWLEDGE_RULES, KNOWLEDGE_RULES, KNOWLEDGE_LISTS},
    };
    (void)state;
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        const struct knowledge_files files = {.data_dir = DATA_DIR};
        struct knowledge *knowledge = NULL;
        struct loader *loader = NULL;
        struct fault fault;
        assert_int_equal(knowledge_new(&files, &knowledge, &fault), ERR_NONE);
        assert_int_equal(loader_start(&loader), ERR_NONE);
        loader_load(loader, knowledge);
        if (i == 0) { /* who is not urged goes on where somebody waits */
            loader_urge(loader);
            loader_urge(loader);
        }
        for (size_t j = 0; j < 3; j++) {
            assert_int_equal(loader_await(loader, orders[i][j], &fault), ERR_NONE);
            assert_non_null(knowledge_providers(knowledge));
            assert_true(orders[i][j] < KNOWLEDGE_RULES || knowledge_rules(knowledge) != NULL);
            assert_true(orders[i][j] < KNOWLEDGE_LISTS || knowledge_lists(knowledge) != NULL);
        }
        loader_free(loader);
        knowledge_free(knowledge);
    }
}

/* Who does not urge and waits for providers alone has no more than those. */
static void rests_behind_the_providers(void **state)
{
    const struct knowledge_files files = {.data_dir = DATA_DIR};
    struct knowledge *knowledge = NULL;
    struct loader *loader = NULL;
    struct fault fault;
    (void)state;
    assert_int_equal(knowledge_new(&files, &knowledge, &fault), ERR_NONE);
    assert_int_equal(loader_start(&loader), ERR_NONE);
    loader_load(loader, knowledge);
    assert_int_equal(loader_await(loader, KNOWLEDGE_PROVIDERS, &fault), ERR_NONE);
    loader_free(loader);
    assert_non_null(knowledge_providers(knowledge));
    assert_null(knowledge_rules(knowledge));
    assert_null(knowledge_lists(knowledge));
    knowledge_free(knowledge);
}

/* Nobody waits for what is under way. */
static void ends_unasked(void **state)
{
    const struct knowledge_files files = {.data_dir = DATA_DIR};
    struct knowledge *knowledge = NULL;
    struct loader *loader = NULL;
    struct fault fault;
    (void)state;
    assert_int_equal(knowledge_new(&files, &knowledge, &fault), ERR_NONE);
    assert_int_equal(loader_start(&loader), ERR_NONE);
    loader_load(loader, knowledge);
    loader_free(loader);
    knowledge_free(knowledge);
    loader_free(NULL);
    assert_int_equal(loader_start(&loader), ERR_NONE); /* there is nothing to load */
    loader_free(loader);
}

static void link_kind(const char *folder, const char *kind)
{
    char from[PATH_ROOM];
    char to[PATH_ROOM];
    int n = snprintf(from, sizeof from, "%s/%s", DATA_DIR, kind);
    int m = snprintf(to, sizeof to, "%s/%s", folder, kind);
    must(n > 0 && n < PATH_ROOM && m > 0 && m < PATH_ROOM && symlink(from, to) == 0);
}

static void tells_what_is_wrong(void **state)
{
    char folder[] = "/tmp/heloise-loader-XXXXXX";
    char path[PATH_ROOM];
    (void)state;
    must(mkdtemp(folder) != NULL);
    link_kind(folder, "providers");
    (void)snprintf(path, sizeof path, "%s/rules", folder);
    must(mkdir(path, 0700) == 0);
    (void)snprintf(path, sizeof path, "%s/rules/bad.rules", folder);
    FILE *file = fopen(path, "w");
    must(file != NULL && fputs("nonsense\n", file) >= 0 && fclose(file) == 0);

    const struct knowledge_files files = {.data_dir = folder};
    struct knowledge *knowledge = NULL;
    struct loader *loader = NULL;
    struct fault fault = {.text = ""};
    assert_int_equal(knowledge_new(&files, &knowledge, &fault), ERR_NONE);
    assert_int_equal(loader_start(&loader), ERR_NONE);
    loader_load(loader, knowledge);
    for (int again = 0; again < 2; again++) {
        fault.text[0] = '\0';
        assert_int_equal(loader_await(loader, KNOWLEDGE_LISTS, &fault), ERR_SYNTAX);
        assert_non_null(strstr(fault.text, "rules/bad.rules:1:"));
        assert_int_equal(loader_await(loader, KNOWLEDGE_RULES, &fault), ERR_SYNTAX);
        assert_int_equal(loader_await(loader, KNOWLEDGE_PROVIDERS, &fault), ERR_NONE);
        assert_non_null(knowledge_providers(knowledge));
    }
    loader_free(loader);
    knowledge_free(knowledge);

    must(unlink(path) == 0);
    (void)snprintf(path, sizeof path, "%s/rules", folder);
    must(rmdir(path) == 0);
    (void)snprintf(path, sizeof path, "%s/providers", folder);
    must(unlink(path) == 0 && rmdir(folder) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_in_order),
        cmocka_unit_test(rests_behind_the_providers),
        cmocka_unit_test(ends_unasked),
        cmocka_unit_test(tells_what_is_wrong),
    };
    return cmocka_run_group_tests_name("engine/loader", tests, NULL, NULL);
}
