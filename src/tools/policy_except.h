/* tools/policy_except: who is not asked about: domains, addresses and networks of clients, from the user's file. Pure: the
 * text is an argument. One a line, '#' begins a comment:
 *
 *     example.com          addresses of the domain, as sender or recipient; of what is below it, too
 *     boss@example.com     the address
 *     192.0.2.0/24         clients of the network
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_POLICY_EXCEPT_H
#define TOOLS_POLICY_EXCEPT_H

#include <stdbool.h>

#include "base/err.h"
#include "base/ip.h"

struct policy_except;

/* name: of the file, for faults. ERR_SYNTAX with file and line, ERR_NOMEM. The text need not live on. */
enum err policy_except_read(struct slice name, struct slice text, struct policy_except **out,
                            struct fault *out_fault) MUST_USE;
void policy_except_free(struct policy_except *except);

/* NULL: nobody is excepted. */
bool policy_except_has_client(const struct policy_except *except, const struct ip *client);
bool policy_except_has_address(const struct policy_except *except, struct slice address);

#endif
