/* cli/classify: see the header. Every input line gives one output row, so that the two files stay side
 * by side; a line that is no reply gives a row of unknowns and a message on standard error.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/classify.h"

#include <argp.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/slice.h"
#include "cli/exit.h"
#include "engine/knowledge.h"

enum {
    CLASSIFY_LINE_BYTES_MAX = 65536, /* longer lines are no replies; the rest is skipped */
    KEY_DATA = 0x100,
    KEY_JSON,
};

struct classify_options {
    const char *data_dir;
    bool is_json;
};

struct classify_run {
    const struct classify_options *options;
    struct knowledge *knowledge;
    struct buf line, reply, scratch;
    unsigned long number; /* of the line */
    bool has_bad_line;
};

/* A line taken apart. */
struct asked {
    enum hel_smtp_stage stage;
    struct slice provider;
    struct slice reply;
};

static const struct argp_option option_table[] = {
    {"data", KEY_DATA, "DIR", 0, "folder of rules, providers and lists", 0},
    {"json", KEY_JSON, NULL, 0, "one JSON object a line instead of tab-separated values", 0},
    {0},
};

/* NOLINTNEXTLINE(readability-non-const-parameter): the signature is argp's */
static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct classify_options *options = state->input;
    switch (key) {
    case KEY_DATA: options->data_dir = arg; return 0;
    case KEY_JSON: options->is_json = true; return 0;
    case ARGP_KEY_ARG: argp_error(state, "replies are read from standard input"); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    .options = option_table,
    .parser = parse_option,
    .doc = "Says what SMTP replies on standard input mean, one a line:\n"
           "[STAGE<TAB>][PROVIDER<TAB>]REPLY\n"
           "STAGE is connect, banner, ehlo, starttls, mail, rcpt (if none is given), data, body, "
           "rset or quit; PROVIDER a name of data/providers. \\n in a reply is a line break.\v"
           "Output, tab-separated: scope, reason, rule, kind of block, seconds to wait (0: none "
           "named). Exit status 65 if a line was no reply.",
};

/* ---- input ---- */

enum line_status { LINE_READ, LINE_TOO_LONG, LINE_END, LINE_NO_MEMORY };

static enum line_status read_line(FILE *from, struct buf *line)
{
    buf_clear(line);
    bool is_cut = false;
    int c = getc(from);
    if (c == EOF) {
        return LINE_END;
    }
    for (; c != EOF && c != '\n'; c = getc(from)) {
        enum err e = is_cut ? ERR_NONE : buf_append_byte(line, (char)c);
        if (e == ERR_NOMEM) {
            return LINE_NO_MEMORY;
        }
        is_cut = is_cut || e != ERR_NONE;
    }
    return is_cut ? LINE_TOO_LONG : LINE_READ;
}

static bool starts_with_code(struct slice text)
{
    return text.len >= 3 && ascii_is_digit(text.at[0]) && ascii_is_digit(text.at[1]) &&
           ascii_is_digit(text.at[2]);
}

/* The provider that a word means: its name, or a domain or exchanger of its. */
static struct slice provider_of(const struct provider_book *book, struct slice word)
{
    const struct provider *p = provider_by_name(book, word);
    if (p == NULL) {
        p = provider_by_domain(book, word);
    }
    if (p == NULL && slice_find_byte(word, '.', 0) < word.len) {
        p = provider_by_host(book, word);
    }
    return p == NULL ? SLICE_NONE : p->name;
}

static void set_provider(const struct classify_run *run, struct slice word, struct asked *out)
{
    out->provider = provider_of(knowledge_providers(run->knowledge), word);
    if (out->provider.len == 0 && word.len > 0 && !slice_equal(word, SLICE("-"))) {
        (void)fprintf(stderr,
                      "heloise classify: line %lu: no such stage or provider; the reply is judged "
                      "without it\n",
                      run->number);
    }
}

/* Fields before the reply: none, a stage, a provider, or both in this order. The reply begins at the
 * field that begins with a code, and may itself hold tabs. */
static bool take_apart(const struct classify_run *run, struct asked *out)
{
    *out = (struct asked){.stage = HEL_SMTP_RCPT, .provider = SLICE_NONE};
    struct slice rest = buf_view(&run->line);
    for (unsigned fields = 0; fields < 2 && !starts_with_code(rest); fields++) {
        size_t tab = slice_find_byte(rest, '\t', 0);
        if (tab == rest.len) {
            return false;
        }
        struct slice word = slice_trim(slice_sub(rest, 0, tab));
        rest = slice_sub(rest, tab + 1, rest.len);
        if (fields == 1 || !hel_smtp_stage_parse(word, &out->stage)) {
            set_provider(run, word, out);
        }
    }
    out->reply = rest;
    return starts_with_code(rest);
}

/* \n and \r written as two characters become bytes. */
static enum err unescape(struct slice text, struct buf *out)
{
    buf_clear(out);
    enum err e = ERR_NONE;
    for (size_t i = 0; i < text.len && e == ERR_NONE; i++) {
        char next = i + 1 < text.len ? text.at[i + 1] : '\0';
        bool is_escape = text.at[i] == '\\' && (next == 'n' || next == 'r');
        e = buf_append_byte(out, !is_escape ? text.at[i] : next == 'n' ? '\n' : '\r');
        i += is_escape ? 1 : 0;
    }
    return e;
}

