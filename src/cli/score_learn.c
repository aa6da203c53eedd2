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
#include "engine/outcome_list.h"
#include "net/wall_clock.h"

enum { FAULTS_TOLD = 20, OUT_BYTES = 512 };

/* Exit code; a row that cannot be used is no failure. */
static int learn_rows(const struct score_run *run, struct outcome_list *list,
                      struct outcome_counts *counts)
{
    struct outcome_means means;
    struct outcome_row row;
    struct fault fault;
    int64_t now_ms = wall_clock_ms();
    outcome_means_init(&means, run->store, run->knowledge);
    enum err e = outcome_list_next(list, &row, &fault);
    while (e == ERR_NONE) {
        e = outcome_learn(&means, &row, now_ms, counts, &fault);
        if (e == ERR_SYNTAX && counts->unused <= FAULTS_TOLD) {
            complain("line %" PRIu64 ": %s", row.line, fault.text);
        }
        if (e != ERR_NONE && e != ERR_SYNTAX) {
            complain("%s", fault.text);
            return e == ERR_NOMEM ? EXIT_INTERNAL : EXIT_CANNOT_WRITE;
        }
        e = outcome_list_next(list, &row, &fault);
    }
    if (e != ERR_CLOSED) {
        complain("%s", fault.text);
        return e == ERR_SYNTAX ? EXIT_BAD_DATA : e == ERR_SYSTEM ? EXIT_NO_INPUT : EXIT_INTERNAL;
    }
    if (store_flush(run->store, &fault) != ERR_NONE) {
        complain("%s", fault.text);
        return EXIT_CANNOT_WRITE;
    }
    return EXIT_SUCCESS;
}

static bool say_json(const struct outcome_counts *counts)
{
    struct buf out;
    struct json_writer w;
    buf_init(&out, OUT_BYTES);
    json_begin(&w, &out);
    json_open(&w, NULL, '{');
    outcome_counts_write(&w, counts);
    json_close(&w, '}');
    bool is_out =
        w.err == ERR_NONE && fwrite(out.at, 1, out.len, stdout) == out.len && putchar('\n') != EOF;
    buf_done(&out);
    return is_out;
}

static bool say_text(const struct outcome_counts *counts)
{
    return printf("learned %" PRIu64 " outcomes: %" PRIu64 " alive, %" PRIu64 " gone; %" PRIu64
                  " said nothing of a mailbox, %" PRIu64 " could not be used\n",
                  counts->alive + counts->gone, counts->alive, counts->gone, counts->silent,
                  counts->unused) >= 0;
}

static int learn_list(const struct score_run *run, struct outcome_list *list)
{
    struct outcome_counts counts = {.alive = 0};
    int code = learn_rows(run, list, &counts);
    if (code != EXIT_SUCCESS) {
        return code;
    }
    bool is_said = run->wants_json ? say_json(&counts) : say_text(&counts);
    if (!is_said || fflush(stdout) != 0) {
        complain("cannot write to standard output");
        return EXIT_CANNOT_WRITE;
    }
    return counts.unused > 0 ? EXIT_BAD_DATA : EXIT_SUCCESS;
}

static int learn_file(const struct score_run *run, const char *path, FILE *file)
{
    struct fault fault;
    struct outcome_list *list;
    enum err e = outcome_list_open(slice_of(path), file, &list, &fault);
    if (e != ERR_NONE) {
        complain("%s", fault.text);
        return e == ERR_SYNTAX ? EXIT_BAD_DATA : e == ERR_SYSTEM ? EXIT_NO_INPUT : EXIT_INTERNAL;
    }
    int code = learn_list(run, list);
    outcome_list_close(list);
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
