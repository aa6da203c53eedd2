/* cli/score_learn: `heloise score learn`: each row of a list is an outcome. An address that is there twice counts by its
 * last row. What cannot be used is said with its line; everything else is learned.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "cli/exit.h"
#include "cli/result_file.h"
#include "cli/score.h"
#include "cli/workbench.h"
#include "engine/json_write.h"
#include "engine/table.h"
#include "net/wall_clock.h"

enum { FAULTS_TOLD = 20, OUT_BYTES = 512 };

struct learning {
    const struct score_run *run;
    struct table_reader *reader;
    size_t outcome_column, provider_column;
    bool has_provider;
    int64_t now_ms;
    uint64_t alive, gone, silent, unused;
};

static bool find_column(const struct table_reader *reader, const char *name, size_t *out)
{
    for (size_t i = 0; i < table_reader_column_count(reader); i++) {
        struct slice column = slice_trim(table_reader_column_name(reader, i));
        if (column.len == strlen(name) && slice_starts_nocase(column, slice_of(name))) {
            *out = i;
            return true;
        }
    }
    return false;
}

static void pass_over(struct learning *learning, uint64_t line, const char *why)
{
    learning->unused++;
    if (learning->unused <= FAULTS_TOLD) {
        complain("line %" PRIu64 ": %s", line, why);
    }
}

static struct slice provider_of(const struct learning *learning, const struct table_row *row)
{
    struct slice name = learning->has_provider ? row->cells[learning->provider_column] : SLICE_NONE;
    size_t at = slice_find_last_byte(row->address, '@');
    struct slice domain = slice_sub(row->address, at + 1, row->address.len);
    return score_provider(learning->run, slice_trim(name), domain);
}

/* Exit code; a row that cannot be used is no failure. */
static int learn_row(struct learning *learning, const struct table_row *row)
{
    enum likely_outcome outcome;
    struct fault fault = {.text = ""};
    if (row->is_bad) {
        pass_over(learning, row->line, row->why);
        return EXIT_SUCCESS;
    }
    if (!likely_outcome_parse(row->cells[learning->outcome_column], &outcome)) {
        pass_over(learning, row->line,
                  "this outcome is not known; delivered and bounced are, 'heloise score --help' "
                  "names the others");
        return EXIT_SUCCESS;
    }
    if (outcome == LIKELY_SILENT) {
        learning->silent++;
        return EXIT_SUCCESS;
    }
    bool is_alive = outcome == LIKELY_ALIVE;
    const struct likely_report report = {slice_trim(row->address), provider_of(learning, row),
                                         is_alive, learning->now_ms};
    enum err e = likely_learn(learning->run->store, &learning->run->means, &report, &fault);
    if (e == ERR_SYNTAX || e == ERR_STATE) {
        pass_over(learning, row->line, fault.text);
        return EXIT_SUCCESS;
    }
    if (e != ERR_NONE) {
        complain("%s", fault.text);
        return e == ERR_NOMEM ? EXIT_INTERNAL : EXIT_CANNOT_WRITE;
    }
    learning->alive += is_alive ? 1 : 0;
    learning->gone += is_alive ? 0 : 1;
    return EXIT_SUCCESS;
}

static int learn_rows(struct learning *learning)
{
    struct table_row row;
    struct fault fault;
    enum err e = table_reader_next(learning->reader, &row, &fault);
    while (e == ERR_NONE) {
        int code = learn_row(learning, &row);
        if (code != EXIT_SUCCESS) {
            return code;
        }
        e = table_reader_next(learning->reader, &row, &fault);
    }
    if (e != ERR_CLOSED) {
        complain("%s", fault.text);
        return e == ERR_SYNTAX ? EXIT_BAD_DATA : e == ERR_SYSTEM ? EXIT_NO_INPUT : EXIT_INTERNAL;
    }
    if (store_flush(learning->run->store, &fault) != ERR_NONE) {
        complain("%s", fault.text);
        return EXIT_CANNOT_WRITE;
    }
    return EXIT_SUCCESS;
}

static bool say_json(const struct learning *learning)
{
    struct buf out;
    struct json_writer w;
    buf_init(&out, OUT_BYTES);
    json_begin(&w, &out);
    json_open(&w, NULL, '{');
    json_int(&w, "alive", (int64_t)learning->alive);
    json_int(&w, "gone", (int64_t)learning->gone);
    json_int(&w, "silent", (int64_t)learning->silent);
    json_int(&w, "unused", (int64_t)learning->unused);
    json_close(&w, '}');
    bool is_out =
        w.err == ERR_NONE && fwrite(out.at, 1, out.len, stdout) == out.len && putchar('\n') != EOF;
    buf_done(&out);
    return is_out;
}

static bool say_text(const struct learning *learning)
{
    return printf("learned %" PRIu64 " outcomes: %" PRIu64 " alive, %" PRIu64 " gone; %" PRIu64
                  " said nothing of a mailbox, %" PRIu64 " could not be used\n",
                  learning->alive + learning->gone, learning->alive, learning->gone,
                  learning->silent, learning->unused) >= 0;
}

static int learn_table(struct learning *learning)
{
    if (!find_column(learning->reader, "outcome", &learning->outcome_column)) {
        complain("the list has no column 'outcome'; name it so in the first line");
        return EXIT_BAD_DATA;
    }
    learning->has_provider = find_column(learning->reader, "provider", &learning->provider_column);
    int code = learn_rows(learning);
    if (code != EXIT_SUCCESS) {
        return code;
    }
    bool is_said = learning->run->wants_json ? say_json(learning) : say_text(learning);
    if (!is_said || fflush(stdout) != 0) {
        complain("cannot write to standard output");
        return EXIT_CANNOT_WRITE;
    }
    return learning->unused > 0 ? EXIT_BAD_DATA : EXIT_SUCCESS;
}

static int learn_file(const struct score_run *run, const char *path, FILE *file)
{
    struct fault fault;
    const struct table_reader_config config = {.file_name = slice_of(path)};
    struct learning learning = {.run = run, .now_ms = wall_clock_ms()};
    enum err e = table_reader_open(&config, file, &learning.reader, &fault);
    if (e != ERR_NONE) {
        complain("%s", fault.text);
        return e == ERR_SYNTAX ? EXIT_BAD_DATA : e == ERR_SYSTEM ? EXIT_NO_INPUT : EXIT_INTERNAL;
    }
    int code = learn_table(&learning);
    table_reader_close(learning.reader);
    return code;
}

int score_learn(const struct score_run *run, const char *path)
{
    if (strcmp(path, "-") == 0) {
        return learn_file(run, "standard input", stdin);
    }
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        complain("%.200s: cannot be opened: %s", path,
                 error_text(&(struct error_text){.text = ""}));
        return EXIT_NO_INPUT;
    }
    int code = learn_file(run, path, file);
    (void)fclose(file); /* it was only read */
    return code;
}
