/* SPDX-License-Identifier: Apache-2.0 */
#include "address/normal.h"

#include <string.h>

#include "base/slice.h"

struct habit {
    struct slice domain, same_as; /* same_as: the domain it stands for; empty: itself */
    bool ignores_dots;
    char tag; /* what begins a tag; '\0': none */
};

/* From the providers' help pages: all of these ignore case. */
static const struct habit habits[] = {
    {SLICE_LITERAL("gmail.com"), SLICE_LITERAL(""), true, '+'},
    {SLICE_LITERAL("googlemail.com"), SLICE_LITERAL("gmail.com"), true, '+'},
    {SLICE_LITERAL("outlook.com"), SLICE_LITERAL(""), false, '+'},
    {SLICE_LITERAL("hotmail.com"), SLICE_LITERAL(""), false, '+'},
    {SLICE_LITERAL("live.com"), SLICE_LITERAL(""), false, '+'},
    {SLICE_LITERAL("msn.com"), SLICE_LITERAL(""), false, '+'},
    {SLICE_LITERAL("icloud.com"), SLICE_LITERAL(""), false, '+'},
    {SLICE_LITERAL("me.com"), SLICE_LITERAL("icloud.com"), false, '+'},
    {SLICE_LITERAL("mac.com"), SLICE_LITERAL("icloud.com"), false, '+'},
    {SLICE_LITERAL("fastmail.com"), SLICE_LITERAL(""), false, '+'},
    {SLICE_LITERAL("fastmail.fm"), SLICE_LITERAL(""), false, '+'},
    {SLICE_LITERAL("proton.me"), SLICE_LITERAL(""), true, '+'},
    {SLICE_LITERAL("protonmail.com"), SLICE_LITERAL(""), true, '+'},
    {SLICE_LITERAL("pm.me"), SLICE_LITERAL(""), true, '+'},
    {SLICE_LITERAL("yandex.ru"), SLICE_LITERAL(""), false, '+'},
    {SLICE_LITERAL("yandex.com"), SLICE_LITERAL("yandex.ru"), false, '+'},
    {SLICE_LITERAL("ya.ru"), SLICE_LITERAL("yandex.ru"), false, '+'},
    {SLICE_LITERAL("yahoo.com"), SLICE_LITERAL(""), false, '\0'},
    {SLICE_LITERAL("aol.com"), SLICE_LITERAL(""), false, '\0'},
    {SLICE_LITERAL("gmx.de"), SLICE_LITERAL(""), false, '\0'},
    {SLICE_LITERAL("gmx.net"), SLICE_LITERAL(""), false, '\0'},
    {SLICE_LITERAL("web.de"), SLICE_LITERAL(""), false, '\0'},
    {SLICE_LITERAL("zoho.com"), SLICE_LITERAL(""), false, '+'},
};

/* Which lengths the names above have, as bits, by their first letter: most domains are told from them by that. */
static const unsigned habit_lengths['z' - 'a' + 1] = {
    ['a' - 'a'] = 1u << 7,
    ['f' - 'a'] = 1u << 11 | 1u << 12,
    ['g' - 'a'] = 1u << 6 | 1u << 7 | 1u << 9 | 1u << 14,
    ['h' - 'a'] = 1u << 11,
    ['i' - 'a'] = 1u << 10,
    ['l' - 'a'] = 1u << 8,
    ['m' - 'a'] = 1u << 6 | 1u << 7,
    ['o' - 'a'] = 1u << 11,
    ['p' - 'a'] = 1u << 5 | 1u << 9 | 1u << 14,
    ['w' - 'a'] = 1u << 6,
    ['y' - 'a'] = 1u << 5 | 1u << 9 | 1u << 10,
    ['z' - 'a'] = 1u << 8,
};

static bool may_have_habit(struct slice domain)
{
    unsigned letter = domain.len == 0 ? 0 : (unsigned)(unsigned char)domain.at[0] - 'a';
    return domain.len < 32 && letter <= 'z' - 'a' && (habit_lengths[letter] >> domain.len & 1) != 0;
}

static const struct habit *habit_of(const struct hel_address *address)
{
    struct slice domain = hel_address_domain(address);
    if (!may_have_habit(domain)) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof habits / sizeof habits[0]; i++) {
        if (slice_equal(domain, habits[i].domain)) {
            return &habits[i];
        }
    }
    return NULL;
}

bool address_tag(const struct hel_address *address, struct slice *out)
{
    struct slice local = hel_address_local(address);
    size_t plus = slice_find_byte(local, '+', 0);
    if (address->is_quoted || plus == 0 || plus == local.len) {
        return false;
    }
    *out = slice_sub(local, plus + 1, local.len);
    return true;
}

static void join(char out[HEL_WIRE_BYTES], size_t local_len, struct slice domain)
{
    out[local_len] = '@';
    memcpy(out + local_len + 1, domain.at, domain.len);
    out[local_len + 1 + domain.len] = '\0';
}

static void copy_wire(const struct hel_address *address, char out[HEL_WIRE_BYTES])
{
    memcpy(out, address->wire, address->wire_len);
    out[address->wire_len] = '\0';
}

void address_normal(const struct hel_address *address, char out[HEL_WIRE_BYTES])
{
    const struct habit *habit = address->is_quoted ? NULL : habit_of(address);
    struct slice local = hel_address_local(address);
    struct slice domain = hel_address_domain(address);
    if (habit == NULL) {
        copy_wire(address, out);
        return;
    }
    size_t len = 0;
    for (size_t i = 0; i < local.len && (habit->tag == '\0' || local.at[i] != habit->tag || i == 0);
         i++) {
        if (local.at[i] != '.' || !habit->ignores_dots) {
            out[len++] = ascii_lower(local.at[i]);
        }
    }
    join(out, len, habit->same_as.len > 0 ? habit->same_as : domain);
}

void address_key(const struct hel_address *address, char out[HEL_WIRE_BYTES])
{
    copy_wire(address, out);
    bool folds = !address->is_quoted && habit_of(address) != NULL;
    for (size_t i = 0; folds && i < address->local_len; i++) {
        out[i] = ascii_lower(out[i]);
    }
}
