/* engine/config_read: the text of a configuration file. It reads on behind an error, so that all of them are told at
 * once; what stands in a section that does not exist is passed over.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "base/reader.h"
#include "base/slice.h"
#include "engine/config_private.h"
#include "providers/lines.h"

enum {
    NAME_BYTES_MAX = 63, /* of an egress; it stands in records and in the store */
    SHOWN_BYTES = 60,
};

enum place { PLACE_OUTSIDE, PLACE_SECTION, PLACE_EGRESS, PLACE_UNKNOWN };

struct file_reader {
    struct config *config;
    struct config_complaints *complaints;
    struct slice name, folder;
    struct lines lines;
    enum place place;
    struct slice section;
    unsigned section_line;
    unsigned
        section_lines[CONFIG_KEYS_MAX]; /* by the section's first key: where it began; 0: not yet */
    struct config_egress *egress;       /* of PLACE_EGRESS */
    struct config_egress spare;         /* one that cannot be kept is still looked through */
};

static struct slice shown(struct slice s)
{
    return slice_sub(s, 0, SHOWN_BYTES);
}

static struct slice word_at(const struct file_reader *r, size_t i)
{
    return r->lines.words[i].text;
}

static bool is_bare(const struct file_reader *r, size_t i, const char *text)
{
    return i < r->lines.count && r->lines.words[i].kind == WORD_BARE &&
           slice_equal(word_at(r, i), slice_of(text));
}

static void wrong_at(const struct file_reader *r, unsigned line, const char *format, ...)
    PRINTF_LIKE(3, 4);
static void wrong(const struct file_reader *r, const char *format, ...) PRINTF_LIKE(2, 3);

static void wrong_at(const struct file_reader *r, unsigned line, const char *format, ...)
{
    char text[CONFIG_COMPLAINT_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    config_complain(r->complaints, false, r->name, line, "%s", text);
}

/* About the line read last. */
static void wrong(const struct file_reader *r, const char *format, ...)
{
    char text[CONFIG_COMPLAINT_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    config_complain(r->complaints, false, r->name, r->lines.number, "%s", text);
}

/* ---- keys ---- */

static void unknown_key(const struct file_reader *r)
{
    struct slice name = word_at(r, 0);
    if (config_is_section(name)) {
        wrong(r,
              "the section %.*s has no '{'; write it at the end of this line, and '}' on a line "
              "behind its keys",
              SLICE_ARG(name));
        return;
    }
    size_t equals = slice_find_byte(name, '=', 0);
    if (equals < name.len) {
        wrong(r, "'%.*s' is followed by '='; write key and value with a space between",
              SLICE_ARG(shown(slice_sub(name, 0, equals))));
        return;
    }
    if (r->complaints->count == CONFIG_COMPLAINTS_MAX) {
        r->complaints->errors++; /* it will not be shown: no need to look for what is near */
        return;
    }
    const char *where = r->place == PLACE_OUTSIDE ? "outside of sections" : "in this section";
    const char *other = config_section_of(name);
    const char *near = config_key_near(r->section, name);
    const struct config_key *far = config_key_near_any(name);
    if (other != NULL && other[0] == '\0') {
        wrong(r, "there is no key '%.*s' %s; it stands outside of all", SLICE_ARG(name), where);
    } else if (other != NULL) {
        wrong(r, "there is no key '%.*s' %s; it belongs into the section %s", SLICE_ARG(name),
              where, other);
    } else if (near != NULL) {
        wrong(r, "there is no key '%.*s' %s; did you mean %s?", SLICE_ARG(shown(name)), where,
              near);
    } else if (far != NULL) {
        wrong(r, "there is no key '%.*s' %s; did you mean %s %s%s?", SLICE_ARG(shown(name)), where,
              far->name, far->section[0] == '\0' ? "outside of sections" : "in the section ",
              far->section);
    } else {
        wrong(r, "there is no key '%.*s' %s; heloise.conf(5) lists all", SLICE_ARG(shown(name)),
              where);
    }
}

/* The words behind the key. */
static enum err take_words(struct file_reader *r, struct config_word words[LINE_WORDS_MAX])
{
    enum err e = ERR_NONE;
    for (size_t i = 1; i < r->lines.count && e == ERR_NONE; i++) {
        words[i - 1].is_quoted = r->lines.words[i].kind == WORD_QUOTED;
        e = word_copy(&r->config->arena, &r->lines.words[i], &words[i - 1].text);
    }
    return e;
}

static enum err read_key(struct file_reader *r)
{
    const struct config_key *key = config_key_find(r->section, word_at(r, 0));
    if (key == NULL) {
        unknown_key(r);
        return ERR_NONE;
    }
    size_t index = config_mark_index(key);
    bool is_egress = r->place == PLACE_EGRESS;
    struct config_mark *mark = is_egress ? &r->egress->marks[index] : &r->config->marks[index];
    if (mark->origin == CONFIG_FILE) {
        wrong(r, "%s stands in line %u already; keep one of them%s", key->name, mark->line,
              config_kind_is_list(key->kind) ? ", with all values on its line" : "");
        return ERR_NONE;
    }
    *mark = (struct config_mark){.origin = CONFIG_FILE, .line = r->lines.number};
    if (is_bare(r, 1, "=")) {
        wrong(r, "%s is followed by '='; write key and value with a space between", key->name);
        return ERR_NONE;
    }
    struct config_word words[LINE_WORDS_MAX];
    enum err e = take_words(r, words);
    if (e != ERR_NONE) {
        return e;
    }
    struct config_given given = {.words = words, .count = r->lines.count - 1, .folder = r->folder};
    struct fault why;
    void *base = is_egress ? (void *)r->egress : (void *)r->config;
    e = config_value_read(key, &given, &r->config->arena, config_field(key, base), &why);
    if (e == ERR_SYNTAX) {
        wrong(r, "%s: %s", key->name, why.text);
    }
    return e == ERR_SYNTAX ? ERR_NONE : e;
}

/* ---- sections ---- */

static bool is_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        if (!ascii_is_alnum(c) && c != '-' && c != '.' && c != '_') {
            return false;
        }
    }
    return name.len > 0 && name.len <= NAME_BYTES_MAX;
}

