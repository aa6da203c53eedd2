/* cli/extract: `heloise extract`: the mail addresses in files or standard input, as they come.
 * SPDX-License-Identifier: Apache-2.0 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address/extract.h"
#include "base/hash_set.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/result_file.h"
#include "cli/workbench.h"
#include "engine/json_write.h"
#include "engine/knowledge.h"

enum {
    KEY_DATA = 0x500,
    KEY_JSON,
    KEY_OBFUSCATED,
    KEY_UNIQUE,
    PIECE_BYTES = 65536,
    LINE_BYTES_MAX = 1 << 20, /* an address, escaped, and a path */
};

struct extract_options {
    const char *data_dir;
    bool is_json, is_unique, wants_obfuscated;
    char **files; /* count of them; none: standard input */
    int count;
};

struct extract_run {
    const struct extract_options *options;
    struct knowledge *knowledge;
    struct hash_set seen;
    const char *file; /* "-": standard input */
    struct buf line;
    bool has_unread_file;
};

static const struct argp_option option_table[] = {
    {"data", KEY_DATA, "DIR", 0, "folder of rules, providers and lists", 0},
    {"json", KEY_JSON, NULL, 0, "one JSON object a line, with file, line and offset", 0},
    {"obfuscated", KEY_OBFUSCATED, NULL, 0, "find 'jane [at] example [dot] com' too", 0},
    {"unique", KEY_UNIQUE, NULL, 0, "each address once, whatever its case", 0},
    {0},
};

/* NOLINTNEXTLINE(readability-non-const-parameter): the signature is argp's */
static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct extract_options *options = state->input;
    switch (key) {
    case KEY_DATA: options->data_dir = arg; return 0;
    case KEY_JSON: options->is_json = true; return 0;
    case KEY_OBFUSCATED: options->wants_obfuscated = true; return 0;
    case KEY_UNIQUE: options->is_unique = true; return 0;
    case ARGP_KEY_ARGS:
        options->files = state->argv + state->next;
        options->count = state->argc - state->next;
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp parser = {
    .options = option_table,
    .parser = parse_option,
    .args_doc = "[FILE...]",
    .doc = "Finds the mail addresses in any text: mail, HTML, CSV, logs. Writes one a line, in the "
           "order in "
           "which they stand; reads standard input where no FILE is given, or '-'.\v"
           "Exit status: 0 all was read, 64 usage, 66 a file could not be read, 70 no memory or no "
           "data "
           "files, 73 the output cannot be written.",
};

/* false: it came before. Local parts in another case are the same mailbox nearly everywhere. */
static enum err note(struct extract_run *run, const struct extract_found *found, bool *out_is_new)
{
    struct slice wire = hel_address_wire(&found->address);
    char lower[HEL_WIRE_BYTES];
    for (size_t i = 0; i < wire.len; i++) {
        lower[i] = ascii_lower(wire.at[i]);
    }
    return hash_set_add(&run->seen, slice_hash(slice_make(lower, wire.len), 0), out_is_new);
}

static enum err put_json(struct extract_run *run, const struct extract_found *found)
{
    struct json_writer w;
    json_begin(&w, &run->line);
    json_open(&w, NULL, '{');
    json_string(&w, "email", found->text);
    json_string(&w, "wire", hel_address_wire(&found->address));
    json_string(&w, "file", slice_of(run->file));
    json_int(&w, "line", (int64_t)found->line);
    json_int(&w, "offset", (int64_t)found->offset);
    json_close(&w, '}');
    return w.err;
}

/* An exit code. */
static int show(struct extract_run *run, const struct extract_found *found)
{
    bool is_new = true;
    enum err e = run->options->is_unique ? note(run, found, &is_new) : ERR_NONE;
    if (e == ERR_NONE && !is_new) {
        return EXIT_SUCCESS;
    }
    buf_clear(&run->line);
    if (e == ERR_NONE) {
        e = run->options->is_json ? put_json(run, found)
                                  : text_append_printable(&run->line, found->text);
    }
    e = e == ERR_NONE ? buf_append_byte(&run->line, '\n') : e;
    if (e != ERR_NONE) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    bool is_written = fwrite(run->line.at, 1, run->line.len, stdout) == run->line.len;
    return is_written ? EXIT_SUCCESS : EXIT_CANNOT_WRITE;
}

static int show_all(struct extract_run *run, struct extract *x)
{
    struct extract_found found;
    int code = EXIT_SUCCESS;
    while (code == EXIT_SUCCESS && extract_next(x, &found)) {
        code = show(run, &found);
    }
    return code;
}

static void cannot_read(struct extract_run *run)
{
    complain("cannot read %s: %s", run->file, error_text(&(struct error_text){.text = ""}));
    run->has_unread_file = true;
}

/* What was found is out before more is waited for: the input may be a log that grows. */
static int read_pieces(struct extract_run *run, struct extract *x, int fd)
{
    static char piece[PIECE_BYTES];
    for (;;) {
        ssize_t got = read(fd, piece, sizeof piece);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            cannot_read(run);
        }
        if (got <= 0) {
            extract_end(x);
            return show_all(run, x);
        }
        extract_feed(x, slice_make(piece, (size_t)got));
        int code = show_all(run, x);
        if (code != EXIT_SUCCESS || fflush(stdout) != 0) {
            return code != EXIT_SUCCESS ? code : EXIT_CANNOT_WRITE;
        }
    }
}

