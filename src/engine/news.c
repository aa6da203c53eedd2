/* engine/news: what holds up an answer, for people who wait for it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"
#include "base/text.h"
#include "engine/knocker_private.h"

static const struct ask *find_ask(const struct knocker *knocker, const void *context)
{
    size_t cursor = 0;
    struct slice key;
    void *value;
    while (map_next(&knocker->asks, &cursor, &key, &value)) {
        const struct ask *ask = value;
        for (const struct caller *caller = ask->callers; caller != NULL; caller = caller->next) {
            if (caller->context == context) {
                return ask;
            }
        }
    }
    return NULL;
}

static enum err describe_wait(const char *whom, bool is_greylisted, uint64_t left_ms,
                              struct buf *out)
{
    const char *why = is_greylisted ? "greylisted" : "temporary trouble there";
    enum err e = buf_append(out, SLICE("waiting for "));
    if (e == ERR_NONE) {
        e = text_append_printable(out, slice_of(whom));
    }
    return e != ERR_NONE ? e
                         : buf_printf(out, ": %s, asking again in %llu s", why,
                                      (unsigned long long)((left_ms + 999) / 1000));
}

static uint64_t left_ms(const struct knocker *knocker, uint64_t due_ms)
{
    uint64_t now_ms = door_now_ms(knocker->door);
    return due_ms > now_ms ? due_ms - now_ms : 0;
}

static enum err describe_waiting(const struct ask *ask, struct buf *out)
{
    size_t count;
    const struct evidence *evidence = verify_case_evidence(ask->verify, &count);
    bool is_greylisted = count > 0 && evidence[count - 1].class.reason == REASON_GREYLISTED;
    return describe_wait(ask->work->was_tried ? ask->work->line.host : ask->domain->name,
                         is_greylisted, left_ms(ask->knocker, ask->work->wait.due_ms), out);
}

static enum err describe_parked(const struct parked *parked, struct buf *out)
{
    const struct domain *domain = parked->domain;
    struct park_view view;
    park_view(parked, &view);
    const char *whom = view.host != NULL ? view.host : domain->name;
    if (parked->due_ms != 0) {
        return describe_wait(whom, view.is_greylisted, left_ms(domain->knocker, parked->due_ms),
                             out);
    }
    enum err e = buf_append(out, SLICE("waiting for "));
    return e != ERR_NONE ? e : text_append_printable(out, slice_of(whom));
}

enum err knocker_describe(const struct knocker *knocker, const void *context, struct buf *out)
{
    const struct ask *ask = find_ask(knocker, context);
    if (ask == NULL) {
        const struct parked *parked = park_of(knocker, context);
        return parked != NULL ? describe_parked(parked, out) : ERR_NONE;
    }
    if (ask->is_waiting && ask->verify != NULL) {
        return describe_waiting(ask, out);
    }
    bool is_known = ask->verify != NULL; /* the route is */
    struct slice doing = ask->work->conversation != NULL ? SLICE("talking to ")
                         : ask->place == ASK_QUEUE       ? SLICE("in the queue for ")
                         : is_known                      ? SLICE("waiting for ")
                                                         : SLICE("looking up ");
    const char *whom = is_known && ask->lane != NULL ? ask->lane->host->exchanger.host
                       : ask->domain != NULL         ? ask->domain->name
                                                     : "its domain";
    enum err e = buf_append(out, doing);
    return e != ERR_NONE ? e : text_append_printable(out, slice_of(whom));
}
