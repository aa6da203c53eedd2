/* The likeness: the same numbers as the script that trained it, in the order that anybody would expect, told in words
 * that add up; and a model's file that is wrong in any place is refused.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify/likeness.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/reader.h"
#include "base/slice.h"

enum { TEXT_MAX = 1 << 17, COUNT_MAX = 1000 };

struct file {
    char *text;
    size_t len;
};

static struct file read_file(const char *path)
{
    struct file file = {.text = malloc(TEXT_MAX)};
    FILE *from = fopen(path, "rb");
    must(file.text != NULL && from != NULL);
    file.len = fread(file.text, 1, TEXT_MAX, from);
    must(file.len > 0 && file.len < TEXT_MAX && fclose(from) == 0);
    return file;
}

static struct likeness_model *model;

static int load_model(void **state)
{
    (void)state;
    struct fault fault = {.text = ""};
    struct file file = read_file(MODEL_FILE);
    if (likeness_model_parse(slice_make(file.text, file.len), &model, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    free(file.text);
    return 0;
}

static int free_model(void **state)
{
    (void)state;
    likeness_model_free(model);
    return 0;
}

static double odds(const char *local, const struct likeness_known *known)
{
    struct likeness likeness;
    likeness_weigh(model, slice_of(local), false, known, &likeness);
    return likeness.log_odds;
}

/* local, is it a role, counts of patterns, log odds; parted by tabs. */
static void test_same_as_the_script(void **state)
{
    (void)state;
    struct file file = read_file(VECTORS_FILE);
    struct reader reader = reader_over(slice_make(file.text, file.len));
    struct slice line;
    unsigned lines = 0;
    while (reader_line(&reader, &line)) {
        if (line.at[0] == '#') {
            continue;
        }
        struct slice local = slice_cut(&line, '\t');
        bool is_role = slice_equal(slice_cut(&line, '\t'), SLICE("1"));
        struct slice counts = slice_cut(&line, '\t');
        struct likeness_known known = {.was_accepted = false};
        for (size_t i = 0; i < LIKENESS_PATTERNS; i++) {
            struct reader word = reader_over(slice_cut(&counts, ' '));
            uint64_t count;
            must(reader_number(&word, COUNT_MAX, &count));
            known.patterns[i] = (uint32_t)count;
        }
        char text[64];
        (void)snprintf(text, sizeof text, "%.*s", SLICE_ARG(line));
        struct likeness likeness;
        likeness_weigh(model, local, is_role, &known, &likeness);
        double expected = strtod(text, NULL);
        if (fabs(likeness.log_odds - expected) > 1e-9) {
            fail_msg("'%.*s': %.12f, and the script says %.12f", SLICE_ARG(local),
                     likeness.log_odds, expected);
        }
        lines++;
    }
    free(file.text);
    assert_true(lines > 300);
}

