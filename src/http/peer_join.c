/* http/peer_join: the other services: which of our shapes theirs is, how long an answer may take where the caller does not say,
 * and what is around it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/slice.h"
#include "engine/json_write.h"
#include "http/peer.h"
#include "http/server_private.h"

enum {
    PATIENT_MS = 60000,     /* Reacher and ZeroBounce answer within a minute or so */
    KICKBOX_MS = 6000,      /* documented */
    NEVERBOUNCE_MS = 30000, /* as long as their own client waits */
};

static enum err join_one(struct peer_questions *questions, struct buf *out)
{
    struct slice answer = buf_view(&questions->slots[0].answer);
    return answer.len == 0 ? ERR_NOMEM : buf_append(out, answer);
}

static enum err join_batch(struct peer_questions *questions, struct buf *out)
{
    struct json_writer w;
    json_begin(&w, out);
    json_open(&w, NULL, '{');
    json_open(&w, "email_batch", '[');
    for (size_t i = 0; i < questions->count; i++) {
        if (questions->slots[i].answer.len > 0) {
            json_raw(&w, NULL, buf_view(&questions->slots[i].answer));
        }
    }
    json_close(&w, ']');
    json_open(&w, "errors", '[');
    for (size_t i = 0; i < questions->count; i++) {
        if (questions->slots[i].answer.len == 0) {
            json_open(&w, NULL, '{');
            json_string(&w, "error", SLICE("The address could not be validated"));
            json_string(&w, "email_address", questions->slots[i].address);
            json_close(&w, '}');
        }
    }
    json_close(&w, ']');
    json_close(&w, '}');
    return w.err;
}

static enum err join_kickbox(struct peer_questions *questions, struct buf *out)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%d", PEER_CREDITS);
    http_add_header(questions->request, "X-Kickbox-Balance", slice_make(text, (size_t)len));
    len = snprintf(text, sizeof text, "%llu",
                   (unsigned long long)(http_now_ms() - questions->began_ms));
    http_add_header(questions->request, "X-Kickbox-Response-Time", slice_make(text, (size_t)len));
    return join_one(questions, out);
}

const struct peer peer_reacher = {record_write_reacher, join_one, PATIENT_MS};
const struct peer peer_zerobounce = {record_write_zerobounce, join_one, PATIENT_MS};
const struct peer peer_zerobounce_batch = {record_write_zerobounce, join_batch, PATIENT_MS};
const struct peer peer_kickbox = {record_write_kickbox, join_kickbox, KICKBOX_MS};
const struct peer peer_neverbounce = {record_write_neverbounce, join_one, NEVERBOUNCE_MS};
