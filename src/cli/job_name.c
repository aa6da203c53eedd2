/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/job_name.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/slice.h"
#include "cli/exit.h"
#include "cli/result_file.h"
#include "cli/workbench.h"

enum {
    FINGERPRINT_BYTES_MAX = 65536,
    COMMAND_BYTES_MAX = 4 << 20, /* more than the kernel lets a command have */
};

static enum err put_fingerprint(const struct job_call *call, const char *path,
                                const struct stat *info, struct buf *out)
{
    const struct knocker_config *config = &call->probe->knocker;
    return buf_printf(
        out, "%s|%lld|%lld.%09ld|%s%s%s|%s|%s|%d%d|%u|%u%u|%.*s", path, (long long)info->st_size,
        (long long)info->st_mtim.tv_sec, info->st_mtim.tv_nsec,
        call->column == NULL ? "" : call->column, call->sheet == NULL ? "" : "|sheet ",
        call->sheet == NULL ? "" : call->sheet, call->output == NULL ? "" : call->output,
        call->output_format == NULL ? "" : call->output_format, config->verify.no_smtp,
        config->verify.no_control, config->port, config->verify.risky_if,
        (unsigned)config->address_mode, SLICE_ARG(config->egresses[0].mail_from));
}

static int read_input(const struct job_call *call, struct buf *out)
{
    struct stat info;
    char *path = realpath(call->input, NULL);
    if (path == NULL || stat(path, &info) != 0) {
        complain("cannot read %s: %s", call->input, error_text(&(struct error_text){.text = ""}));
        free(path);
        return EXIT_NO_INPUT;
    }
    if (!S_ISREG(info.st_mode)) {
        complain(
            "%s is not a regular file, and a list is read twice; '-' takes a stream from standard "
            "input",
            call->input);
        free(path);
        return EXIT_NO_INPUT;
    }
    enum err e = put_fingerprint(call, path, &info, out);
    free(path);
    return e == ERR_NONE ? EXIT_SUCCESS : EXIT_INTERNAL;
}

/* Without the first word, which is the program. */
static enum err put_command(const struct job_call *call, struct buf *out)
{
    enum err e = ERR_NONE;
    for (int i = 1; i < call->argc && e == ERR_NONE; i++) {
        e = buf_append(out, slice_of(call->argv[i]));
        e = e != ERR_NONE ? e : buf_append_byte(out, '\0');
    }
    return e;
}

int job_name_make(const struct job_call *call, struct job_name *out)
{
    buf_init(&out->fingerprint, FINGERPRINT_BYTES_MAX);
    buf_init(&out->command, COMMAND_BYTES_MAX);
    int code = read_input(call, &out->fingerprint);
    if (code != EXIT_SUCCESS) {
        return code;
    }
    bool can_run_again = !call->is_stdin && getcwd(out->folder, sizeof out->folder) != NULL;
    if (can_run_again && put_command(call, &out->command) != ERR_NONE) {
        complain("out of memory");
        return EXIT_INTERNAL;
    }
    out->name = (struct store_job_name){
        .fingerprint = buf_view(&out->fingerprint),
        .label = call->is_stdin ? SLICE("standard input") : slice_of(call->input),
        .output = slice_of(call->output),
        .folder = can_run_again ? slice_of(out->folder) : SLICE_NONE,
        .command = buf_view(&out->command),
    };
    return EXIT_SUCCESS;
}

void job_name_done(struct job_name *name)
{
    buf_done(&name->fingerprint);
    buf_done(&name->command);
}
