/* cli/providers_show: what holds for a provider and who said so, as text and as JSON.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PROVIDERS_SHOW_H
#define CLI_PROVIDERS_SHOW_H

#include "dns/route.h"
#include "engine/json_write.h"
#include "engine/knocker.h"
#include "providers/provider.h"

/* What `explain` found out. */
struct providers_answer {
    const struct provider_book *book;
    const struct knocker_config *config; /* timeouts where the provider has none */
    struct slice domain;                 /* A-labels */
    const struct route *route;           /* NULL: the name service was not asked */
    struct slice mx_host;                /* the best exchanger; empty: none is known */
    const struct provider *provider;
};

/* ERR_NOMEM, ERR_LIMIT. */
enum err providers_show_text(const struct providers_answer *answer, struct buf *out) MUST_USE;
enum err providers_show_json(const struct providers_answer *answer, struct buf *out) MUST_USE;

/* One provider of a list: a line of text, or of JSON. */
enum err providers_list_text(const struct provider *provider, struct buf *out) MUST_USE;
enum err providers_list_json(const struct provider_book *book, const struct provider *provider,
                             const struct knocker_config *config, struct buf *out) MUST_USE;

#endif
