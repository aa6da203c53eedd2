/* engine/knocker_key: under which key an address is known: to the knocker, to a list, to the store.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "address/normal.h"
#include "base/slice.h"
#include "engine/knocker_private.h"

bool knocker_claims(const struct knocker_config *config)
{
    return !config->is_fresh && !config->keeps_transcript && !config->verify.no_smtp;
}

struct slice knocker_store_key(const struct knocker_config *config, struct slice key,
                               char out[KNOCKER_KEY_BYTES])
{
    const struct verify_config *verify = &config->verify;
    bool is_usual = !verify->no_smtp && !verify->no_control && config->port == KNOCKER_PORT &&
                    verify->risky_if == VERIFY_RISKY_DISPOSABLE &&
                    config->address_mode == HEL_ADDRESS_PRACTICAL;
    if (is_usual) {
        return key;
    }
    int len = snprintf(out, KNOCKER_KEY_BYTES, "%.*s port=%u%s%s risky_if=%u mode=%u",
                       SLICE_ARG(key), (unsigned)config->port, verify->no_smtp ? " no_smtp" : "",
                       verify->no_control ? " no_control" : "", verify->risky_if,
                       (unsigned)config->address_mode);
    return slice_make(out, (size_t)len);
}

struct slice ask_store_key(const struct ask *ask, char out[KNOCKER_KEY_BYTES])
{
    return knocker_store_key(&ask->knocker->config, ask->key, out);
}

static void copy_slice(char *to, struct slice from)
{
    memcpy(to, from.at, from.len);
    to[from.len] = '\0';
}

bool knocker_identify(struct knocker *knocker, struct slice text, struct knocker_identity *out,
                      struct record *out_invalid)
{
    struct hel_address address;
    struct hel_address_error error;
    if (hel_address_parse(text, knocker->config.address_mode, &address, &error) != ERR_NONE) {
        answer_invalid(knocker, &error, out_invalid);
        return false;
    }
    address_key(&address, out->key);
    copy_slice(out->wire, hel_address_wire(&address));
    copy_slice(out->domain, hel_address_domain(&address));
    return true;
}
