/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/exit.h"
#include "cli/result_file.h"
#include "cli/workbench.h"

enum { COPY_BYTES = 65536 };

static bool copy_stdin(FILE *to)
{
    char block[COPY_BYTES];
    size_t len;
    bool is_written = true;
    while (is_written && (len = fread(block, 1, sizeof block, stdin)) > 0) {
        is_written = fwrite(block, 1, len, to) == len;
    }
    return is_written && ferror(stdin) == 0;
}

int spool_open(char *out_path, size_t room)
{
    const char *folder = getenv("TMPDIR");
    (void)snprintf(out_path, room, "%s/heloise-bulk-XXXXXX",
                   folder != NULL && folder[0] == '/' ? folder : "/tmp");
    int fd = mkstemp(out_path);
    FILE *to = fd < 0 ? NULL : fdopen(fd, "w");
    if (to == NULL) {
        complain("cannot make a temporary file %s: %s", out_path,
                 error_text(&(struct error_text){.text = ""}));
        out_path[0] = '\0';
        return EXIT_CANNOT_WRITE;
    }
    bool is_copied = copy_stdin(to);
    if (fclose(to) != 0 || !is_copied) {
        complain("cannot copy standard input to %s: %s", out_path,
                 error_text(&(struct error_text){.text = ""}));
        return EXIT_CANNOT_WRITE;
    }
    return EXIT_SUCCESS;
}

void spool_remove(const char *path)
{
    if (path[0] != '\0') {
        (void)unlink(path);
    }
}
