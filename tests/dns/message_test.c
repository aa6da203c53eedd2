/* Messages as they come over the wire, whole, cut and lying (RFC 1035 4.1).
 * SPDX-License-Identifier: Apache-2.0 */
#include "dns/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/slice.h"

enum { TEXT_BYTES = 4096, WIRE_BYTES = 65536 };

/* Header of a response to one question with so many answer and authority records. */
#define HEADER(an, ns) "\x12\x34\x81\x80\0\1\0" an "\0" ns "\0\0"
#define ASK            "\7example\3com\0\0\17\0\1" /* at 12; "com" at 20; 29 bytes are before the answer */
#define AT_12          "\xc0\x0c"
#define IN             "\0\1"
#define TTL_300        "\0\0\1\x2c"
#define MX             "\0\17" IN TTL_300
#define SOA_TAIL       "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4" /* serial, refresh, retry, expire */

static void print_text(struct buf *out, struct slice text)
{
    struct slice string;
    while (dns_text_next(&text, &string)) {
        assert_int_equal(buf_printf(out, " \"%.*s\"", SLICE_ARG(string)), ERR_NONE);
    }
}

static void print_record(struct buf *out, const struct dns_record *record)
{
    char ip[IP_TEXT_BYTES];
    assert_int_equal(buf_printf(out, "; %s %u %u", record->owner, record->type, record->ttl_s),
                     ERR_NONE);
    switch (record->type) {
    case DNS_A:
    case DNS_AAAA:
        assert_int_equal(buf_printf(out, " %s", ip_format(&record->ip, ip)), ERR_NONE);
        break;
    case DNS_MX:
        assert_int_equal(buf_printf(out, " %u '%s'", record->preference, record->target), ERR_NONE);
        break;
    case DNS_SRV:
        assert_int_equal(buf_printf(out, " %u %u %u '%s'", record->preference, record->weight,
                                    record->port, record->target),
                         ERR_NONE);
        break;
    case DNS_TXT: print_text(out, record->text); break;
    case DNS_TLSA:
        assert_int_equal(buf_printf(out, " %zu '%.*s'", record->text.len, SLICE_ARG(record->text)),
                         ERR_NONE);
        break;
    case DNS_CNAME:
    case DNS_NS:
    case DNS_PTR: assert_int_equal(buf_printf(out, " %s", record->target), ERR_NONE); break;
    case DNS_SOA: assert_int_equal(buf_printf(out, " %u", record->minimum_s), ERR_NONE); break;
    default: break;
    }
}

/* What was read, in one line. The caller frees it. */
static char *print_message_text(const struct dns_message *message)
{
    struct buf out;
    buf_init(&out, TEXT_BYTES * 16);
    assert_int_equal(buf_printf(&out, "%04x %s%s%u %s/%u", message->id,
                                message->is_response ? "r" : "q", message->is_truncated ? "t" : "",
                                message->rcode, message->question, message->question_type),
                     ERR_NONE);
    for (size_t i = 0; i < message->answer_count; i++) {
        print_record(&out, &message->answers[i]);
    }
    if (message->has_negative_ttl) {
        assert_int_equal(buf_printf(&out, " neg %u", message->negative_ttl_s), ERR_NONE);
    }
    char *text = buf_take_text(&out);
    assert_non_null(text);
    return text;
}

/* Bytes in a block of their own size, so that a read past the end is seen. The last two stay: texts are theirs. */
static char *kept[2];

static enum err parse_exact(struct slice bytes, struct dns_message *out)
{
    free(kept[0]);
    kept[0] = kept[1];
    kept[1] = malloc(bytes.len == 0 ? 1 : bytes.len);
    assert_non_null(kept[1]);
    memcpy(kept[1], bytes.at, bytes.len);
    return dns_message_parse(slice_make(kept[1], bytes.len), out);
}

static int drop_kept(void **state)
{
    (void)state;
    free(kept[0]);
    free(kept[1]);
    return 0;
}

struct good_row {
    const char *name;
    struct slice bytes;
    const char *text;
};

