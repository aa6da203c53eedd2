/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/census.h"

#include "address/normal.h"
#include "base/slice.h"
#include "engine/knocker_private.h"
#include "heloise/address.h"
#include "verify/control.h"

enum {
    DOMAINS_BYTES_MAX = 1 << 30, /* some ten million domains */
    VERDICT_BYTES_MAX = 1 << 20, /* as the knocker reads them */
};

/* One list being counted. */
struct count {
    const struct census_config *config;
    struct census *census;
    struct buf verdict;
    bool reads_verdicts;
};

static bool has_verdict(struct count *count, const char *address_key)
{
    const struct census_config *config = count->config;
    if (!count->reads_verdicts) {
        return false;
    }
    char room[KNOCKER_KEY_BYTES];
    struct slice key = knocker_store_key(config->knocker, slice_of(address_key), room);
    buf_clear(&count->verdict);
    return store_verdict_find(config->store, key, config->wall_ms,
                              config->knocker->cache_age_ms_max, &count->verdict);
}

static struct census_domain *add_domain(struct census *census, struct slice name)
{
    struct census_domain *domain = arena_alloc(&census->arena, sizeof *domain);
    if (domain == NULL || arena_copy(&census->arena, name, &domain->name) != ERR_NONE ||
        map_put(&census->domains, domain->name, domain) != ERR_NONE) {
        return NULL;
    }
    *census->last = domain;
    census->last = &domain->next;
    census->domain_count++;
    return domain;
}

static enum err count_address(struct census *census, const struct hel_address *address)
{
    struct slice name = hel_address_domain(address);
    struct census_domain *domain = map_find(&census->domains, name);
    if (domain == NULL) {
        domain = add_domain(census, name);
        if (domain == NULL) {
            return ERR_NOMEM;
        }
    }
    domain->addresses++;
    domain->shapes |= 1u << control_shape(hel_address_local(address));
    census->addresses++;
    return ERR_NONE;
}

static enum err count_row(struct count *count, const struct table_row *row)
{
    struct census *census = count->census;
    struct hel_address address;
    struct hel_address_error error;
    census->rows++;
    if (row->is_bad) {
        census->bad_rows++;
        return ERR_NONE;
    }
    enum err e =
        hel_address_parse(row->address, count->config->knocker->address_mode, &address, &error);
    if (e != ERR_NONE) {
        census->invalid_rows += e == ERR_SYNTAX ? 1 : 0;
        return e == ERR_SYNTAX ? ERR_NONE : e;
    }
    char key[HEL_WIRE_BYTES];
    bool is_new;
    address_key(&address, key);
    e = hash_set_add(&census->seen, slice_hash(slice_of(key), census->seed), &is_new);
    if (e != ERR_NONE) {
        return e;
    }
    if (!is_new) {
        census->duplicates++;
        return ERR_NONE;
    }
    if (has_verdict(count, key)) {
        census->fresh++;
        return ERR_NONE;
    }
    return count_address(census, &address);
}

static enum err count_rows(struct count *count, struct table_reader *reader,
                           struct fault *out_fault)
{
    struct table_row row;
    enum err e;
    while ((e = table_reader_next(reader, &row, out_fault)) == ERR_NONE) {
        e = count_row(count, &row);
        if (e != ERR_NONE) {
            return fault_set(out_fault, e, 0, "%s",
                             e == ERR_LIMIT ? "the list has too many addresses to be counted"
                                            : "out of memory");
        }
    }
    return e == ERR_CLOSED ? ERR_NONE : e;
}

enum err census_take(const struct census_config *config, FILE *file, struct census *out,
                     struct fault *out_fault)
{
    *out = (struct census){.seed = config->seed};
    out->last = &out->first;
    arena_init(&out->arena, DOMAINS_BYTES_MAX);
    map_init(&out->domains, config->seed);
    const struct knocker_config *knocker = config->knocker;
    struct count count = {
        .config = config,
        .census = out,
        .reads_verdicts = config->store != NULL && !knocker->is_fresh && !knocker->keeps_transcript,
    };
    struct table_reader *reader;
    enum err e = table_reader_open(&config->table, file, &reader, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    buf_init(&count.verdict, VERDICT_BYTES_MAX);
    e = count_rows(&count, reader, out_fault);
    buf_done(&count.verdict);
    table_reader_close(reader);
    return e;
}

void census_done(struct census *census)
{
    map_done(&census->domains);
    hash_set_done(&census->seen);
    arena_done(&census->arena);
}
