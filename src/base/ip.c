/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ip.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/reader.h"
#include "base/slice.h"

struct special_net {
    uint8_t bytes[16];
    uint8_t bits;
};

/* IANA special-purpose registries (RFC 6890); none of them is a mail server on the public net. */
static const struct special_net special_v4[] = {
    {{0}, 8},
    {{10}, 8},
    {{100, 64}, 10},
    {{127}, 8},
    {{169, 254}, 16},
    {{172, 16}, 12},
    {{192, 0, 0}, 24},
    {{192, 0, 2}, 24},
    {{192, 88, 99}, 24},
    {{192, 168}, 16},
    {{198, 18}, 15},
    {{198, 51, 100}, 24},
    {{203, 0, 113}, 24},
    {{224}, 4},
    {{240}, 4},
};
static const struct special_net special_v6[] = {
    {{0x00}, 3},                    /* unspecified, loopback, RFC 6666, RFC 8215; else reserved */
    {{0x20, 0x01}, 23},             /* IETF protocol assignments, Teredo within */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x3f, 0xff}, 20},             /* documentation, RFC 9637 */
    {{0x40}, 2},                    /* RFC 9602; else reserved: global unicast is 2000::/3 */
    {{0x80}, 1},                    /* unique local, link-local, multicast; else reserved */
};

bool ip_parse(struct slice text, struct ip *out)
{
    char copy[IP_TEXT_BYTES];
    if (text.len == 0 || text.len >= sizeof copy || memchr(text.at, '\0', text.len) != NULL) {
        return false;
    }
    memcpy(copy, text.at, text.len);
    copy[text.len] = '\0';
    struct ip ip = {.family = IP_V4};
    if (inet_pton(AF_INET, copy, ip.bytes) != 1) {
        ip = (struct ip){.family = IP_V6};
        if (inet_pton(AF_INET6, copy, ip.bytes) != 1) {
            return false;
        }
    }
    *out = ip;
    return true;
}

static bool parse_port(struct slice text, uint16_t *out)
{
    struct reader r = reader_over(text);
    uint64_t port;
    if (!reader_number(&r, 65535, &port) || !reader_is_done(&r) || port == 0) {
        return false;
    }
    *out = (uint16_t)port;
    return true;
}

bool ip_port_parse(struct slice text, struct ip *out, uint16_t *out_port)
{
    if (ip_parse(text, out)) {
        return true;
    }
    size_t colon = slice_find_last_byte(text, ':');
    uint16_t port = *out_port;
    if (colon == text.len || !parse_port(slice_sub(text, colon + 1, text.len), &port)) {
        colon = text.len;
    }
    struct slice host = slice_sub(text, 0, colon);
    if (host.len > 2 && host.at[0] == '[' && host.at[host.len - 1] == ']') {
        host = slice_sub(host, 1, host.len - 1);
    }
    if (!ip_parse(host, out)) {
        return false;
    }
    *out_port = port;
    return true;
}

const char *ip_format(const struct ip *ip, char out_text[IP_TEXT_BYTES])
{
    int family = ip->family == IP_V6 ? AF_INET6 : AF_INET;
    if (ip->family == IP_NONE || inet_ntop(family, ip->bytes, out_text, IP_TEXT_BYTES) == NULL) {
        memcpy(out_text, "none", sizeof "none");
    }
    return out_text;
}

bool ip_net_parse(struct slice text, struct ip_net *out)
{
    size_t slash = slice_find_byte(text, '/', 0);
    struct ip_net net;
    if (!ip_parse(slice_sub(text, 0, slash), &net.ip)) {
        return false;
    }
    uint8_t bits_max = net.ip.family == IP_V4 ? 32 : 128;
    net.bits = bits_max;
    if (slash < text.len) {
        struct reader r = reader_over(slice_sub(text, slash + 1, text.len));
        uint64_t bits;
        if (!reader_number(&r, bits_max, &bits) || !reader_is_done(&r)) {
            return false;
        }
        net.bits = (uint8_t)bits;
    }
    *out = net;
    return true;
}

static bool has_prefix(const uint8_t *bytes, const uint8_t *prefix, unsigned bits)
{
    unsigned whole = bits / 8;
    if (memcmp(bytes, prefix, whole) != 0) {
        return false;
    }
    if (bits % 8 == 0) {
        return true;
    }
    unsigned mask = 0xffu << (8 - bits % 8) & 0xffu;
    return (bytes[whole] & mask) == (prefix[whole] & mask);
}

bool ip_net_contains(const struct ip_net *net, const struct ip *ip)
{
    return net->ip.family == ip->family && has_prefix(ip->bytes, net->ip.bytes, net->bits);
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static bool is_listed(const uint8_t *bytes, const struct special_net *nets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (has_prefix(bytes, nets[i].bytes, nets[i].bits)) {
            return true;
        }
    }
    return false;
}

static bool is_special_v4(const uint8_t *bytes)
{
    return is_listed(bytes, special_v4, sizeof special_v4 / sizeof special_v4[0]);
}

bool ip_is_special(const struct ip *ip)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    static const uint8_t six_to_four[2] = {0x20, 0x02};
    if (ip->family == IP_V4) {
        return is_special_v4(ip->bytes);
    }
    if (ip->family != IP_V6) {
        return true;
    }
    if (has_prefix(ip->bytes, mapped, 96) || has_prefix(ip->bytes, nat64, 96)) {
        return is_special_v4(ip->bytes + 12);
    }
    if (has_prefix(ip->bytes, six_to_four, 16)) {
        return is_special_v4(ip->bytes + 2);
    }
    return is_listed(ip->bytes, special_v6, sizeof special_v6 / sizeof special_v6[0]);
}
