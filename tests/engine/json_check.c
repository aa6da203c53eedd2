/* SPDX-License-Identifier: Apache-2.0 */
#include "json_check.h"

#include <jansson.h>

#include "base/must.h"
#include "base/slice.h"

bool json_check_is_valid(struct slice json)
{
    json_t *root = json_loadb(json.at, json.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    json_decref(root);
    return root != NULL;
}

bool json_check_first_text(struct slice json, struct buf *out)
{
    json_t *root = json_loadb(json.at, json.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    const json_t *value = json_array_get(root, 0);
    bool is_text = json_is_string(value);
    if (is_text) {
        struct slice text = slice_make(json_string_value(value), json_string_length(value));
        must(buf_append(out, text) == ERR_NONE);
    }
    json_decref(root);
    return is_text;
}
