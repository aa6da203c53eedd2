/* cli/extract: `heloise extract`: the mail addresses in files, folders or standard input, as they come.
 * SPDX-License-Identifier: Apache-2.0 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/slice.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/extract_output.h"
#include "cli/probe_options.h"
#include "cli/result_file.h"
#include "cli/ticker.h"
#include "cli/workbench.h"
#include "engine/knowledge.h"

enum {
    KEY_DATA = 0x500,
    KEY_ALL,
    KEY_COUNTS,
    KEY_CSV,
    KEY_DEOBFUSCATE,
    KEY_HIDDEN,
    KEY_JSON,
    KEY_WITH_PLACE,
    KEY_LISTS,
    KEY_CONFIG,
    KEY_NO_CONFIG,
    PIECE_BYTES = 65536, /* so that what is read is still in the cache when it is looked at */
    TICK_MS = 200,
};

struct extract_options {
    struct probe_options probe; /* the settings that count here: data, lists */
    struct extract_output_config output;
    bool wants_obfuscated, wants_hidden;
    char **files; /* count of them; none: standard input */
    int count;
};

struct extract_run {
    const struct extract_options *options;
    struct knowledge *knowledge;
    struct extract_output output;
    struct ticker ticker;
    struct stat standard_output;
    int signals; /* readable once the run is to end */
    bool is_stopped, has_unread_file, has_damaged_file;
    const char *file; /* "-": standard input */
    uint64_t files, bytes, shown_ms;
    char *piece; /* PIECE_BYTES */
};

static const struct argp_option option_table[] = {
    {"all", KEY_ALL, NULL, 0, "each address at each of its places, not once", 0},
    {"counts", KEY_COUNTS, NULL, 0, "how often each was found; written at the end", 0},
    {"csv", KEY_CSV, NULL, 0, "CSV with file, member, and line, page or cell", 0},
    {"config", KEY_CONFIG, "FILE", 0, "configuration file instead of the usual one", 0},
    {"data", KEY_DATA, "DIR", 0, "folder of rules, providers and lists", 0},
    {"deobfuscate", KEY_DEOBFUSCATE, NULL, 0, "find 'jane [at] example [dot] com' too", 0},
    {"hidden", KEY_HIDDEN, NULL, 0, "read comments and scripts of HTML too", 0},
    {"json", KEY_JSON, NULL, 0, "one JSON object a line, with its place", 0},
    {"lists", KEY_LISTS, "DIR", 0, "folder of your own lists: of top-level domains", 0},
    {"no-config", KEY_NO_CONFIG, NULL, 0, "read no configuration file", 0},
    {"with-place", KEY_WITH_PLACE, NULL, 0, "the place behind each address, after a tab", 0},
    {0},
};

