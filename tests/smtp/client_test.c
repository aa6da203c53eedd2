/* Every transcript of TRANSCRIPTS_DIR is played whole, byte by byte, and with what is received cut in two
 * at every place (in long ones at many): the client must say and report the same.
 * SPDX-License-Identifier: Apache-2.0 */
#include "heloise/smtp_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <glob.h>

#include "base/buf.h"
#include "base/slice.h"
#include "transcript.h"

enum { FILE_BYTES_MAX = 1 << 20, EVERY_CUT_MAX = 2000, CUTS = 60, TRANSCRIPTS_MIN = 25 };

static void load(const char *path, struct buf *out)
{
    buf_init(out, FILE_BYTES_MAX);
    assert_int_equal(buf_reserve(out, FILE_BYTES_MAX), ERR_NONE);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    out->len = fread(out->at, 1, FILE_BYTES_MAX, file);
    assert_int_equal(fclose(file), 0);
}

static void play_in_all_ways(const char *path)
{
    struct buf text;
    load(path, &text);
    size_t total = transcript_play(path, buf_view(&text), TRANSCRIPT_WHOLE);
    (void)transcript_play(path, buf_view(&text), TRANSCRIPT_BYTES);
    size_t step = total <= EVERY_CUT_MAX ? 1 : total / CUTS;
    for (size_t cut = 1; cut < total; cut += step) {
        (void)transcript_play(path, buf_view(&text), cut);
    }
    buf_done(&text);
}

static void transcripts(void **state)
{
    (void)state;
    glob_t found;
    assert_int_equal(glob(TRANSCRIPTS_DIR "/*.txt", 0, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        play_in_all_ways(found.gl_pathv[i]);
    }
    print_message("%zu transcripts\n", found.gl_pathc);
    assert_true(found.gl_pathc >= TRANSCRIPTS_MIN);
    globfree(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transcripts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
