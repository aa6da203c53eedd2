/* providers/blocklist: see the header; the files' format stands in data/blocklists/README.md.
 * SPDX-License-Identifier: Apache-2.0 */
#include "providers/blocklist.h"

#include <stdlib.h>

#include "base/slice.h"
#include "providers/lines.h"

enum { BOOK_BYTES_MAX = 1024 * 1024 };

struct blocklist_code {
    struct blocklist_code *next;
    struct ip ip;
    enum blocklist_meaning meaning;
    struct slice text;
};

struct blocklist_book {
    struct arena arena;
    struct blocklist lists[BLOCKLISTS_MAX];
    size_t count;
};

/* One file being read. */
struct list_reader {
    struct blocklist_book *book;
    struct lines lines;
    struct fault *fault;
    struct blocklist *now; /* NULL before the first entry */
    struct slice default_source, default_date;
    struct slice source, date;
};

typedef enum err (*key_fn)(struct list_reader *r);

static struct slice word_at(const struct list_reader *r, size_t index)
{
    return r->lines.words[index].text;
}

static enum err key_label(struct list_reader *r)
{
    return lines_value(&r->lines, &r->book->arena, &r->now->label, r->fault);
}

static enum err key_page(struct list_reader *r)
{
    return lines_value(&r->lines, &r->book->arena, &r->now->page, r->fault);
}

/* Lower case, as questions are asked and answers compared. */
static enum err read_name(struct list_reader *r, struct slice *out)
{
    struct slice name;
    enum err e = lines_value(&r->lines, &r->book->arena, &name, r->fault);
    for (size_t i = 0; e == ERR_NONE && i < name.len; i++) {
        char c = name.at[i];
        bool is_good = ascii_is_digit(c) || (ascii_is_alpha(c) && ascii_lower(c) == c) ||
                       c == '-' || c == '_' || (c == '.' && i > 0 && i + 1 < name.len);
        if (!is_good) {
            e = lines_fault(&r->lines, r->fault,
                            "\"%.*s\" is no name in lower case without dots at its ends",
                            SLICE_ARG(name));
        }
    }
    if (e == ERR_NONE) {
        *out = name;
    }
    return e;
}

static enum err key_zone(struct list_reader *r)
{
    enum err e = read_name(r, &r->now->zone);
    for (size_t i = 0; e == ERR_NONE && i + 1 < r->book->count; i++) {
        const struct blocklist *other = &r->book->lists[i];
        if (slice_equal(other->zone, r->now->zone)) {
            e = lines_fault(&r->lines, r->fault, "the zone %.*s is that of %.*s (%.*s); remove one",
                            SLICE_ARG(other->zone), SLICE_ARG(other->name),
                            SLICE_ARG(other->where));
        }
    }
    return e;
}

static enum err key_test(struct list_reader *r)
{
    return read_name(r, &r->now->test);
}

static enum err key_asks(struct list_reader *r)
{
    static const struct {
        const char *word;
        enum blocklist_subject subject;
    } all[] = {{"ipv4", BLOCKLIST_IPV4}, {"ipv6", BLOCKLIST_IPV6}, {"domain", BLOCKLIST_DOMAIN}};
    for (size_t i = 1; i < r->lines.count; i++) {
        unsigned found = 0;
        for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
            found |= slice_equal(word_at(r, i), slice_of(all[k].word)) ? all[k].subject : 0u;
        }
        if (found == 0) {
            return lines_fault(&r->lines, r->fault, "\"%.*s\" is none of ipv4 ipv6 domain",
                               SLICE_ARG(word_at(r, i)));
        }
        r->now->subjects |= found;
    }
    return ERR_NONE;
}

static enum err key_weight(struct list_reader *r)
{
    struct slice word = r->lines.count == 2 ? word_at(r, 1) : SLICE_NONE;
    r->now->is_heavy = slice_equal(word, SLICE("heavy"));
    if (!r->now->is_heavy && !slice_equal(word, SLICE("light"))) {
        return lines_fault(&r->lines, r->fault, "weight is heavy or light");
    }
    return ERR_NONE;
}

