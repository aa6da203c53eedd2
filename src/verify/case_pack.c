/* Every field of a case and of its evidence is walked here: one that is added there is added here too.
 * SPDX-License-Identifier: Apache-2.0 */
#include "verify/case_pack.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "verify/case_private.h"
#include "verify/wording.h"

enum {
    SAYING_BYTES_MAX = 2048,
    OWN_BYTES_MAX = 4096, /* a text of nothing but short words has two bytes more for each */
    CASE_NUMBERS = 15,    /* of a byte each, mostly zero */
    OWNED_NOTHING = 0,
    OWNED_POSTMASTER,
    OWNED_CONTROL,
    OWNED_BACKUP_CONTROL = OWNED_CONTROL + VERIFY_SHAPES_MAX,
};

static void walk_enum(struct pack *p, unsigned *value)
{
    uint8_t byte = (uint8_t)*value;
    pack_u8(p, &byte);
    *value = byte;
}

/* What the server would have said to others as well. The rule lives as long as the rules do. */
static void walk_saying(struct pack *p, struct evidence *e)
{
    unsigned kind = e->kind, stage = e->stage, skip = e->skip;
    unsigned scope = e->class.scope, reason = e->class.reason, block = e->class.block_kind;
    bool *const flags[] = {&e->has_mixed_codes, &e->class.is_in_progress, &e->class.is_forwarded};
    walk_enum(p, &kind);
    walk_enum(p, &stage);
    walk_enum(p, &skip);
    walk_enum(p, &scope);
    walk_enum(p, &reason);
    walk_enum(p, &block);
    pack_flags(p, flags, sizeof flags / sizeof *flags);
    pack_u16(p, &e->code);
    pack_u8(p, &e->enhanced.class_digit);
    pack_u16(p, &e->enhanced.subject);
    pack_u16(p, &e->enhanced.detail);
    pack_raw(p, &e->class.rule, sizeof e->class.rule);
    e->kind = (enum evidence_kind)kind;
    e->stage = (enum hel_smtp_stage)stage;
    e->skip = (enum skip_reason)skip;
    e->class.scope = (enum reply_scope)scope;
    e->class.reason = (enum reply_reason)reason;
    e->class.block_kind = (enum block_kind)block;
}

static void walk_ip(struct pack *p, struct ip *ip)
{
    pack_u8(p, &ip->family);
    if (ip->family != IP_NONE) {
        pack_raw(p, ip->bytes, ip->family == IP_V4 ? 4 : sizeof ip->bytes);
    }
}

