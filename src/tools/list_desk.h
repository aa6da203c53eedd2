/* tools/list_desk: the lists of a service that runs: they are read again when their files change, whoever changed them,
 * without a restart and without anybody waiting. A thread looks at the files every few seconds; what is not right there
 * leaves the lists as they were, and is told once. A file is read when it has stood still from one look to the next.
 *
 *     list_desk_open -> list_desk_change, list_desk_reload ... -> list_desk_close
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_LIST_DESK_H
#define TOOLS_LIST_DESK_H

#include "engine/knowledge.h"
#include "tools/list_change.h"

struct list_desk;

enum {
    LIST_DESK_PERIOD_MS = 2000,
    LIST_STAMPS = LIST_COUNT * 3, /* the shipped, the updated and the own file of each */
};

/* What tells that a file is another one, or has other content; zero: there is none. Without padding. */
struct list_stamp {
    uint64_t device, inode, bytes;
    int64_t modified_s, modified_ns, changed_s, changed_ns;
};

/* Of all files that the lists are read from. */
struct list_stamps {
    struct list_stamp of[LIST_STAMPS];
};

/* Taken before the lists are loaded: what changes meanwhile shows the next time. */
void list_stamps_take(const struct list_place *place, struct list_stamps *out);

/* What it points to must outlive the desk, but for loaded. */
struct list_desk_config {
    const struct knowledge *knowledge; /* its lists are loaded */
    struct list_place place;           /* where they come from */
    /* As the files were when the lists were loaded; where they are others by now, they are read again. NULL: as they
     * are when the desk is opened. */
    const struct list_stamps *loaded;
    uint32_t period_ms; /* between two looks; 0: LIST_DESK_PERIOD_MS */
    /* From the desk's thread: the lists were read again (NULL), or why they could not be. */
    void (*told)(void *context, const struct fault *fault);
    void *context;
};

/* ERR_NOMEM; ERR_SYSTEM: there is no thread to be had. */
enum err list_desk_open(const struct list_desk_config *config, struct list_desk **out,
                        struct fault *out_fault) MUST_USE;
void list_desk_close(struct list_desk *desk); /* NULL is fine */

const struct list_place *list_desk_place(const struct list_desk *desk);
const struct knowledge *list_desk_knowledge(const struct list_desk *desk);

/* Reads them again now; from any thread, which may have to wait for the disk and for others that do the same. Errors as
 * those of knowledge_reload_lists. */
enum err list_desk_reload(struct list_desk *desk, struct fault *out_fault) MUST_USE;

/* list_add or list_remove of an entry as list_entry_read makes it; the lists say so when this returns. Errors as theirs;
 * those of reading, after the change was written. */
struct list_wish {
    enum list_kind kind;
    struct slice entry;
    bool is_wanted; /* on the list */
};
enum err list_desk_change(struct list_desk *desk, const struct list_wish *wish,
                          enum list_change *out, struct fault *out_fault) MUST_USE;

#endif
