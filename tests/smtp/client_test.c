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

static struct hel_smtp_client *greeted(struct slice greeting)
{
    const struct hel_smtp_client_config config = {.helo_name = SLICE("us.example")};
    struct hel_smtp_client *client = NULL;
    assert_int_equal(hel_smtp_client_new(&config, 0, &client), ERR_NONE);
    hel_smtp_client_received(client, greeting, 0);
    return client;
}

/* A caller that never takes events cannot make the client grow; what was lost is not read over. */
static void bytes_that_nobody_reads(void **state)
{
    (void)state;
    static char bytes[1 << 18];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = "220-x\r\n0"[i % 8];
    }
    struct hel_smtp_client *client = greeted(SLICE("220-mx.example\r\n220-"));
    for (unsigned i = 0; i < 8; i++) {
        hel_smtp_client_received(client, slice_make(bytes, sizeof bytes), 0);
    }
    hel_smtp_client_received(client, SLICE("\r\n220 mx.example\r\n"), 0);
    struct hel_smtp_event event;
    assert_true(hel_smtp_client_next(client, &event));
    assert_int_equal(event.kind, HEL_SMTP_EVENT_FAILED);
    assert_int_equal(event.failure, HEL_SMTP_FAILURE_PROTOCOL);
    assert_false(hel_smtp_client_next(client, &event));
    hel_smtp_client_free(client);
}

/* An answer that is here when the time is over is an answer. */
static void answer_and_deadline_together(void **state)
{
    (void)state;
    struct hel_smtp_client *client = greeted(SLICE("220 mx.example\r\n"));
    struct hel_smtp_event event;
    hel_smtp_client_tick(client, 300000);
    assert_false(hel_smtp_client_next(client, &event));
    assert_int_equal(hel_smtp_client_deadline(client), 600000);
    hel_smtp_client_tick(client, 599999);
    assert_false(hel_smtp_client_next(client, &event));
    hel_smtp_client_free(client);
}

static void nothing_to_free(void **state)
{
    (void)state;
    hel_smtp_client_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transcripts),
        cmocka_unit_test(bytes_that_nobody_reads),
        cmocka_unit_test(answer_and_deadline_together),
        cmocka_unit_test(nothing_to_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