static const struct good_row good_rows[] = {
    {"a question alone", SLICE_LITERAL("\0\1\1\0\0\1\0\0\0\0\0\0" ASK), "0001 q0 example.com/15"},
    {"no question, no answer", SLICE_LITERAL("\0\1\x81\x85\0\0\0\0\0\0\0\0"), "0001 r5 /0"},
    /* RFC 1035 4.1.4 */
    {"MX with pointers", SLICE_LITERAL(HEADER("\1", "\0") ASK AT_12 MX "\0\x9\0\xa\4mail" AT_12),
     "1234 r0 example.com/15; example.com 15 300 10 'mail.example.com'"},
    {"a pointer into the middle of a name",
     SLICE_LITERAL(HEADER("\1", "\0") ASK AT_12 MX "\0\7\0\0\2mx\xc0\x14"),
     "1234 r0 example.com/15; example.com 15 300 0 'mx.com'"},
    {"pointer chain over two records",
     SLICE_LITERAL(HEADER("\2", "\0") ASK AT_12 MX "\0\6\0\1\1a" AT_12 AT_12 MX
                                                   "\0\6\0\2\1b\xc0\x2b"),
     "1234 r0 example.com/15; example.com 15 300 1 'a.example.com'; example.com 15 300 2 "
     "'b.a.example.com'"},
    /* RFC 7505 3 */
    {"the root as exchanger", SLICE_LITERAL(HEADER("\1", "\0") ASK AT_12 MX "\0\3\0\0\0"),
     "1234 r0 example.com/15; example.com 15 300 0 ''"},
    {"A and AAAA",
     SLICE_LITERAL(HEADER("\2", "\0") ASK AT_12 "\0\1" IN TTL_300 "\0\4\xc0\0\2\1" AT_12
                                                "\0\x1c" IN TTL_300
                                                "\0\x10\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1"),
     "1234 r0 example.com/15; example.com 1 300 192.0.2.1; example.com 28 300 2001:db8::1"},
    /* RFC 2782, RFC 6698 2.1 */
    {"SRV and TLSA",
     SLICE_LITERAL(HEADER("\2", "\0") ASK AT_12
                   "\0\x21" IN TTL_300 "\0\xb\0\1\0\2\1\xbb\2mx" AT_12 AT_12 "\0\x34" IN TTL_300
                   "\0\6\3\1\1abc"),
     "1234 r0 example.com/15; example.com 33 300 1 2 443 'mx.example.com'; example.com 52 300 6 "
     "'\3\1\1abc'"},
    {"names come out in lower case",
     SLICE_LITERAL(HEADER("\1", "\0") ASK "\7EXAMPLE\3Com\0" MX "\0\xa\0\5\2MX\3NET\0"),
     "1234 r0 example.com/15; example.com 15 300 5 'mx.net'"},
    {"odd octets are escaped",
     SLICE_LITERAL(HEADER("\1", "\0") ASK AT_12 MX "\0\xb\0\5\7a.b \\\0\xff\0"),
     "1234 r0 example.com/15; example.com 15 300 5 'a\\046b\\032\\092\\000\\255'"},
    /* RFC 1035 3.3.14 */
    {"TXT of several strings",
     SLICE_LITERAL(HEADER("\2", "\0") ASK AT_12 "\0\x10" IN TTL_300 "\0\6\2ab\0\1c" AT_12
                                                "\0\x10" IN TTL_300 "\0\1\0"),
     "1234 r0 example.com/15; example.com 16 300 \"ab\" \"\" \"c\"; example.com 16 300 \"\""},
    /* RFC 1035 3.3.12 */
    {"PTR", SLICE_LITERAL(HEADER("\1", "\0") ASK AT_12 "\0\xc" IN TTL_300 "\0\5\2mx" AT_12),
     "1234 r0 example.com/15; example.com 12 300 mx.example.com"},
    {"another class is not ours",
     SLICE_LITERAL(HEADER("\1", "\0") ASK AT_12 "\0\1\0\3" TTL_300 "\0\4\xc0\0\2\1"),
     "1234 r0 example.com/15; example.com 0 300"},
    {"an unknown type is walked over",
     SLICE_LITERAL(HEADER("\2", "\0") ASK AT_12 "\0\x2e" IN TTL_300 "\0\2xx" AT_12 MX "\0\3\0\0\0"),
     "1234 r0 example.com/15; example.com 46 300; example.com 15 300 0 ''"},
    /* RFC 2181 8 */
    {"a TTL with the top bit is zero",
     SLICE_LITERAL(HEADER("\1", "\0") ASK AT_12 "\0\1" IN "\x80\0\0\1\0\4\xc0\0\2\1"),
     "1234 r0 example.com/15; example.com 1 0 192.0.2.1"},
    /* RFC 2308 5: the least of TTL and minimum */
    {"SOA: the minimum is less",
     SLICE_LITERAL(HEADER("\0", "\1") ASK AT_12 "\0\6" IN TTL_300 "\0\x16\0\0" SOA_TAIL
                                                "\0\0\0\x3c"),
     "1234 r0 example.com/15 neg 60"},
    {"SOA: its own life is less",
     SLICE_LITERAL(HEADER("\0", "\1") ASK AT_12 "\0\6" IN TTL_300 "\0\x16\0\0" SOA_TAIL "\0\1\0\0"),
     "1234 r0 example.com/15 neg 300"},
    {"an authority section that is cut does no harm",
     SLICE_LITERAL(HEADER("\1", "\1") ASK AT_12 MX "\0\3\0\0\0" AT_12 "\0\6" IN),
     "1234 r0 example.com/15; example.com 15 300 0 ''"},
    {"truncated, and cut within a record (RFC 2181 9)",
     SLICE_LITERAL("\x12\x34\x83\x80\0\1\0\2\0\0\0\0" ASK AT_12 MX "\0\3\0\0\0" AT_12 "\0\17"),
     "1234 rt0 example.com/15; example.com 15 300 0 ''"},
    {"what follows the message is left alone",
     SLICE_LITERAL(HEADER("\1", "\0") ASK AT_12 MX "\0\3\0\0\0"
                                                   "trailing"),
     "1234 r0 example.com/15; example.com 15 300 0 ''"},
};