static void set(struct argp_state *state, const char *setting, const char *word)
{
    struct extract_options *options = state->input;
    struct fault why = {.text = "out of memory"};
    if (config_set_word(&options->probe.given, setting, slice_of(word), &why) != ERR_NONE) {
        argp_error(state, "--%s: %s", setting, why.text);
    }
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the signature is argp's */
static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct extract_options *options = state->input;
    switch (key) {
    case KEY_DATA: set(state, "data", arg); return 0;
    case KEY_LISTS: set(state, "lists", arg); return 0;
    case KEY_CONFIG: options->probe.config_path = arg; return 0;
    case KEY_NO_CONFIG: options->probe.no_config = true; return 0;
    case KEY_ALL: options->output.wants_all = true; return 0;
    case KEY_COUNTS: options->output.wants_count = true; return 0;
    case KEY_CSV: options->output.format = EXTRACT_CSV; return 0;
    case KEY_DEOBFUSCATE: options->wants_obfuscated = true; return 0;
    case KEY_HIDDEN: options->wants_hidden = true; return 0;
    case KEY_JSON: options->output.format = EXTRACT_JSON; return 0;
    case KEY_WITH_PLACE: options->output.wants_place = true; return 0;
    case ARGP_KEY_ARGS:
        options->files = state->argv + state->next;
        options->count = state->argc - state->next;
        return 0;
    case ARGP_KEY_SUCCESS:
        if (options->output.wants_all && options->output.wants_count) {
            argp_error(state, "--all and --counts contradict each other");
        }
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    .options = option_table,
    .parser = parse_option,
    .args_doc = "[FILE|DIR...]",
    .doc = "Finds the mail addresses in files of any kind: text, HTML, mail, mboxes, PDF, office "
           "documents, address books, archives of these; their kind is told by their content. "
           "Writes "
           "each once, one a line, in the order in which they stand; reads standard input where "
           "nothing is named, or '-'; of a DIR all files in it.\v"
           "Exit status: 0 all was read, 64 usage, 65 a file or a part of one is damaged, 66 a "
           "file cannot be read, 70 no memory or no data files, 73 the output cannot be written, "
           "78 bad configuration, 130 stopped by a signal.",
};

static uint64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static bool may_go_on(void *context)
{
    struct extract_run *run = context;
    struct pollfd wait = {.fd = run->signals, .events = POLLIN};
    run->is_stopped = run->is_stopped || poll(&wait, 1, 0) == 1;
    return !run->is_stopped;
}

static void show_progress(struct extract_run *run)
{
    uint64_t now = run->ticker.is_on ? now_ms() : 0;
    if (!run->ticker.is_on || now - run->shown_ms < TICK_MS) {
        return;
    }
    char text[160];
    (void)snprintf(text, sizeof text, "%llu files, %llu MB, %llu addresses found, %llu written",
                   (unsigned long long)run->files, (unsigned long long)(run->bytes >> 20),
                   (unsigned long long)run->output.found, (unsigned long long)run->output.written);
    ticker_show(&run->ticker, text);
    run->shown_ms = now;
}

static enum err found(void *context, const struct extract_found *found,
                      const struct document_place *place)
{
    struct extract_run *run = context;
    return extract_output_add(&run->output, slice_of(run->file), found, place);
}

/* A path or member that would act on a terminal does not. */
static void complain_of_file(struct extract_run *run, const char *what, const char *why)
{
    struct buf line;
    buf_init(&line, PIECE_BYTES);
    enum err e = text_append_printable(&line, slice_of(run->file));
    e = e == ERR_NONE ? buf_append(&line, SLICE(": ")) : e;
    e = e == ERR_NONE ? text_append_printable(&line, slice_of(why)) : e;
    ticker_clear(&run->ticker);
    complain("%s%.*s", what, SLICE_ARG(e == ERR_NONE ? buf_view(&line) : slice_of(why)));
    buf_done(&line);
}

static void trouble(void *context, const char *text)
{
    struct extract_run *run = context;
    run->has_damaged_file = true;
    complain_of_file(run, "", text);
}

static void cannot_read(struct extract_run *run, int why)
{
    char text[128];
    complain_of_file(run, "cannot read ", strerror_r(why, text, sizeof text));
    run->has_unread_file = true;
}

/* Bytes of the file; 0 at its end, -1 where it cannot be read. A signal ends the wait. */
static ssize_t read_piece(struct extract_run *run, int fd)
{
    struct pollfd waits[] = {{.fd = fd, .events = POLLIN}, {.fd = run->signals, .events = POLLIN}};
    if (poll(waits, 2, -1) < 0 || waits[1].revents != 0) {
        run->is_stopped = run->is_stopped || waits[1].revents != 0;
        return 0;
    }
    ssize_t got = read(fd, run->piece, PIECE_BYTES);
    while (got < 0 && (errno == EAGAIN || errno == EINTR) && may_go_on(run)) {
        (void)poll(waits, 2, -1); /* another took what was there */
        got = read(fd, run->piece, PIECE_BYTES);
    }
    if (got < 0 && !run->is_stopped) {
        cannot_read(run, errno);
    }
    return got;
}

/* What was found is out before more is waited for: the input may be a log that grows. */
static enum err read_pieces(struct extract_run *run, struct document *document, int fd,
                            bool is_regular)
{
    enum err e = ERR_NONE;
    while (e == ERR_NONE && document_wants_bytes(document)) {
        ssize_t got = read_piece(run, fd);
        if (got <= 0) {
            break;
        }
        run->bytes += (uint64_t)got;
        e = document_feed(document, slice_make(run->piece, (size_t)got));
        if (e == ERR_NONE && !is_regular && fflush(stdout) != 0) {
            e = ERR_SYSTEM;
        }
        show_progress(run);
    }
    return e == ERR_NONE ? document_end(document) : e;
}

static bool is_own_output(const struct extract_run *run, const struct stat *about)
{
    const struct stat *own = &run->standard_output;
    return S_ISREG(about->st_mode) && S_ISREG(own->st_mode) && about->st_dev == own->st_dev &&
           about->st_ino == own->st_ino;
}

static enum err read_open(struct extract_run *run, int fd)
{
    struct stat about;
    if (fstat(fd, &about) != 0) {
        cannot_read(run, errno);
        return ERR_NONE;
    }
    if (is_own_output(run, &about) && about.st_size > 0) {
        complain_of_file(run, "", "passed over: what is found is written there");
        return ERR_NONE;
    }
    bool is_regular = S_ISREG(about.st_mode) != 0;
    const struct extract_output_config *output = &run->options->output;
    const struct document_config config = {
        .lists = knowledge_lists(run->knowledge),
        .wants_obfuscated = run->options->wants_obfuscated,
        .wants_hidden = run->options->wants_hidden,
        .has_no_lines = output->format == EXTRACT_TEXT && !output->wants_place,
        .fd = is_regular && lseek(fd, 0, SEEK_CUR) == 0 ? fd : -1,
        .found = found,
        .trouble = trouble,
        .may_go_on = may_go_on,
        .context = run,
    };
    struct document *document = NULL;
    enum err e = document_open(&config, &document);
    run->files++;
    e = e == ERR_NONE ? read_pieces(run, document, fd, is_regular) : e;
    document_close(document);
    return e;
}

/* What cannot be read is said, and the rest goes on. */
static enum err read_file(struct extract_run *run, const char *shown, const char *path)
{
    run->file = shown;
    if (strcmp(path, "-") == 0) {
        return read_open(run, STDIN_FILENO);
    }
    int fd =
        open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* a pipe is waited for later */
    if (fd < 0) {
        cannot_read(run, errno);
        return ERR_NONE;
    }
    enum err e = read_open(run, fd);
    (void)close(fd);
    return e;
}

/* Files only: a pipe would be waited for, and a link may lead out. */
static enum err read_entry(struct extract_run *run, const FTSENT *entry)
{
    switch (entry->fts_info) {
    case FTS_F: return read_file(run, entry->fts_path, entry->fts_accpath);
    case FTS_DNR:
    case FTS_ERR:
    case FTS_NS:
        run->file = entry->fts_path;
        cannot_read(run, entry->fts_errno);
        return ERR_NONE;
    default: return ERR_NONE;
    }
}

static int compare_names(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

static enum err read_folder(struct extract_run *run, char *path)
{
    char *const paths[] = {path, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, compare_names);
    if (walk == NULL) {
        return ERR_NOMEM;
    }
    enum err e = ERR_NONE;
    const FTSENT *entry = fts_read(walk);
    while (entry != NULL && e == ERR_NONE && may_go_on(run)) {
        e = read_entry(run, entry);
        entry = fts_read(walk);
    }
    (void)fts_close(walk);
    return e;
}

static enum err read_path(struct extract_run *run, char *path)
{
    struct stat about;
    bool is_folder = strcmp(path, "-") != 0 && stat(path, &about) == 0 && S_ISDIR(about.st_mode);
    return is_folder ? read_folder(run, path) : read_file(run, path, path);
}

/* An exit code. */
static int judge(struct extract_run *run, enum err e)
{
    int why = errno;
    ticker_clear(&run->ticker);
    if (e == ERR_SYSTEM) {
        errno = why;
        complain("cannot write: %s", error_text(&(struct error_text){.text = ""}));
        return EXIT_CANNOT_WRITE;
    }
    if (run->is_stopped) {
        complain("stopped; what was found until then is written");
        return EXIT_STOPPED;
    }
    if (e != ERR_NONE) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    if (run->output.is_full && run->options->output.wants_count) {
        complain("more than %d different addresses: those behind them are not counted; give "
                 "fewer files at once",
                 EXTRACT_COUNTED_MAX);
        return EXIT_INTERNAL;
    }
    if (run->output.is_full) {
        complain("more than %d different addresses: some behind them are written more than once",
                 EXTRACT_SEEN_MAX);
    }
    if (run->has_unread_file) {
        return EXIT_NO_INPUT;
    }
    return run->has_damaged_file ? EXIT_BAD_DATA : EXIT_SUCCESS;
}

static int read_all(struct extract_run *run)
{
    const struct extract_options *options = run->options;
    enum err e = extract_output_open(&options->output, &run->output);
    if (e == ERR_NONE && options->count == 0) {
        e = read_file(run, "-", "-");
    }
    for (int i = 0; i < options->count && e == ERR_NONE && may_go_on(run); i++) {
        e = read_path(run, options->files[i]);
    }
    if (e == ERR_NONE || run->is_stopped) {
        ticker_clear(&run->ticker);
        e = extract_output_finish(&run->output);
    }
    int code = judge(run, e);
    extract_output_close(&run->output);
    return code;
}

/* Signals wait in a descriptor, so that they end the run between two pieces. */
static bool watch_signals(struct extract_run *run)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    run->signals = sigprocmask(SIG_BLOCK, &set, NULL) == 0
                       ? signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)
                       : -1;
    return run->signals >= 0;
}

