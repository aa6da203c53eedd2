/* SPDX-License-Identifier: Apache-2.0 */
#include "address/normal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "address_case.h"

static const struct {
    const char *name, *text, *normal, *key;
} forms[] = {
    {"scenario 105", "a.b.c+x@googlemail.com", "abc@gmail.com", "a.b.c+x@googlemail.com"},
    {"Gmail: dots and case", "Jane.Doe@Gmail.com", "janedoe@gmail.com", "jane.doe@gmail.com"},
    {"Gmail: many dots", "j.a.n.e@gmail.com", "jane@gmail.com", "j.a.n.e@gmail.com"},
    {"Gmail: tag with dots", "jane+a.b@gmail.com", "jane@gmail.com", "jane+a.b@gmail.com"},
    {"Gmail: two plus", "jane+a+b@gmail.com", "jane@gmail.com", "jane+a+b@gmail.com"},
    {"Gmail: plus first is no tag", "+jane@gmail.com", "+jane@gmail.com", "+jane@gmail.com"},
    {"Gmail: empty tag", "jane+@gmail.com", "jane@gmail.com", "jane+@gmail.com"},
    {"Gmail: quotes are left alone", "\"Jane.Doe\"@gmail.com", "\"Jane.Doe\"@gmail.com",
     "\"Jane.Doe\"@gmail.com"},
    {"Outlook keeps dots", "Jane.Doe+x@outlook.com", "jane.doe@outlook.com",
     "jane.doe+x@outlook.com"},
    {"Hotmail", "Jane@hotmail.com", "jane@hotmail.com", "jane@hotmail.com"},
    {"iCloud by its other names", "jane+x@me.com", "jane@icloud.com", "jane+x@me.com"},
    {"iCloud, the oldest name", "jane@mac.com", "jane@icloud.com", "jane@mac.com"},
    {"Fastmail", "jane+x@fastmail.com", "jane@fastmail.com", "jane+x@fastmail.com"},
    {"Yandex by its other names", "jane@ya.ru", "jane@yandex.ru", "jane@ya.ru"},
    {"Yahoo: a plus is a letter", "Jane+x@yahoo.com", "jane+x@yahoo.com", "jane+x@yahoo.com"},
    {"Gmail's other name", "J.D@googlemail.com", "jd@gmail.com", "j.d@googlemail.com"},
    {"Live", "J+x@live.com", "j@live.com", "j+x@live.com"},
    {"MSN", "J+x@msn.com", "j@msn.com", "j+x@msn.com"},
    {"iCloud", "J+x@icloud.com", "j@icloud.com", "j+x@icloud.com"},
    {"Fastmail's other name", "J+x@fastmail.fm", "j@fastmail.fm", "j+x@fastmail.fm"},
    {"Proton", "J.D+x@proton.me", "jd@proton.me", "j.d+x@proton.me"},
    {"Proton, the older name", "J.D+x@protonmail.com", "jd@protonmail.com", "j.d+x@protonmail.com"},
    {"Proton, the short name", "J.D+x@pm.me", "jd@pm.me", "j.d+x@pm.me"},
    {"Yandex", "J+x@yandex.ru", "j@yandex.ru", "j+x@yandex.ru"},
    {"Yandex abroad", "J+x@yandex.com", "j@yandex.ru", "j+x@yandex.com"},
    {"AOL", "J+x@aol.com", "j+x@aol.com", "j+x@aol.com"},
    {"GMX", "J+x@gmx.de", "j+x@gmx.de", "j+x@gmx.de"},
    {"GMX abroad", "J+x@gmx.net", "j+x@gmx.net", "j+x@gmx.net"},
    {"WEB.DE", "J+x@web.de", "j+x@web.de", "j+x@web.de"},
    {"Zoho", "J+x@zoho.com", "j@zoho.com", "j+x@zoho.com"},
    {"a provider's other domain", "Jane@yahoo.de.example", "Jane@yahoo.de.example",
     "Jane@yahoo.de.example"},
    {"scenario 100: elsewhere case stays", "User@example.com", "User@example.com",
     "User@example.com"}, /* RFC 5321 2.4 */
    {"scenario 100: lower case is another", "user@example.com", "user@example.com",
     "user@example.com"},
    {"elsewhere a plus is a letter", "a.b+c@example.com", "a.b+c@example.com", "a.b+c@example.com"},
    {"scenario 112: domain case and space", " user@EXAMPLE.com ", "user@example.com",
     "user@example.com"},
    {"scenario 78: U-label",
     "a@b\xc3\xbc"
     "cher.example",
     "a@xn--bcher-kva.example", "a@xn--bcher-kva.example"},
    {"scenario 78: A-label, mixed case", "a@xn--BCHER-kva.Example", "a@xn--bcher-kva.example",
     "a@xn--bcher-kva.example"},
    {"a literal", "a@[192.0.2.1]", "a@[192.0.2.1]", "a@[192.0.2.1]"},
    {"UTF-8 at Gmail", "J\xc3\x96.RG@gmail.com", "j\xc3\x96rg@gmail.com", "j\xc3\x96.rg@gmail.com"},
};

static void one_mailbox_one_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(forms); i++) {
        struct hel_address a = parsed(forms[i].text);
        struct hel_address before = a;
        char out[HEL_WIRE_BYTES];
        address_normal(&a, out);
        if (strcmp(out, forms[i].normal) != 0) {
            fail_msg("%s: %s", forms[i].name, out);
        }
        address_key(&a, out);
        if (strcmp(out, forms[i].key) != 0) {
            fail_msg("%s: key %s", forms[i].name, out);
        }
        assert_memory_equal(&a, &before, sizeof a);
    }
}

/* What is normal stays so. */
static void normal_of_normal(void **state)
{
    (void)state;
    static const char *const texts[] = {"A.B+c@googlemail.com", "J+x@me.com", "X@example.com",
                                        "\"A b\"@gmail.com",    "A@ya.ru",    "a.b@proton.me"};
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct hel_address a = parsed(texts[i]);
        char once[HEL_WIRE_BYTES];
        char twice[HEL_WIRE_BYTES];
        address_normal(&a, once);
        a = parsed(once);
        address_normal(&a, twice);
        assert_string_equal(once, twice);
    }
}

static void the_longest_fit(void **state)
{
    (void)state;
    char text[300];
    memset(text, 'A', 128);
    memcpy(text + 128, "@gmail.com", 11);
    struct hel_address a = parsed(text);
    char out[HEL_WIRE_BYTES];
    address_normal(&a, out);
    assert_int_equal(strlen(out), 138);
    address_key(&a, out);
    assert_int_equal(strlen(out), 138);
}

static void tags(void **state)
{
    (void)state;
    static const struct {
        const char *text, *tag; /* NULL: none */
    } rows[] = {
        {"a+tag@b.de", "tag"}, {"a+b+c@b.de", "b+c"}, {"a+@b.de", ""},        {"a@b.de", NULL},
        {"+a@b.de", NULL},     {"+a+b@b.de", NULL},   {"\"a+b\"@b.de", NULL}, {"a-b@b.de", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct hel_address a = parsed(rows[i].text);
        struct slice tag;
        bool has_tag = address_tag(&a, &tag);
        if (has_tag != (rows[i].tag != NULL) ||
            (has_tag && !slice_equal(tag, slice_of(rows[i].tag)))) {
            fail_msg("%s", rows[i].text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_mailbox_one_form),
        cmocka_unit_test(normal_of_normal),
        cmocka_unit_test(the_longest_fit),
        cmocka_unit_test(tags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
