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

static const struct habit *habit_of(const struct hel_address *address)
{
    struct slice domain = hel_address_domain(address);
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

void address_normal(const struct hel_address *address, char out[HEL_WIRE_BYTES])
{
    const struct habit *habit = address->is_quoted ? NULL : habit_of(address);
    struct slice local = hel_address_local(address);
    struct slice domain = hel_address_domain(address);
    if (habit == NULL) {
        memcpy(out, local.at, local.len);
        join(out, local.len, domain);
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
    struct slice local = hel_address_local(address);
    bool folds = !address->is_quoted && habit_of(address) != NULL;
    for (size_t i = 0; i < local.len; i++) {
        out[i] = folds ? ascii_lower(local.at[i]) : local.at[i];
    }
    join(out, local.len, hel_address_domain(address));
}
