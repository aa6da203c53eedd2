/* cli/key: `heloise key`: makes API keys for the service, lists and revokes them. A secret is shown once, on standard
 * output, and never again: the store has its digest only.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/date.h"
#include "base/reader.h"
#include "base/slice.h"
#include "base/span.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/store_options.h"
#include "cli/workbench.h"
#include "engine/allowance.h"
#include "engine/json_write.h"
#include "engine/key_issue.h"
#include "engine/key_words.h"
#include "net/wall_clock.h"

enum {
    LIST_BYTES_MAX = 64 << 20, /* of all keys that there may be */
    SCOPES_BYTES_MAX = 64,
    MARK_BYTES = 4, /* "hel_" */
};

#define LIFE_MS_MAX (UINT64_C(3650) * 86400000)

enum verb { VERB_LIST, VERB_ADD, VERB_REVOKE, VERB_COUNT };

static const char *const verbs[VERB_COUNT] = {"list", "add", "revoke"};

struct key_options {
    struct store_options store;
    enum verb verb;
    bool has_verb;
    struct key_grant grant;
    bool has_grant; /* an option of add was given */
    bool wants_json;
    const char *which; /* to revoke; NULL: none given */
};

enum { KEY_LABEL = 0x500, KEY_SCOPE, KEY_RATE, KEY_QUOTA, KEY_EXPIRES, KEY_JSON };

static const struct argp_option option_table[] = {
    {0, 0, NULL, 0, "For add:", 1},
    {"label", KEY_LABEL, "TEXT", 0, "whose key it is", 1},
    {"scope", KEY_SCOPE, "LIST", 0,
     "what it may: verify, batch, read, learn, probe, admin (all); by default verify,batch,read",
     1},
    {"rate", KEY_RATE, "N/min", 0, "at most so many requests in a minute", 1},
    {"quota", KEY_QUOTA, "N/day", 0, "at most so many addresses in a day (UTC)", 1},
    {"expires", KEY_EXPIRES, "SPAN", 0, "ends after so long, such as 90d", 1},
    {0, 0, NULL, 0, "For list:", 2},
    {"json", KEY_JSON, NULL, 0, "as JSON", 2},
    {0},
};

static void parse_word(struct argp_state *state, struct key_options *options, const char *word)
{
    if (!options->has_verb) {
        for (int i = 0; i < VERB_COUNT; i++) {
            if (strcmp(word, verbs[i]) == 0) {
                options->verb = (enum verb)i;
                options->has_verb = true;
                return;
            }
        }
        argp_error(state, "'%.60s' is none of add, list, revoke", word);
    }
    if (options->verb != VERB_REVOKE || options->which != NULL) {
        argp_error(state, "'%.60s' is one word too many", word);
    }
    options->which = word;
}

/* A value of add. */
static enum err read_value(struct key_grant *grant, int key, struct slice text,
                           struct fault *out_why)
{
    switch (key) {
    case KEY_LABEL: grant->label = text; return ERR_NONE;
    case KEY_SCOPE: return key_scopes_read(text, &grant->scopes, out_why);
    case KEY_RATE: return key_rate_read(text, &grant->rate_per_minute, out_why);
    case KEY_QUOTA: return key_quota_read(text, &grant->quota_per_day, out_why);
    default: break;
    }
    if (!span_read(text, false, LIFE_MS_MAX, &grant->life_ms) || grant->life_ms == 0) {
        return fault_set(out_why, ERR_SYNTAX, 0,
                         "'%.*s' is not a time of at most 3650d, such as 90d or 12h",
                         SLICE_ARG(slice_sub(text, 0, 60)));
    }
    return ERR_NONE;
}

