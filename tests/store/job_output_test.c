/* The results of a list, read in its order: the same as those that are looked for one by one, whatever else happens.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "scratch.h"
#include "store/erase.h"

enum { ITEMS = 700, DOMAINS = 7, TEXT_BYTES = 64, LONG_BYTES = 40000 };

/* Line i of the list; each tenth says what another line, half as far, has said. */
static unsigned meant(unsigned i)
{
    return i % 10 == 9 ? i / 2 : i;
}

static struct slice key_of(unsigned i, char out[TEXT_BYTES])
{
    unsigned n = meant(i);
    int len = snprintf(out, TEXT_BYTES, "%u@%u.example", n, n % DOMAINS);
    return slice_make(out, (size_t)len);
}

static void add(struct store_job *job, unsigned i)
{
    char text[TEXT_BYTES];
    struct slice key = key_of(i, text);
    struct slice domain = slice_of(strchr(text, '@') + 1);
    assert_int_equal(store_job_add(job, key, key, domain), ERR_NONE);
}

static struct store_job *begin(struct store *store, const char *fingerprint)
{
    struct store_job *job;
    struct fault fault;
    const struct store_job_name name = {.fingerprint = slice_of(fingerprint)};
    assert_int_equal(store_job_open(store, &name, 1, &job, &fault), ERR_NONE);
    return job;
}

static void loaded(struct store_job *job)
{
    uint64_t items;
    assert_int_equal(store_job_loaded(job, &items, NULL), ERR_NONE);
}

static struct store_job *load(struct store *store, const char *fingerprint)
{
    struct store_job *job = begin(store, fingerprint);
    for (unsigned i = 0; i < ITEMS; i++) {
        add(job, i);
    }
    loaded(job);
    return job;
}

struct answers {
    struct store_job *job;
    unsigned skip; /* each so many of them is not answered; 0: all are */
    const char *text;
    uint64_t turns[ITEMS];
    size_t count;
};

static void note(void *context, const struct store_item *item)
{
    struct answers *answers = context;
    answers->turns[answers->count++] = item->id;
}

/* Each result is the text and the turn's number, in groups. */
static void answer_all(struct store *store, struct answers *answers)
{
    uint64_t cursor = 0;
    size_t count;
    answers->count = 0;
    assert_int_equal(store_job_next(answers->job, &cursor, ITEMS, note, answers, &count), ERR_NONE);
    for (size_t i = 0; i < answers->count; i++) {
        char text[TEXT_BYTES];
        if (answers->skip != 0 && i % answers->skip == 0) {
            continue;
        }
        (void)snprintf(text, sizeof text, "%s %d", answers->text, (int)answers->turns[i]);
        assert_int_equal(
            store_job_result_put(answers->job, answers->turns[i], SLICE("valid"), slice_of(text)),
            ERR_NONE);
        if (i % 100 == 99) {
            assert_int_equal(store_flush(store, NULL), ERR_NONE);
        }
    }
    assert_int_equal(store_flush(store, NULL), ERR_NONE);
}

static void find(struct store_job *job, unsigned i, struct buf *out)
{
    char text[TEXT_BYTES];
    buf_clear(out);
    (void)store_job_result_find(job, key_of(i, text), out);
}

/* Lines from first up to end, step by step: by another look at the job, which was not told of the order, too. */
static void check_lines(struct store *store, struct store_job *job, const unsigned lines[3])
{
    struct store_job *plain;
    struct buf a;
    struct buf b;
    buf_init(&a, LONG_BYTES);
    buf_init(&b, LONG_BYTES);
    assert_int_equal(store_job_look(store, store_job_info(job).id, &plain, NULL), ERR_NONE);
    for (unsigned i = lines[0]; i < lines[1]; i += lines[2]) {
        find(job, i, &a);
        find(plain, i, &b);
        assert_true(slice_equal(buf_view(&a), buf_view(&b)));
    }
    store_job_close(plain);
    buf_done(&a);
    buf_done(&b);
}

