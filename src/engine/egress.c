/* engine/egress: the ways out of a knocker: made from its configuration; what src/traffic learned of them and of the
 * sites is loaded from the store and kept there; and the answer where a site lets none of them ask any more.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "base/slice.h"
#include "engine/knocker_private.h"

#define KEPT_MS \
    (INT64_C(30) * 86400000) /* by then a site is another one, and a warm-up begins anew */

enum {
    KEY_BYTES = TRAFFIC_EGRESS_NAME_MAX + 8,
    SINCE_BYTES_MAX = 32,
    LOCAL_BYTES_MIN = 4,
};

static const struct slice site_value = SLICE_LITERAL("traffic");
static const struct slice since_value = SLICE_LITERAL("since");
static const struct slice day_value = SLICE_LITERAL("day");

/* Where the store keeps what it knows of an egress: no domain or site begins with "=". */
static struct slice egress_key(const struct traffic_egress *egress, char out[KEY_BYTES])
{
    size_t len =
        egress->name.len < TRAFFIC_EGRESS_NAME_MAX ? egress->name.len : TRAFFIC_EGRESS_NAME_MAX;
    out[0] = '=';
    memcpy(out + 1, egress->name.at, len);
    return slice_make(out, len + 1);
}

static void keep(struct knocker *knocker, struct slice key, struct slice name, struct slice value,
                 int64_t life_ms)
{
    int64_t now = door_wall_ms(knocker->door);
    enum err e = store_domain_put(knocker->store, key, name, value, now, now + life_ms);
    knocker->counts.store_errors += e == ERR_NONE ? 0 : 1;
    knocker_wrote(knocker);
}

/* The pool. */

/* When an egress that warms up was first used, as the store remembers; false: it was not. */
static bool find_since(struct store *store, const struct traffic_egress *egress, int64_t wall_ms,
                       uint64_t now_ms, uint64_t *out)
{
    char key[KEY_BYTES];
    struct buf text;
    buf_init(&text, SINCE_BYTES_MAX);
    bool is_known = store != NULL &&
                    store_domain_find(store, egress_key(egress, key), since_value, wall_ms, &text);
    struct reader r = reader_over(buf_view(&text));
    is_known = is_known && reader_number(&r, now_ms, out);
    buf_done(&text);
    return is_known;
}

/* The same; one that is not known begins today. */
static uint64_t first_use(struct knocker *knocker, const struct traffic_egress *egress)
{
    uint64_t now = knocker_traffic_ms(knocker);
    uint64_t since = now;
    if (knocker->store == NULL ||
        find_since(knocker->store, egress, door_wall_ms(knocker->door), now, &since)) {
        return since;
    }
    char key[KEY_BYTES];
    struct buf text;
    buf_init(&text, SINCE_BYTES_MAX);
    if (buf_printf(&text, "%" PRIu64, since) == ERR_NONE) {
        keep(knocker, egress_key(egress, key), since_value, buf_view(&text), INT64_MAX / 2);
    }
    buf_done(&text);
    return since;
}

static void load_day(struct knocker *knocker, struct traffic_pool_egress *egress)
{
    char key[KEY_BYTES];
    struct buf text;
    buf_init(&text, TRAFFIC_SAVED_BYTES_MAX);
    if (knocker->store != NULL && egress->egress.rcpts_per_day != 0 &&
        store_domain_find(knocker->store, egress_key(&egress->egress, key), day_value,
                          door_wall_ms(knocker->door), &text)) {
        traffic_egress_load(egress, buf_view(&text), knocker_traffic_ms(knocker));
    }
    buf_done(&text);
}

/* One of several addresses must not stand in for another. */
static void narrow_families(const struct traffic_pool *pool, struct traffic_egress *egress)
{
    bool has_v4 = egress->source_v4.family != IP_NONE;
    bool has_v6 = egress->source_v6.family != IP_NONE;
    if (pool->count > 1 && has_v4 != has_v6) {
        egress->no_ipv4 = egress->no_ipv4 || !has_v4;
        egress->no_ipv6 = egress->no_ipv6 || !has_v6;
    }
}

enum err egress_pool_init(struct knocker *knocker)
{
    const struct knocker_config *config = &knocker->config;
    enum err e = traffic_pool_init(&knocker->pool, config->egresses, config->egress_count);
    if (e != ERR_NONE) {
        return e;
    }
    for (size_t i = 0; i < knocker->pool.count; i++) {
        narrow_families(&knocker->pool, &knocker->pool.egresses[i].egress);
    }
    return ERR_NONE;
}

