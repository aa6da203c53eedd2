/* engine/knowledge: the data as it is shipped loads; a folder that lacks something or holds something wrong is
 * refused with a fault that names it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/knowledge.h"

#include <dirent.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "address/lists.h"
#include "base/must.h"
#include "base/slice.h"

enum { PATH_ROOM = 4096 };

/* A data folder of its own for each test, whose files are links to the shipped ones. */
struct folder {
    char path[64];
};

static void path_of(const struct folder *folder, const char *name, char out[PATH_ROOM])
{
    int len = snprintf(out, PATH_ROOM, "%s/%s", folder->path, name);
    must(len > 0 && len < PATH_ROOM);
}

static void link_kind(const struct folder *folder, const char *kind)
{
    char to[PATH_ROOM];
    path_of(folder, kind, to);
    must(mkdir(to, 0700) == 0);
    struct dirent **entries = NULL;
    char dir[PATH_ROOM];
    int dir_len = snprintf(dir, sizeof dir, "%s/%s", DATA_DIR, kind);
    must(dir_len > 0 && dir_len < PATH_ROOM);
    int count = scandir(dir, &entries, NULL, alphasort);
    must(count > 0);
    for (int i = 0; i < count; i++) {
        char from[PATH_ROOM], name[PATH_ROOM];
        int from_len = snprintf(from, sizeof from, "%s/%s/%s", DATA_DIR, kind, entries[i]->d_name);
        int name_len = snprintf(name, sizeof name, "%s/%s", kind, entries[i]->d_name);
        must(from_len > 0 && from_len < PATH_ROOM && name_len > 0 && name_len < PATH_ROOM);
        path_of(folder, name, to);
        must(entries[i]->d_name[0] == '.' || symlink(from, to) == 0);
        free(entries[i]);
    }
    free(entries);
}

static int set_up(void **state)
{
    struct folder *folder = calloc(1, sizeof *folder);
    must(folder != NULL);
    (void)snprintf(folder->path, sizeof folder->path, "/tmp/heloise-knowledge-XXXXXX");
    must(mkdtemp(folder->path) != NULL);
    link_kind(folder, "lists");
    link_kind(folder, "rules");
    link_kind(folder, "providers");
    link_kind(folder, "score");
    must(unsetenv("HELOISE_DATA") == 0);
    *state = folder;
    return 0;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *walk)
{
    (void)about;
    (void)kind;
    (void)walk;
    return remove(path);
}

static void remove_part(const struct folder *folder, const char *name)
{
    char path[PATH_ROOM];
    path_of(folder, name, path);
    must(nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

static int tear_down(void **state)
{
    struct folder *folder = *state;
    remove_part(folder, "");
    free(folder);
    return 0;
}

static void put_file(const struct folder *folder, const char *name, const char *text)
{
    char path[PATH_ROOM];
    path_of(folder, name, path);
    FILE *file = fopen(path, "w");
    must(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void assert_loads(const char *dir)
{
    struct knowledge *knowledge = NULL;
    struct fault fault = {.text = ""};
    if (knowledge_open(dir, &knowledge, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    assert_non_null(knowledge_providers(knowledge));
    assert_non_null(knowledge_rules(knowledge));
    assert_non_null(knowledge_lists(knowledge));
    assert_non_null(knowledge_likeness(knowledge));
    knowledge_free(knowledge);
}

static void assert_refused(const char *dir, enum err err, const char *first, const char *second)
{
    struct knowledge *knowledge = NULL;
    struct fault fault = {.text = ""};
    assert_int_equal(knowledge_open(dir, &knowledge, &fault), err);
    assert_null(knowledge);
    assert_int_equal(fault.err, err);
    if (strstr(fault.text, first) == NULL || strstr(fault.text, second) == NULL) {
        fail_msg("'%s' names neither %s nor %s", fault.text, first, second);
    }
}

static void test_shipped_data(void **state)
{
    const struct folder *folder = *state;
    assert_loads(DATA_DIR);
    assert_loads(folder->path);
    knowledge_free(NULL);
}

static void test_found_by_environment(void **state)
{
    const struct folder *folder = *state;
    must(setenv("HELOISE_DATA", folder->path, 1) == 0);
    assert_loads(NULL);
    assert_loads("");
    must(setenv("HELOISE_DATA", "/nonexistent", 1) == 0);
    assert_refused(NULL, ERR_SYSTEM, "/nonexistent", "--data");
    assert_loads(folder->path); /* the argument is asked first */
    must(unsetenv("HELOISE_DATA") == 0);
}

static void test_missing_parts(void **state)
{
    const struct folder *folder = *state;
    assert_refused("/nonexistent/heloise", ERR_SYSTEM, "/nonexistent/heloise", "--data");
    remove_part(folder, "score");
    assert_refused(folder->path, ERR_SYSTEM, "score", "no such data folder");
    remove_part(folder, "lists");
    assert_refused(folder->path, ERR_SYSTEM, "lists", "no such data folder");
    remove_part(folder, "rules");
    assert_refused(folder->path, ERR_SYSTEM, "rules", "no such data folder");
    remove_part(folder, "providers");
    assert_refused(folder->path, ERR_SYSTEM, "providers", "no such data folder");
}

static void test_empty_folder(void **state)
{
    const struct folder *folder = *state;
    char path[PATH_ROOM];
    remove_part(folder, "rules");
    path_of(folder, "rules", path);
    must(mkdir(path, 0700) == 0);
    assert_refused(folder->path, ERR_SYSTEM, "rules", "no .rules files");
}

static void test_wrong_files_are_named(void **state)
{
    const struct folder *folder = *state;
    put_file(folder, "rules/zz.rules", "\n\nthis is no rule\n");
    assert_refused(folder->path, ERR_SYNTAX, "rules/zz.rules", "3");
    remove_part(folder, "rules/zz.rules");
    put_file(folder, "providers/zz.conf", "\nnonsense = nonsense\n");
    assert_refused(folder->path, ERR_SYNTAX, "providers/zz.conf", "2");
    remove_part(folder, "providers/zz.conf");
    assert_loads(folder->path);
}

static void test_other_files_are_passed_over(void **state)
{
    const struct folder *folder = *state;
    put_file(folder, "rules/.hidden.rules", "this is no rule\n");
    put_file(folder, "rules/notes.md", "this is no rule\n");
    put_file(folder, "providers/zz.conf~", "this is no provider\n");
    assert_loads(folder->path);
}

static void test_a_folder_is_no_file(void **state)
{
    const struct folder *folder = *state;
    char path[PATH_ROOM];
    path_of(folder, "rules/zz.rules", path);
    must(mkdir(path, 0700) == 0);
    assert_refused(folder->path, ERR_SYSTEM, "zz.rules", "rules");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_shipped_data, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_found_by_environment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_missing_parts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_empty_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_files_are_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_files_are_passed_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_folder_is_no_file, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("engine/knowledge", tests, NULL, NULL);
}