static void good_messages_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good_rows / sizeof good_rows[0]; i++) {
        struct dns_message message;
        enum err e = parse_exact(good_rows[i].bytes, &message);
        if (e != ERR_NONE) {
            fail_msg("%s: %s", good_rows[i].name, err_name(e));
        }
        char *text = print_message_text(&message);
        if (strcmp(text, good_rows[i].text) != 0) {
            fail_msg("%s: %s", good_rows[i].name, text);
        }
        free(text);
    }
}

struct bad_row {
    const char *name;
    struct slice bytes;
};

static const struct bad_row bad_rows[] = {
    {"nothing", SLICE_LITERAL("")},
    {"half a header", SLICE_LITERAL("\0\1\x81\x80\0\1")},
    {"a question is missing", SLICE_LITERAL(HEADER("\0", "\0"))},
    {"an answer is missing", SLICE_LITERAL(HEADER("\1", "\0") ASK)},
    /* RFC 1035 4.1.4: a pointer names a prior occurrence */
    {"a pointer to itself", SLICE_LITERAL(HEADER("\0", "\0") AT_12 "\0\17\0\1")},
    {"a pointer forward", SLICE_LITERAL(HEADER("\0", "\0") "\xc0\x12\0\17\0\1\1a\0")},
    {"two pointers to each other",
     SLICE_LITERAL(HEADER("\1", "\0") ASK "\xc0\x1f\xc0\x1d\0\1" IN TTL_300 "\0\0")},
    {"a name that points to its own start",
     SLICE_LITERAL(HEADER("\1", "\0") ASK "\1a\xc0\x1d\0\1" IN TTL_300 "\0\0")},
    {"a name that runs into a pointer to its own start",
     SLICE_LITERAL(HEADER("\0", "\0") "\1a\1b" AT_12 "\0\17\0\1")},
    {"a pointer past the end", SLICE_LITERAL(HEADER("\0", "\0") "\xff\xff\0\17\0\1")},
    {"half a pointer", SLICE_LITERAL(HEADER("\0", "\0") "\xc0")},
    {"the extended label type", SLICE_LITERAL(HEADER("\0", "\0") "\x41"
                                                                 "a\0\0\17\0\1")},
    {"the reserved label type", SLICE_LITERAL(HEADER("\0", "\0") "\x80"
                                                                 "a\0\0\17\0\1")},
    {"a label longer than the message", SLICE_LITERAL(HEADER("\0", "\0") "\x3f"
                                                                         "abc")},
    {"data longer than the message", SLICE_LITERAL(HEADER("\1", "\0") ASK AT_12 MX "\0\x40\0\0\0")},
    {"a name longer than its data",
     SLICE_LITERAL(HEADER("\1", "\0") ASK AT_12 MX "\0\3\0\0\3net\0")},
    {"an exchanger shorter than its data",
     SLICE_LITERAL(HEADER("\1", "\0") ASK AT_12 MX "\0\6\0\0\0abc")},
    {"MX without data", SLICE_LITERAL(HEADER("\1", "\0") ASK AT_12 MX "\0\0")},
    {"A of five bytes",
     SLICE_LITERAL(HEADER("\1", "\0") ASK AT_12 "\0\1" IN TTL_300 "\0\5\xc0\0\2\1\1")},
    {"AAAA of four bytes",
     SLICE_LITERAL(HEADER("\1", "\0") ASK AT_12 "\0\x1c" IN TTL_300 "\0\4\xc0\0\2\1")},
    {"SOA without its numbers",
     SLICE_LITERAL(HEADER("\1", "\0") ASK AT_12 "\0\6" IN TTL_300 "\0\2\0\0")},
    {"a string of a TXT record longer than its data",
     SLICE_LITERAL(HEADER("\1", "\0") ASK AT_12 "\0\x10" IN TTL_300 "\0\3\4ab")},
    {"a byte behind the strings of a TXT record",
     SLICE_LITERAL(HEADER("\1", "\0") ASK AT_12 "\0\x10" IN TTL_300 "\0\4\2ab\5")},
    {"a PTR that ends before its data",
     SLICE_LITERAL(HEADER("\1", "\0") ASK AT_12 "\0\xc" IN TTL_300 "\0\6\2mx" AT_12 "x")},
};