/* Where the egress that begins here goes: a place of its own, or the spare one where it cannot be kept. */
static struct config_egress *place_egress(struct file_reader *r, struct slice name)
{
    struct config *config = r->config;
    for (size_t i = 0; i < config->egress_count; i++) {
        if (slice_equal(config->egresses[i].name, name)) {
            wrong(r, "an egress \"%.*s\" begins in line %u already; give each its own name",
                  SLICE_ARG(name), config->egresses[i].line);
            return &r->spare;
        }
    }
    if (config->egress_count == CONFIG_EGRESSES_MAX) {
        wrong(r, "more than %d egresses", CONFIG_EGRESSES_MAX);
        return &r->spare;
    }
    return &config->egresses[config->egress_count++];
}

static enum err open_egress(struct file_reader *r)
{
    r->place = PLACE_EGRESS;
    r->egress = &r->spare;
    struct slice name = SLICE_NONE;
    if (r->lines.count != 3) {
        wrong(r, "an egress has one name, as in: egress \"main\" {");
    } else if (!is_name(word_at(r, 1))) {
        wrong(r, "'%.*s' is no name for an egress; 1 to %d letters, digits, '.', '-' and '_' are",
              SLICE_ARG(shown(word_at(r, 1))), NAME_BYTES_MAX);
    } else {
        enum err e = arena_copy(&r->config->arena, word_at(r, 1), &name);
        if (e != ERR_NONE) {
            return e;
        }
        r->egress = place_egress(r, name);
    }
    config_egress_init(r->egress);
    r->egress->name = name;
    r->egress->line = r->lines.number;
    return ERR_NONE;
}

