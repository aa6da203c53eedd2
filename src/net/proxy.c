/* SPDX-License-Identifier: Apache-2.0 */
#include "net/proxy.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "net/proxy_private.h"

void proxy_put(struct proxy_dialogue *dialogue, struct slice bytes)
{
    must(bytes.len <= sizeof dialogue->out - dialogue->out_len);
    memcpy(dialogue->out + dialogue->out_len, bytes.at, bytes.len);
    dialogue->out_len += bytes.len;
}

void proxy_put_byte(struct proxy_dialogue *dialogue, unsigned byte)
{
    char c = (char)(unsigned char)byte;
    proxy_put(dialogue, slice_make(&c, 1));
}

void proxy_put_u16(struct proxy_dialogue *dialogue, unsigned value)
{
    proxy_put_byte(dialogue, value >> 8 & 0xff);
    proxy_put_byte(dialogue, value & 0xff);
}

void proxy_put_ip(struct proxy_dialogue *dialogue, const struct ip *ip)
{
    proxy_put(dialogue, slice_make((const char *)ip->bytes, ip->family == IP_V6 ? 16 : 4));
}

void proxy_fail(struct proxy_step *step, enum proxy_failure failure, unsigned code)
{
    step->status = PROXY_FAILED;
    step->failure = failure;
    step->code = (uint16_t)code;
}

struct proxy_step proxy_begin(struct proxy_dialogue *dialogue, const struct proxy *proxy,
                              const struct proxy_target *target)
{
    must(target->ip.family == IP_V4 || target->ip.family == IP_V6);
    must(proxy->user.len <= PROXY_WORD_BYTES && proxy->password.len <= PROXY_WORD_BYTES);
    *dialogue = (struct proxy_dialogue){.proxy = proxy, .target = *target};
    struct proxy_step step = {.status = PROXY_MORE};
    switch (proxy->kind) {
    case PROXY_SOCKS5: proxy_socks5_begin(dialogue); break;
    case PROXY_HTTP: proxy_http_begin(dialogue); break;
    case PROXY_NONE: must(false);
    case PROXY_V2:
        proxy_v2_begin(dialogue);
        step.status = PROXY_DONE;
        break;
    }
    step.send = slice_make(dialogue->out, dialogue->out_len);
    return step;
}

struct proxy_step proxy_received(struct proxy_dialogue *dialogue, struct slice bytes)
{
    struct proxy_step step = {.status = PROXY_MORE};
    dialogue->out_len = 0;
    switch (dialogue->proxy->kind) {
    case PROXY_SOCKS5: proxy_socks5_received(dialogue, bytes, &step); break;
    case PROXY_HTTP: proxy_http_received(dialogue, bytes, &step); break;
    case PROXY_NONE:
    case PROXY_V2: must(false); /* was done with its header */
    }
    step.send = slice_make(dialogue->out, dialogue->out_len);
    return step;
}

void proxy_done(struct proxy_dialogue *dialogue)
{
    explicit_bzero(dialogue, sizeof *dialogue);
}

static const char *kind_name(enum proxy_kind kind)
{
    switch (kind) {
    case PROXY_NONE: break;
    case PROXY_SOCKS5: return "SOCKS5 proxy";
    case PROXY_HTTP: return "HTTP proxy";
    case PROXY_V2: return "PROXY relay";
    }
    return "proxy";
}

const char *proxy_describe(const struct proxy *proxy, char out[PROXY_NAME_BYTES])
{
    char ip[IP_TEXT_BYTES];
    bool is_v6 = proxy->ip.family == IP_V6;
    (void)snprintf(out, PROXY_NAME_BYTES, "%s %s%s%s:%u", kind_name(proxy->kind), is_v6 ? "[" : "",
                   ip_format(&proxy->ip, ip), is_v6 ? "]" : "", (unsigned)proxy->port);
    return out;
}

const char *proxy_failure_text(enum proxy_failure failure)
{
    switch (failure) {
    case PROXY_FAILURE_PROTOCOL: return "does not speak the protocol of such a proxy";
    case PROXY_FAILURE_AUTH_WANTED: return "wants a user and a password";
    case PROXY_FAILURE_AUTH: return "refuses the user or the password";
    case PROXY_FAILURE_DENIED: return "forbids this destination";
    case PROXY_FAILURE_UNSUPPORTED: return "does not connect to such addresses";
    case PROXY_FAILURE_GENERAL: return "did not connect, and does not say why";
    case PROXY_FAILURE_REFUSED: return "was refused by the destination";
    case PROXY_FAILURE_UNREACHABLE: return "does not reach the destination";
    case PROXY_FAILURE_TIMEOUT: return "had no answer from the destination";
    }
    return "failed";
}