static void check(struct argp_state *state, const struct key_options *options)
{
    if (options->verb == VERB_ADD && options->grant.label.len == 0) {
        argp_error(state, "add needs --label: whose key it is");
    }
    if (options->verb == VERB_REVOKE && options->which == NULL) {
        argp_error(state, "revoke which key? 'heloise key list' lists them");
    }
    if (options->has_grant && options->verb != VERB_ADD) {
        argp_error(state, "--label, --scope, --rate, --quota and --expires are for add");
    }
    if (options->wants_json && options->verb != VERB_LIST) {
        argp_error(state, "--json is for list");
    }
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct key_options *options = state->input;
    struct fault why;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &options->store; return 0;
    case KEY_JSON: options->wants_json = true; return 0;
    case KEY_LABEL:
    case KEY_SCOPE:
    case KEY_RATE:
    case KEY_QUOTA:
    case KEY_EXPIRES:
        options->has_grant = true;
        if (read_value(&options->grant, key, slice_of(arg), &why) != ERR_NONE) {
            argp_error(state, "%s", why.text);
        }
        return 0;
    case ARGP_KEY_ARG: parse_word(state, options, arg); return 0;
    case ARGP_KEY_END: check(state, options); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* What failed, as an exit code. */
static int refuse(enum err e, const struct fault *fault)
{
    complain("%s", fault->text);
    bool is_usage = e == ERR_CLOSED || e == ERR_SYNTAX;
    return is_usage ? EXIT_BAD_USAGE : e == ERR_SYSTEM ? EXIT_INTERNAL : EXIT_CANNOT_WRITE;
}

/* add */

static void tell_grant(const struct key_grant *grant, const struct key_issued *issued,
                       int64_t now_ms)
{
    struct buf text;
    char until[DATE_TIME_BYTES];
    buf_init(&text, SCOPES_BYTES_MAX);
    if (key_scopes_write(grant->scopes, &text) == ERR_NONE) {
        (void)fprintf(stderr, "key %" PRId64 ", %.*s: may %.*s", issued->id,
                      SLICE_ARG(grant->label), SLICE_ARG(buf_view(&text)));
    }
    buf_done(&text);
    if (grant->rate_per_minute > 0) {
        (void)fprintf(stderr, "; %" PRIu32 " requests a minute", grant->rate_per_minute);
    }
    if (grant->quota_per_day > 0) {
        (void)fprintf(stderr, "; %" PRIu64 " addresses a day", grant->quota_per_day);
    }
    if (grant->life_ms > 0) {
        (void)date_time_text(now_ms + (int64_t)grant->life_ms, until);
        (void)fprintf(stderr, "; until %.10s %.5s UTC", until, until + 11);
    }
    (void)fputs("\nKeep the secret now: it is not shown again.\n", stderr);
}

static int add(struct store *store, const struct key_grant *grant)
{
    struct fault fault;
    struct digester *digester = NULL;
    struct key_issued issued;
    int64_t now_ms = wall_clock_ms();
    enum err e = digester_new(&digester, &fault);
    e = e != ERR_NONE ? e : key_issue(store, digester, grant, now_ms, &issued, &fault);
    digester_free(digester);
    if (e != ERR_NONE) {
        return refuse(e, &fault);
    }
    bool is_told = puts(issued.secret) >= 0 && fflush(stdout) == 0;
    explicit_bzero(issued.secret, sizeof issued.secret);
    if (!is_told) {
        complain("cannot write the secret to standard output; revoke key %" PRId64
                 " and add another",
                 issued.id);
        return EXIT_CANNOT_WRITE;
    }
    tell_grant(grant, &issued, now_ms);
    return EXIT_SUCCESS;
}

/* list */

struct listing {
    struct buf out;
    struct json_writer json;
    bool wants_json;
    size_t count;
    int64_t now_ms;
    enum err err;
};

static const char *state_of(const struct store_key *key, int64_t now_ms)
{
    if (key->revoked_at_ms != 0) {
        return "revoked";
    }
    return key->expires_at_ms != 0 && now_ms >= key->expires_at_ms ? "expired" : "active";
}

static uint64_t used_today(const struct store_key *key, int64_t now_ms)
{
    return key->usage_day == allowance_day(now_ms) ? key->usage : 0;
}

/* null: no limit */
static void json_limit(struct json_writer *w, const char *name, uint64_t limit)
{
    if (limit == 0) {
        json_null(w, name);
        return;
    }
    json_int(w, name, (int64_t)limit);
}

static void json_scopes(struct json_writer *w, unsigned scopes)
{
    json_open(w, "scopes", '[');
    for (size_t i = 0; i < KEY_SCOPES_COUNT; i++) {
        if ((scopes & (unsigned)key_scopes_all[i]) != 0) {
            json_string(w, NULL, slice_of(key_scope_name(key_scopes_all[i])));
        }
    }
    json_close(w, ']');
}

static void write_json(struct listing *listing, const struct store_key *key)
{
    struct json_writer *w = &listing->json;
    json_open(w, NULL, '{');
    json_int(w, "id", key->id);
    json_string(w, "label", key->label);
    json_string(w, "prefix", key->prefix);
    json_string(w, "state", slice_of(state_of(key, listing->now_ms)));
    json_scopes(w, key->scopes);
    json_limit(w, "rate_per_minute", key->rate_per_minute);
    json_limit(w, "quota_per_day", key->quota_per_day);
    json_int(w, "used_today", (int64_t)used_today(key, listing->now_ms));
    json_time(w, "created_at", key->created_at_ms);
    json_time(w, "last_used_at", key->used_at_ms);
    json_time(w, "expires_at", key->expires_at_ms);
    json_time(w, "revoked_at", key->revoked_at_ms);
    json_close(w, '}');
}

static enum err write_limit(struct buf *out, uint64_t limit, const char *unit)
{
    char text[32] = "-";
    if (limit > 0) {
        (void)snprintf(text, sizeof text, "%" PRIu64 "%s", limit, unit);
    }
    return buf_printf(out, "  %13s", text);
}

static enum err write_day(struct buf *out, int64_t at_ms)
{
    char text[DATE_TIME_BYTES] = "-";
    return buf_printf(out, "  %-10.10s", at_ms == 0 ? text : date_time_text(at_ms, text));
}

static enum err write_scopes(struct buf *out, unsigned scopes)
{
    size_t before = out->len;
    enum err e = key_scopes_write(scopes, out);
    while (e == ERR_NONE && out->len - before < sizeof "verify,batch,read" - 1) {
        e = buf_append_byte(out, ' ');
    }
    return e;
}

static enum err write_line(struct buf *out, const struct store_key *key, int64_t now_ms)
{
    enum err e = buf_printf(out, "%5" PRId64 "  %-12.*s  %-7s  ", key->id, SLICE_ARG(key->prefix),
                            state_of(key, now_ms));
    e = e != ERR_NONE ? e : write_scopes(out, key->scopes);
    e = e != ERR_NONE ? e : write_limit(out, key->rate_per_minute, "/min");
    e = e != ERR_NONE ? e : write_limit(out, key->quota_per_day, "/day");
    e = e != ERR_NONE ? e : buf_printf(out, "  %10" PRIu64, used_today(key, now_ms));
    e = e != ERR_NONE ? e : write_day(out, key->used_at_ms);
    e = e != ERR_NONE ? e : write_day(out, key->expires_at_ms);
    e = e != ERR_NONE ? e : buf_append(out, SLICE("  "));
    e = e != ERR_NONE ? e : text_append_printable(out, key->label);
    return e != ERR_NONE ? e : buf_append_byte(out, '\n');
}

static void list_key(void *context, const struct store_key *key)
{
    struct listing *listing = context;
    listing->count++;
    if (listing->wants_json) {
        write_json(listing, key);
    } else if (listing->err == ERR_NONE) {
        listing->err = write_line(&listing->out, key, listing->now_ms);
    }
}

static int write_out(const struct buf *out)
{
    if (fwrite(out->at, 1, out->len, stdout) != out->len || fflush(stdout) != 0) {
        complain("cannot write to standard output");
        return EXIT_CANNOT_WRITE;
    }
    return EXIT_SUCCESS;
}

static enum err write_list(struct store *store, struct listing *listing, struct fault *out_fault)
{
    if (!listing->wants_json) {
        listing->err = buf_printf(&listing->out,
                                  "%5s  %-12s  %-7s  %-17s  %13s  %13s  %10s  %-10s  %-10s  %s\n",
                                  "key", "begins with", "state", "scopes", "rate", "quota",
                                  "used today", "last used", "expires", "label");
        return store_key_each(store, list_key, listing, out_fault);
    }
    json_begin(&listing->json, &listing->out);
    json_open(&listing->json, NULL, '[');
    enum err e = store_key_each(store, list_key, listing, out_fault);
    json_close(&listing->json, ']');
    listing->err =
        listing->json.err != ERR_NONE ? listing->json.err : buf_append_byte(&listing->out, '\n');
    return e;
}

static int list(struct store *store, bool wants_json)
{
    struct fault fault;
    struct listing listing = {.wants_json = wants_json, .now_ms = wall_clock_ms()};
    buf_init(&listing.out, LIST_BYTES_MAX);
    enum err e = write_list(store, &listing, &fault);
    int code = EXIT_SUCCESS;
    if (e != ERR_NONE) {
        code = refuse(e, &fault);
    } else if (listing.err != ERR_NONE) {
        complain("out of memory");
        code = EXIT_INTERNAL;
    } else if (listing.count == 0 && !wants_json) {
        code = puts("no keys") >= 0 && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_CANNOT_WRITE;
    } else {
        code = write_out(&listing.out);
    }
    buf_done(&listing.out);
    return code;
}

/* revoke */

/* The key that is meant: by its number, or by the beginning of its secret. */
struct search {
    struct slice given;
    uint64_t number; /* 0: none */
    int64_t id;
    size_t found;
};

static void look_at(void *context, const struct store_key *key)
{
    struct search *search = context;
    bool is_meant = search->number != 0 ? (uint64_t)key->id == search->number
                                        : slice_starts(key->prefix, search->given) ||
                                              slice_starts(search->given, key->prefix);
    if (is_meant) {
        search->id = key->id;
        search->found++;
    }
}

static enum err find(struct store *store, const char *which, int64_t *out_id,
                     struct fault *out_fault)
{
    struct search search = {.given = slice_of(which)};
    struct reader r = reader_over(search.given);
    bool is_number = reader_number(&r, INT64_MAX, &search.number) && reader_is_done(&r);
    search.number = is_number ? search.number : 0;
    bool is_beginning = slice_starts(search.given, SLICE("hel_")) && search.given.len > MARK_BYTES;
    if (search.number == 0 && !is_beginning) {
        return fault_set(out_fault, ERR_CLOSED, 0,
                         "'%.60s' is neither the number of a key nor the beginning of its secret; "
                         "'heloise key list' lists both",
                         which);
    }
    enum err e = store_key_each(store, look_at, &search, out_fault);
    if (e == ERR_NONE && search.found != 1) {
        e = fault_set(out_fault, ERR_CLOSED, 0, "%s '%.16s'; 'heloise key list' lists them",
                      search.found == 0 ? "there is no key"
                                        : "there are several keys that begin with",
                      which);
    }
    if (e == ERR_NONE) {
        *out_id = search.id;
    }
    return e;
}

static int revoke(struct store *store, const char *which)
{
    struct fault fault;
    int64_t id = 0;
    enum err e = find(store, which, &id, &fault);
    e = e != ERR_NONE ? e : store_key_revoke(store, id, wall_clock_ms(), &fault);
    if (e != ERR_NONE) {
        return refuse(e, &fault);
    }
    (void)printf("key %" PRId64 " is revoked; a running service refuses it within a second\n", id);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_CANNOT_WRITE;
}

static int act(struct store *store, const struct key_options *options)
{
    switch (options->verb) {
    case VERB_ADD: return add(store, &options->grant);
    case VERB_REVOKE: return revoke(store, options->which);
    case VERB_LIST:
    case VERB_COUNT: break;
    }
    return list(store, options->wants_json);
}

int cli_key(int argc, char **argv)
{
    static const struct argp_child children[] = {{&store_options_argp, 0, NULL, 0}, {0}};
    static const struct argp argp = {
        option_table,
        parse_option,
        "[list]\nadd --label TEXT\nrevoke KEY",
        "The API keys that the service takes. add: makes one and prints its secret, which is not "
        "shown again. list: says what there is. revoke: from then on it is refused; KEY is its "
        "number or the beginning of its secret.\v"
        "Exit status: 0 done, 64 usage or no such key, 73 the store or the output cannot be "
        "written, 78 bad configuration.",
        children,
        NULL,
        NULL};
    struct key_options options = {.verb = VERB_LIST, .grant = {.scopes = KEY_SCOPES_USUAL}};
    store_options_init(&options.store);
    (void)argp_parse(&argp, argc, argv, 0, NULL, &options);
    struct store *store = NULL;
    int code = store_options_open(&options.store, &store);
    if (code == EXIT_SUCCESS) {
        code = act(store, &options);
        store_close(store);
    }
    store_options_done(&options.store);
    return code;
}
