/* cli/workbench: everything a probing command needs, opened from its options in the right order and
 * closed in the reverse one: knowledge, store, door, knocker. Faults are told on standard error.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_WORKBENCH_H
#define CLI_WORKBENCH_H

#include <stdio.h>

#include "cli/probe_options.h"
#include "engine/loader.h"
#include "engine/store_opener.h"
#include "net/uv_door.h"
#include "tools/list_files.h"

struct workbench {
    struct knowledge *knowledge;
    struct loader *loader;       /* at work on it */
    struct store_opener *opener; /* of the store; it may be started before workbench_open */
    /* Set before that by who knows what is asked first, whose domain is looked up meanwhile; or NULL. */
    const char *first;
    struct store *store; /* without a store one in memory, which the knocker does not see */
    struct door *door;
    struct knocker *knocker;
    struct timer urge; /* of the loader */
    bool has_own_providers;
    bool
        has_bad_data; /* the knowledge could not be loaded, which was said; nothing can be answered */
    bool is_interrupted; /* a signal came; the second one ends the process */
    void (*on_interrupt)(void *context);
    void *interrupt_context;
};

/* For who has options to settle: begins what does not depend on them. workbench_open or workbench_close is owed. */
void workbench_prepare(struct workbench *bench);
/* With settled options, and a bench that is empty, or prepared. The knowledge is loaded and the store opened beside what follows; signals are heeded. Exit code 0, or the one to leave with; what is wrong was said then. */
int workbench_open(struct workbench *bench, const struct probe_options *options,
                   const char *command);
/* Waits for all of the knowledge, for who asks many. Exit code; what is wrong was said then. */
int workbench_learn(struct workbench *bench);
void workbench_close(struct workbench *bench);

/* Whether the store that the options name can be opened and written. */
bool workbench_store_works(const struct probe_options *options, struct fault *out_fault);

/* Rules, providers and lists alone. Exit code; what is wrong was said then. */
int workbench_open_knowledge(const struct probe_options *options, struct knowledge **out);

/* Where the lists come from; borrows from config. */
struct list_place workbench_list_place(const struct config *config);

/* How doors find the configured resolvers; borrows from options. */
struct uv_door_config workbench_door_config(const struct probe_options *options);

/* The door to the configured resolvers; on_stop is called at SIGINT and SIGTERM. *out is set where it was opened, even
 * if its signals could not be watched. Exit code; what is wrong was said then. */
int workbench_open_door(const struct probe_options *options, void (*on_stop)(void *context),
                        void *context, struct door **out);

/* The store at that place; empty: there is none. Exit code; what is wrong was said then. */
int workbench_open_store(const char *path, struct store **out);

/* Whether coloured output goes to this stream (NO_COLOR is honoured, https://no-color.org). */
bool workbench_has_colour(const struct probe_options *options, FILE *stream);

/* "heloise: TEXT" on standard error. */
void complain(const char *format, ...) PRINTF_LIKE(1, 2);

/* A command on standard error as a shell takes it; argv[0] as it is. */
void say_command(int argc, char *const *argv);

#endif
