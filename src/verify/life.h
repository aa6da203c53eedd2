/* verify/life: how long a verdict may be believed.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef VERIFY_LIFE_H
#define VERIFY_LIFE_H

#include "verify/verdict.h"

/* route may be NULL; its ttl bounds what only DNS said. */
uint32_t life_of(const struct verdict *verdict, const struct route *route);

/* When asking again may help, in seconds, where nothing better is known. 0: it will not. */
uint32_t life_retry_after(enum verdict_sub sub, enum skip_reason skip);

#endif
