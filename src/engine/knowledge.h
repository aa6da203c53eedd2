/* engine/knowledge: everything under data/, read and compiled once: providers, reply rules, address lists, the model of the score. At start
 * (knowledge_open), or part by part where who asks one address should not wait for it (knowledge_new, knowledge_load).
 * Read-only when it is loaded, so that threads may share it; the lists alone may be
 * replaced then (knowledge_reload_lists), and who goes on while that happens reads them through a list_reader.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_KNOWLEDGE_H
#define ENGINE_KNOWLEDGE_H

#include "base/err.h"
#include "engine/list_shelf.h"
#include "providers/blocklist.h"
#include "providers/classify.h"
#include "providers/provider.h"

struct knowledge;
struct likeness_model;

struct knowledge_files {
    /* The folder that holds rules/, providers/, lists/ and score/. NULL or empty: the one that the environment's
     * HELOISE_DATA names, else the one of the installation. */
    const char *data_dir;
    /* The user's own lists (NAME.txt, instead of ours) and entries (NAME.own, over them); providers.conf, over our
     * providers; blocklists.conf, instead of our block lists. NULL, empty, or not there: none. */
    const char *lists_dir;
    /* The user's own provider files, each merged over those before it and over ours. */
    const char *const *provider_files;
    size_t provider_file_count;
    /* Takes every fault of the provider files, a line for each; NULL: the first one is enough. */
    struct buf *provider_faults;
};

/* In the order in which they are loaded: rules name providers. */
enum knowledge_part {
    KNOWLEDGE_PROVIDERS,
    KNOWLEDGE_RULES,
    KNOWLEDGE_LISTS,
    KNOWLEDGE_SCORE,
    KNOWLEDGE_PARTS,
};

/* Nothing is read yet. What files names is borrowed until all is loaded, and as long as lists are reloaded. ERR_NOMEM. */
enum err knowledge_new(const struct knowledge_files *files, struct knowledge **out,
                       struct fault *out_fault) MUST_USE;
/* This part and those before it, where they are not there yet; costs nothing where they are. Errors as below; the part
 * may be tried again. */
enum err knowledge_load(struct knowledge *knowledge, enum knowledge_part part,
                        struct fault *out_fault) MUST_USE;

/* All of it. ERR_SYSTEM where a file cannot be read, ERR_SYNTAX where one is wrong (*out_fault names file and line),
 * ERR_NOMEM, ERR_LIMIT. */
enum err knowledge_open_files(const struct knowledge_files *files, struct knowledge **out,
                              struct fault *out_fault) MUST_USE;
/* The same with nothing but the data folder. */
enum err knowledge_open(const char *data_dir, struct knowledge **out, struct fault *out_fault)
    MUST_USE;
void knowledge_free(struct knowledge *knowledge);

/* Before many replies are judged, and before it is shared: see rules_hasten. */
void knowledge_hasten(struct knowledge *knowledge);

/* Borrowed from the knowledge; of parts that are loaded. */
const struct provider_book *knowledge_providers(const struct knowledge *knowledge);
const struct rules *knowledge_rules(const struct knowledge *knowledge);
/* Only where nobody reloads them. */
const struct address_lists *knowledge_lists(const struct knowledge *knowledge);
/* For readers: the lists as they change. */
struct list_shelf *knowledge_list_shelf(const struct knowledge *knowledge);
const struct likeness_model *knowledge_likeness(const struct knowledge *knowledge);

/* Reads the lists again, after they were loaded; on failure those before it hold on. One thread at a time; who reads them
 * need not wait. Errors as those of knowledge_open_files. */
enum err knowledge_reload_lists(const struct knowledge *knowledge, struct fault *out_fault)
    MUST_USE;

/* Gives back the lists, the larger part of its memory, where nobody will ask them again; the rest stays. While they are
 * being loaded it may come too early, and they stay then. */
void knowledge_drop_lists(const struct knowledge *knowledge);

/* The folder that data_dir stands for, as in struct knowledge_files. */
const char *knowledge_data_folder(const char *data_dir);

/* The block lists, apart from the rest: few commands ask them. Of files the two folders count; errors as above. */
enum err knowledge_blocklists_open(const struct knowledge_files *files, struct blocklist_book **out,
                                   struct fault *out_fault) MUST_USE;

/* Whether a text would do as providers.conf of files->lists_dir: with our providers and the user's, and with the rules
 * that name them. ERR_SYNTAX with its line, the name standing for it; the others as above. */
enum err knowledge_check_providers(const struct knowledge_files *files, struct slice name,
                                   struct slice text, struct fault *out_fault) MUST_USE;

/* Names under which DKIM keys often stand, one a line, from dkim/; lines that begin with # are remarks. Appends to out.
 * data_dir and errors as above. */
enum err knowledge_selectors_read(const char *data_dir, struct buf *out, struct fault *out_fault)
    MUST_USE;

#endif
