/* cli/score: `heloise score`: how likely mailboxes exist, by their local parts and by what the store knows of their
 * domains, term by term and without asking anybody; and `heloise score learn`, which tells the store what became of them.
 * SPDX-License-Identifier: Apache-2.0 */
#include "cli/score.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/store_options.h"
#include "cli/workbench.h"
#include "engine/json_write.h"
#include "engine/outcome_list.h"

enum { KEY_DATA = 0x500, KEY_LISTS, KEY_JSON, OUT_BYTES_MAX = 1 << 16, WORDS_MAX = 4096 };

#define TERM_SHOWN 0.005

struct score_options {
    struct store_options store;
    bool wants_json;
    const char *words[WORDS_MAX];
    int count;
};

static const struct argp_option option_table[] = {
    {"data", KEY_DATA, "DIR", 0, "folder of rules, providers, lists and score", 0},
    {"lists", KEY_LISTS, "DIR", 0, "folder of your own lists", 0},
    {"json", KEY_JSON, NULL, 0, "one JSON object for each address, or for what was learned", 0},
    {0},
};

static bool wants_learning(const struct score_options *options)
{
    return options->count > 0 && strcmp(options->words[0], "learn") == 0;
}

static void check(struct argp_state *state, const struct score_options *options)
{
    if (options->count == 0) {
        argp_error(state, "which address? or: learn FILE");
    }
    if (wants_learning(options) && options->count != 2) {
        argp_error(state, "learn takes one list of outcomes; - is standard input");
    }
}

static void set(struct argp_state *state, const char *setting, const char *word)
{
    struct score_options *options = state->input;
    struct fault why = {.text = "out of memory"};
    if (config_set_word(&options->store.probe.given, setting, slice_of(word), &why) != ERR_NONE) {
        argp_error(state, "--%s: %s", setting, why.text);
    }
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the signature is argp's */
static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct score_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT: state->child_inputs[0] = &options->store; return 0;
    case KEY_DATA: set(state, "data", arg); return 0;
    case KEY_LISTS: set(state, "lists", arg); return 0;
    case KEY_JSON: options->wants_json = true; return 0;
    case ARGP_KEY_ARG:
        if (options->count == WORDS_MAX) {
            argp_error(state, "more than %d addresses; heloise bulk takes lists", WORDS_MAX);
        }
        options->words[options->count++] = arg;
        return 0;
    case ARGP_KEY_END: check(state, options); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&store_options_argp, 0, NULL, 0}, {0}};

static const struct argp parser = {
    .options = option_table,
    .parser = parse_option,
    .args_doc = "ADDRESS...\nlearn FILE",
    .doc = "Says how likely mailboxes exist as far as their names tell, term by term; nobody is "
           "asked. Where a mail server's answer leaves it open, this is what its score moves by.\n"
           "learn reads what became of addresses from a list (CSV, NDJSON, XLSX) with a column of "
           "addresses and a column 'outcome', such as a sender's bounce log; later likelihoods at "
           "these domains and providers are corrected by it.\v"
           "Outcomes that count: delivered, opened, clicked, replied; bounced, hard_bounce, "
           "invalid. Others, such as soft_bounce, say nothing of a mailbox.\n"
           "Exit status: 0; 65 if an address or a row could not be used.",
    .children = children,
};

/* ---- one address ---- */

struct scored {
    struct hel_address address;
    bool is_blind;
    struct likeness_known known;
    struct likeness likeness;
};

static void weigh(const struct score_run *run, struct scored *out)
{
    struct slice local = hel_address_local(&out->address);
    struct slice domain = hel_address_domain(&out->address);
    static const struct domain_flags no_domain = {.is_free = false};
    struct address_flags flags;
    out->is_blind = likeness_is_blind(local);
    if (out->is_blind) {
        return;
    }
    likely_of_domain(run->store, &run->means, domain, INT64_MAX, INT64_MAX, &out->known);
    struct slice provider =
        outcome_provider(knowledge_providers(run->knowledge), SLICE_NONE, domain);
    if (provider.len > 0) {
        out->known.provider = likely_of_provider(run->store, provider, INT64_MAX);
    }
    address_flags(run->means.lists, &out->address, &no_domain, &flags);
    likeness_weigh(run->means.model, local, flags.is_role, &out->known, &out->likeness);
}

static bool is_shown(const struct scored *scored, enum likeness_term term)
{
    return fabs(scored->likeness.terms[term]) >= TERM_SHOWN;
}

static enum err write_text(const struct scored *scored, struct slice text, struct buf *out)
{
    const struct likeness *likeness = &scored->likeness;
    if (scored->is_blind) {
        enum err e = buf_append(out, SLICE("   -  "));
        e = e != ERR_NONE ? e : text_append_printable(out, text);
        return e != ERR_NONE ? e
                             : buf_append(out, SLICE("\n      not weighed: its local part is not "
                                                     "ASCII\n"));
    }
    enum err e = buf_printf(out, "%.2f  ", likeness_of_odds(likeness->log_odds));
    e = e != ERR_NONE ? e : text_append_printable(out, text);
    e = e != ERR_NONE ? e
                      : buf_printf(out, "\n      %-18s  a plain name has %.2f (%+.2f)\n", "start",
                                   likeness_of_odds(likeness->start), likeness->start);
    for (int i = 0; i < LIKENESS_TERMS && e == ERR_NONE; i++) {
        enum likeness_term term = (enum likeness_term)i;
        if (is_shown(scored, term)) {
            char words[LIKENESS_WORDS_BYTES];
            likeness_say(likeness, term, &scored->known, words);
            e = buf_printf(out, "      %-18s  %s\n", likeness_term_name(term), words);
        }
    }
    return e;
}

