/* tools/list_desk: a change is in the lists when the call returns; files that others change are noticed, between loading and
 * opening too; what is wrong there leaves the lists as they were. What was answered before the start counts while the
 * files are the same.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tools/list_desk.h"

#include <ftw.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/slice.h"
#include "engine/outdated.h"
#include "net/wall_clock.h"

enum { PERIOD_MS = 5, PATIENCE_S = 60, PATH_ROOM = 4096 };

struct stage {
    char folder[64];
    struct knowledge *knowledge;
    struct list_stamps loaded;
    struct list_desk *desk; /* NULL: not opened yet */
    sem_t told;             /* once for each word of the desk */
    pthread_mutex_t mutex;  /* over its last word: */
    struct fault word;      /* ERR_NONE: it read the lists again */
    struct fault heard;     /* the same, as await_word took it */
};

static void told(void *context, const struct fault *fault)
{
    struct stage *stage = context;
    (void)pthread_mutex_lock(&stage->mutex);
    stage->word = fault == NULL ? (struct fault){.err = ERR_NONE} : *fault;
    (void)pthread_mutex_unlock(&stage->mutex);
    (void)sem_post(&stage->told);
}

static void await_word(struct stage *stage)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    assert_int_equal(sem_timedwait(&stage->told, &until), 0);
    (void)pthread_mutex_lock(&stage->mutex);
    stage->heard = stage->word;
    (void)pthread_mutex_unlock(&stage->mutex);
}

/* The lists are loaded, the desk is not opened. */
static int set_up_closed(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    struct fault fault;
    must(stage != NULL);
    (void)snprintf(stage->folder, sizeof stage->folder, "/tmp/heloise-lists-XXXXXX");
    must(mkdtemp(stage->folder) != NULL && sem_init(&stage->told, 0, 0) == 0 &&
         pthread_mutex_init(&stage->mutex, NULL) == 0);
    const struct knowledge_files files = {.data_dir = DATA_DIR, .lists_dir = stage->folder};
    const struct list_place place = {DATA_DIR, stage->folder};
    list_stamps_take(&place, &stage->loaded);
    must(knowledge_new(&files, &stage->knowledge, &fault) == ERR_NONE);
    must(knowledge_load(stage->knowledge, KNOWLEDGE_LISTS, &fault) == ERR_NONE);
    *state = stage;
    return 0;
}

static void open_desk(struct stage *stage)
{
    struct fault fault;
    const struct list_desk_config config = {.knowledge = stage->knowledge,
                                            .place = {DATA_DIR, stage->folder},
                                            .loaded = &stage->loaded,
                                            .period_ms = PERIOD_MS,
                                            .told = told,
                                            .context = stage};
    must(list_desk_open(&config, &stage->desk, &fault) == ERR_NONE);
}

static int set_up(void **state)
{
    (void)set_up_closed(state);
    open_desk(*state);
    return 0;
}

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *walk)
{
    (void)about;
    (void)kind;
    (void)walk;
    return remove(path);
}

