/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/outdated.h"

#include "base/slice.h"

/* What decided may have been a mail host, which the answer names: it is asked of once more as one. */
static bool has_other_flags(const struct address_lists *lists, const struct hel_address *address,
                            const struct record *record)
{
    struct domain_flags domain;
    struct address_flags flags;
    size_t hosts = record->disposable_entry.len > 0 ? 1 : 0;
    domain_flags(lists, hel_address_domain(address), &record->disposable_entry, hosts, &domain);
    address_flags(lists, address, &domain, &flags);
    return domain.is_disposable != record->flags.is_disposable ||
           domain.is_free != record->flags.is_free || flags.is_role != record->flags.is_role;
}

static bool has_other_suggestion(const struct address_lists *lists,
                                 const struct hel_address *address, const struct record *record)
{
    char meant[HEL_WIRE_BYTES];
    struct slice now = address_suggest(lists, address, meant) ? slice_of(meant) : SLICE_NONE;
    return !slice_equal(now, record->did_you_mean);
}

bool answer_is_outdated(struct list_reader *lists, const struct record *record)
{
    struct hel_address address;
    struct hel_address_error error;
    if (!list_reader_renew(lists) || record->checked_at_ms >= list_reader_changed_at_ms(lists) ||
        hel_address_parse(record->ascii, HEL_ADDRESS_PRACTICAL, &address, &error) != ERR_NONE) {
        return false;
    }
    const struct address_lists *now = list_reader_lists(lists);
    return has_other_flags(now, &address, record) || has_other_suggestion(now, &address, record);
}
