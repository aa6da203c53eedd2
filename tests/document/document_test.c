/* document/document: who reads is told what was found, may end it, and gets all memory back.
 * SPDX-License-Identifier: Apache-2.0 */
#include "document/document.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/slice.h"

#include "../base/fail_alloc.h"
#include "packing.h"
#include "reading.h"

enum { BYTES_MAX = 1 << 20 };

/* A message in a tar archive in a gzip file, with a ZIP archive, a vCard and a page in Latin-1: most readers there are. */
static void pack_all(struct buf *out)
{
    static const struct packing_member members[] = {
        {"v.vcf", SLICE_LITERAL("BEGIN:VCARD\nEMAIL;CHARSET=ISO-8859-1:v@d.de\n")},
        {"p.html", SLICE_LITERAL("<meta charset=iso-8859-1><p>p@d.de")},
    };
    struct buf mail;
    struct buf tar;
    buf_init(&mail, BYTES_MAX);
    buf_init(&tar, BYTES_MAX);
    must(buf_append(&mail, SLICE("From: =?utf-8?q?a=40d.de?=\nDate: x\n"
                                 "Content-Type: application/zip\n\n")) == ERR_NONE);
    packing_zip(members, 2, &mail);
    packing_tar("m.eml", '0', buf_view(&mail), &tar);
    packing_tar("t", '0', SLICE("t@d.de"), &tar);
    packing_tar_end(&tar);
    packing_gzip(buf_view(&tar), out);
    buf_done(&tar);
    buf_done(&mail);
}

static void test_all(void **state)
{
    (void)state;
    const struct reading usual = {.wants_hidden = false};
    struct buf data;
    buf_init(&data, BYTES_MAX);
    pack_all(&data);
    size_t wrong = reading_check_large("all", &usual, buf_view(&data),
                                       "a@d.de (m.eml/From, line 0)\n"
                                       "v@d.de (m.eml/body/v.vcf, line 2)\n"
                                       "p@d.de (m.eml/body/p.html, line 1)\nt@d.de (t, line 1)\n");
    buf_done(&data);
    assert_int_equal(wrong, 0);
}

/* Whatever question is answered with no, that is the end; whatever found says, too. */
static void test_ended(void **state)
{
    (void)state;
    struct buf data;
    struct buf out;
    buf_init(&data, BYTES_MAX);
    buf_init(&out, BYTES_MAX);
    pack_all(&data);
    struct reading reading = {.stops_at = 0};
    enum err e = ERR_STATE;
    while (e == ERR_STATE) {
        reading.stops_at++;
        buf_clear(&out);
        e = reading_run(&reading, buf_view(&data), 100, 100, &out);
    }
    assert_int_equal(e, ERR_NONE);
    assert_true(reading.stops_at > 4);
    reading = (struct reading){.found_err = ERR_SYSTEM};
    buf_clear(&out);
    assert_int_equal(reading_run(&reading, buf_view(&data), 100, 100, &out), ERR_SYSTEM);
    assert_true(slice_equal(buf_view(&out), SLICE("a@d.de (m.eml/From, line 0)\n")));
    buf_done(&out);
    buf_done(&data);
}

static enum err count_found(void *context, const struct extract_found *found,
                            const struct document_place *place)
{
    (void)found;
    (void)place;
    ++*(size_t *)context;
    return ERR_NONE;
}

static enum err read_bare(const struct document_config *config, struct slice input)
{
    struct document *document = NULL;
    enum err e = document_open(config, &document);
    e = e == ERR_NONE ? document_feed(document, input) : e;
    e = e == ERR_NONE ? document_end(document) : e;
    document_close(document);
    return e;
}

/* Each allocation fails once: it is said, and nothing is left. */
static void test_no_memory(void **state)
{
    (void)state;
    size_t count = 0;
    const struct document_config config = {
        .lists = reading_lists(), .fd = -1, .found = count_found, .context = &count};
    struct buf data;
    buf_init(&data, BYTES_MAX);
    pack_all(&data);
    bool has_failed = true;
    for (size_t number = 1; has_failed; number++) {
        fail_alloc_at(number);
        enum err e = read_bare(&config, buf_view(&data));
        has_failed = fail_alloc_happened();
        assert_int_equal(fail_alloc_end(), 0);
        if (e != (has_failed ? ERR_NOMEM : ERR_NONE)) {
            fail_msg("allocation %zu: %d", number, (int)e);
        }
    }
    assert_true(count >= 4);
    buf_done(&data);
}

static void trouble(void *context, const char *text)
{
    (void)text;
    ++*(size_t *)context;
}

/* A dead root wants no more bytes; trouble is told, and asked for later. */
static void test_dead(void **state)
{
    (void)state;
    size_t count = 0;
    const struct document_config config = {
        .lists = reading_lists(), .fd = -1, .trouble = trouble, .context = &count};
    struct document *document = NULL;
    assert_int_equal(document_open(&config, &document), ERR_NONE);
    assert_false(document_has_trouble(document));
    assert_true(document_wants_bytes(document));
    assert_int_equal(document_feed(document, SLICE("\x1f\x8b\x08 no gzip at all\n")), ERR_NONE);
    assert_int_equal(document_end(document), ERR_NONE);
    assert_true(document_has_trouble(document));
    assert_int_equal(count, 1);
    document_close(document);
    document_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_ended),
        cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_dead),
    };
    return cmocka_run_group_tests(tests, reading_lists_open, reading_lists_close);
}
