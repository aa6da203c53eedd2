/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/reader.h"
#include "base/slice.h"

enum {
    ZONE_BYTES_MAX = 1 << 30, /* bulk runs meet it with 10,000 domains */
    ZONE_ALIASES_MAX = 12,    /* followed in one answer; a loop ends here */
    ZONE_STRING_BYTES_MAX = 255,
};

struct zone_record {
    struct zone_record *next;
    struct dns_record record;
};

struct zone_name {
    struct zone_record *first, *last;
    size_t count;
    enum zone_failure failure;
    bool exists; /* has, or had, records: not only a failure */
};

struct zone {
    struct arena arena;
    struct map names; /* lower case, without the last dot */
    enum zone_failure failure;
};

enum err zone_new(struct zone **out)
{
    struct zone *zone = calloc(1, sizeof *zone);
    if (zone == NULL) {
        return ERR_NOMEM;
    }
    arena_init(&zone->arena, ZONE_BYTES_MAX);
    map_init(&zone->names, 1);
    *out = zone;
    return ERR_NONE;
}

void zone_free(struct zone *zone)
{
    if (zone != NULL) {
        map_done(&zone->names);
        arena_done(&zone->arena);
        free(zone);
    }
}

/* Lower case and without the last dot; "" is the root. False: too long. */
static bool fold(struct slice name, char out[DNS_NAME_BYTES])
{
    if (slice_ends(name, SLICE("."))) {
        name.len--;
    }
    if (name.len >= DNS_NAME_BYTES) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        out[i] = ascii_lower(name.at[i]);
    }
    out[name.len] = '\0';
    return true;
}

static enum err name_of(struct zone *zone, const char *text, struct zone_name **out)
{
    char folded[DNS_NAME_BYTES];
    if (!fold(slice_of(text), folded)) {
        return ERR_SYNTAX;
    }
    *out = map_find(&zone->names, slice_of(folded));
    if (*out != NULL) {
        return ERR_NONE;
    }
    struct slice kept;
    struct zone_name *name = arena_alloc(&zone->arena, sizeof *name);
    if (name == NULL || arena_copy(&zone->arena, slice_of(folded), &kept) != ERR_NONE ||
        map_put(&zone->names, kept, name) != ERR_NONE) {
        return ERR_NOMEM;
    }
    *out = name;
    return ERR_NONE;
}

/* RFC 1035 3.3: each string of at most 255 octets behind its length. */
static enum err read_text(struct zone *zone, struct slice value, struct slice *out)
{
    size_t room = value.len + value.len / ZONE_STRING_BYTES_MAX + 1;
    char *wire = room > UINT16_MAX ? NULL : arena_alloc(&zone->arena, room);
    if (wire == NULL) {
        return room > UINT16_MAX ? ERR_SYNTAX : ERR_NOMEM;
    }
    size_t len = 0;
    do {
        size_t n = value.len < ZONE_STRING_BYTES_MAX ? value.len : ZONE_STRING_BYTES_MAX;
        wire[len++] = (char)n;
        memcpy(wire + len, value.at, n);
        len += n;
        value = slice_sub(value, n, value.len);
    } while (value.len > 0);
    *out = slice_make(wire, len);
    return ERR_NONE;
}

static enum err read_value(struct zone *zone, enum dns_type type, const char *value,
                           struct dns_record *out)
{
    struct reader r = reader_over(slice_of(value));
    uint64_t preference;
    switch (type) {
    case DNS_A:
    case DNS_AAAA:
        return ip_parse(r.rest, &out->ip) && (out->ip.family == IP_V6) == (type == DNS_AAAA)
                   ? ERR_NONE
                   : ERR_SYNTAX;
    case DNS_MX:
        if (!reader_number(&r, UINT16_MAX, &preference) || !reader_literal(&r, SLICE(" "))) {
            return ERR_SYNTAX;
        }
        out->preference = (uint16_t)preference;
        return fold(r.rest, out->target) ? ERR_NONE : ERR_SYNTAX;
    case DNS_CNAME:
    case DNS_NS:
    case DNS_PTR: return fold(r.rest, out->target) ? ERR_NONE : ERR_SYNTAX;
    case DNS_TXT: return read_text(zone, r.rest, &out->text);
    case DNS_SOA:
    case DNS_SRV:
    case DNS_DS:
    case DNS_TLSA: return ERR_SYNTAX; /* the engine asks for none of them */
    }
    return ERR_SYNTAX;
}

