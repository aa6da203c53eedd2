/* cli/exit: the exit codes of the program, as documented in heloise(1). From 64 on they are sysexits.h's.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_EXIT_H
#define CLI_EXIT_H

enum exit_code {
    EXIT_DELIVERABLE = 0, /* also: the run completed */
    EXIT_UNDELIVERABLE = 1,
    EXIT_UNFIT =
        1, /* heloise doctor, probe: something to mend; EXIT_UNKNOWN: not all was found out */
    EXIT_RISKY = 2,
    EXIT_UNKNOWN = 3,
    EXIT_BAD_USAGE = 64,  /* an option or argument is wrong */
    EXIT_BAD_DATA = 65,   /* the input, or a line of it, could not be used */
    EXIT_NO_INPUT = 66,   /* the input cannot be read */
    EXIT_NO_WAY_OUT = 69, /* no mail server can be reached from here */
    EXIT_INTERNAL = 70,
    EXIT_CANNOT_WRITE = 73, /* the output or the store cannot be written */
    EXIT_BUSY = 75, /* another process runs the same job or uses the store, or does not stop */
    EXIT_BAD_CONFIG = 78, /* the configuration file is wrong or cannot be read */
    EXIT_STOPPED = 130,   /* by a signal or 'heloise jobs'; what is done is kept */
};

#endif
