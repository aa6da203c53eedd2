/* SPDX-License-Identifier: Apache-2.0 */
#include "dkim_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/slice.h"

enum { WIRE_BYTES = 1 << 18, FILE_BYTES = 1 << 16, PATH_BYTES = 1024 };

struct buf dkim_case_file(const char *folder, const char *name)
{
    char path[PATH_BYTES];
    struct buf out;
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fail_msg("%s is not there", path);
    }
    buf_init(&out, FILE_BYTES);
    for (int last = 0, c = getc(file); c != EOF; last = c, c = getc(file)) {
        if (c == '\n' && last != '\r') {
            assert_int_equal(buf_append_byte(&out, '\r'), ERR_NONE);
        }
        assert_int_equal(buf_append_byte(&out, (char)c), ERR_NONE);
    }
    (void)fclose(file);
    return out;
}

static void answer(struct dkim_verifier *verifier, const struct zone *zone, struct slice name,
                   uint16_t type)
{
    static struct dns_message message;
    struct buf wire;
    buf_init(&wire, WIRE_BYTES);
    enum zone_failure failure = zone_ask(zone, name, type, 1, &message);
    assert_int_equal(dns_message_write(&message, &wire), ERR_NONE);
    assert_int_equal(dkim_verifier_answered(verifier,
                                            failure == ZONE_TIMEOUT ? DNS_TRANSPORT_TIMEOUT
                                                                    : DNS_TRANSPORT_ANSWERED,
                                            buf_view(&wire)),
                     ERR_NONE);
    buf_done(&wire);
}

static void feed(struct dkim_verifier *verifier, struct slice message, size_t piece)
{
    while (message.len > 0) {
        size_t n = piece == 0 || piece > message.len ? message.len : piece;
        assert_int_equal(dkim_verifier_feed(verifier, slice_sub(message, 0, n)), ERR_NONE);
        message = slice_sub(message, n, message.len);
    }
    assert_int_equal(dkim_verifier_finish(verifier), ERR_NONE);
}

static void print(const struct dkim_verifier *verifier, char out[CASE_TEXT_BYTES])
{
    size_t len = 0;
    (void)snprintf(out, CASE_TEXT_BYTES, "none");
    for (size_t i = 0; i < dkim_verifier_count(verifier); i++) {
        const struct dkim_verdict *verdict = dkim_verifier_verdict(verifier, i);
        const char *why = dkim_fault_text(verdict->fault);
        assert_true(len < CASE_TEXT_BYTES);
        len +=
            (size_t)snprintf(out + len, CASE_TEXT_BYTES - len, "%s%s %s %s%s%s", i == 0 ? "" : "; ",
                             dkim_result_name(verdict->result), verdict->signature.domain,
                             verdict->signature.selector, why[0] == '\0' ? "" : ": ", why);
    }
}

void dkim_case_judge(const struct dkim_case *given, struct slice message, char out[CASE_TEXT_BYTES])
{
    struct dkim_verify_options options = {.now_s = given->now_s};
    struct dkim_verifier *verifier;
    struct slice name;
    uint16_t type;
    assert_int_equal(dkim_verifier_new(given->crypto, &options, &verifier), ERR_NONE);
    feed(verifier, message, given->piece);
    while (dkim_verifier_next(verifier, &name, &type)) {
        assert_int_equal(type, DNS_TXT);
        answer(verifier, given->zone, name, type);
    }
    print(verifier, out);
    dkim_verifier_free(verifier);
}