/* Addresses, then the words for them in quotes. */
static enum err read_codes(struct list_reader *r, enum blocklist_meaning meaning)
{
    struct slice text;
    size_t last = r->lines.count - 1;
    if (last < 2 || r->lines.words[last].kind != WORD_QUOTED) {
        return lines_fault(&r->lines, r->fault,
                           "%.*s takes addresses and then their meaning in quotes",
                           SLICE_ARG(word_at(r, 0)));
    }
    enum err e = word_copy(&r->book->arena, &r->lines.words[last], &text);
    for (size_t i = 1; e == ERR_NONE && i < last; i++) {
        struct ip ip;
        if (!ip_parse(word_at(r, i), &ip) || ip.family != IP_V4 || ip.bytes[0] != 127) {
            return lines_fault(&r->lines, r->fault, "\"%.*s\" is no address of 127.0.0.0/8",
                               SLICE_ARG(word_at(r, i)));
        }
        for (const struct blocklist_code *c = r->now->codes; c != NULL; c = c->next) {
            if (ip_equal(&c->ip, &ip)) {
                return lines_fault(&r->lines, r->fault, "%.*s has a meaning already",
                                   SLICE_ARG(word_at(r, i)));
            }
        }
        struct blocklist_code *code = arena_alloc(&r->book->arena, sizeof *code);
        if (code == NULL) {
            return ERR_NOMEM;
        }
        *code = (struct blocklist_code){r->now->codes, ip, meaning, text};
        r->now->codes = code;
    }
    return e;
}

static enum err key_listed(struct list_reader *r)
{
    return read_codes(r, BLOCKLIST_LISTED);
}

static enum err key_refused(struct list_reader *r)
{
    return read_codes(r, BLOCKLIST_REFUSED);
}

static enum err key_harmless(struct list_reader *r)
{
    return read_codes(r, BLOCKLIST_HARMLESS);
}

static enum err key_source(struct list_reader *r)
{
    return lines_value(&r->lines, &r->book->arena, r->now == NULL ? &r->default_source : &r->source,
                       r->fault);
}

static enum err key_date(struct list_reader *r)
{
    return lines_date(&r->lines, r->now == NULL ? &r->default_date : &r->date, r->fault);
}

/* ---- entries ---- */

static enum err end_entry(struct list_reader *r)
{
    if (r->now == NULL) {
        return ERR_NONE;
    }
    const char *lacks = r->source.len == 0       ? "a source"
                        : r->date.len == 0       ? "a date"
                        : r->now->label.len == 0 ? "a label"
                        : r->now->zone.len == 0  ? "a zone"
                        : r->now->page.len == 0  ? "a page"
                        : r->now->subjects == 0  ? "what it asks"
                                                 : NULL;
    if (lacks == NULL) {
        return ERR_NONE;
    }
    return fault_set(r->fault, ERR_SYNTAX, 0, "%.*s: block list %.*s lacks %s; add the line",
                     SLICE_ARG(r->now->where), SLICE_ARG(r->now->name), lacks);
}

static enum err key_blocklist(struct list_reader *r)
{
    enum err e = end_entry(r);
    if (e != ERR_NONE) {
        return e;
    }
    if (r->book->count == BLOCKLISTS_MAX) {
        (void)lines_fault(&r->lines, r->fault, "more than %d block lists", (int)BLOCKLISTS_MAX);
        return ERR_LIMIT;
    }
    r->now = &r->book->lists[r->book->count++];
    *r->now = (struct blocklist){.test = SLICE("test")};
    r->source = r->default_source;
    r->date = r->default_date;
    e = read_name(r, &r->now->name);
    for (size_t i = 0; e == ERR_NONE && i + 1 < r->book->count; i++) {
        if (slice_equal(r->book->lists[i].name, r->now->name)) {
            e = lines_fault(&r->lines, r->fault, "%.*s stands already at %.*s; remove one",
                            SLICE_ARG(r->now->name), SLICE_ARG(r->book->lists[i].where));
        }
    }
    return e != ERR_NONE ? e : lines_where(&r->lines, &r->book->arena, &r->now->where);
}

