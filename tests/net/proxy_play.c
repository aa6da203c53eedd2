/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy_play.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/slice.h"

enum { LOG_BYTES_MAX = 1 << 20, PLAY_PORT = 1080 };

struct proxy play_proxy(enum proxy_kind kind, const char *user, const char *password)
{
    struct proxy proxy = {
        .kind = kind, .port = PLAY_PORT, .user = slice_of(user), .password = slice_of(password)};
    assert_true(ip_parse(SLICE("192.0.2.9"), &proxy.ip));
    return proxy;
}

struct proxy_target play_target(const char *ip, uint16_t port, const char *source)
{
    struct proxy_target target = {.port = port};
    assert_true(ip_parse(slice_of(ip), &target.ip));
    assert_true(source == NULL || ip_parse(slice_of(source), &target.source));
    return target;
}

static void show(struct buf *log, struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char byte = (unsigned char)bytes.at[i];
        bool is_plain = byte >= 0x20 && byte < 0x7f && byte != '\\';
        enum err e = is_plain ? buf_append_byte(log, bytes.at[i])
                              : buf_printf(log, "\\x%02x", (unsigned)byte);
        assert_int_equal(e, ERR_NONE);
    }
}

static void show_end(struct buf *log, const struct proxy_step *step, struct slice rest)
{
    switch (step->status) {
    case PROXY_MORE: assert_int_equal(buf_append(log, SLICE("=more")), ERR_NONE); break;
    case PROXY_DONE:
        assert_int_equal(buf_append(log, SLICE("=done[")), ERR_NONE);
        show(log, rest);
        assert_int_equal(buf_append(log, SLICE("]")), ERR_NONE);
        break;
    case PROXY_FAILED:
        assert_int_equal(
            buf_printf(log, "=%s %u", proxy_failure_text(step->failure), (unsigned)step->code),
            ERR_NONE);
        break;
    }
}

/* First a piece of `first` bytes, then pieces of `then`. */
static void play(const struct proxy *proxy, const struct proxy_target *target, struct slice says,
                 size_t first, size_t then, struct buf *log)
{
    struct proxy_dialogue *d = malloc(sizeof *d);
    assert_non_null(d);
    struct proxy_step step = proxy_begin(d, proxy, target);
    show(log, step.send);
    size_t at = 0;
    for (size_t size = first; step.status == PROXY_MORE && at < says.len; size = then) {
        struct slice piece = slice_sub(says, at, at + size);
        step = proxy_received(d, piece);
        assert_true(step.consumed <= piece.len);
        assert_true(step.status != PROXY_MORE || step.consumed == piece.len);
        show(log, step.send);
        at += step.consumed;
    }
    show_end(log, &step, slice_sub(says, at, says.len));
    proxy_done(d);
    free(d);
}

static void check_one(const char *name, const struct proxy *proxy,
                      const struct proxy_target *target, struct slice says, const size_t sizes[2],
                      const char *wanted)
{
    struct buf log;
    buf_init(&log, LOG_BYTES_MAX);
    play(proxy, target, says, sizes[0], sizes[1], &log);
    if (!slice_equal(buf_view(&log), slice_of(wanted))) {
        fail_msg("%s, in pieces of %zu and %zu: %.*s", name, sizes[0], sizes[1],
                 SLICE_ARG(buf_view(&log)));
    }
    buf_done(&log);
}

void play_check(const char *name, const struct proxy *proxy, const struct proxy_target *target,
                struct slice says, const char *log)
{
    check_one(name, proxy, target, says, (size_t[]){1, 1}, log);
    for (size_t cut = 1; cut <= says.len; cut++) {
        check_one(name, proxy, target, says, (size_t[]){cut, says.len}, log);
    }
}