static void open_plain(struct file_reader *r)
{
    size_t first = 0;
    while (!slice_equal(slice_of(config_keys[first].section), r->section)) {
        first++;
    }
    r->place = PLACE_SECTION;
    if (r->lines.count != 2) {
        wrong(r, "the section %.*s has no name; write: %.*s {", SLICE_ARG(r->section),
              SLICE_ARG(r->section));
    }
    if (r->section_lines[first] > 0) {
        wrong(r, "the section %.*s begins in line %u already; put its keys there",
              SLICE_ARG(r->section), r->section_lines[first]);
    } else {
        r->section_lines[first] = r->lines.number;
    }
}

static enum err open_section(struct file_reader *r)
{
    if (r->place != PLACE_OUTSIDE) {
        wrong(
            r,
            "the section that begins in line %u is still open; write '}' on a line before this one",
            r->section_line);
    }
    r->section = word_at(r, 0);
    r->section_line = r->lines.number;
    if (slice_equal(r->section, SLICE("egress"))) {
        return open_egress(r);
    }
    if (config_is_section(r->section)) {
        open_plain(r);
        return ERR_NONE;
    }
    const char *near = config_section_near(r->section);
    char all[CONFIG_SECTIONS_BYTES];
    config_list_sections(all);
    wrong(r, "there is no section '%.*s'; %s%s%s", SLICE_ARG(shown(r->section)),
          near != NULL ? "did you mean " : "there are ", near != NULL ? near : all,
          near != NULL ? "?" : "");
    r->place = PLACE_UNKNOWN;
    return ERR_NONE;
}

/* line: of the password's file; 0: there is none. */
static void check_password(const struct file_reader *r, unsigned line, unsigned proxy_line,
                           const struct config_proxy *proxy)
{
    if (line == 0) {
        return;
    }
    if (proxy_line == 0) {
        wrong_at(r, line, "there is no proxy that this password is for; add its line: proxy URL");
        return;
    }
    const char *complaint = config_proxy_password_complaint(proxy);
    if (proxy->kind != PROXY_NONE && complaint != NULL) {
        wrong_at(r, line, "%s", complaint);
    }
}

static void check_warm_up(const struct file_reader *r, const struct config_egress *egress)
{
    static const char *const ramp[] = {"warm-up-first-day", "warm-up-growth"};
    unsigned start = config_egress_mark(egress, "warm-up-start").line;
    unsigned age = config_egress_mark(egress, "warm-up-age").line;
    if (start > 0 && age > 0) {
        wrong_at(r, start > age ? start : age, "a warm-up has a start or an age; keep one of them");
    }
    for (size_t i = 0; i < 2 && start == 0 && age == 0; i++) {
        unsigned line = config_egress_mark(egress, ramp[i]).line;
        if (line > 0) {
            wrong_at(r, line,
                     "%s needs to know when the egress was new; add warm-up-start or warm-up-age",
                     ramp[i]);
        }
    }
}

static void close_section(struct file_reader *r)
{
    if (r->lines.count > 1) {
        wrong(r, "'}' stands alone on its line; put the rest on the next one");
    }
    if (r->place == PLACE_OUTSIDE) {
        wrong(r, "there is no open section that '}' could end; remove it");
    }
    if (r->place == PLACE_EGRESS) {
        check_password(r, config_egress_mark(r->egress, "proxy-password-file").line,
                       config_egress_mark(r->egress, "proxy").line, &r->egress->proxy);
        check_warm_up(r, r->egress);
    }
    r->place = PLACE_OUTSIDE;
    r->section = SLICE_NONE;
}

/* ---- the whole ---- */

static enum err read_line(struct file_reader *r)
{
    if (is_bare(r, 0, "}")) {
        close_section(r);
        return ERR_NONE;
    }
    if (r->lines.count > 1 && is_bare(r, r->lines.count - 1, "{")) {
        return open_section(r);
    }
    struct slice last = word_at(r, r->lines.count - 1);
    bool is_bare_word = r->lines.words[r->lines.count - 1].kind == WORD_BARE;
    if (is_bare_word && slice_find_byte(SLICE("{};"), last.at[last.len - 1], 0) < 3) {
        wrong(r,
              "'%c' at the end of a word: '{' needs a space before it, '}' a line of its own, and "
              "';' is not used; a value that ends in one stands in quotes",
              last.at[last.len - 1]);
        return ERR_NONE;
    }
    return r->place == PLACE_UNKNOWN ? ERR_NONE : read_key(r);
}