static const struct {
    const char *name;
    key_fn read;
    bool is_header; /* may stand before the first entry */
} keys[] = {
    {"blocklist", key_blocklist, true}, {"source", key_source, true},
    {"date", key_date, true},           {"label", key_label, false},
    {"zone", key_zone, false},          {"page", key_page, false},
    {"asks", key_asks, false},          {"weight", key_weight, false},
    {"test", key_test, false},          {"listed", key_listed, false},
    {"refused", key_refused, false},    {"harmless", key_harmless, false},
};

static enum err read_line(struct list_reader *r)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (!slice_equal(word_at(r, 0), slice_of(keys[i].name))) {
            continue;
        }
        if (r->now == NULL && !keys[i].is_header) {
            return lines_fault(&r->lines, r->fault,
                               "%s stands before any entry; start one with: blocklist NAME",
                               keys[i].name);
        }
        return keys[i].read(r);
    }
    return lines_fault(
        &r->lines, r->fault,
        "unknown key \"%.*s\"; see the README.md of this folder for those that exist",
        SLICE_ARG(word_at(r, 0)));
}

static enum err read_source(struct blocklist_book *book, const struct blocklist_source *source,
                            struct fault *out_fault)
{
    struct list_reader r = {.book = book, .fault = out_fault};
    lines_init(&r.lines, source->name, source->text);
    enum err e = lines_next(&r.lines, out_fault);
    while (e == ERR_NONE) {
        e = read_line(&r);
        if (e == ERR_NONE) {
            e = lines_next(&r.lines, out_fault);
        }
    }
    return e == ERR_CLOSED ? end_entry(&r) : e;
}

enum err blocklist_book_compile(const struct blocklist_source *sources, size_t count,
                                struct blocklist_book **out, struct fault *out_fault)
{
    struct blocklist_book *book = calloc(1, sizeof *book);
    if (book == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "no memory for the block lists");
    }
    arena_init(&book->arena, BOOK_BYTES_MAX);
    enum err e = ERR_NONE;
    for (size_t i = 0; i < count && e == ERR_NONE; i++) {
        e = read_source(book, &sources[i], out_fault);
    }
    if (e == ERR_NOMEM) {
        e = fault_set(out_fault, ERR_NOMEM, 0, "no memory for the block lists");
    }
    if (e != ERR_NONE) {
        blocklist_book_free(book);
        return e;
    }
    *out = book;
    return ERR_NONE;
}

void blocklist_book_free(struct blocklist_book *book)
{
    if (book != NULL) {
        arena_done(&book->arena);
        free(book);
    }
}

size_t blocklist_count(const struct blocklist_book *book)
{
    return book->count;
}

const struct blocklist *blocklist_at(const struct blocklist_book *book, size_t index)
{
    return &book->lists[index];
}

struct blocklist_word blocklist_read(const struct blocklist *list, const struct ip *answer)
{
    if (answer->family != IP_V4 || answer->bytes[0] != 127) {
        return (struct blocklist_word){BLOCKLIST_BROKEN, SLICE_NONE};
    }
    for (const struct blocklist_code *code = list->codes; code != NULL; code = code->next) {
        if (ip_equal(&code->ip, answer)) {
            return (struct blocklist_word){code->meaning, code->text};
        }
    }
    /* 127.255.255.0/24 is where several operators put their errors; nobody lists with it. */
    bool is_error = answer->bytes[1] == 255 && answer->bytes[2] == 255;
    return (struct blocklist_word){is_error ? BLOCKLIST_REFUSED : BLOCKLIST_LISTED, SLICE_NONE};
}