enum err zone_add(struct zone *zone, const char *text, enum dns_type type, const char *value,
                  uint32_t ttl_s)
{
    struct dns_record record = {.type = (uint16_t)type, .ttl_s = ttl_s};
    enum err e = read_value(zone, type, value, &record);
    if (e != ERR_NONE) {
        return e;
    }
    struct zone_name *name;
    e = name_of(zone, text, &name);
    if (e != ERR_NONE) {
        return e;
    }
    if (name->count == DNS_RECORDS_MAX) {
        return ERR_LIMIT;
    }
    struct zone_record *kept = arena_alloc(&zone->arena, sizeof *kept);
    if (kept == NULL) {
        return ERR_NOMEM;
    }
    kept->record = record;
    if (name->last == NULL) {
        name->first = kept;
    } else {
        name->last->next = kept;
    }
    name->last = kept;
    name->count++;
    name->exists = true;
    return ERR_NONE;
}

enum err zone_fail(struct zone *zone, const char *text, enum zone_failure failure)
{
    if (strcmp(text, "*") == 0) {
        zone->failure = failure;
        return ERR_NONE;
    }
    struct zone_name *name;
    enum err e = name_of(zone, text, &name);
    if (e == ERR_NONE) {
        name->failure = failure;
    }
    return e;
}

static const struct zone_name *find(const struct zone *zone, struct slice name)
{
    const struct zone_name *own = map_find(&zone->names, name);
    if (own != NULL && (own->exists || own->failure != ZONE_WELL)) {
        return own;
    }
    for (size_t dot = slice_find_byte(name, '.', 0); dot < name.len;
         dot = slice_find_byte(name, '.', dot + 1)) {
        char wild[DNS_NAME_BYTES + 1];
        int len = snprintf(wild, sizeof wild, "*%.*s", (int)(name.len - dot), name.at + dot);
        const struct zone_name *found = map_find(&zone->names, slice_make(wild, (size_t)len));
        if (found != NULL) {
            return found;
        }
    }
    return NULL;
}

static const struct zone_record *next_of_type(const struct zone_record *at, uint16_t type)
{
    while (at != NULL && at->record.type != type) {
        at = at->next;
    }
    return at;
}

static void append(struct dns_message *out, const struct dns_record *record, const char *owner)
{
    if (out->answer_count == DNS_RECORDS_MAX) {
        out->is_truncated = true;
        return;
    }
    struct dns_record *kept = &out->answers[out->answer_count++];
    *kept = *record;
    (void)snprintf(kept->owner, sizeof kept->owner, "%s", owner);
}

static uint8_t rcode_of(enum zone_failure failure)
{
    return failure == ZONE_SERVFAIL   ? DNS_SERVFAIL
           : failure == ZONE_NXDOMAIN ? DNS_NXDOMAIN
                                      : DNS_REFUSED;
}

static void deny(struct dns_message *out, bool exists)
{
    out->rcode = exists ? DNS_NOERROR : DNS_NXDOMAIN;
    out->has_negative_ttl = true;
    out->negative_ttl_s = ZONE_NEGATIVE_TTL_S;
}

enum zone_failure zone_ask(const struct zone *zone, struct slice question, uint16_t type,
                           uint16_t id, struct dns_message *out)
{
    memset(out, 0, offsetof(struct dns_message, answers));
    out->has_negative_ttl = false;
    out->id = id;
    out->is_response = true;
    out->question_type = type;
    if (!fold(question, out->question)) {
        out->rcode = DNS_FORMERR;
        return ZONE_WELL;
    }
    char owner[DNS_NAME_BYTES];
    memcpy(owner, out->question, sizeof owner);
    for (int aliases = 0; aliases < ZONE_ALIASES_MAX; aliases++) {
        const struct zone_name *name = find(zone, slice_of(owner));
        enum zone_failure failure =
            name != NULL && name->failure != ZONE_WELL ? name->failure : zone->failure;
        if (failure != ZONE_WELL) {
            out->rcode = rcode_of(failure);
            return failure;
        }
        bool exists = name != NULL && name->exists;
        const struct zone_record *found = exists ? next_of_type(name->first, type) : NULL;
        const struct zone_record *alias = exists ? next_of_type(name->first, DNS_CNAME) : NULL;
        if (found == NULL && alias != NULL) {
            append(out, &alias->record, owner);
            memcpy(owner, alias->record.target, sizeof owner);
            continue;
        }
        for (const struct zone_record *at = found; at != NULL; at = next_of_type(at->next, type)) {
            append(out, &at->record, owner);
        }
        if (found == NULL) {
            deny(out, exists);
        }
        return ZONE_WELL;
    }
    return ZONE_WELL; /* a loop of aliases: nothing but aliases in the answer */
}
