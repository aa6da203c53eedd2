/* document/pdf: the pages of a PDF; hostile ones end within their limits. Without pdftotext nothing is asked of it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/slice.h"
#include "document/tool.h"

#include "packing.h"
#include "reading.h"

enum { BYTES_MAX = 1 << 20 };

static enum err ignore(void *context, struct slice output)
{
    (void)context;
    (void)output;
    return ERR_NONE;
}

static bool has_pdftotext(void)
{
    char words[][10] = {"pdftotext", "-v"};
    char *const argv[] = {words[0], words[1], NULL};
    FILE *nothing = tmpfile();
    must(nothing != NULL);
    const struct tool tool = {.argv = argv,
                              .in_fd = fileno(nothing),
                              .time_ms = 60000,
                              .memory_bytes = 1 << 30,
                              .output_bytes_max = BYTES_MAX};
    struct tool_outcome outcome;
    assert_int_equal(tool_run(&tool, ignore, NULL, &outcome), ERR_NONE);
    assert_int_equal(fclose(nothing), 0);
    return outcome.end != TOOL_MISSING;
}

static void test_pages(void **state)
{
    (void)state;
    static const char *const pages[] = {"write to a@d.de, or", "b@", "d.de", "c@d.de"};
    const struct reading usual = {.wants_hidden = false};
    struct buf data;
    struct buf out;
    if (!has_pdftotext()) {
        skip();
    }
    buf_init(&data, BYTES_MAX);
    buf_init(&out, BYTES_MAX);
    packing_pdf(pages, 4, &data);
    assert_int_equal(reading_run(&usual, buf_view(&data), 1000, 7, &out), ERR_NONE);
    assert_true(slice_equal(buf_view(&out), SLICE("a@d.de (page 1)\nc@d.de (page 4)\n")));
    buf_done(&out);
    buf_done(&data);
}

static void test_damaged(void **state)
{
    (void)state;
    static const struct reading_case cases[] = {
        {.name = "a head alone",
         .input = SLICE_LITERAL("%PDF-1.4\n"),
         .expected = "! the PDF is damaged or needs a password\n"},
    };
    struct buf out;
    if (!has_pdftotext()) {
        skip();
    }
    buf_init(&out, BYTES_MAX);
    assert_int_equal(reading_run(&cases[0].reading, cases[0].input, 5, 5, &out), ERR_NONE);
    assert_true(slice_equal(buf_view(&out), slice_of(cases[0].expected)));
    buf_done(&out);
}

/* A pdftotext that does what script says, in a folder that PATH is; what is read of PDFs in a tar archive with it. */
static void run_with(const char *script, const struct reading *reading, size_t count,
                     struct buf *out)
{
    static const char *const page = "a@d.de";
    char folder[] = "/tmp/document_pdf_test.XXXXXX";
    char path[64];
    const char *now = getenv("PATH");
    char *before = strdup(now != NULL ? now : "/usr/bin:/bin");
    struct buf pdf;
    struct buf tar;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/pdftotext", folder);
    FILE *file = fopen(path, "w");
    assert_true(file != NULL && fputs(script, file) >= 0 && fclose(file) == 0);
    assert_true(chmod(path, 0700) == 0 && setenv("PATH", folder, 1) == 0);
    buf_init(&pdf, BYTES_MAX);
    buf_init(&tar, BYTES_MAX);
    packing_pdf(&page, 1, &pdf);
    for (size_t i = 0; i < count; i++) {
        packing_tar("x.pdf", '0', buf_view(&pdf), &tar);
    }
    packing_tar("z", '0', SLICE("z@d.de"), &tar);
    assert_int_equal(reading_run(reading, buf_view(&tar), SIZE_MAX / 2, 1, out), ERR_NONE);
    assert_true(setenv("PATH", before, 1) == 0 && unlink(path) == 0 && rmdir(folder) == 0);
    free(before);
    buf_done(&tar);
    buf_done(&pdf);
}

/* One that hangs, and one that is not there: what stands behind is read. */
static void test_hostile(void **state)
{
    (void)state;
    static const struct {
        const char *script;
        uint32_t tool_ms, tools_ms;
        const char *expected;
    } cases[] = {
        {"#!/bin/sh\necho b@d.de\nexec /bin/sleep 1000\n", 200, 300,
         "b@d.de (x.pdf, page 1)\n"
         "! x.pdf: reading the PDF took too long; what was read counts\n"
         "b@d.de (x.pdf, page 1)\n"
         "! x.pdf: reading the PDF took too long; what was read counts\n"
         "! x.pdf: passed over: the PDFs before it took 0 seconds together\nz@d.de (z, line 1)\n"},
        {"#!/nowhere\n", 60000, 60000,
         "! x.pdf: a PDF is read by pdftotext, which is not here: install poppler-utils\n"
         "! x.pdf: a PDF is read by pdftotext, which is not here: install poppler-utils\n"
         "! x.pdf: a PDF is read by pdftotext, which is not here: install poppler-utils\n"
         "z@d.de (z, line 1)\n"},
    };
    struct buf out;
    buf_init(&out, BYTES_MAX);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct reading reading = {.limits = document_usual_limits()};
        reading.limits.tool_ms = cases[i].tool_ms;
        reading.limits.tools_ms = cases[i].tools_ms;
        buf_clear(&out);
        run_with(cases[i].script, &reading, 3, &out);
        if (!slice_equal(buf_view(&out), slice_of(cases[i].expected))) {
            fail_msg("%s: %.*s", cases[i].script, SLICE_ARG(buf_view(&out)));
        }
    }
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, reading_lists_open, reading_lists_close);
}
