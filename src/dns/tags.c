/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/tags.h"

#include "base/slice.h"

static bool is_tag_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (!ascii_is_alnum(name.at[i]) && name.at[i] != '_' && name.at[i] != '-') {
            return false;
        }
    }
    return name.len > 0 && ascii_is_alpha(name.at[0]);
}

enum dns_tag_read dns_tag_next(struct slice *rest, struct dns_tag *out)
{
    struct slice part = SLICE_NONE;
    while (part.len == 0 && rest->at != NULL) {
        part = slice_trim(slice_cut(rest, ';')); /* a semicolon at the end, or two, are harmless */
    }
    if (part.len == 0) {
        return DNS_TAG_END;
    }
    size_t equals = slice_find_byte(part, '=', 0);
    struct slice name = slice_trim(slice_sub(part, 0, equals));
    if (equals == part.len || !is_tag_name(name)) {
        *out = (struct dns_tag){part, SLICE_NONE};
        return DNS_TAG_BAD;
    }
    *out = (struct dns_tag){name, slice_trim(slice_sub(part, equals + 1, part.len))};
    return DNS_TAG_READ;
}

bool dns_tag_find(struct slice list, struct slice name, struct slice *out_value)
{
    struct dns_tag tag;
    enum dns_tag_read read = dns_tag_next(&list, &tag);
    for (; read != DNS_TAG_END; read = dns_tag_next(&list, &tag)) {
        if (read == DNS_TAG_READ && slice_equal_nocase(tag.name, name)) {
            *out_value = tag.value;
            return true;
        }
    }
    return false;
}

struct slice dns_tags_bad(struct slice list)
{
    struct dns_tag tag;
    enum dns_tag_read read = dns_tag_next(&list, &tag);
    for (; read != DNS_TAG_END; read = dns_tag_next(&list, &tag)) {
        if (read == DNS_TAG_BAD) {
            return tag.name;
        }
    }
    return SLICE_NONE;
}