void egress_pool_recall(struct knocker *knocker)
{
    for (size_t i = 0; i < knocker->pool.count; i++) {
        struct traffic_egress *egress = &knocker->pool.egresses[i].egress;
        if (knocker->config.egresses[i].warm_up.since_ms == TRAFFIC_SINCE_FIRST_USE) {
            egress->warm_up.since_ms = first_use(knocker, egress);
        }
        load_day(knocker, &knocker->pool.egresses[i]);
    }
}

enum err egress_pool_read(const struct knocker_config *config, struct store *store, int64_t wall_ms,
                          struct traffic_pool *out)
{
    enum err e = traffic_pool_init(out, config->egresses, config->egress_count);
    for (size_t i = 0; e == ERR_NONE && i < out->count; i++) {
        struct traffic_egress *egress = &out->egresses[i].egress;
        uint64_t since = (uint64_t)wall_ms;
        narrow_families(out, egress);
        if (egress->warm_up.since_ms == TRAFFIC_SINCE_FIRST_USE) {
            (void)find_since(store, egress, wall_ms, since, &since);
            egress->warm_up.since_ms = since;
        }
    }
    return e;
}

void egress_pool_save(struct knocker *knocker)
{
    knocker->saved_ms = knocker_traffic_ms(knocker);
    for (size_t i = 0; knocker->store != NULL && i < knocker->pool.count; i++) {
        const struct traffic_pool_egress *egress = &knocker->pool.egresses[i];
        char key[KEY_BYTES];
        struct buf text;
        buf_init(&text, TRAFFIC_SAVED_BYTES_MAX);
        if (traffic_egress_save(egress, knocker_traffic_ms(knocker), &text) == ERR_NONE &&
            text.len > 0) {
            keep(knocker, egress_key(&egress->egress, key), day_value, buf_view(&text), KEPT_MS);
        }
        buf_done(&text);
    }
}

const struct traffic_egress *egress_at(const struct knocker *knocker, size_t index)
{
    return &knocker->pool.egresses[index].egress;
}

bool egress_has_proxy(const struct knocker *knocker)
{
    for (size_t i = 0; i < knocker->pool.count; i++) {
        if (egress_at(knocker, i)->proxy != NULL) {
            return true;
        }
    }
    return false;
}

/* Sites. */

enum err egress_site_load(struct site *site)
{
    struct knocker *knocker = site->knocker;
    if (knocker->store == NULL) {
        return ERR_NONE;
    }
    struct buf text;
    buf_init(&text, TRAFFIC_SAVED_BYTES_MAX);
    enum err e = ERR_NONE;
    if (store_domain_find(knocker->store, slice_of(site->key), site_value,
                          door_wall_ms(knocker->door), &text)) {
        site->saved_hash = slice_hash(buf_view(&text), 0);
        e = traffic_site_load(&site->traffic, &knocker->pool, buf_view(&text),
                              site_traffic_ms(site));
    }
    buf_done(&text);
    return e;
}

enum err egress_site_read(struct store *store, struct slice key, int64_t wall_ms,
                          struct traffic_pool *pool, struct traffic_site *site)
{
    if (store == NULL) {
        return ERR_NONE;
    }
    struct buf text;
    buf_init(&text, TRAFFIC_SAVED_BYTES_MAX);
    enum err e = store_domain_find(store, key, site_value, wall_ms, &text)
                     ? traffic_site_load(site, pool, buf_view(&text), (uint64_t)wall_ms)
                     : ERR_NONE;
    buf_done(&text);
    return e;
}

/* Nothing where nothing is new: most sites never have anything to tell. */
void egress_site_save(struct site *site)
{
    struct knocker *knocker = site->knocker;
    uint64_t now = site_traffic_ms(site);
    site->saved_ms = now;
    if (knocker->store == NULL) {
        return;
    }
    struct buf text;
    buf_init(&text, TRAFFIC_SAVED_BYTES_MAX);
    if (traffic_site_save(&site->traffic, &knocker->pool, now, &text) == ERR_NONE) {
        uint64_t hash = text.len == 0 ? 0 : slice_hash(buf_view(&text), 0);
        if (hash != site->saved_hash) {
            site->saved_hash = hash;
            keep(knocker, slice_of(site->key), site_value, buf_view(&text), KEPT_MS);
        }
    }
    buf_done(&text);
}

void egress_keep(struct site *site)
{
    struct knocker *knocker = site->knocker;
    uint64_t now = site_traffic_ms(site);
    uint64_t interval_ms = site->open == 0 ? KNOCKER_SAVE_IDLE_MS : KNOCKER_SAVE_MS;
    if (now - site->saved_ms >= interval_ms) {
        egress_site_save(site);
    }
    if (now - knocker->saved_ms >= KNOCKER_SAVE_MS) {
        egress_pool_save(knocker);
    }
}

