/* engine/knowledge: everything under data/, read and compiled once: providers, reply rules, address lists, the model of the score. At start
 * (knowledge_open), or part by part where who asks one address should not wait for it (knowledge_new, knowledge_load).
 * Read-only when it is loaded, so that threads may share it.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_KNOWLEDGE_H
#define ENGINE_KNOWLEDGE_H

#include "base/err.h"
#include "providers/blocklist.h"
#include "providers/classify.h"
#include "providers/provider.h"

struct knowledge;
struct address_lists;
struct likeness_model;

struct knowledge_files {
    /* The folder that holds rules/, providers/, lists/ and score/. NULL or empty: the one that the environment's
     * HELOISE_DATA names, else the one of the installation. */
    const char *data_dir;
    /* The user's own lists (NAME.txt, instead of ours) and entries (NAME.own, over them). NULL, empty, or not there: none. */
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

/* Nothing is read yet. What files names is borrowed until all is loaded. ERR_NOMEM. */
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
/* Frees the lists and the model of the score, the larger part of it: no answer will be made with it any more, but lines may
 * still be open. Nothing may be loaded after that. */
void knowledge_forget_lists(struct knowledge *knowledge);

/* Before many replies are judged, and before it is shared: see rules_hasten. */
void knowledge_hasten(struct knowledge *knowledge);

/* Borrowed from the knowledge; of parts that are loaded. */
const struct provider_book *knowledge_providers(const struct knowledge *knowledge);
const struct rules *knowledge_rules(const struct knowledge *knowledge);
const struct address_lists *knowledge_lists(const struct knowledge *knowledge);
const struct likeness_model *knowledge_likeness(const struct knowledge *knowledge);

/* The folder that data_dir stands for, as in struct knowledge_files. */
const char *knowledge_data_folder(const char *data_dir);

/* The block lists, apart from the rest: few commands ask them. data_dir and errors as above. */
enum err knowledge_blocklists_open(const char *data_dir, struct blocklist_book **out,
                                   struct fault *out_fault) MUST_USE;

/* Names under which DKIM keys often stand, one a line, from dkim/; lines that begin with # are remarks. Appends to out.
 * data_dir and errors as above. */
enum err knowledge_selectors_read(const char *data_dir, struct buf *out, struct fault *out_fault)
    MUST_USE;

#endif