static bool is_same_ip(const struct ip *a, const struct ip *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* What differs from one recipient to the next. before: the evidence before it, or zeroes. */
static void walk_own(struct pack *p, struct evidence *e, const struct evidence *before)
{
    unsigned role = e->role;
    bool has_same_ip = is_same_ip(&e->ip, &before->ip);
    bool *const flags[] = {&e->is_null_sender, &e->has_other_egress, &e->is_hearsay,
                           &e->is_vindicated, &has_same_ip};
    walk_enum(p, &role);
    pack_flags(p, flags, sizeof flags / sizeof *flags);
    pack_u8(p, &e->exchanger);
    pack_u8(p, &e->egress);
    pack_since(p, &e->at_ms, before->at_ms);
    pack_u32(p, &e->class.retry_after_s);
    pack_u32(p, &e->session);
    pack_u16(p, &e->session_rcpts);
    pack_u16(p, &e->session_refusals);
    pack_u32(p, &e->latency_ms);
    if (has_same_ip) {
        e->ip = before->ip;
    } else {
        walk_ip(p, &e->ip);
    }
    e->role = (enum probe_role)role;
}

static const struct evidence *before(const struct verify_case *c, size_t i)
{
    static const struct evidence nothing = {.kind = EVIDENCE_REPLY};
    return i > 0 ? &c->evidence[i - 1] : &nothing;
}

/* The sayings of a case while it is being packed, and behind each other what is the recipient's own in them. */
struct saying_list {
    struct interned *at[CASE_EVIDENCE_MAX];
    size_t ends[CASE_EVIDENCE_MAX], count;
    struct buf own;
};

static enum err hold_saying(struct evidence *e, struct slice address, struct intern *sayings,
                            struct saying_list *list)
{
    struct buf saying;
    buf_init(&saying, SAYING_BYTES_MAX);
    struct pack p = pack_into(&saying);
    walk_saying(&p, e);
    enum err err = p.err;
    err = err != ERR_NONE ? err : wording_split(slice_of(e->text), address, &saying, &list->own);
    struct interned *held = err == ERR_NONE ? intern_hold(sayings, buf_view(&saying)) : NULL;
    buf_done(&saying);
    if (held == NULL) {
        return err != ERR_NONE ? err : ERR_NOMEM;
    }
    list->ends[list->count] = list->own.len;
    list->at[list->count++] = held;
    return ERR_NONE;
}

static enum err hold_sayings(struct verify_case *c, struct intern *sayings,
                             struct saying_list *list)
{
    enum err e = ERR_NONE;
    for (size_t i = 0; i < c->count && e == ERR_NONE; i++) {
        e = hold_saying(&c->evidence[i], hel_address_wire(c->address), sayings, list);
    }
    return e;
}

static void drop_sayings(struct saying_list *list, struct intern *sayings)
{
    for (size_t i = 0; i < list->count; i++) {
        intern_drop(sayings, list->at[i]);
    }
}

static void pack_evidence(struct pack *p, struct verify_case *c, const struct saying_list *list)
{
    uint64_t count = c->count;
    pack_u64(p, &count);
    for (size_t i = 0; i < c->count; i++) {
        size_t begin = i > 0 ? list->ends[i - 1] : 0;
        struct slice own = slice_sub(buf_view(&list->own), begin, list->ends[i]);
        struct interned *saying = list->at[i];
        walk_own(p, &c->evidence[i], before(c, i));
        pack_bytes(p, &own);
        pack_raw(p, &saying, sizeof(struct interned *));
    }
}

/* The words are borrowed from what is read. */
static struct interned *read_own(struct pack *p, const struct evidence *last, struct evidence *e,
                                 struct slice *own_words)
{
    struct interned *saying = NULL;
    memset(e, 0, offsetof(struct evidence, text) + 1);
    walk_own(p, e, last);
    pack_bytes(p, own_words);
    pack_raw(p, &saying, sizeof(struct interned *));
    return saying;
}

static void unpack_evidence(struct pack *p, struct verify_case *c, struct intern *sayings)
{
    for (size_t i = 0; i < c->count; i++) {
        struct evidence *e = &c->evidence[i];
        struct slice own = SLICE_NONE;
        struct interned *saying = read_own(p, before(c, i), e, &own);
        struct pack said = pack_from(interned_view(saying));
        walk_saying(&said, e);
        wording_join(said.from.rest, own, hel_address_wire(c->address), e->text, sizeof e->text);
        intern_drop(sayings, saying);
    }
}

/* The place in the domain's memory that the case is filling, as a number. */
static uint8_t number_of_owned(const struct verify_case *c)
{
    const struct verify_domain *domain = c->domain;
    for (unsigned i = 0; i < VERIFY_SHAPES_MAX; i++) {
        if (c->owned == &domain->controls[i]) {
            return (uint8_t)(OWNED_CONTROL + i);
        }
        if (c->owned == &domain->backup_controls[i]) {
            return (uint8_t)(OWNED_BACKUP_CONTROL + i);
        }
    }
    return c->owned == NULL ? OWNED_NOTHING : OWNED_POSTMASTER;
}

static struct verify_control_memory *owned_by_number(struct verify_domain *domain, uint8_t number)
{
    if (number >= OWNED_BACKUP_CONTROL) {
        return &domain->backup_controls[number - OWNED_BACKUP_CONTROL];
    }
    if (number >= OWNED_CONTROL) {
        return &domain->controls[number - OWNED_CONTROL];
    }
    return number == OWNED_POSTMASTER ? &domain->postmaster : NULL;
}

static void walk_flags(struct pack *p, struct verify_case *c)
{
    bool *const flags[] = {
        &c->is_null_sender,     &c->wants_fresh,   &c->keeps_egress,      &c->wants_other_egress,
        &c->has_swapped_sender, &c->control_fresh, &c->control_elsewhere, &c->is_pending,
        &c->awaits_live,        &c->is_concluded,  &c->is_expired,        &c->greylist_seen,
    };
    pack_flags(p, flags, sizeof flags / sizeof *flags);
}

/* Most are zero. */
static void walk_small(struct pack *p, uint8_t *const *numbers, size_t count)
{
    bool has[CASE_NUMBERS];
    bool *flags[CASE_NUMBERS];
    must(count <= CASE_NUMBERS);
    for (size_t i = 0; i < count; i++) {
        has[i] = *numbers[i] != 0;
        flags[i] = &has[i];
    }
    pack_flags(p, flags, count);
    for (size_t i = 0; i < count; i++) {
        if (has[i]) {
            pack_u8(p, numbers[i]);
        }
    }
}

static void walk_counters(struct pack *p, struct verify_case *c)
{
    uint8_t standing = (uint8_t)c->standing; /* below CASE_EVIDENCE_MAX */
    uint8_t *const numbers[CASE_NUMBERS] = {
        &c->exchanger,      &c->attempts,      &c->rounds,         &c->blocked_hosts, &c->distrusts,
        &c->doubts,         &c->rated,         &c->losses,         &c->breaks,        &c->egresses,
        &c->control_serial, &c->control_waits, &c->control_losses, &c->control_count, &standing,
    };
    walk_small(p, numbers, CASE_NUMBERS);
    pack_u16(p, &c->tried);
    pack_u32(p, &c->round_hint_s);
    pack_u32(p, &c->wait_s);
    pack_u32(p, &c->accepted_by);
    c->standing = standing;
}

static void walk_greylisting(struct pack *p, struct verify_case *c, uint64_t first_ms)
{
    bool has_passed = c->greylist_passed_ms != 0;
    bool *const flags[] = {&has_passed};
    if (!c->greylist_seen) {
        return;
    }
    pack_flags(p, flags, 1);
    pack_since(p, &c->greylist_first_ms, first_ms);
    if (has_passed) {
        pack_since(p, &c->greylist_passed_ms, c->greylist_first_ms);
    }
}

/* All but the evidence; needs what is borrowed. */
static void walk_case(struct pack *p, struct verify_case *c)
{
    unsigned plan = c->plan, asked = c->asked, claim = c->round_claim, why = c->why;
    uint8_t owned = number_of_owned(c);
    uint64_t first_ms = c->count > 0 ? c->evidence[0].at_ms : 0;
    uint64_t last_ms = c->count > 0 ? c->evidence[c->count - 1].at_ms : 0;
    walk_flags(p, c);
    walk_counters(p, c);
    walk_enum(p, &plan);
    walk_enum(p, &asked);
    walk_enum(p, &claim);
    walk_enum(p, &why);
    pack_u8(p, &owned);
    pack_raw(p, &c->seed, sizeof c->seed);
    pack_since(p, &c->not_before_ms, last_ms);
    walk_greylisting(p, c, first_ms);
    c->plan = (enum plan)plan;
    c->asked = (enum probe_role)asked;
    c->round_claim = (enum claim)claim;
    c->why = (enum skip_reason)why;
    c->owned = owned_by_number(c->domain, owned);
}

enum err verify_case_pack(struct verify_case *c, struct intern *sayings, struct buf *to)
{
    must(!c->is_asking && c->route != NULL);
    struct saying_list list = {.count = 0};
    buf_init(&list.own, OWN_BYTES_MAX);
    enum err e = hold_sayings(c, sayings, &list);
    if (e == ERR_NONE) {
        struct pack p = pack_into(to);
        pack_evidence(&p, c, &list);
        walk_case(&p, c);
        e = p.err;
    }
    buf_done(&list.own);
    if (e != ERR_NONE) {
        drop_sayings(&list, sayings);
    }
    return e;
}

void verify_case_forget(struct verify_case *c)
{
    if (c->evidence != c->first) {
        free(c->evidence);
    }
    if (c->spare != NULL) {
        pool_give(c->spare, c);
    } else {
        free(c);
    }
}

void verify_packed_drop(struct slice packed, struct intern *sayings)
{
    struct pack p = pack_from(packed);
    struct evidence last = {.at_ms = 0}, e;
    uint64_t count = 0;
    pack_u64(&p, &count);
    for (uint64_t i = 0; i < count; i++) {
        struct slice own = SLICE_NONE;
        intern_drop(sayings, read_own(&p, &last, &e, &own));
        evidence_copy(&last, &e);
    }
}

enum err verify_case_unpack(struct pack *from, const struct verify_borrowed *borrowed,
                            struct intern *sayings, struct verify_case **out)
{
    uint64_t count = 0;
    struct pack p = *from;
    pack_u64(&p, &count);
    struct verify_case *c = case_alloc(borrowed->spare);
    if (c == NULL) {
        return ERR_NOMEM;
    }
    if (!case_make_room(c, (size_t)count)) {
        verify_case_forget(c);
        return ERR_NOMEM;
    }
    c->config = borrowed->config;
    c->domain = borrowed->domain;
    c->route = borrowed->route;
    c->provider = borrowed->provider;
    c->address = borrowed->address;
    c->shape = (uint8_t)control_shape(hel_address_local(c->address));
    c->count = (size_t)count;
    unpack_evidence(&p, c, sayings);
    walk_case(&p, c);
    case_put_rcpt(c);
    *from = p;
    *out = c;
    return ERR_NONE;
}

bool verify_case_asks_for_others(const struct verify_case *c)
{
    return c->owned != NULL;
}