static void is_the_same_as_one_by_one(void **state)
{
    static const struct {
        const char *name;
        unsigned skip;
        unsigned lines[3];
    } rows[] = {
        {"all are there", 0, {0, ITEMS, 1}},     {"some are missing", 3, {0, ITEMS, 1}},
        {"none is there", 1, {0, ITEMS, 1}},     {"from the middle", 0, {300, ITEMS, 1}},
        {"some are left out", 0, {0, ITEMS, 3}}, {"beyond the end", 0, {0, ITEMS + 50, 1}},
    };
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct answers answers = {.job = load(store, rows[i].name), .skip = rows[i].skip};
        answers.text = rows[i].name;
        answer_all(store, &answers);
        for (int again = 0; again < 2; again++) {
            store_job_read_in_order(answers.job);
            check_lines(store, answers.job, rows[i].lines);
        }
        store_job_close(answers.job);
    }
    store_close(store);
}

/* A job without items, and one whose items lie far apart, between those of another. */
static void few_items(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    struct store_job *none = begin(store, "none");
    loaded(none);
    store_job_read_in_order(none);
    check_lines(store, none, (const unsigned[3]){0, 3, 1});
    struct store_job *few = begin(store, "few");
    struct store_job *many = begin(store, "many");
    add(few, 0);
    for (unsigned i = 0; i < ITEMS; i++) {
        add(many, i);
    }
    add(few, ITEMS - 1);
    loaded(few);
    loaded(many);
    struct answers answers[] = {{.job = few, .text = "few"}, {.job = many, .text = "many"}};
    for (size_t i = 0; i < 2; i++) {
        answer_all(store, &answers[i]);
        store_job_read_in_order(answers[i].job);
        check_lines(store, answers[i].job, (const unsigned[3]){0, ITEMS, 1});
        store_job_close(answers[i].job);
    }
    store_job_close(none);
    store_close(store);
}

/* What is read ahead is not believed once something was written, by this store or by another. */
static void changes_are_seen(void **state)
{
    char path[SCRATCH_PATH_BYTES];
    char text[TEXT_BYTES];
    struct buf found;
    struct store_erased erased;
    buf_init(&found, TEXT_BYTES);
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    struct answers answers = {.job = load(store, "f"), .text = "old"};
    answer_all(store, &answers);
    store_job_read_in_order(answers.job);
    find(answers.job, 0, &found);
    assert_true(found.len > 0);
    answers.text = "new";
    for (size_t i = 0; i < answers.count; i++) {
        assert_int_equal(
            store_job_result_put(answers.job, answers.turns[i], SLICE("valid"), SLICE("new")),
            ERR_NONE);
    }
    find(answers.job, 1, &found);
    assert_true(slice_equal(buf_view(&found), SLICE("new")));
    assert_int_equal(store_flush(store, NULL), ERR_NONE);
    store_job_read_in_order(answers.job);
    find(answers.job, 0, &found);
    assert_true(slice_equal(buf_view(&found), SLICE("new")));
    struct store *other = scratch_open(path);
    for (unsigned i = 400; i < 410; i++) {
        assert_int_equal(store_erase(other, key_of(i, text), &erased, NULL), ERR_NONE);
    }
    struct answers of_other = {.job = load(other, "g"), .text = "other"};
    answer_all(other, &of_other); /* takes the numbers that went */
    check_lines(store, answers.job, (const unsigned[3]){1, ITEMS, 1});
    find(answers.job, 401, &found);
    assert_int_equal(found.len, 0);
    store_job_close(of_other.job);
    store_close(other);
    store_job_close(answers.job);
    store_close(store);
    buf_done(&found);
}

/* Few of those fit what is read ahead at once. */
static void long_ones(void **state)
{
    static char text[LONG_BYTES];
    char path[SCRATCH_PATH_BYTES];
    scratch_path(state, "x.db", path);
    struct store *store = scratch_open(path);
    struct answers answers = {.job = load(store, "f"), .skip = 1};
    answer_all(store, &answers);
    for (size_t i = 0; i < answers.count; i += 5) {
        memset(text, 'a' + (int)(i % 26), sizeof text);
        assert_int_equal(store_job_result_put(answers.job, answers.turns[i], SLICE("valid"),
                                              slice_make(text, sizeof text)),
                         ERR_NONE);
    }
    assert_int_equal(store_flush(store, NULL), ERR_NONE);
    store_job_read_in_order(answers.job);
    check_lines(store, answers.job, (const unsigned[3]){0, ITEMS, 1});
    store_job_close(answers.job);
    store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_the_same_as_one_by_one, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(few_items, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(changes_are_seen, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(long_ones, scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
