/* providers/provider_values: the keys that say what a provider is and bears. Each value may be said once in an
 * entry, and again by a file of a later level.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/slip.h"
#include "providers/provider_reader_private.h"

enum {
    TIMEOUT_S_MAX = 3600,
    SHORT_WORD = 4, /* bytes: one slip is all it takes to make it another word */
};

struct slice provider_nearest(struct slice word, const char *(*name_at)(size_t), size_t count)
{
    unsigned best = (word.len <= SHORT_WORD ? PROVIDER_SLIPS_MAX - 1 : PROVIDER_SLIPS_MAX) + 1;
    struct slice found = SLICE_NONE;
    for (size_t i = 0; i < count; i++) {
        struct slice name = slice_of(name_at(i));
        unsigned slips = slip_distance(word, name, PROVIDER_SLIPS_MAX);
        if (slips < best) {
            best = slips;
            found = name;
        }
    }
    return found;
}

enum err provider_unknown_word(struct book_reader *r, const char *what, struct slice word,
                               struct slice meant, const char *known)
{
    if (meant.len > 0) {
        return lines_fault(&r->lines, &r->fault, "unknown %s \"%.*s\"; did you mean %.*s?", what,
                           SLICE_ARG(word), SLICE_ARG(meant));
    }
    return lines_fault(&r->lines, &r->fault, "unknown %s \"%.*s\"; known: %s", what,
                       SLICE_ARG(word), known);
}

/* Takes a place for a value of this entry; a value that this file gave already is a mistake. */
static enum err claim(struct book_reader *r, struct provider_place *place)
{
    bool is_said = place->source != 0 && provider_level_of(r->book, *place) == r->level;
    if (is_said && !r->is_lost) {
        return lines_fault(&r->lines, &r->fault,
                           "%.*s stands in this entry already, in line %u; remove one",
                           SLICE_ARG(reader_key(r)), place->line);
    }
    *place = reader_place(r);
    r->book->counts.values += r->is_overlay ? 1 : 0;
    return ERR_NONE;
}

enum err provider_key_label(struct book_reader *r)
{
    struct slice label;
    enum err e = lines_value(&r->lines, &r->book->arena, &label, &r->fault);
    e = e != ERR_NONE ? e : claim(r, &r->now->origin->label);
    if (e == ERR_NONE) {
        r->now->label = label;
    }
    return e;
}

static const enum provider_class classes[] = {
    PROVIDER_WEBMAIL, PROVIDER_BUSINESS,  PROVIDER_GATEWAY,    PROVIDER_ISP,
    PROVIDER_HOSTING, PROVIDER_FORWARDER, PROVIDER_SELFHOSTED,
};
enum { CLASS_COUNT = sizeof classes / sizeof *classes };

static const char *class_name_at(size_t i)
{
    return provider_class_name(classes[i]);
}

enum err provider_key_class(struct book_reader *r)
{
    static const char known[] = "webmail business gateway isp hosting forwarder selfhosted";
    if (r->lines.count != 2) {
        return lines_fault(&r->lines, &r->fault, "class is one of %s", known);
    }
    struct slice word = r->lines.words[1].text;
    for (size_t i = 0; i < CLASS_COUNT; i++) {
        if (slice_equal(word, slice_of(class_name_at(i)))) {
            enum err e = claim(r, &r->now->origin->class);
            if (e == ERR_NONE) {
                r->now->class = classes[i];
            }
            return e;
        }
    }
    return provider_unknown_word(r, "class", word,
                                 provider_nearest(word, class_name_at, CLASS_COUNT), known);
}

static enum err set_trait(struct book_reader *r, struct slice word)
{
    bool is_taken_away = word.len > 0 && word.at[0] == '-';
    struct slice name = slice_sub(word, is_taken_away ? 1 : 0, word.len);
    size_t trait = provider_trait_of(name);
    if (trait == PROVIDER_TRAIT_COUNT) {
        return provider_unknown_word(
            r, "trait", name, provider_nearest(name, provider_trait_name, PROVIDER_TRAIT_COUNT),
            "accepts_all selective needs_tls forbids_probing skip "
            "control_meaningless one_rcpt tarpits");
    }
    unsigned bit = 1u << trait;
    r->now->traits = is_taken_away ? r->now->traits & ~bit : r->now->traits | bit;
    r->now->origin->traits[trait] = reader_place(r);
    r->book->counts.values += r->is_overlay ? 1 : 0;
    return ERR_NONE;
}

enum err provider_key_traits(struct book_reader *r)
{
    for (size_t i = 1; i < r->lines.count; i++) {
        enum err e = set_trait(r, r->lines.words[i].text);
        if (e != ERR_NONE) {
            return e;
        }
    }
    return r->lines.count > 1 ? ERR_NONE
                              : lines_fault(&r->lines, &r->fault, "at least one trait is needed");
}

static bool read_number(struct slice word, unsigned min, unsigned max, unsigned *out)
{
    uint64_t value = 0;
    struct reader digits = reader_over(word);
    if (!reader_number(&digits, max, &value) || !reader_is_done(&digits) || value < min) {
        return false;
    }
    *out = (unsigned)value;
    return true;
}

enum err provider_key_limit(struct book_reader *r, enum provider_limit limit)
{
    unsigned min;
    unsigned max;
    unsigned value = 0;
    provider_limit_range(limit, &min, &max);
    if (r->lines.count != 2 || !read_number(r->lines.words[1].text, min, max, &value)) {
        return lines_fault(&r->lines, &r->fault, "%.*s takes a number from %u to %u",
                           SLICE_ARG(reader_key(r)), min, max);
    }
    enum err e = claim(r, &r->now->origin->limits[limit]);
    if (e == ERR_NONE) {
        r->now->limits[limit] = value;
    }
    return e;
}

enum err provider_key_timeout(struct book_reader *r)
{
    enum hel_smtp_stage stage = HEL_SMTP_STAGE_COUNT;
    unsigned seconds = 0;
    if (r->lines.count != 3 || !hel_smtp_stage_parse(r->lines.words[1].text, &stage) ||
        stage == HEL_SMTP_DATA || stage == HEL_SMTP_BODY ||
        !read_number(r->lines.words[2].text, 1, TIMEOUT_S_MAX, &seconds)) {
        return lines_fault(&r->lines, &r->fault,
                           "timeout takes a step (connect, banner, ehlo, starttls, mail, rcpt, "
                           "rset, quit) and seconds from 1 to %d, like: timeout rcpt 60",
                           TIMEOUT_S_MAX);
    }
    enum err e = claim(r, &r->now->origin->timeouts[stage]);
    if (e == ERR_NONE) {
        r->now->timeout_ms[stage] = seconds * 1000;
    }
    return e;
}

enum err provider_key_source(struct book_reader *r)
{
    struct slice text;
    enum err e = lines_value(&r->lines, &r->book->arena, &text, &r->fault);
    if (e == ERR_NONE && r->now != NULL) {
        e = claim(r, &r->now->origin->source);
    }
    if (e == ERR_NONE) {
        *(r->now == NULL ? &r->default_source : &r->now->source) = text;
    }
    return e;
}

enum err provider_key_date(struct book_reader *r)
{
    struct slice text;
    enum err e = lines_date(&r->lines, &text, &r->fault);
    e = e != ERR_NONE ? e : arena_copy(&r->book->arena, text, &text);
    if (e == ERR_NONE && r->now != NULL) {
        e = claim(r, &r->now->origin->date);
    }
    if (e == ERR_NONE) {
        *(r->now == NULL ? &r->default_date : &r->now->date) = text;
    }
    return e;
}
