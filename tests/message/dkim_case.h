/* tests/message/dkim_case: a message judged against keys in text, and the verdicts as text.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_MESSAGE_DKIM_CASE_H
#define TESTS_MESSAGE_DKIM_CASE_H

#include "message/dkim_verify.h"
#include "net/crypto.h"
#include "sim/zone.h"

enum { CASE_TEXT_BYTES = 4096 };

struct dkim_case {
    const struct crypto *crypto;
    struct zone *zone;
    int64_t now_s;
    size_t piece; /* bytes of the message that come at once; 0: all */
};

/* "pass DOMAIN SELECTOR" or "fail DOMAIN SELECTOR: FAULT", of each signature, parted by "; "; "none". */
void dkim_case_judge(const struct dkim_case *given, struct slice message,
                     char out[CASE_TEXT_BYTES]);

/* The bytes of a file, with CRLF wherever a line ends; the caller frees out->at. */
struct buf dkim_case_file(const char *folder, const char *name);

#endif