struct traffic_wish egress_wish(const struct host *host, const struct ask *ask)
{
    struct traffic_wish wish = {.keep = TRAFFIC_ANY};
    for (size_t i = 0; i < host->exchanger.address_count; i++) {
        bool is_v6 = host->exchanger.addresses[i].family == IP_V6;
        wish.has_ipv6 = wish.has_ipv6 || is_v6;
        wish.has_ipv4 = wish.has_ipv4 || !is_v6;
    }
    if (ask != NULL) {
        wish.keep = ask->keeps_egress ? ask->egress : TRAFFIC_ANY;
        wish.shun = ask->work->shun;
    }
    if (host->unreached != 0 && host->unreached_until_ms > site_now_ms(host->site)) {
        wish.shun |= host->unreached;
    }
    return wish;
}

static void hide(char *text, struct slice word)
{
    for (size_t at = 0; word.len > 0; at++) {
        struct slice rest = slice_of(text + at);
        size_t found = slice_find_nocase(rest, word);
        if (found == rest.len) {
            return;
        }
        at += found;
        text[at] = '*';
        memmove(text + at + 1, text + at + word.len, strlen(text + at + word.len) + 1);
    }
}

/* What is told to others does not name whom it was said of. A short local part may be any word. */
static void hide_recipient(char *text, struct slice rcpt)
{
    struct slice local = slice_sub(rcpt, 0, slice_find_last_byte(rcpt, '@'));
    hide(text, rcpt);
    if (local.len >= LOCAL_BYTES_MIN) {
        hide(text, local);
    }
}

void egress_closed(struct site *site, const struct evidence *evidence, struct slice rcpt)
{
    if (site->closed == NULL) {
        site->closed = malloc(sizeof *site->closed);
    }
    if (site->closed != NULL) {
        evidence_copy(site->closed, evidence);
        site->closed->is_hearsay = true;
        site->closed->has_other_egress = false;
        hide_recipient(site->closed->text, rcpt);
    }
}

void egress_turn_away(struct host *host, struct ask *ask, uint64_t again_ms)
{
    struct site *site = host->site;
    struct evidence evidence = {
        .kind = EVIDENCE_SKIPPED,
        .skip = SKIP_EGRESS_UNHEALTHY,
        .is_hearsay = true,
        .class = {.scope = SCOPE_US, .reason = REASON_UNKNOWN, .rule = ""},
    };
    if (site->closed != NULL) {
        evidence = *site->closed;
    }
    if (site->closed != NULL && !ask->work->was_tried) {
        ask_was_tried(ask, host, &evidence);
    }
    evidence.at_ms = site_now_ms(site);
    evidence.session_rcpts = evidence.session_refusals = 0;
    uint64_t now = site_traffic_ms(site);
    if (again_ms != TRAFFIC_NEVER && again_ms > now) {
        evidence.class.retry_after_s = (uint32_t)((again_ms - now + 999) / 1000);
    }
    site->turned_away += ask->work->probe.role == PROBE_REAL ? 1 : 0;
    site_tell_later(ask, &evidence);
}

/* The hosts of a server of its own, or who it is. */
static struct slice who_is(const struct site *site)
{
    return site->traffic.is_shared_system ? site->provider->label : slice_trim(slice_of(site->key));
}

void knocker_each_block(const struct knocker *knocker, knocker_block_fn fn, void *context)
{
    size_t cursor = 0;
    struct slice key;
    void *value;
    while (map_next(&knocker->sites, &cursor, &key, &value)) {
        const struct site *site = value;
        if (site->turned_away == 0) {
            continue;
        }
        uint64_t now = site_traffic_ms(site);
        uint64_t again = TRAFFIC_NEVER;
        for (size_t i = 0; i < site->traffic.path_count; i++) {
            const struct traffic_path *path = site->traffic.paths[i];
            if (path != NULL && path->health.state == TRAFFIC_BLOCKED &&
                path->health.try_at_ms < again) {
                again = path->health.try_at_ms;
            }
        }
        struct knocker_block block = {
            .who = who_is(site),
            .said = site->closed == NULL ? SLICE_NONE : slice_of(site->closed->text),
            .code = site->closed == NULL ? 0 : site->closed->code,
            .addresses = site->turned_away,
            .again_in_s = again != TRAFFIC_NEVER && again > now ? (again - now + 999) / 1000 : 0,
        };
        fn(context, &block);
    }
}
