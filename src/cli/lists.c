/* cli/lists: `heloise lists`: the lists of disposable, free and well-known domains, roles and top-level domains: what they
 * hold and from where, which entry speaks of a domain, and the user's own entries and files over ours.
 * SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/slice.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/probe_options.h"
#include "cli/workbench.h"
#include "engine/json_write.h"
#include "engine/knowledge.h"
#include "net/wall_clock.h"
#include "tools/list_book.h"
#include "tools/list_change.h"
#include "tools/list_fetch.h"
#include "tools/list_report.h"

enum {
    KEY_DATA = 0x400,
    KEY_LISTS,
    KEY_CONFIG,
    KEY_NO_CONFIG,
    KEY_ALLOW_NET,
    KEY_RESOLVER,
    KEY_JSON,
    KEY_FROM,
    KEY_SHA256,
    KEY_SIGNATURE,
    KEY_KEY,
    KEY_UNCHECKED,
    OUT_BYTES_MAX = 1 << 20,
    HEAD_BYTES_MAX = 4096,
};

enum verb { VERB_SHOW, VERB_TEST, VERB_ADD, VERB_REMOVE, VERB_UPDATE, VERB_ROLLBACK, VERB_COUNT };

static const char *const verbs[VERB_COUNT] = {"show",   "test",   "add",
                                              "remove", "update", "rollback"};

struct lists_options {
    struct probe_options
        probe; /* the settings that count here: data, lists, resolvers, allow-net */
    enum verb verb;
    bool is_json, is_unchecked;
    char **words; /* behind the verb */
    size_t count;
    const char *from;
    struct list_proof proof;
};

static const struct argp_option option_table[] = {
    {"json", KEY_JSON, NULL, 0, "show and test: as JSON", 1},
    {"from", KEY_FROM, "URL|FILE", 0, "update: where the new list is", 2},
    {"sha256", KEY_SHA256, "HEX", 0, "update: what its SHA-256 must be", 2},
    {"signature", KEY_SIGNATURE, "FILE", 0, "update: its Ed25519 signature, raw or in base64", 2},
    {"key", KEY_KEY, "FILE", 0, "update: the public key of the signature, in PEM", 2},
    {"unchecked", KEY_UNCHECKED, NULL, 0, "update: take it without hash or signature", 2},
    {"data", KEY_DATA, "DIR", 0, "folder of rules, providers and lists", 3},
    {"lists", KEY_LISTS, "DIR", 0, "folder of your own lists", 3},
    {"resolver", KEY_RESOLVER, "ADDR[:PORT]", 0, "DNS server instead of the system's (repeatable)",
     3},
    {"allow-net", KEY_ALLOW_NET, "CIDR", 0,
     "private or loopback network that a URL may lead to (repeatable)", 3},
    {"config", KEY_CONFIG, "FILE", 0, "configuration file instead of the usual one", 3},
    {"no-config", KEY_NO_CONFIG, NULL, 0, "read no configuration file", 3},
    {0},
};

static void set(struct argp_state *state, const char *setting, const char *word)
{
    struct lists_options *options = state->input;
    struct fault why = {.text = "out of memory"};
    if (config_set_word(&options->probe.given, setting, slice_of(word), &why) != ERR_NONE) {
        argp_error(state, "--%s: %s", setting, why.text);
    }
}

static void parse_words(struct argp_state *state, struct lists_options *options)
{
    const char *word = state->argv[state->next];
    options->words = state->argv + state->next + 1;
    options->count = (size_t)(state->argc - state->next - 1);
    for (int i = 0; i < VERB_COUNT; i++) {
        if (strcmp(word, verbs[i]) == 0) {
            options->verb = (enum verb)i;
            return;
        }
    }
    argp_error(state, "'%.60s' is none of show, test, add, remove, update, rollback", word);
}

