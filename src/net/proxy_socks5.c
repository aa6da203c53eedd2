/* net/proxy_socks5: three messages at most, each answered by one (RFC 1928 3, 4, 6; RFC 1929 2). An answer is
 * judged as soon as enough of it is there: what says no is often not a whole message.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/reader.h"
#include "base/slice.h"
#include "net/proxy_private.h"

enum {
    SOCKS_VERSION = 5,
    SOCKS_NO_AUTH = 0x00,
    SOCKS_PASSWORD = 0x02,
    SOCKS_NONE_ACCEPTABLE = 0xff,
    SOCKS_PASSWORD_VERSION = 1,
    SOCKS_CONNECT = 1,
    SOCKS_IPV4 = 1,
    SOCKS_NAME = 3,
    SOCKS_IPV6 = 4,
};

enum socks_stage { SOCKS_AWAITS_METHOD, SOCKS_AWAITS_AUTH, SOCKS_AWAITS_REPLY };

static bool has_user(const struct proxy_dialogue *d)
{
    return d->proxy->user.len > 0;
}

/* RFC 1928 3 */
void proxy_socks5_begin(struct proxy_dialogue *d)
{
    d->stage = SOCKS_AWAITS_METHOD;
    proxy_put_byte(d, SOCKS_VERSION);
    proxy_put_byte(d, has_user(d) ? 2 : 1);
    proxy_put_byte(d, SOCKS_NO_AUTH);
    if (has_user(d)) {
        proxy_put_byte(d, SOCKS_PASSWORD);
    }
}

/* RFC 1928 4 */
static void ask(struct proxy_dialogue *d)
{
    d->stage = SOCKS_AWAITS_REPLY;
    d->has_asked = true;
    proxy_put_byte(d, SOCKS_VERSION);
    proxy_put_byte(d, SOCKS_CONNECT);
    proxy_put_byte(d, 0);
    proxy_put_byte(d, d->target.ip.family == IP_V6 ? SOCKS_IPV6 : SOCKS_IPV4);
    proxy_put_ip(d, &d->target.ip);
    proxy_put_u16(d, d->target.port);
}

/* RFC 1929 2 */
static void say_who(struct proxy_dialogue *d)
{
    struct slice user = d->proxy->user;
    struct slice password = d->proxy->password;
    d->stage = SOCKS_AWAITS_AUTH;
    proxy_put_byte(d, SOCKS_PASSWORD_VERSION);
    proxy_put_byte(d, (unsigned)user.len);
    proxy_put(d, user);
    proxy_put_byte(d, (unsigned)password.len);
    proxy_put(d, password);
}

static unsigned byte_at(const struct proxy_dialogue *d, size_t at)
{
    return (unsigned char)d->in[at];
}

static void on_method(struct proxy_dialogue *d, struct proxy_step *step)
{
    if (byte_at(d, 0) != SOCKS_VERSION) {
        proxy_fail(step, PROXY_FAILURE_PROTOCOL, 0);
        return;
    }
    if (d->in_len < 2) {
        return;
    }
    unsigned method = byte_at(d, 1);
    d->in_len = 0;
    if (method == SOCKS_NO_AUTH) {
        ask(d);
    } else if (method == SOCKS_PASSWORD && has_user(d)) {
        say_who(d);
    } else if (method == SOCKS_NONE_ACCEPTABLE) {
        proxy_fail(step, has_user(d) ? PROXY_FAILURE_AUTH : PROXY_FAILURE_AUTH_WANTED, 0);
    } else {
        proxy_fail(step, PROXY_FAILURE_PROTOCOL, 0); /* a method that we did not offer */
    }
}

/* The version byte is not looked at: some servers put 5 there. Nothing but 0 is a yes (RFC 1929 2). */
static void on_auth(struct proxy_dialogue *d, struct proxy_step *step)
{
    if (d->in_len < 2) {
        return;
    }
    unsigned status = byte_at(d, 1);
    d->in_len = 0;
    if (status != 0) {
        proxy_fail(step, PROXY_FAILURE_AUTH, 0);
    } else {
        ask(d);
    }
}

/* RFC 1928 6. Where the host of the destination does not answer, servers send "TTL expired". */
static enum proxy_failure failure_of(unsigned reply)
{
    switch (reply) {
    case 1: return PROXY_FAILURE_GENERAL;
    case 2: return PROXY_FAILURE_DENIED;
    case 3:
    case 4: return PROXY_FAILURE_UNREACHABLE;
    case 5: return PROXY_FAILURE_REFUSED;
    case 6: return PROXY_FAILURE_TIMEOUT;
    case 7:
    case 8: return PROXY_FAILURE_UNSUPPORTED;
    default: return PROXY_FAILURE_PROTOCOL;
    }
}

/* Of a reply that says yes; 0: not known yet. The address in it is nobody's concern, a name may stand there. */
static size_t reply_len(const struct proxy_dialogue *d, struct proxy_step *step)
{
    if (d->in_len < 5) {
        return 0;
    }
    switch (byte_at(d, 3)) {
    case SOCKS_IPV4: return 4 + 4 + 2;
    case SOCKS_IPV6: return 4 + 16 + 2;
    case SOCKS_NAME: return 4 + 1 + byte_at(d, 4) + 2;
    default: proxy_fail(step, PROXY_FAILURE_PROTOCOL, 0); return 0;
    }
}

static void on_reply(struct proxy_dialogue *d, struct proxy_step *step)
{
    if (byte_at(d, 0) != SOCKS_VERSION) {
        proxy_fail(step, PROXY_FAILURE_PROTOCOL, 0);
        return;
    }
    if (d->in_len >= 2 && byte_at(d, 1) != 0) {
        proxy_fail(step, failure_of(byte_at(d, 1)), byte_at(d, 1));
        return;
    }
    if (d->in_len == reply_len(d, step)) {
        step->status = PROXY_DONE;
    }
}

static void on_byte(struct proxy_dialogue *d, struct proxy_step *step)
{
    switch ((enum socks_stage)d->stage) {
    case SOCKS_AWAITS_METHOD: on_method(d, step); break;
    case SOCKS_AWAITS_AUTH: on_auth(d, step); break;
    case SOCKS_AWAITS_REPLY: on_reply(d, step); break;
    }
}

void proxy_socks5_received(struct proxy_dialogue *d, struct slice bytes, struct proxy_step *step)
{
    struct reader r = reader_over(bytes);
    while (step->status == PROXY_MORE && reader_byte(&r, &d->in[d->in_len])) {
        d->in_len++;
        on_byte(d, step);
    }
    step->consumed = bytes.len - r.rest.len;
}
