/* SPDX-License-Identifier: Apache-2.0 */
#include "http/framing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct field {
    const char *name, *value;
};

/* RFC 9112 3.2, 5.1, 6.1, 6.3 */
static void only_what_has_one_reading_is_fine(void **state)
{
    (void)state;
    static const struct {
        const char *name, *version;
        bool is_fine;
        struct field fields[4];
    } cases[] = {
        {"a host", "HTTP/1.1", true, {{"Host", "a.example"}}},
        {"no host", "HTTP/1.1", false, {{"Accept", "*/*"}}},
        {"no host, once", "HTTP/1.0", true, {{"Accept", "*/*"}}},
        {"two hosts", "HTTP/1.1", false, {{"Host", "a.example"}, {"host", "a.example"}}},
        {"two hosts, once", "HTTP/1.0", false, {{"Host", "a.example"}, {"host", "b.example"}}},
        {"a length", "HTTP/1.1", true, {{"Host", "a"}, {"Content-Length", "5"}}},
        {"two lengths",
         "HTTP/1.1",
         false,
         {{"Host", "a"}, {"Content-Length", "5"}, {"content-length", "5"}}},
        {"chunked", "HTTP/1.1", true, {{"Host", "a"}, {"Transfer-Encoding", "Chunked"}}},
        {"chunked and a length",
         "HTTP/1.1",
         false,
         {{"Host", "a"}, {"Transfer-Encoding", "chunked"}, {"Content-Length", "5"}}},
        {"chunked twice",
         "HTTP/1.1",
         false,
         {{"Host", "a"}, {"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}}},
        {"chunked of old", "HTTP/1.0", false, {{"Host", "a"}, {"Transfer-Encoding", "chunked"}}},
        {"another coding", "HTTP/1.1", false, {{"Host", "a"}, {"Transfer-Encoding", "gzip"}}},
        {"two codings", "HTTP/1.1", false, {{"Host", "a"}, {"Transfer-Encoding", "gzip, chunked"}}},
        {"no coding", "HTTP/1.1", false, {{"Host", "a"}, {"Transfer-Encoding", ""}}},
        {"a hidden coding", "HTTP/1.1", false, {{"Host", "a"}, {"Transfer-Encoding", "\vchunked"}}},
        {"a space in a name", "HTTP/1.1", false, {{"Host", "a"}, {"Content-Length ", "5"}}},
        {"a space before one", "HTTP/1.1", false, {{"Host", "a"}, {" X", "5"}}},
        {"a line end", "HTTP/1.1", false, {{"Host", "a"}, {"X", "a\rContent-Length: 5"}}},
        {"a tab", "HTTP/1.1", true, {{"Host", "a"}, {"X", "a\tb"}}},
        {"bytes of another charset", "HTTP/1.1", true, {{"Host", "a"}, {"X", "\xe4"}}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct framing framing = {.hosts = 0};
        for (size_t k = 0; k < 4 && cases[i].fields[k].name != NULL; k++) {
            framing_take(&framing, slice_of(cases[i].fields[k].name),
                         slice_of(cases[i].fields[k].value));
        }
        const char *fault = framing_fault(&framing, slice_of(cases[i].version));
        if ((fault == NULL) != cases[i].is_fine) {
            fail_msg("%s: %s", cases[i].name, fault == NULL ? "taken" : fault);
        }
    }
}

static void a_nul_is_no_part_of_a_value(void **state)
{
    (void)state;
    struct framing framing = {.hosts = 1};
    framing_take(&framing, SLICE("X"), slice_make("a\0b", 3));
    assert_non_null(framing_fault(&framing, SLICE("HTTP/1.1")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_has_one_reading_is_fine),
        cmocka_unit_test(a_nul_is_no_part_of_a_value),
    };
    return cmocka_run_group_tests_name("http/framing", tests, NULL, NULL);
}
