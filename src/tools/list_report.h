/* tools/list_report: the lists as JSON: what each is for, holds and comes from, and the user's own entries of one.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_LIST_REPORT_H
#define TOOLS_LIST_REPORT_H

#include "tools/list_change.h"
#include "tools/list_test.h"

/* "domains of throw-away mailboxes". Static. */
const char *list_purpose(enum list_kind kind);
/* "added", "restored", "dropped", "removed", "none". Static. */
const char *list_change_name(enum list_change change);

/* An object. */
void list_about_write(struct json_writer *w, enum list_kind kind, const struct list_about *about,
                      enum list_naming naming);

/* The members "entries" and "total" of an object that is open: own entries in the order of the file, those from the
 * offset on. ERR_SYSTEM, ERR_LIMIT, ERR_NOMEM: the file cannot be read. */
struct list_page {
    uint64_t offset, limit;
};
enum err list_own_write(struct json_writer *w, const struct list_place *place, enum list_kind kind,
                        const struct list_page *page, struct fault *out_fault) MUST_USE;

#endif
