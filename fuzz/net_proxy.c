/* fuzz/net_proxy: any bytes as what a proxy says. The first byte sets the kind, whether there is a user, and the
 * family of the destination, the second the size of the pieces. Whole, in pieces and byte by byte the same is sent
 * and the same comes out; no more is consumed than was given, and nothing is consumed without end.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/slice.h"
#include "net/proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LOG_BYTES_MAX = 1 << 20, SAID_BYTES_MAX = 4 + 513 + 22 };

static void note_end(struct buf *log, const struct proxy_step *step, size_t at)
{
    must(step->status != PROXY_FAILED || proxy_failure_text(step->failure) != NULL);
    must(buf_printf(log, " %d %d %u %zu", (int)step->status,
                    step->status == PROXY_FAILED ? (int)step->failure : 0, (unsigned)step->code,
                    step->status == PROXY_DONE ? at : 0) == ERR_NONE);
}

static void run(const struct proxy *proxy, const struct proxy_target *target, struct slice bytes,
                size_t piece, struct buf *log)
{
    struct proxy_dialogue *d = malloc(sizeof *d);
    must(d != NULL);
    struct proxy_step step = proxy_begin(d, proxy, target);
    must(buf_append(log, step.send) == ERR_NONE);
    size_t at = 0;
    while (step.status == PROXY_MORE && at < bytes.len) {
        struct slice now = slice_sub(bytes, at, at + piece);
        step = proxy_received(d, now);
        must(step.consumed > 0 && step.consumed <= now.len);
        must(step.status != PROXY_MORE || step.consumed == now.len);
        must(buf_append(log, step.send) == ERR_NONE);
        at += step.consumed;
    }
    must(at <= PROXY_HEAD_BYTES + 1);
    must(proxy->kind == PROXY_HTTP || log->len <= SAID_BYTES_MAX);
    note_end(log, &step, at);
    proxy_done(d);
    free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3) {
        return 0;
    }
    struct proxy proxy = {.kind = (data[0] & 1) != 0 ? PROXY_HTTP : PROXY_SOCKS5,
                          .ip.family = IP_V4,
                          .port = 1080,
                          .user = (data[0] & 4) != 0 ? SLICE("u") : SLICE_NONE,
                          .password = SLICE("secret")};
    struct proxy_target target = {.ip.family = (data[0] & 2) != 0 ? IP_V6 : IP_V4, .port = 25};
    struct slice bytes = slice_make((const char *)data + 2, size - 2);
    size_t pieces[] = {bytes.len, data[1] + 1u, 1};
    struct buf logs[3];
    for (size_t i = 0; i < 3; i++) {
        buf_init(&logs[i], LOG_BYTES_MAX);
        run(&proxy, &target, bytes, pieces[i], &logs[i]);
        must(slice_equal(buf_view(&logs[0]), buf_view(&logs[i])));
    }
    for (size_t i = 0; i < 3; i++) {
        buf_done(&logs[i]);
    }
    return 0;
}