static void test_what_anybody_would_expect(void **state)
{
    (void)state;
    static const struct {
        const char *better, *worse;
    } rows[] = {
        {"maria.garcia", "xk29fj3q"},
        {"maria.garcia", "asdfgh"},
        {"maria.garcia", "mraia.gxrcia"},
        {"jsmith", "jsxqth"},
        {"anna", "zqxjv"},
        {"peter.miller", "peter.miller8472"},
        {"mgarcia", "550e8400-e29b-41d4-a716-446655440000"},
        {"thomas", "1699180000"},
        {"thomas", "qwertz"},
        {"olga.petrova", "aaaaaa"},
        {"yuki.tanaka", "bcdfghjkl"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (odds(rows[i].better, NULL) <= odds(rows[i].worse, NULL)) {
            fail_msg("%s (%.3f) is not above %s (%.3f)", rows[i].better, odds(rows[i].better, NULL),
                     rows[i].worse, odds(rows[i].worse, NULL));
        }
    }
}

static void test_patterns(void **state)
{
    (void)state;
    static const struct {
        const char *local;
        enum likeness_pattern pattern;
    } rows[] = {
        {"maria", LIKENESS_IS_WORD},
        {"mgarcia", LIKENESS_IS_INITIAL_WORD},
        {"jsmith", LIKENESS_IS_INITIAL_WORD},
        {"maria.garcia", LIKENESS_IS_DOTTED},
        {"Maria.Garcia+list", LIKENESS_IS_DOTTED},
        {"a.b.c.d.e", LIKENESS_IS_OTHER},
        {"anna.maria.garcia", LIKENESS_IS_DOTTED},
        {"maria_garcia", LIKENESS_IS_UNDERSCORED},
        {"maria-garcia", LIKENESS_IS_HYPHENED},
        {"maria-x.garcia", LIKENESS_IS_INITIAL},
        {"anna-maria.garcia", LIKENESS_IS_OTHER},
        {"m.garcia", LIKENESS_IS_INITIAL},
        {"maria84", LIKENESS_IS_NUMBERED},
        {"maria.garcia84", LIKENESS_IS_NUMBERED},
        {"maria12345", LIKENESS_IS_OTHER},
        {"ma4ria", LIKENESS_IS_OTHER},
        {"1234", LIKENESS_IS_OTHER},
        {"maria!", LIKENESS_IS_OTHER},
        {".", LIKENESS_IS_OTHER},
        {"maria.", LIKENESS_IS_OTHER},
        {"maria..garcia", LIKENESS_IS_OTHER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum likeness_pattern pattern = likeness_pattern(model, slice_of(rows[i].local));
        if (pattern != rows[i].pattern) {
            fail_msg("%s: %s", rows[i].local, likeness_pattern_example(pattern));
        }
    }
    assert_true(likeness_is_blind(SLICE("j\xc3\xb6rg")));
    assert_true(likeness_is_blind(SLICE("")));
    assert_false(likeness_is_blind(SLICE("joerg")));
}

/* The more known addresses are made the same way, the better the one that is, and the worse the others. */
static void test_the_domains_own_pattern(void **state)
{
    (void)state;
    double fits = odds("maria.garcia", NULL);
    double other = odds("mgarcia", NULL);
    for (uint32_t count = 1; count <= 32; count *= 2) {
        struct likeness_known known = {.patterns = {[LIKENESS_IS_DOTTED] = count}};
        assert_true(odds("maria.garcia", &known) > fits);
        assert_true(odds("mgarcia", &known) < other);
        fits = odds("maria.garcia", &known);
        other = odds("mgarcia", &known);
    }
}

static void test_what_is_known_moves_it(void **state)
{
    (void)state;
    double plain = odds("maria.garcia", NULL);
    const struct likeness_known accepted = {.was_accepted = true};
    const struct likeness_known refused = {.was_refused = true};
    const struct likeness_known implicit = {.is_implicit_mx = true};
    struct likeness_known bounced = {.was_accepted = false};
    struct likeness_known lived = {.was_accepted = false};
    for (int i = 0; i < 5; i++) {
        prior_add(&bounced.domain, 0.7, false);
        prior_add(&lived.provider, 0.7, true);
    }
    assert_true(odds("maria.garcia", &accepted) > plain);
    assert_true(odds("maria.garcia", &refused) < plain);
    assert_true(odds("maria.garcia", &implicit) < plain);
    assert_true(odds("maria.garcia", &bounced) < plain);
    assert_true(odds("maria.garcia", &lived) > plain);
}

static void test_terms_add_up_and_are_told(void **state)
{
    (void)state;
    struct likeness_known known = {.patterns = {[LIKENESS_IS_DOTTED] = 6, [LIKENESS_IS_WORD] = 1},
                                   .was_accepted = true,
                                   .is_implicit_mx = true};
    prior_add(&known.domain, 0.6, true);
    prior_add(&known.provider, 0.6, false);
    struct likeness likeness;
    likeness_weigh(model, SLICE("maria.garcia"), false, &known, &likeness);
    double sum = likeness.start;
    for (int i = 0; i < LIKENESS_TERMS; i++) {
        char words[LIKENESS_WORDS_BYTES];
        sum += likeness.terms[i];
        likeness_say(&likeness, (enum likeness_term)i, &known, words);
        assert_non_null(strstr(words, "; speaks "));
        assert_non_null(likeness_term_name((enum likeness_term)i));
    }
    assert_true(fabs(sum - likeness.log_odds) < 1e-12);
    char words[LIKENESS_WORDS_BYTES];
    likeness_say(&likeness, LIKENESS_PATTERN, &known, words);
    assert_non_null(strstr(words, "6 of 7 known addresses there are made so: first.last"));
    assert_true(likeness_of_odds(0.0) > 0.4999 && likeness_of_odds(0.0) < 0.5001);
}

static void test_no_local_part_is_too_strange(void **state)
{
    (void)state;
    char local[256];
    for (int byte = 1; byte < 256; byte++) {
        memset(local, byte, sizeof local);
        for (size_t len = 0; len < sizeof local; len += 17) {
            struct likeness likeness;
            likeness_weigh(model, slice_make(local, len), byte % 2 == 0, NULL, &likeness);
            double p = likeness_of_odds(likeness.log_odds);
            assert_true(p >= 0.0 && p <= 1.0);
        }
    }
}

static void assert_refused(struct slice text)
{
    struct likeness_model *out = NULL;
    struct fault fault = {.text = ""};
    assert_int_not_equal(likeness_model_parse(text, &out, &fault), ERR_NONE);
    assert_null(out);
    assert_true(fault.text[0] != '\0');
}

static void test_a_changed_file_is_refused(void **state)
{
    (void)state;
    struct file file = read_file(MODEL_FILE);
    for (size_t at = 0; at < file.len; at += at < 1500 ? 1 : 211) {
        char was = file.text[at];
        file.text[at] = was == '5' ? '6' : '5';
        assert_refused(slice_make(file.text, file.len));
        file.text[at] = was;
        assert_refused(slice_make(file.text, at));
    }
    file.text[file.len++] = 'x';
    assert_refused(slice_make(file.text, file.len));
    memset(file.text, '#', TEXT_MAX);
    assert_refused(slice_make(file.text, LIKENESS_MODEL_BYTES_MAX + 1));
    free(file.text);
    assert_int_equal(strlen(likeness_model_date(model)), LIKENESS_DATE_BYTES - 1);
    assert_true(likeness_model_hash(model) != 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_the_script),
        cmocka_unit_test(test_what_anybody_would_expect),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_the_domains_own_pattern),
        cmocka_unit_test(test_what_is_known_moves_it),
        cmocka_unit_test(test_terms_add_up_and_are_told),
        cmocka_unit_test(test_no_local_part_is_too_strange),
        cmocka_unit_test(test_a_changed_file_is_refused),
    };
    return cmocka_run_group_tests_name("verify/likeness", tests, load_model, free_model);
}