static void bad_messages_are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_rows / sizeof bad_rows[0]; i++) {
        struct dns_message message;
        enum err e = parse_exact(bad_rows[i].bytes, &message);
        if (e != ERR_SYNTAX) {
            fail_msg("%s: %s", bad_rows[i].name, err_name(e));
        }
    }
}

/* Cut at every length, a message is refused until its answers are whole; nothing past the end is read. */
static void cut_messages_are_refused(void **state)
{
    (void)state;
    static const struct slice whole =
        SLICE_LITERAL(HEADER("\2", "\1") ASK AT_12 MX
                      "\0\x9\0\xa\4mail" AT_12 AT_12 "\0\1" IN TTL_300 "\0\4\xc0\0\2\1" AT_12
                      "\0\6" IN TTL_300 "\0\x16\0\0" SOA_TAIL "\0\0\0\x3c");
    const size_t answers_end = 29 + 21 + 16;
    for (size_t len = 0; len <= whole.len; len++) {
        struct dns_message message;
        enum err e = parse_exact(slice_sub(whole, 0, len), &message);
        if ((e == ERR_NONE) != (len >= answers_end)) {
            fail_msg("%zu of %zu bytes: %s", len, whole.len, err_name(e));
        }
        if (e == ERR_NONE) {
            assert_int_equal(message.answer_count, 2);
            assert_int_equal(message.has_negative_ttl, len == whole.len);
        }
    }
}

/* The same with the TC bit: what is there is given, and no more. */
static void truncated_messages_give_what_they_have(void **state)
{
    (void)state;
    static const struct slice whole =
        SLICE_LITERAL("\x12\x34\x83\x80\0\1\0\2\0\0\0\0" ASK AT_12 MX "\0\x9\0\xa\4mail" AT_12 AT_12
                      "\0\1" IN TTL_300 "\0\4\xc0\0\2\1");
    for (size_t len = 29; len <= whole.len; len++) {
        struct dns_message message;
        assert_int_equal(parse_exact(slice_sub(whole, 0, len), &message), ERR_NONE);
        assert_true(message.is_truncated);
        size_t expected = len == whole.len ? 2 : len >= 50 ? 1 : 0;
        assert_int_equal(message.answer_count, expected);
    }
}

/* RFC 1035 2.3.4: a name has 255 octets at most; the text with escapes is bounded likewise. */
static void long_names_are_bounded(void **state)
{
    (void)state;
    for (size_t labels = 1; labels <= 200; labels++) {
        char bytes[WIRE_BYTES] = HEADER("\0", "\0");
        size_t len = 12;
        for (size_t i = 0; i < labels; i++) {
            bytes[len++] = 1;
            bytes[len++] = 'a';
        }
        memcpy(bytes + len, "\0\0\17\0\1", 5);
        struct dns_message message;
        enum err e = parse_exact(slice_make(bytes, len + 5), &message);
        assert_int_equal(e, labels <= 127 ? ERR_NONE : ERR_SYNTAX);
        if (e == ERR_NONE) {
            assert_int_equal(strlen(message.question), 2 * labels - 1);
        }
    }
}

