/* engine/loader: loads the knowledge on a thread of its own, so that who asks one address does not wait for what it
 * needs only later: providers before a connection, rules for the first reply, lists for the record. Whoever needs a
 * part waits for it here; until then nobody else touches the knowledge.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_LOADER_H
#define ENGINE_LOADER_H

#include "engine/knowledge.h"

struct loader;

/* Before anybody knows what is to be loaded. ERR_NOMEM. Where there is no thread to be had, the waiting loads. */
enum err loader_start(struct loader **out) MUST_USE;
/* Begins, with the providers; once. The knowledge is borrowed until loader_free. */
void loader_load(struct loader *loader, struct knowledge *knowledge);
/* The rest may follow now; who waits for a part of it says so, too. Until then it does not: where the answer is stored
 * nobody needs it, and the process would only end later. */
void loader_urge(struct loader *loader);
/* Waits until this part of the knowledge and those before it are there; from then on they may be used. Errors are those
 * of knowledge_load, and stay. */
enum err loader_await(struct loader *loader, enum knowledge_part part, struct fault *out_fault)
    MUST_USE;
/* Awaits the end of the part that is being loaded; those behind it are not loaded any more. NULL is fine. */
void loader_free(struct loader *loader);

#endif