static int run_extract(const struct extract_options *options)
{
    const struct knowledge_files files = {.data_dir = options->probe.config.data_dir.at,
                                          .lists_dir = options->probe.config.lists_dir.at};
    struct extract_run run = {.options = options, .piece = malloc(PIECE_BYTES), .signals = -1};
    struct fault fault = {.err = ERR_NONE};
    int code = EXIT_INTERNAL;
    ticker_init(&run.ticker, true);
    if (fstat(STDOUT_FILENO, &run.standard_output) != 0) {
        memset(&run.standard_output, 0, sizeof run.standard_output);
    }
    run.ticker.is_on = run.ticker.is_on && isatty(STDOUT_FILENO) != 1;
    if (knowledge_new(&files, &run.knowledge, &fault) != ERR_NONE ||
        knowledge_load(run.knowledge, KNOWLEDGE_LISTS, &fault) != ERR_NONE) {
        complain("%s", fault.text);
    } else if (run.piece == NULL || !watch_signals(&run)) {
        complain("out of memory");
    } else {
        code = read_all(&run);
    }
    if (run.signals >= 0) {
        (void)close(run.signals);
    }
    free(run.piece);
    knowledge_free(run.knowledge);
    return code;
}

int cli_extract(int argc, char **argv)
{
    argp_err_exit_status = EXIT_BAD_USAGE;
    struct extract_options options = {.count = 0};
    probe_options_init(&options.probe);
    (void)argp_parse(&parser, argc, argv, 0, NULL, &options);
    int code = probe_options_read(&options.probe);
    code = code != EXIT_SUCCESS ? code : run_extract(&options);
    probe_options_done(&options.probe);
    return code;
}
