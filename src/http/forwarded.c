/* SPDX-License-Identifier: Apache-2.0 */
#include "http/forwarded.h"

#include "base/slice.h"

bool forwarded_is_trusted(const struct forwarded_nets *nets, const struct ip *ip)
{
    for (size_t i = 0; i < nets->count; i++) {
        if (ip_net_contains(&nets->at[i], ip)) {
            return true;
        }
    }
    return false;
}

static struct slice without_quotes(struct slice text)
{
    bool is_quoted = text.len >= 2 && text.at[0] == '"' && text.at[text.len - 1] == '"';
    return is_quoted ? slice_sub(text, 1, text.len - 1) : text;
}

/* The value of for= in `for=192.0.2.60;proto=http`. RFC 7239 4 */
static struct slice for_of(struct slice element)
{
    while (element.at != NULL) {
        struct slice pair = slice_trim(slice_cut(&element, ';'));
        if (slice_starts_nocase(pair, SLICE("for="))) {
            return without_quotes(slice_trim(slice_sub(pair, 4, pair.len)));
        }
    }
    return SLICE_NONE;
}

/* Cuts the last element off. */
static struct slice cut_last(struct slice *list)
{
    size_t comma = slice_find_last_byte(*list, ',');
    struct slice last = comma < list->len ? slice_sub(*list, comma + 1, list->len) : *list;
    *list = comma < list->len ? slice_sub(*list, 0, comma) : SLICE_NONE;
    return slice_trim(last);
}

struct ip forwarded_client(const struct forwarded_nets *nets, const struct ip *peer,
                           struct slice forwarded, struct slice x_forwarded_for)
{
    struct ip client = *peer;
    bool is_forwarded = slice_trim(forwarded).len > 0;
    struct slice list = slice_trim(is_forwarded ? forwarded : x_forwarded_for);
    while (list.len > 0 && forwarded_is_trusted(nets, &client)) {
        struct slice last = cut_last(&list);
        struct slice text = is_forwarded ? for_of(last) : last;
        struct ip before = client;
        uint16_t port = 0;
        if (!ip_port_parse(text, &client, &port)) {
            return before;
        }
    }
    return client;
}