static bool same_proxy(const struct config_proxy *a, const struct config_proxy *b)
{
    return a->kind == b->kind && a->port == b->port && slice_equal_nocase(a->host, b->host) &&
           slice_equal(a->user, b->user);
}

static bool same_way(const struct config_egress *a, const struct config_egress *b)
{
    return a->is_enabled && b->is_enabled && ip_equal(&a->source_v4, &b->source_v4) &&
           ip_equal(&a->source_v6, &b->source_v6) && same_proxy(&a->proxy, &b->proxy);
}

/* What only all egresses show. An address has one reputation: two egresses of it would not know of each other. */
static void check_egresses(const struct file_reader *r)
{
    const struct config *config = r->config;
    bool is_any_enabled = config->egress_count == 0;
    for (size_t i = 0; i < config->egress_count; i++) {
        const struct config_egress *egress = &config->egresses[i];
        is_any_enabled = is_any_enabled || egress->is_enabled;
        for (size_t j = 0; j < i; j++) {
            if (same_way(egress, &config->egresses[j])) {
                wrong_at(r, egress->line,
                         "egress \"%.*s\" leaves from where \"%.*s\" of line %u does; make it one, "
                         "or give "
                         "each its source or proxy",
                         SLICE_ARG(egress->name), SLICE_ARG(config->egresses[j].name),
                         config->egresses[j].line);
                break;
            }
        }
    }
    if (!is_any_enabled) {
        wrong_at(r, config->egresses[0].line, "no egress is enabled; set enabled yes for one");
    }
    check_password(r, config_mark(config, "", "proxy-password-file").line,
                   config_mark(config, "", "proxy").line, &config->proxy);
    static const char *const ways[] = {"source-v4", "source-v6", "proxy", "proxy-password-file"};
    for (size_t i = 0; i < sizeof ways / sizeof *ways && config->egress_count > 0; i++) {
        struct config_mark mark = config_mark(config, "", ways[i]);
        if (mark.origin == CONFIG_FILE) {
            wrong_at(r, mark.line,
                     "%s outside of egresses is for files without any; put it into one", ways[i]);
        }
    }
}

static enum err read_lines(struct file_reader *r)
{
    struct fault fault;
    for (;;) {
        enum err e = lines_next(&r->lines, &fault);
        if (e == ERR_SYNTAX) {
            wrong(r, "%s", fault.text);
            continue;
        }
        if (e == ERR_CLOSED) {
            return ERR_NONE;
        }
        e = e != ERR_NONE ? e : read_line(r);
        if (e != ERR_NONE) {
            return e;
        }
    }
}

enum err config_read(struct config *config, struct slice name, struct slice folder,
                     struct slice text, struct config_complaints *complaints)
{
    struct file_reader r = {.config = config,
                            .complaints = complaints,
                            .name = name,
                            .folder = folder,
                            .section = SLICE_NONE};
    if (text.len > CONFIG_BYTES_MAX) {
        config_complain(complaints, false, name, 0, "larger than %d KB; it is no configuration",
                        CONFIG_BYTES_MAX >> 10);
        return ERR_SYNTAX;
    }
    if (slice_starts(text, SLICE("\xef\xbb\xbf"))) { /* the mark of some editors */
        text = slice_sub(text, 3, text.len);
    }
    lines_init(&r.lines, SLICE_NONE, text);
    r.lines.has_paths = true;
    enum err e = arena_copy(&config->arena, name, &config->file);
    if (e == ERR_NONE) {
        e = read_lines(&r);
    }
    if (e != ERR_NONE) {
        return e;
    }
    if (r.place != PLACE_OUTSIDE) {
        wrong_at(&r, r.section_line,
                 "this section is not closed; write '}' on a line behind its keys");
    }
    check_egresses(&r);
    return complaints->errors > 0 ? ERR_SYNTAX : ERR_NONE;
}
