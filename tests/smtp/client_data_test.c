/* A message goes out as it came in, but for its line ends (RFC 5321 4.5.2, 2.3.8), in whatever pieces.
 * SPDX-License-Identifier: Apache-2.0 */
#include "heloise/smtp_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/random.h"
#include "base/reader.h"
#include "base/slice.h"
#include "ready.h"

enum { MESSAGES = 2000, MESSAGE_BYTES_MAX = 40 };

static struct hel_smtp_client *client_in_body(void)
{
    struct hel_smtp_client *client = ready_client("");
    assert_int_equal(hel_smtp_client_data(client, 1), ERR_NONE);
    (void)ready_sent(client);
    assert_int_equal(ready_event(client, "354 go\r\n").reply.code, 354);
    return client;
}

/* What a server makes of it: lines up to the dot, the first dot of a line taken away. */
static void receive(struct slice wire, struct buf *out_lines)
{
    struct reader r = reader_over(wire);
    struct slice line;
    while (reader_until(&r, '\n', &line)) {
        assert_true(slice_ends(line, SLICE("\r")));
        line.len--;
        assert_int_equal(slice_find_byte(line, '\r', 0), line.len);
        if (slice_equal(line, SLICE("."))) {
            assert_true(reader_is_done(&r)); /* nothing behind the end */
            return;
        }
        line = slice_sub(line, slice_starts(line, SLICE(".")) ? 1 : 0, line.len);
        assert_int_equal(buf_append(out_lines, line), ERR_NONE);
        assert_int_equal(buf_append_byte(out_lines, '\n'), ERR_NONE);
    }
    fail_msg("the message has no end");
}

/* CRLF, LF and CR each end a line; the last may lack it. */
static void expected_lines(struct slice message, struct buf *out)
{
    for (size_t i = 0; i < message.len; i++) {
        char byte = message.at[i];
        if (byte == '\r' && i + 1 < message.len && message.at[i + 1] == '\n') {
            i++;
        }
        byte = byte == '\r' ? '\n' : byte;
        assert_int_equal(buf_append_byte(out, byte), ERR_NONE);
    }
    if (out->len > 0 && out->at[out->len - 1] != '\n') {
        assert_int_equal(buf_append_byte(out, '\n'), ERR_NONE);
    }
}

static void send_in_pieces(struct hel_smtp_client *client, struct slice message,
                           struct random *random)
{
    for (size_t at = 0; at < message.len;) {
        size_t end = at + random_below(random, 5);
        assert_int_equal(hel_smtp_client_body(client, slice_sub(message, at, end)), ERR_NONE);
        at = end;
    }
    assert_int_equal(hel_smtp_client_body_end(client, 2), ERR_NONE);
}

static void any_message_in_any_pieces(void **state)
{
    (void)state;
    static const char alphabet[] = {'.', '\r', '\n', 'x', '\0', '\xff'};
    struct random random = {5321};
    for (unsigned n = 0; n < MESSAGES; n++) {
        char bytes[MESSAGE_BYTES_MAX];
        size_t len = random_below(&random, MESSAGE_BYTES_MAX);
        for (size_t i = 0; i < len; i++) {
            bytes[i] = alphabet[random_below(&random, sizeof alphabet)];
        }
        struct hel_smtp_client *client = client_in_body();
        send_in_pieces(client, slice_make(bytes, len), &random);
        struct buf got;
        struct buf wanted;
        buf_init(&got, 4096);
        buf_init(&wanted, 4096);
        receive(ready_sent(client), &got);
        expected_lines(slice_make(bytes, len), &wanted);
        if (!slice_equal(buf_view(&got), buf_view(&wanted))) {
            fail_msg("message %u: \"%.*s\"", n, SLICE_ARG(buf_view(&got)));
        }
        buf_done(&got);
        buf_done(&wanted);
        hel_smtp_client_free(client);
    }
}

/* A piece that does not fit is refused as a whole, and fits when there is room again. */
static void no_room(void **state)
{
    (void)state;
    static char bytes[40000];
    struct hel_smtp_client *client = client_in_body();
    assert_int_equal(hel_smtp_client_body(client, slice_make(bytes, sizeof bytes)), ERR_LIMIT);
    assert_int_equal(hel_smtp_client_unsent(client).len, 0);
    assert_int_equal(hel_smtp_client_body(client, slice_make(bytes, 30000)), ERR_NONE);
    assert_int_equal(hel_smtp_client_body(client, slice_make(bytes, 30000)), ERR_LIMIT);
    assert_int_equal(ready_sent(client).len, 30000);
    assert_int_equal(hel_smtp_client_body(client, slice_make(bytes, 30000)), ERR_NONE);
    assert_int_equal(hel_smtp_client_body_end(client, 2), ERR_NONE);
    assert_int_equal(ready_sent(client).len, 30005);
    hel_smtp_client_free(client);
}

/* RFC 3030 2: the length counts all octets, none is changed. */
static void chunks(void **state)
{
    (void)state;
    static const struct {
        struct slice chunk;
        bool is_last;
        struct slice wire;
        enum hel_smtp_stage stage;
    } cases[] = {
        {SLICE_LITERAL(""), true, SLICE_LITERAL("BDAT 0 LAST\r\n"), HEL_SMTP_BODY},
        {SLICE_LITERAL(""), false, SLICE_LITERAL("BDAT 0\r\n"), HEL_SMTP_DATA},
        {SLICE_LITERAL("\r\n.\r\n"), false, SLICE_LITERAL("BDAT 5\r\n\r\n.\r\n"), HEL_SMTP_DATA},
        {SLICE_LITERAL("\0\xff\n"), true, SLICE_LITERAL("BDAT 3 LAST\r\n\0\xff\n"), HEL_SMTP_BODY},
    };
    struct hel_smtp_client *client = ready_client("250 CHUNKING\r\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(hel_smtp_client_bdat(client, i, cases[i].chunk, cases[i].is_last),
                         ERR_NONE);
        assert_true(slice_equal(ready_sent(client), cases[i].wire));
        struct hel_smtp_event event = ready_event(client, "250 ok\r\n");
        assert_int_equal(event.tag, i);
        assert_int_equal(event.stage, cases[i].stage);
    }
    static char much[70000];
    assert_int_equal(hel_smtp_client_bdat(client, 9, slice_make(much, sizeof much), true),
                     ERR_LIMIT);
    assert_int_equal(hel_smtp_client_unsent(client).len, 0);
    hel_smtp_client_free(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_message_in_any_pieces),
        cmocka_unit_test(no_room),
        cmocka_unit_test(chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