static void further_records_are_not_looked_at(void **state)
{
    (void)state;
    static const char record[] = AT_12 MX "\0\3\0\0\0";
    char bytes[WIRE_BYTES] = HEADER("\0", "\0") ASK;
    size_t len = 29;
    for (size_t i = 0; i < 2 * DNS_RECORDS_MAX; i++) {
        memcpy(bytes + len, record, sizeof record - 1);
        len += sizeof record - 1;
    }
    bytes[7] = (char)(2 * DNS_RECORDS_MAX);
    struct dns_message message;
    assert_int_equal(parse_exact(slice_make(bytes, len), &message), ERR_NONE);
    assert_int_equal(message.answer_count, DNS_RECORDS_MAX);
}

/* parse(write(x)) = x, for each message that can be read; and writing fails cleanly at every ceiling. */
static void written_messages_read_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good_rows / sizeof good_rows[0]; i++) {
        struct dns_message message;
        struct dns_message again;
        assert_int_equal(parse_exact(good_rows[i].bytes, &message), ERR_NONE);
        struct buf out;
        buf_init(&out, WIRE_BYTES);
        assert_int_equal(dns_message_write(&message, &out), ERR_NONE);
        enum err e = parse_exact(buf_view(&out), &again);
        if (e != ERR_NONE) {
            fail_msg("%s: %s", good_rows[i].name, err_name(e));
        }
        char *first = print_message_text(&message);
        char *second = print_message_text(&again);
        if (strcmp(first, second) != 0) {
            fail_msg("%s: %s", good_rows[i].name, second);
        }
        free(first);
        free(second);
        for (size_t max = 1; max < out.len; max++) {
            struct buf small;
            buf_init(&small, max);
            assert_int_equal(dns_message_write(&message, &small), ERR_LIMIT);
            buf_done(&small);
        }
        buf_done(&out);
    }
}

struct name_row {
    const char *name;
    const char *text;
    enum err err;
};

#define LABEL_63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct name_row name_rows[] = {
    {"plain", "mx.example.com", ERR_NONE},
    {"the root", "", ERR_NONE},
    {"a label of 63", LABEL_63 ".com", ERR_NONE},
    {"a label of 64", LABEL_63 "a.com", ERR_SYNTAX},
    {"253 characters",
     LABEL_63 "." LABEL_63 "." LABEL_63 ".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
              "aaaaaaaaaaaaaaaaaaaaa",
     ERR_NONE},
    {"254 characters",
     LABEL_63 "." LABEL_63 "." LABEL_63 ".aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
              "aaaaaaaaaaaaaaaaaaaaaa",
     ERR_SYNTAX},
    {"an empty label", "a..b", ERR_SYNTAX},
    {"a dot in front", ".a", ERR_SYNTAX},
    {"an escape of four digits' worth", "a\\046b.com", ERR_NONE},
    {"an escape above 255", "a\\256", ERR_SYNTAX},
    {"half an escape", "a\\04", ERR_SYNTAX},
    {"a backslash alone", "a\\", ERR_SYNTAX},
};

static void names_are_written_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof name_rows / sizeof name_rows[0]; i++) {
        struct dns_message message = {.is_response = true, .question_type = DNS_MX};
        struct dns_message again;
        struct buf out;
        memcpy(message.question, name_rows[i].text, strlen(name_rows[i].text) + 1);
        buf_init(&out, WIRE_BYTES);
        enum err e = dns_message_write(&message, &out);
        if (e != name_rows[i].err) {
            fail_msg("%s: %s", name_rows[i].name, err_name(e));
        }
        if (e == ERR_NONE) {
            assert_int_equal(parse_exact(buf_view(&out), &again), ERR_NONE);
            assert_string_equal(again.question, name_rows[i].text);
        }
        buf_done(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_messages_are_read),
        cmocka_unit_test(bad_messages_are_refused),
        cmocka_unit_test(cut_messages_are_refused),
        cmocka_unit_test(truncated_messages_give_what_they_have),
        cmocka_unit_test(long_names_are_bounded),
        cmocka_unit_test(further_records_are_not_looked_at),
        cmocka_unit_test(written_messages_read_the_same),
        cmocka_unit_test(names_are_written_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, drop_kept);
}
