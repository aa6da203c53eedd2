/* Controls look like the local part they are made for, and like nobody's.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify/control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/slice.h"
#include "heloise/address.h"

enum { SEEDS = 200, RANDOM_LOCALS = 20000, LOCAL_BYTES_MAX = 128 };

static bool is_separator(char c)
{
    return c == '.' || c == '-' || c == '_' || c == '+';
}

/* What holds for any control. */
static void check_form(struct slice local, uint64_t seed)
{
    char control[CONTROL_CHARS_MAX + 1];
    char address[CONTROL_CHARS_MAX + 16];
    struct hel_address parsed;
    control_make(local, seed, control);
    size_t len = strlen(control);
    assert_in_range(len, CONTROL_CHARS_MIN, CONTROL_CHARS_MAX);
    for (size_t i = 0; i < len; i++) {
        bool is_edge = i == 0 || i + 1 == len || is_separator(control[i + (i + 1 < len)]);
        assert_true(ascii_is_alnum(control[i]) || is_separator(control[i]));
        assert_false(is_separator(control[i]) && is_edge);
        assert_true(control[i] == ascii_lower(control[i]));
    }
    memcpy(address, control, len);
    memcpy(address + len, "@d.test", sizeof "@d.test");
    assert_int_equal(hel_address_parse(slice_of(address), HEL_ADDRESS_STRICT, &parsed, NULL),
                     ERR_NONE);
    assert_false(parsed.needs_smtputf8 || parsed.is_quoted);
    assert_false(slice_equal_nocase(slice_of(control), local));
}

/* Letters for letters, digits for digits, separators where they stand; 'a' and '0' in the mask. */
static void check_mask(const char *local, const char *mask)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        char control[CONTROL_CHARS_MAX + 1];
        control_make(slice_of(local), seed, control);
        assert_int_equal(strlen(control), strlen(mask));
        for (size_t i = 0; mask[i] != '\0'; i++) {
            bool fits = mask[i] == 'a'   ? ascii_is_alpha(control[i])
                        : mask[i] == '0' ? ascii_is_digit(control[i])
                                         : control[i] == mask[i];
            if (!fits) {
                fail_msg("%s: %s is not shaped like %s", local, control, mask);
            }
        }
    }
}

static void controls_have_the_shape_of_the_address(void **state)
{
    (void)state;
    check_mask("jane.miller", "aaaa.aaaaaa");
    check_mask("j.r.r.tolkien", "a.a.a.aaaaaaa");
    check_mask("jane_miller-2024", "aaaa_aaaaaa-0000");
    check_mask("jane.miller+news", "aaaa.aaaaaa+aaaa");
    check_mask("1234567890", "0000000000");
    check_mask("jane", "aaaaaaaaa"); /* stretched */
    check_mask("j42", "aaaaaaa00");
    check_mask("007", "000000000");
    check_mask("a.b", "aaaaaaa.a");
    check_mask("", "aaaaaaaaa");
    check_mask("\"jane miller\"", "aaaaaaaaaaa"); /* no quotes */
    check_mask("\".jane..miller.\"", "aaaa.aaaaaa");
    check_mask("j\xc3\xb6rgen.m\xc3\xbcller", "aaaaaa.aaaaaa"); /* ASCII, by character */
    check_mask("o'neill#sales", "aaaaaaaaaaaaa");
}

static void a_long_address_is_cut_to_the_limit(void **state)
{
    (void)state;
    char local[LOCAL_BYTES_MAX];
    memset(local, 'a', sizeof local);
    for (size_t dot = 55; dot < 75; dot++) {
        local[dot] = '.';
        char control[CONTROL_CHARS_MAX + 1];
        control_make(slice_make(local, sizeof local), dot, control);
        assert_int_equal(strlen(control), CONTROL_CHARS_MAX);
        check_form(slice_make(local, sizeof local), dot);
        local[dot] = 'a';
    }
}

static void the_seed_decides(void **state)
{
    (void)state;
    static const struct slice local = SLICE_LITERAL("jane.miller");
    char before[CONTROL_CHARS_MAX + 1] = "";
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        char a[CONTROL_CHARS_MAX + 1];
        char b[CONTROL_CHARS_MAX + 1];
        control_make(local, seed, a);
        control_make(local, seed, b);
        assert_string_equal(a, b);
        assert_string_not_equal(a, before);
        memcpy(before, a, sizeof before);
    }
}

static void numbers_do_not_ring_anywhere(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        char control[CONTROL_CHARS_MAX + 1];
        control_make(SLICE("4915112345678"), seed, control);
        assert_int_equal(control[0], '0');
    }
}

static void any_local_part_gives_a_sound_control(void **state)
{
    (void)state;
    static const char alphabet[] = "abz019.-_+\"@ \\\xc3\xa9\xff'!";
    struct random random = {.state = 11};
    for (unsigned i = 0; i < RANDOM_LOCALS; i++) {
        char local[LOCAL_BYTES_MAX];
        size_t len = random_below(&random, sizeof local);
        for (size_t j = 0; j < len; j++) {
            local[j] = alphabet[random_below(&random, sizeof alphabet - 1)];
        }
        check_form(slice_make(local, len), i);
    }
}

/* An answer to a control holds for its class, so it has to be of the class itself. */
static void a_control_is_of_the_class_of_its_address(void **state)
{
    (void)state;
    static const char *const locals[] = {"jane",
                                         "jane42",
                                         "jane.miller",
                                         "jane.m42",
                                         "janemillerofthewood",
                                         "janemillerofthewood1",
                                         "jane.miller.of.the.wood",
                                         "jane.miller.of.the.wood.1"};
    unsigned seen = 0;
    for (size_t i = 0; i < sizeof locals / sizeof *locals; i++) {
        unsigned shape = control_shape(slice_of(locals[i]));
        char control[CONTROL_CHARS_MAX + 1];
        control_make(slice_of(locals[i]), i, control);
        assert_int_equal(control_shape(slice_of(control)), shape);
        assert_true(shape < 8);
        assert_int_equal(seen >> shape & 1, 0);
        seen |= 1u << shape;
    }
    assert_int_equal(seen, 0xff);
    assert_int_equal(control_shape(SLICE("\"jane.miller\"")), control_shape(SLICE("jane.mill")));
    assert_int_equal(control_shape(SLICE("twelve.chars")), control_shape(SLICE("a.b")));
    assert_int_not_equal(control_shape(SLICE("thirteen.char")), control_shape(SLICE("a.b")));
}

static void names_are_told_from_other_shapes(void **state)
{
    (void)state;
    static const struct {
        const char *local;
        bool is_name;
    } cases[] = {
        {"jane.miller", true},  {"jane_miller", true}, {"jane-miller", true},
        {"jane.van.dyk", true}, {"jo.li", true},       {"j.miller", false},
        {"jane", false},        {"jane.m2", false},    {"jane.miller+news", false},
        {"jane.m", false},      {"", false},           {"\"jane.miller\"", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (control_is_name_shaped(slice_of(cases[i].local)) != cases[i].is_name) {
            fail_msg("%s", cases[i].local);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(controls_have_the_shape_of_the_address),
        cmocka_unit_test(a_long_address_is_cut_to_the_limit),
        cmocka_unit_test(the_seed_decides),
        cmocka_unit_test(numbers_do_not_ring_anywhere),
        cmocka_unit_test(any_local_part_gives_a_sound_control),
        cmocka_unit_test(a_control_is_of_the_class_of_its_address),
        cmocka_unit_test(names_are_told_from_other_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