/* A reply copied without its last line ends in a line "550-...": it is taken as the last one. */
static void close_last_line(struct buf *reply)
{
    struct slice text = slice_trim(buf_view(reply));
    size_t at = slice_find_last_byte(text, '\n');
    size_t start = at == text.len ? 0 : at + 1;
    if (start + 3 < text.len && starts_with_code(slice_sub(text, start, text.len)) &&
        text.at[start + 3] == '-') {
        reply->at[(size_t)(text.at - reply->at) + start + 3] = ' ';
    }
}

static bool parse_reply(struct classify_run *run, struct slice text, struct hel_reply *out)
{
    buf_clear(&run->scratch);
    if (unescape(text, &run->reply) != ERR_NONE ||
        buf_reserve(&run->scratch, run->reply.len + 1) != ERR_NONE) {
        return false;
    }
    close_last_line(&run->reply);
    return hel_reply_parse(buf_view(&run->reply), run->scratch.at, run->reply.len + 1, out) ==
           ERR_NONE;
}

/* ---- output ---- */

static int write_json(const struct classify_run *run, const struct classification *c)
{
    json_t *row = json_pack(
        "{s:I, s:s, s:s, s:s, s:s, s:I, s:b, s:b}", "line", (json_int_t)run->number, "scope",
        reply_scope_name(c->scope), "reason", reply_reason_name(c->reason), "rule", c->rule,
        "block_kind", block_kind_name(c->block_kind), "retry_after", (json_int_t)c->retry_after_s,
        "in_progress", c->is_in_progress, "forwarded", c->is_forwarded);
    if (row == NULL) {
        return -1;
    }
    int status = json_dumpf(row, stdout, JSON_COMPACT);
    json_decref(row);
    return status == 0 && putchar('\n') != EOF ? 0 : -1;
}

static int write_row(const struct classify_run *run, const struct classification *c)
{
    if (run->options->is_json) {
        return write_json(run, c);
    }
    return printf("%s\t%s\t%s\t%s\t%u\n", reply_scope_name(c->scope), reply_reason_name(c->reason),
                  c->rule, block_kind_name(c->block_kind), c->retry_after_s) < 0
               ? -1
               : 0;
}

static int write_bad(struct classify_run *run, const char *why)
{
    (void)fprintf(stderr, "heloise classify: line %lu: %s\n", run->number, why);
    run->has_bad_line = true;
    const struct classification nothing = {
        .scope = SCOPE_UNKNOWN, .reason = REASON_UNKNOWN, .rule = "none"};
    return write_row(run, &nothing);
}

static int answer(struct classify_run *run, enum line_status status)
{
    if (status == LINE_TOO_LONG) {
        return write_bad(run, "longer than 65536 bytes");
    }
    struct asked asked;
    struct hel_reply reply;
    if (!take_apart(run, &asked) || !parse_reply(run, asked.reply, &reply)) {
        return write_bad(run, "no SMTP reply; expected [STAGE<TAB>][PROVIDER<TAB>]CODE TEXT");
    }
    const struct classify_question question = {
        .stage = asked.stage, .provider = asked.provider, .reply = &reply};
    struct classification c = rules_classify(knowledge_rules(run->knowledge), &question);
    return write_row(run, &c);
}

static int run_all(struct classify_run *run)
{
    for (;;) {
        enum line_status status = read_line(stdin, &run->line);
        if (status == LINE_END) {
            break;
        }
        run->number++;
        if (status == LINE_NO_MEMORY) {
            (void)fputs("heloise classify: no memory\n", stderr);
            return EXIT_INTERNAL;
        }
        if (answer(run, status) != 0) {
            (void)fputs("heloise classify: the output cannot be written\n", stderr);
            return EXIT_CANNOT_WRITE;
        }
    }
    if (ferror(stdin) != 0) {
        (void)fputs("heloise classify: standard input cannot be read\n", stderr);
        return EXIT_NO_INPUT;
    }
    if (fflush(stdout) != 0) {
        (void)fputs("heloise classify: the output cannot be written\n", stderr);
        return EXIT_CANNOT_WRITE;
    }
    return run->has_bad_line ? EXIT_BAD_DATA : EXIT_SUCCESS;
}

int cli_classify(int argc, char **argv)
{
    argp_err_exit_status = EXIT_BAD_USAGE;
    struct classify_options options = {.data_dir = NULL};
    if (argp_parse(&parser, argc, argv, 0, NULL, &options) != 0) {
        return EXIT_BAD_USAGE;
    }
    struct classify_run run = {.options = &options};
    struct fault fault = {.err = ERR_NONE};
    if (knowledge_open(options.data_dir, &run.knowledge, &fault) != ERR_NONE) {
        (void)fprintf(stderr, "heloise classify: %s\n", fault.text);
        return EXIT_INTERNAL;
    }
    if (rules_check(knowledge_rules(run.knowledge), &fault) != ERR_NONE) {
        (void)fprintf(stderr, "heloise classify: %s\n", fault.text);
        knowledge_free(run.knowledge);
        return EXIT_INTERNAL;
    }
    knowledge_hasten(run.knowledge);
    buf_init(&run.line, CLASSIFY_LINE_BYTES_MAX);
    buf_init(&run.reply, CLASSIFY_LINE_BYTES_MAX);
    buf_init(&run.scratch, CLASSIFY_LINE_BYTES_MAX + 1);
    int code = run_all(&run);
    buf_done(&run.line);
    buf_done(&run.reply);
    buf_done(&run.scratch);
    knowledge_free(run.knowledge);
    return code;
}