static int read_file(struct extract_run *run, const char *path)
{
    bool is_stdin = strcmp(path, "-") == 0;
    run->file = path;
    int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        cannot_read(run);
        return EXIT_SUCCESS;
    }
    const struct extract_config config = {.lists = knowledge_lists(run->knowledge),
                                          .wants_obfuscated = run->options->wants_obfuscated};
    struct extract *x = NULL;
    int code = EXIT_INTERNAL;
    if (extract_new(&config, &x) == ERR_NONE) {
        code = read_pieces(run, x, fd);
    } else {
        complain("out of memory");
    }
    extract_free(x);
    if (!is_stdin) {
        (void)close(fd);
    }
    return code;
}

static int read_files(struct extract_run *run)
{
    const struct extract_options *options = run->options;
    int code = options->count == 0 ? read_file(run, "-") : EXIT_SUCCESS;
    for (int i = 0; i < options->count && code == EXIT_SUCCESS; i++) {
        code = read_file(run, options->files[i]);
    }
    if (code == EXIT_SUCCESS && fflush(stdout) != 0) {
        code = EXIT_CANNOT_WRITE;
    }
    if (code == EXIT_CANNOT_WRITE) {
        complain("cannot write to standard output: %s",
                 error_text(&(struct error_text){.text = ""}));
    }
    return code == EXIT_SUCCESS && run->has_unread_file ? EXIT_NO_INPUT : code;
}

int cli_extract(int argc, char **argv)
{
    argp_err_exit_status = EXIT_BAD_USAGE;
    struct extract_options options = {.data_dir = NULL};
    (void)argp_parse(&parser, argc, argv, 0, NULL, &options);
    const struct knowledge_files files = {.data_dir = options.data_dir};
    struct extract_run run = {.options = &options};
    struct fault fault = {.err = ERR_NONE};
    if (knowledge_new(&files, &run.knowledge, &fault) != ERR_NONE ||
        knowledge_load(run.knowledge, KNOWLEDGE_LISTS, &fault) != ERR_NONE) {
        complain("%s", fault.text);
        knowledge_free(run.knowledge);
        return EXIT_INTERNAL;
    }
    buf_init(&run.line, LINE_BYTES_MAX);
    int code = read_files(&run);
    buf_done(&run.line);
    hash_set_done(&run.seen);
    knowledge_free(run.knowledge);
    return code;
}
