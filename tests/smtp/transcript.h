/* tests/smtp/transcript: plays a conversation written as text against a client, with a clock of its own.
 * Any difference fails the running test, naming file and line. Lines:
 *
 *     # a remark                       @ helo|commands|unsent|reply|timeout VALUE   (before all else)
 *     S: text    the peer sends a line; `s: text` the same without CRLF; `S*9: text` nine times.
 *                All before must have been said (C:); `S!: text` is sent too early on purpose
 *     C: text    the client says this line, neither more nor less up to the next other line
 *                (`c: text` without CRLF); it counts as sent now, not before
 *     T+500      half a second passes
 *     A: verb    the caller's next step: mail, rcpt, data, body, end, bdat, rset, quit, starttls, tls
 *                (the handshake is done), close (by the peer); `A!STATE: verb` is refused so
 *     E: event   hello CODE | starttls CODE [dropped] | reply STAGE TAG CODE [X.Y.Z] |
 *                failed STAGE WHY [CODE]; each event must be named, in order
 *     D: 300000  the deadline is that far away; D: none
 *     X: words   what the last HELLO offered, in the order of the enum; X: none
 *
 * Text knows \r \n \t \0 \\ and \xNN.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SMTP_TRANSCRIPT_H
#define TESTS_SMTP_TRANSCRIPT_H

#include "base/attr.h"

enum { TRANSCRIPT_WHOLE = 0 };
#define TRANSCRIPT_BYTES ((size_t)-1)

/* cut: TRANSCRIPT_WHOLE, TRANSCRIPT_BYTES (byte by byte, both ways), or the place, counted in bytes of
 * the peer's, where what is received comes in two pieces. Returns the number of the peer's bytes. */
size_t transcript_play(const char *name, struct slice text, size_t cut);

#endif
