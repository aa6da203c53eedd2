/* engine/signal_github: https://docs.github.com/en/rest/search/search#search-users : accounts that show the address,
 * by the qualifier in:email. Thirty questions a minute with a token, ten without.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include <jansson.h>

#include "base/slice.h"
#include "engine/signal_private.h"

/* In quotes, or the local part could be read as words of the search's language. */
static enum err write_path(const struct signal_question *question, struct buf *url)
{
    for (size_t i = 0; i < question->ascii.len; i++) {
        char byte = question->ascii.at[i];
        if (byte == '"' || byte == '\\' || byte <= ' ') {
            return ERR_SYNTAX;
        }
    }
    enum err e = buf_append(url, SLICE("/search/users?per_page=1&q=%22"));
    e = e != ERR_NONE ? e : signal_escape(question->ascii, url);
    return e != ERR_NONE ? e : buf_append(url, SLICE("%22+in%3Aemail"));
}

static void add_headers(const struct signal_question *question, struct signal_headers *out)
{
    out->at[out->count++] = (struct http_client_header){
        .name = "Accept", .value = SLICE("application/vnd.github+json")};
    out->at[out->count++] =
        (struct http_client_header){.name = "X-GitHub-Api-Version", .value = SLICE("2022-11-28")};
    if (question->key.len > 0) {
        (void)snprintf(out->text, sizeof out->text, "Bearer %.*s", SLICE_ARG(question->key));
        out->at[out->count++] = (struct http_client_header){
            .name = "Authorization", .value = slice_of(out->text), .is_for_origin = true};
    }
}

static enum signal_reading read_body(struct slice body, struct verify_signal *out)
{
    json_t *root = json_loadb(body.at, body.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *total = json_object_get(root, "total_count");
    bool is_number = json_is_integer(total) && json_integer_value(total) >= 0;
    json_int_t count = is_number ? json_integer_value(total) : 0;
    bool is_cut = json_is_true(json_object_get(root, "incomplete_results"));
    json_decref(root);
    if (!is_number || (count == 0 && is_cut)) {
        return SIGNAL_READ_BROKEN;
    }
    *out = (struct verify_signal){.result = count > 0 ? SIGNAL_YES : SIGNAL_NO,
                                  .number = count > UINT32_MAX ? UINT32_MAX : (uint32_t)count};
    return SIGNAL_READ;
}

/* 403 is what it says to those who ask too much, as well as 429. */
static enum signal_reading read_answer(const struct http_client_answer *answer,
                                       struct verify_signal *out)
{
    if (answer->status == 200) {
        return read_body(answer->body, out);
    }
    return answer->status == 403 ? SIGNAL_READ_LIMITED : signal_read_status(answer->status);
}

const struct signal_kind signal_github = {
    .config = {.base_url = SLICE_LITERAL("https://api.github.com"),
               .timeout_ms = 5000,
               .cache_ms = UINT64_C(7) * 86400 * 1000,
               .per_minute = 10},
    .write_path = write_path,
    .add_headers = add_headers,
    .read = read_answer,
};
