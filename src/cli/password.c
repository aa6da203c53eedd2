/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/password.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/slice.h"

/* The first line, without its end. */
static enum err take_line(FILE *from, struct buf *out, struct fault *out_fault)
{
    char line[PASSWORD_BYTES];
    enum err e = ERR_NONE;
    if (fgets(line, (int)sizeof line, from) == NULL) {
        return fault_set(out_fault, ERR_SYSTEM, 0, "no password: nothing was there to be read");
    }
    line[strcspn(line, "\r\n")] = '\0';
    e = buf_append(out, slice_of(line));
    explicit_bzero(line, sizeof line);
    return e == ERR_NONE ? e : fault_set(out_fault, e, 0, "the password is too long");
}

static enum err from_file(const char *path, struct buf *out, struct fault *out_fault)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return fault_set(out_fault, ERR_SYSTEM, errno, "cannot read the password from %.200s: %s",
                         path, strerrordesc_np(errno));
    }
    (void)setvbuf(file, NULL, _IONBF, 0); /* no copy of it stays in a buffer */
    enum err e = take_line(file, out, out_fault);
    (void)fclose(file);
    return e;
}

static enum err from_terminal(const char *prompt, struct buf *out, struct fault *out_fault)
{
    struct termios seen;
    FILE *terminal = fopen("/dev/tty", "r+e");
    if (terminal == NULL || tcgetattr(fileno(terminal), &seen) != 0) {
        if (terminal != NULL) {
            (void)fclose(terminal);
        }
        return fault_set(
            out_fault, ERR_SYSTEM, 0,
            "no password, and no terminal to ask for it: put it into a file and name that");
    }
    struct termios unseen = seen;
    unseen.c_lflag &= ~(tcflag_t)ECHO;
    (void)setvbuf(terminal, NULL, _IONBF, 0);
    (void)fputs(prompt, terminal);
    (void)tcsetattr(fileno(terminal), TCSAFLUSH, &unseen);
    enum err e = take_line(terminal, out, out_fault);
    (void)tcsetattr(fileno(terminal), TCSAFLUSH, &seen);
    (void)fputs("\n", terminal);
    (void)fclose(terminal);
    return e;
}

enum err password_find(const char *file, const char *variable, const char *prompt, struct buf *out,
                       struct fault *out_fault)
{
    if (file != NULL) {
        return from_file(file, out, out_fault);
    }
    const char *set = getenv(variable);
    if (set != NULL) {
        enum err e = buf_append(out, slice_of(set));
        return e == ERR_NONE
                   ? e
                   : fault_set(out_fault, e, 0, "the password in %s is too long", variable);
    }
    return from_terminal(prompt, out, out_fault);
}
