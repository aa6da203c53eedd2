/* engine/signal_hibp: https://haveibeenpwned.com/API/v3#BreachesForAccount : the breaches that an address was in; 404:
 * none. Needs a key and a User-Agent.
 * SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>

#include "base/slice.h"
#include "engine/signal_private.h"

static enum err write_path(const struct signal_question *question, struct buf *url)
{
    enum err e = buf_append(url, SLICE("/api/v3/breachedaccount/"));
    e = e != ERR_NONE ? e : signal_escape(question->ascii, url);
    return e != ERR_NONE ? e : buf_append(url, SLICE("?truncateResponse=true"));
}

static void add_headers(const struct signal_question *question, struct signal_headers *out)
{
    out->at[out->count++] = (struct http_client_header){
        .name = "hibp-api-key", .value = question->key, .is_for_origin = true};
}

static enum signal_reading read_body(struct slice body, struct verify_signal *out)
{
    json_t *root = json_loadb(body.at, body.len, JSON_REJECT_DUPLICATES, NULL);
    bool is_list = json_is_array(root);
    size_t count = json_array_size(root);
    json_decref(root);
    if (!is_list || count == 0) {
        return SIGNAL_READ_BROKEN;
    }
    *out = (struct verify_signal){.result = SIGNAL_YES, .number = (uint32_t)count};
    return SIGNAL_READ;
}

static enum signal_reading read_answer(const struct http_client_answer *answer,
                                       struct verify_signal *out)
{
    if (answer->status == 200) {
        return read_body(answer->body, out);
    }
    if (answer->status == 404) {
        *out = (struct verify_signal){.result = SIGNAL_NO};
        return SIGNAL_READ;
    }
    return signal_read_status(answer->status);
}

const struct signal_kind signal_hibp = {
    .config = {.base_url = SLICE_LITERAL("https://haveibeenpwned.com"),
               .timeout_ms = 5000,
               .cache_ms = UINT64_C(7) * 86400 * 1000,
               .per_minute = 10}, /* the smallest subscription */
    .needs_key = true,
    .write_path = write_path,
    .add_headers = add_headers,
    .read = read_answer,
};
