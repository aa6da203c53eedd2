/* base/must: assertions that stay on in release builds. For mistakes of the programmer only; what a
 * peer, a user or the system may cause is handled, not asserted.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_MUST_H
#define BASE_MUST_H

/* Prints file, line and the claim on standard error, then aborts. Called through must() only. */
_Noreturn void must_fail(const char *file, int line, const char *claim);

#define must(claim) ((claim) ? (void)0 : must_fail(__FILE__, __LINE__, #claim))

#endif