static void check(struct argp_state *state, const struct lists_options *options)
{
    bool wants_list = options->verb == VERB_ADD || options->verb == VERB_REMOVE;
    const struct list_proof *proof = &options->proof;
    bool has_update = options->from != NULL || proof->sha256 != NULL || proof->signature != NULL ||
                      proof->key != NULL || options->is_unchecked;
    if (wants_list && options->count < 2) {
        argp_error(state, "%s needs a list and entries: heloise lists %s disposable spam.example",
                   verbs[options->verb], verbs[options->verb]);
    }
    if (options->verb == VERB_TEST && options->count == 0) {
        argp_error(state, "test what? Give domains or addresses");
    }
    if (options->verb == VERB_ROLLBACK && options->count != 1) {
        argp_error(state, "rollback needs one list");
    }
    if (has_update && options->verb != VERB_UPDATE) {
        argp_error(state, "--from, --sha256, --signature, --key and --unchecked are for update");
    }
    if (options->verb != VERB_UPDATE) {
        return;
    }
    if (options->from == NULL || options->count > 1) {
        argp_error(state, "update needs one list and --from: where the new one is");
    }
    if ((proof->signature == NULL) != (proof->key == NULL)) {
        argp_error(state, "--signature and --key belong together");
    }
    if (proof->sha256 == NULL && proof->signature == NULL && !options->is_unchecked) {
        argp_error(state, "update wants --sha256, or --signature with --key, so that nobody can "
                          "slip in another list; --unchecked does without");
    }
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct lists_options *options = state->input;
    switch (key) {
    case KEY_DATA: set(state, "data", arg); return 0;
    case KEY_LISTS: set(state, "lists", arg); return 0;
    case KEY_RESOLVER: set(state, "resolvers", arg); return 0;
    case KEY_ALLOW_NET: set(state, "allow-net", arg); return 0;
    case KEY_CONFIG: options->probe.config_path = arg; return 0;
    case KEY_NO_CONFIG: options->probe.no_config = true; return 0;
    case KEY_JSON: options->is_json = true; return 0;
    case KEY_FROM: options->from = arg; return 0;
    case KEY_SHA256: options->proof.sha256 = arg; return 0;
    case KEY_SIGNATURE: options->proof.signature = arg; return 0;
    case KEY_KEY: options->proof.key = arg; return 0;
    case KEY_UNCHECKED: options->is_unchecked = true; return 0;
    case ARGP_KEY_ARGS: parse_words(state, options); return 0;
    case ARGP_KEY_END: check(state, options); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static int refuse(enum err e, const struct fault *fault)
{
    complain("%s", fault->text);
    return e == ERR_SYNTAX || e == ERR_STATE ? EXIT_BAD_DATA
           : e == ERR_NOMEM                  ? EXIT_INTERNAL
                                             : EXIT_CANNOT_WRITE;
}

/* All that the verbs work with. */
struct work {
    const struct lists_options *options;
    struct list_place place;
    struct knowledge_files files;
    struct buf out;
    struct json_writer json;
};

static int write_out(struct work *work)
{
    if (fwrite(work->out.at, 1, work->out.len, stdout) != work->out.len || fflush(stdout) != 0) {
        complain("cannot write to standard output");
        return EXIT_CANNOT_WRITE;
    }
    buf_clear(&work->out);
    return EXIT_SUCCESS;
}

static bool find_list(const char *word, enum list_kind *out)
{
    if (list_parse(slice_of(word), out)) {
        return true;
    }
    complain("'%.60s' is none of the lists: disposable, disposable-wildcard, free, popular, roles, "
             "tlds",
             word);
    return false;
}

/* ---- show ---- */

static void day_of(int64_t at_ms, char out[DATE_TIME_BYTES])
{
    (void)date_time_text(at_ms, out);
    out[10] = '\0'; /* 2026-11-21 */
}

static enum err show_text(struct work *work, enum list_kind kind, const struct list_about *about)
{
    char day[DATE_TIME_BYTES];
    day_of(about->changed_at_ms, day);
    enum err e = buf_printf(&work->out,
                            "%s: %zu entries, %llu bytes, %s%s\n  for        %s\n"
                            "  file       %s, of %s\n  SHA-256    %s\n",
                            list_name(kind), about->entries, (unsigned long long)about->bytes,
                            about->is_updated ? "updated by you" : "as shipped",
                            about->has_former ? ", rollback possible" : "", list_purpose(kind),
                            about->path, day, about->sha256);
    if (e == ERR_NONE && about->date[0] != '\0') {
        e = buf_printf(&work->out, "  date       %s\n", about->date);
    }
    if (e == ERR_NONE && about->source[0] != '\0') {
        e = buf_printf(&work->out, "  source     %s\n", about->source);
    }
    if (e == ERR_NONE && about->licence[0] != '\0') {
        e = buf_printf(&work->out, "  licence    %s\n", about->licence);
    }
    if (e == ERR_NONE && about->added + about->removed > 0) {
        e = buf_printf(&work->out, "  your own   %zu added, %zu taken out: %s\n", about->added,
                       about->removed, about->own_path);
    }
    return e;
}

static int show_list(struct work *work, enum list_kind kind)
{
    struct fault fault;
    struct list_about about;
    enum err e = list_look(&work->place, kind, &about, &fault);
    if (e != ERR_NONE) {
        return refuse(e, &fault);
    }
    if (work->options->is_json) {
        list_about_write(&work->json, kind, &about, LIST_NAMING_PATHS);
        return EXIT_SUCCESS;
    }
    return show_text(work, kind, &about) == ERR_NONE ? EXIT_SUCCESS : EXIT_INTERNAL;
}

/* The knowledge that is no list of entries: what it holds and where. */
static void show_book_json(struct work *work, enum list_book book, const struct list_about *about)
{
    struct json_writer *w = &work->json;
    json_open(w, NULL, '{');
    json_string(w, "list", slice_of(list_book_name(book)));
    json_string(w, "file", slice_of(about->path));
    json_int(w, "entries", (int64_t)about->entries);
    json_int(w, "own", (int64_t)about->added);
    json_bool(w, "is_updated", about->is_updated);
    json_bool(w, "has_former", about->has_former);
    json_time(w, "changed_at", about->changed_at_ms);
    json_text(w, "sha256", slice_of(about->sha256));
    json_string(w, "date", slice_of(about->date));
    json_string(w, "source", slice_of(about->source));
    json_close(w, '}');
}

static enum err show_book_text(struct work *work, enum list_book book,
                               const struct list_about *about)
{
    static const char *const hints[LIST_BOOK_COUNT] = {
        [LIST_BOOK_PROVIDERS] = "heloise providers list",
        [LIST_BOOK_BLOCKLISTS] = "heloise dns and heloise doctor ask them",
    };
    enum err e = buf_printf(
        &work->out, "%s: %zu entries, %s%s\n  files      %s\n  more       %s\n",
        list_book_name(book), about->entries, about->is_updated ? "updated by you" : "as shipped",
        about->has_former ? ", rollback possible" : "", about->path, hints[book]);
    if (e == ERR_NONE && about->is_updated) {
        e = buf_printf(&work->out, "  yours      %zu entries\n  SHA-256    %s\n", about->added,
                       about->sha256);
    }
    return e;
}

static int show_book(struct work *work, enum list_book book)
{
    struct fault fault;
    struct list_about about;
    enum err e = list_book_look(&work->place, &work->files, book, &about, &fault);
    if (e != ERR_NONE) {
        return refuse(e, &fault);
    }
    if (work->options->is_json) {
        show_book_json(work, book, &about);
        return EXIT_SUCCESS;
    }
    return show_book_text(work, book, &about) == ERR_NONE ? EXIT_SUCCESS : EXIT_INTERNAL;
}

/* A list of entries, or a book. */
struct shelf {
    bool is_book;
    enum list_kind kind;
    enum list_book book;
};

static bool find_shelf(const char *word, struct shelf *out)
{
    out->is_book = list_book_parse(slice_of(word), &out->book);
    if (out->is_book || list_parse(slice_of(word), &out->kind)) {
        return true;
    }
    complain("'%.60s' is none of the lists: disposable, disposable-wildcard, free, popular, roles, "
             "tlds, providers, blocklists",
             word);
    return false;
}

static int show_shelf(struct work *work, const struct shelf *shelf)
{
    return shelf->is_book ? show_book(work, shelf->book) : show_list(work, shelf->kind);
}

static int show_named(struct work *work)
{
    int code = EXIT_SUCCESS;
    for (size_t i = 0; i < work->options->count && code == EXIT_SUCCESS; i++) {
        struct shelf shelf;
        code =
            find_shelf(work->options->words[i], &shelf) ? show_shelf(work, &shelf) : EXIT_BAD_USAGE;
    }
    return code;
}

static int show(struct work *work)
{
    int code = EXIT_SUCCESS;
    if (work->options->is_json) {
        json_begin(&work->json, &work->out);
        json_open(&work->json, NULL, '[');
    }
    if (work->options->count > 0) {
        code = show_named(work);
    } else {
        for (int i = 0; i < LIST_COUNT && code == EXIT_SUCCESS; i++) {
            code = show_list(work, (enum list_kind)i);
        }
        for (int i = 0; i < LIST_BOOK_COUNT && code == EXIT_SUCCESS; i++) {
            code = show_book(work, (enum list_book)i);
        }
    }
    if (work->options->is_json) {
        json_close(&work->json, ']');
        bool is_whole = work->json.err == ERR_NONE && buf_append_byte(&work->out, '\n') == ERR_NONE;
        code = is_whole ? code : EXIT_INTERNAL;
    }
    return code != EXIT_SUCCESS ? code : write_out(work);
}

/* ---- test ---- */

static enum err tell_hit(struct work *work, const struct list_hit *hit)
{
    const struct list_spot *spot = &hit->spot;
    return buf_printf(&work->out, "  %-20s %s%.*s%s  %s:%u%s\n", list_name(hit->kind),
                      hit->match.is_exception ? "not, by your exception " : "",
                      SLICE_ARG(hit->match.entry), hit->is_parent ? " (a parent)" : "", spot->path,
                      spot->line, spot->is_own ? " (your own)" : "");
}

static enum err tell_test(struct work *work, const char *word, const struct list_test *test)
{
    enum err e = text_append_printable(&work->out, slice_of(word));
    e = e != ERR_NONE ? e : buf_append_byte(&work->out, '\n');
    for (size_t i = 0; i < test->count && e == ERR_NONE; i++) {
        e = tell_hit(work, &test->hits[i]);
    }
    if (e == ERR_NONE) {
        e = buf_printf(&work->out, "  so it is             %s%s%s\n",
                       test->flags.is_disposable ? "disposable" : "not disposable",
                       test->flags.is_free ? ", free" : "", test->is_role ? ", a role" : "");
    }
    if (e == ERR_NONE && test->provider != NULL) {
        e = buf_printf(&work->out, "  provider             %.*s  %.*s\n",
                       SLICE_ARG(test->provider->name), SLICE_ARG(test->provider->where));
    }
    return e != ERR_NONE || test->meant.len == 0
               ? e
               : buf_printf(&work->out, "  did you mean         %.*s\n", SLICE_ARG(test->meant));
}

static enum err test_word(struct work *work, const struct list_sources *sources, const char *word,
                          const struct list_subject *subject)
{
    struct list_test test;
    list_test(sources, subject, &test);
    if (!work->options->is_json) {
        return tell_test(work, word, &test);
    }
    json_begin(&work->json, &work->out);
    list_test_write(&work->json, slice_of(word), subject, &test, LIST_NAMING_PATHS);
    return work->json.err != ERR_NONE ? work->json.err : buf_append_byte(&work->out, '\n');
}

static int test(struct work *work)
{
    struct knowledge *knowledge = NULL;
    int code = workbench_open_knowledge(&work->options->probe, &knowledge);
    int worst = code;
    for (size_t i = 0; i < work->options->count && code == EXIT_SUCCESS; i++) {
        const char *word = work->options->words[i];
        struct list_subject subject;
        if (!list_subject_read(slice_of(word), &subject)) {
            complain("'%.60s' is neither a domain nor an address", word);
            worst = EXIT_BAD_DATA;
            continue;
        }
        const struct list_sources sources = {knowledge_lists(knowledge),
                                             knowledge_providers(knowledge), &work->place};
        code =
            test_word(work, &sources, word, &subject) == ERR_NONE ? write_out(work) : EXIT_INTERNAL;
    }
    knowledge_free(knowledge);
    return code != EXIT_SUCCESS ? code : worst;
}

/* ---- changes ---- */

static void tell_change(enum list_kind kind, const char *entry, enum list_change change,
                        bool is_wanted)
{
    static const char *const said[] = {
        [LIST_CHANGE_ADDED] = "is an entry of yours now",
        [LIST_CHANGE_RESTORED] = "counts again",
        [LIST_CHANGE_DROPPED] = "is no entry of yours any more",
        [LIST_CHANGE_REMOVED] = "is taken out",
    };
    const char *what = change == LIST_CHANGE_NONE
                           ? (is_wanted ? "was on the list" : "was not on the list")
                           : said[change];
    (void)printf("%s: %s %s\n", list_name(kind), entry, what);
}

static int change_entries(struct work *work, bool is_wanted)
{
    enum list_kind kind;
    struct fault fault;
    if (!find_list(work->options->words[0], &kind)) {
        return EXIT_BAD_USAGE;
    }
    for (size_t i = 1; i < work->options->count; i++) {
        char entry[LIST_WORD_BYTES];
        enum list_change done = LIST_CHANGE_NONE;
        enum err e = list_entry_read(kind, slice_of(work->options->words[i]), entry, &fault);
        if (e == ERR_NONE) {
            e = is_wanted ? list_add(&work->place, kind, slice_of(entry), &done, &fault)
                          : list_remove(&work->place, kind, slice_of(entry), &done, &fault);
        }
        if (e != ERR_NONE) {
            return refuse(e, &fault);
        }
        tell_change(kind, entry, done, is_wanted);
    }
    return EXIT_SUCCESS;
}

/* The list that is named, or whose name the file has. */
static bool find_updated(const struct lists_options *options, struct shelf *out)
{
    if (options->count == 1) {
        return find_shelf(options->words[0], out);
    }
    struct slice from = slice_of(options->from);
    struct slice file = slice_sub(from, slice_find_last_byte(from, '/') + 1, from.len);
    file = slice_find_byte(from, '/', 0) == from.len ? from : file;
    out->is_book = slice_ends(file, SLICE(".conf")) &&
                   list_book_parse(slice_sub(file, 0, file.len - 5), &out->book);
    if (out->is_book || (slice_ends(file, SLICE(".txt")) &&
                         list_parse(slice_sub(file, 0, file.len - 4), &out->kind))) {
        return true;
    }
    complain("which list? 'heloise lists update LIST --from ...'");
    return false;
}

static enum err write_head(const struct lists_options *options, const char *hex, struct buf *out)
{
    char day[DATE_TIME_BYTES];
    day_of(wall_clock_ms(), day);
    enum err e = buf_append(out, SLICE("# Source: "));
    e = e != ERR_NONE ? e : text_append_printable(out, slice_of(options->from));
    const char *how = options->proof.signature != NULL ? "signature checked"
                      : options->proof.sha256 != NULL  ? "hash checked"
                                                       : "not checked";
    return e != ERR_NONE ? e : buf_printf(out, "\n# Date: %s; SHA-256 %s, %s\n", day, hex, how);
}

static enum err put(struct work *work, const struct shelf *shelf, struct slice head,
                    struct slice text, struct fault *out_fault)
{
    const struct list_book_text book = {slice_of(work->options->from), head, text};
    return shelf->is_book ? list_book_replace(&work->files, shelf->book, &book, out_fault)
                          : list_replace(&work->place, shelf->kind, head, text, out_fault);
}

static enum err take(struct work *work, const struct shelf *shelf, struct buf *text,
                     struct buf *head, struct fault *out_fault)
{
    const struct lists_options *options = work->options;
    const struct config *config = &options->probe.config;
    const struct list_fetch fetch = {
        .from = options->from,
        .door = workbench_door_config(&options->probe),
        .http = {.allowed_nets = config->allowed_nets.at,
                 .allowed_net_count = config->allowed_nets.count},
        .proof = options->proof,
    };
    char hex[LIST_SHA256_BYTES];
    enum err e = list_fetch(&fetch, text, hex, out_fault);
    if (e == ERR_NONE && write_head(options, hex, head) != ERR_NONE) {
        e = fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    return e != ERR_NONE ? e : put(work, shelf, buf_view(head), buf_view(text), out_fault);
}

static int show_after(struct work *work, const struct shelf *shelf)
{
    return show_shelf(work, shelf) == EXIT_SUCCESS ? write_out(work) : EXIT_INTERNAL;
}

static int update(struct work *work)
{
    struct shelf shelf;
    struct fault fault;
    DEFER(buf_done) struct buf text;
    DEFER(buf_done) struct buf head;
    buf_init(&text, LIST_FILE_BYTES_MAX);
    buf_init(&head, HEAD_BYTES_MAX);
    if (!find_updated(work->options, &shelf)) {
        return EXIT_BAD_USAGE;
    }
    enum err e = take(work, &shelf, &text, &head, &fault);
    return e != ERR_NONE ? refuse(e, &fault) : show_after(work, &shelf);
}

static int rollback(struct work *work)
{
    struct shelf shelf;
    struct fault fault;
    if (!find_shelf(work->options->words[0], &shelf)) {
        return EXIT_BAD_USAGE;
    }
    enum err e = shelf.is_book ? list_book_rollback(&work->place, shelf.book, &fault)
                               : list_rollback(&work->place, shelf.kind, &fault);
    return e != ERR_NONE ? refuse(e, &fault) : show_after(work, &shelf);
}

static int run(const struct lists_options *options)
{
    (void)signal(SIGPIPE, SIG_IGN); /* a server that goes is an ordinary event */
    struct work work = {
        .options = options,
        .place = workbench_list_place(&options->probe.config),
        .files = {.data_dir = options->probe.config.data_dir.at,
                  .lists_dir = options->probe.config.lists_dir.at,
                  .provider_files = options->probe.config.providers.at,
                  .provider_file_count = options->probe.config.providers.count},
    };
    buf_init(&work.out, OUT_BYTES_MAX);
    int code = EXIT_SUCCESS;
    switch (options->verb) {
    case VERB_SHOW: code = show(&work); break;
    case VERB_TEST: code = test(&work); break;
    case VERB_ADD: code = change_entries(&work, true); break;
    case VERB_REMOVE: code = change_entries(&work, false); break;
    case VERB_UPDATE: code = update(&work); break;
    case VERB_ROLLBACK: code = rollback(&work); break;
    case VERB_COUNT: break;
    }
    buf_done(&work.out);
    return code;
}

int cli_lists(int argc, char **argv)
{
    static const struct argp argp = {
        option_table,
        parse_option,
        "show [LIST...]\n"
        "test DOMAIN|ADDRESS...\n"
        "add LIST ENTRY...\n"
        "remove LIST ENTRY...\n"
        "update [LIST] --from URL|FILE\n"
        "rollback LIST",
        "Shows the lists that flags and suggestions come from, says which entry of which file "
        "speaks of a domain or address, and keeps your own entries and newer lists over ours."
        "\vLists: disposable, disposable-wildcard, free, popular, roles, tlds; shown and updated "
        "too: "
        "providers, blocklists. Without a verb all are shown.\n\n"
        "Exit status: 0 done, 64 usage, 65 what was given is no entry, list or proof, 73 a file or "
        "URL cannot be read or written, 78 bad configuration.",
        NULL,
        NULL,
        NULL,
    };
    struct lists_options options = {.verb = VERB_SHOW};
    probe_options_init(&options.probe);
    (void)argp_parse(&argp, argc, argv, 0, NULL, &options);
    int code = probe_options_read(&options.probe);
    code = code != EXIT_SUCCESS ? code : run(&options);
    probe_options_done(&options.probe);
    return code;
}