static void write_terms(const struct scored *scored, struct json_writer *w)
{
    json_open(w, "terms", '[');
    for (int i = 0; i < LIKENESS_TERMS; i++) {
        enum likeness_term term = (enum likeness_term)i;
        if (is_shown(scored, term)) {
            char words[LIKENESS_WORDS_BYTES];
            likeness_say(&scored->likeness, term, &scored->known, words);
            json_open(w, NULL, '{');
            json_string(w, "code", slice_of(likeness_term_name(term)));
            json_real(w, "weight", scored->likeness.terms[term]);
            json_string(w, "detail", slice_of(words));
            json_close(w, '}');
        }
    }
    json_close(w, ']');
}

static enum err write_json(const struct score_run *run, const struct scored *scored,
                           struct slice text, struct buf *out)
{
    struct json_writer w;
    json_begin(&w, out);
    json_open(&w, NULL, '{');
    json_string(&w, "email", text);
    if (scored->is_blind) {
        json_null(&w, "likelihood");
    } else {
        json_real(&w, "likelihood", likeness_of_odds(scored->likeness.log_odds));
        json_real(&w, "start", scored->likeness.start);
        json_string(&w, "pattern", slice_of(likeness_pattern_example(scored->likeness.pattern)));
        write_terms(scored, &w);
    }
    json_string(&w, "model_date", slice_of(likeness_model_date(run->means.model)));
    json_close(&w, '}');
    return w.err != ERR_NONE ? w.err : buf_append_byte(out, '\n');
}

static int write_out(const struct buf *out)
{
    if (fwrite(out->at, 1, out->len, stdout) != out->len || fflush(stdout) != 0) {
        complain("cannot write to standard output");
        return EXIT_CANNOT_WRITE;
    }
    return EXIT_SUCCESS;
}

/* Exit code; EXIT_BAD_DATA: this is no address, which was said. */
static int tell(const struct score_run *run, const char *word)
{
    struct hel_address_error error;
    struct scored scored = {.is_blind = false};
    struct slice text = slice_of(word);
    enum err e = hel_address_parse(text, HEL_ADDRESS_PRACTICAL, &scored.address, &error);
    if (e == ERR_SYNTAX) {
        complain("'%.200s' is no address: column %u: %s", word, error.column, error.text);
        return EXIT_BAD_DATA;
    }
    if (e != ERR_NONE) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    struct buf out;
    buf_init(&out, OUT_BYTES_MAX);
    weigh(run, &scored);
    e = run->wants_json ? write_json(run, &scored, text, &out) : write_text(&scored, text, &out);
    int code = e == ERR_NONE ? write_out(&out) : EXIT_INTERNAL;
    if (e != ERR_NONE) {
        complain("out of memory");
    }
    buf_done(&out);
    return code;
}

static int tell_all(const struct score_run *run, const struct score_options *options)
{
    bool has_bad = false;
    for (int i = 0; i < options->count; i++) {
        int code = tell(run, options->words[i]);
        if (code != EXIT_SUCCESS && code != EXIT_BAD_DATA) {
            return code;
        }
        has_bad = has_bad || code == EXIT_BAD_DATA;
    }
    return has_bad ? EXIT_BAD_DATA : EXIT_SUCCESS;
}

/* ---- the command ---- */

static int run_with_store(struct score_run *run, struct score_options *options)
{
    int code = store_options_open(&options->store, &run->store);
    if (code != EXIT_SUCCESS) {
        return code;
    }
    code = wants_learning(options) ? score_learn(run, options->words[1]) : tell_all(run, options);
    store_close(run->store);
    return code;
}

static int run_score(struct score_options *options)
{
    struct score_run run = {.wants_json = options->wants_json};
    struct fault fault = {.err = ERR_NONE};
    const char *path;
    int code = store_options_configure(&options->store, &path);
    if (code != EXIT_SUCCESS) {
        return code;
    }
    const struct config *config = &options->store.probe.config;
    const struct knowledge_files files = {.data_dir = config->data_dir.at,
                                          .lists_dir = config->lists_dir.at};
    if (knowledge_open_files(&files, &run.knowledge, &fault) != ERR_NONE) {
        complain("%s", fault.text);
        return EXIT_BAD_DATA;
    }
    run.means =
        (struct likely_means){knowledge_likeness(run.knowledge), knowledge_lists(run.knowledge)};
    code = run_with_store(&run, options);
    knowledge_free(run.knowledge);
    return code;
}

int cli_score(int argc, char **argv)
{
    argp_err_exit_status = EXIT_BAD_USAGE;
    struct score_options options = {.count = 0};
    store_options_init(&options.store);
    (void)argp_parse(&parser, argc, argv, 0, NULL, &options);
    int code = run_score(&options);
    store_options_done(&options.store);
    return code;
}