static int tear_down(void **state)
{
    struct stage *stage = *state;
    list_desk_close(stage->desk);
    list_desk_close(NULL);
    knowledge_free(stage->knowledge);
    (void)nftw(stage->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    (void)sem_destroy(&stage->told);
    (void)pthread_mutex_destroy(&stage->mutex);
    free(stage);
    return 0;
}

static void write_file(const struct stage *stage, const char *name, const char *text)
{
    char path[PATH_ROOM], fresh[PATH_ROOM];
    (void)snprintf(path, sizeof path, "%s/%s", stage->folder, name);
    (void)snprintf(fresh, sizeof fresh, "%s/.new", stage->folder);
    FILE *file = fopen(fresh, "we");
    must(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
    must(rename(fresh, path) == 0);
}

static bool has(const struct stage *stage, const char *domain)
{
    struct list_reader reader = {.shelf = knowledge_list_shelf(stage->knowledge)};
    struct list_match match;
    must(list_reader_renew(&reader));
    bool is_there = list_match(list_reader_lists(&reader), LIST_FREE, slice_of(domain), &match) &&
                    !match.is_exception;
    list_reader_done(&reader);
    return is_there;
}

static enum list_change change(const struct stage *stage, const char *entry, bool is_wanted)
{
    const struct list_wish wish = {
        .kind = LIST_FREE, .entry = slice_of(entry), .is_wanted = is_wanted};
    enum list_change done = LIST_CHANGE_NONE;
    struct fault fault = {.text = ""};
    if (list_desk_change(stage->desk, &wish, &done, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    return done;
}

static void changes_count_at_once(void **state)
{
    const struct stage *stage = *state;
    assert_false(has(stage, "ours.example"));
    assert_int_equal(change(stage, "ours.example", true), LIST_CHANGE_ADDED);
    assert_true(has(stage, "ours.example"));
    assert_int_equal(change(stage, "ours.example", true), LIST_CHANGE_NONE);
    assert_int_equal(change(stage, "ours.example", false), LIST_CHANGE_DROPPED);
    assert_false(has(stage, "ours.example"));
    assert_int_equal(change(stage, "gmail.com", false), LIST_CHANGE_REMOVED);
    assert_false(has(stage, "gmail.com"));
    assert_int_equal(change(stage, "gmail.com", true), LIST_CHANGE_RESTORED);
    assert_true(has(stage, "gmail.com"));
}

static void files_of_others_are_noticed(void **state)
{
    struct stage *stage = *state;
    write_file(stage, "free.own", "ours.example\n");
    await_word(stage);
    assert_int_equal(stage->heard.err, ERR_NONE);
    assert_true(has(stage, "ours.example"));
    write_file(stage, "free.own", "Two Words\n");
    await_word(stage);
    assert_int_equal(stage->heard.err, ERR_SYNTAX);
    assert_non_null(strstr(stage->heard.text, "free.own:1:"));
    assert_true(has(stage, "ours.example"));
    write_file(stage, "free.own", "theirs.example\n");
    await_word(stage);
    assert_int_equal(stage->heard.err, ERR_NONE);
    assert_true(has(stage, "theirs.example") && !has(stage, "ours.example"));
    write_file(stage, "free.txt", "whole.example\n");
    await_word(stage);
    assert_true(has(stage, "whole.example") && has(stage, "theirs.example"));
    assert_false(has(stage, "gmail.com"));
}

/* It was answered when the lists called the domain a free one, which they do not: who compares finds that it is outdated. */
static bool is_outdated(const struct stage *stage, int64_t checked_at_ms)
{
    struct list_reader reader = {.shelf = knowledge_list_shelf(stage->knowledge)};
    const struct record record = {.ascii = SLICE("a@ours.example"),
                                  .flags = {.is_free = true},
                                  .checked_at_ms = checked_at_ms};
    bool is_so = answer_is_outdated(&reader, &record);
    list_reader_done(&reader);
    return is_so;
}

static void answers_before_the_start_count(void **state)
{
    struct stage *stage = *state;
    int64_t answered_at_ms = wall_clock_ms();
    struct fault fault;
    open_desk(stage);
    assert_false(is_outdated(stage, answered_at_ms));
    assert_int_equal(list_desk_reload(stage->desk, &fault), ERR_NONE);
    assert_true(is_outdated(stage, answered_at_ms));
}

static void a_change_before_the_start_is_noticed(void **state)
{
    struct stage *stage = *state;
    write_file(stage, "free.own", "ours.example\n");
    assert_false(has(stage, "ours.example"));
    open_desk(stage);
    await_word(stage);
    assert_int_equal(stage->heard.err, ERR_NONE);
    assert_true(has(stage, "ours.example"));
}

static void a_reload_reads_now(void **state)
{
    struct stage *stage = *state;
    struct fault fault;
    write_file(stage, "free.own", "ours.example\n");
    assert_int_equal(list_desk_reload(stage->desk, &fault), ERR_NONE);
    assert_true(has(stage, "ours.example"));
    write_file(stage, "free.own", "Two Words\n");
    assert_int_equal(list_desk_reload(stage->desk, &fault), ERR_SYNTAX);
    assert_true(has(stage, "ours.example"));
}

static void without_a_folder_nothing_changes(void **state)
{
    const struct stage *stage = *state;
    struct list_desk *desk = NULL;
    struct fault fault;
    enum list_change done;
    const struct list_desk_config config = {.knowledge = stage->knowledge, .place = {DATA_DIR, ""}};
    const struct list_wish wish = {
        .kind = LIST_FREE, .entry = SLICE("ours.example"), .is_wanted = true};
    assert_int_equal(list_desk_open(&config, &desk, &fault), ERR_NONE);
    assert_int_equal(list_desk_change(desk, &wish, &done, &fault), ERR_LIMIT);
    list_desk_close(desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(changes_count_at_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(files_of_others_are_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(answers_before_the_start_count, set_up_closed, tear_down),
        cmocka_unit_test_setup_teardown(a_change_before_the_start_is_noticed, set_up_closed,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_reload_reads_now, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_folder_nothing_changes, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("tools/list_desk", tests, NULL, NULL);
}
