/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/outcome_list.h"

#include <stdlib.h>

#include "base/slice.h"
#include "engine/json_write.h"
#include "engine/table.h"

struct outcome_list {
    struct table_reader *reader;
    struct table_reader_config config;
    size_t outcome_column, provider_column;
    bool has_provider;
};

static bool find_column(const struct table_reader *reader, const char *name, size_t *out)
{
    for (size_t i = 0; i < table_reader_column_count(reader); i++) {
        struct slice column = slice_trim(table_reader_column_name(reader, i));
        if (slice_equal_nocase(column, slice_of(name))) {
            *out = i;
            return true;
        }
    }
    return false;
}

enum err outcome_list_open(struct slice file_name, FILE *file, struct outcome_list **out,
                           struct fault *out_fault)
{
    struct outcome_list *list = calloc(1, sizeof *list);
    if (list == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    list->config = (struct table_reader_config){.file_name = file_name};
    enum err e = table_reader_open(&list->config, file, &list->reader, out_fault);
    if (e == ERR_NONE && !find_column(list->reader, "outcome", &list->outcome_column)) {
        e = fault_set(out_fault, ERR_SYNTAX, 0,
                      "the list has no column 'outcome'; name it so in the first line");
    }
    if (e != ERR_NONE) {
        outcome_list_close(list);
        return e;
    }
    list->has_provider = find_column(list->reader, "provider", &list->provider_column);
    *out = list;
    return ERR_NONE;
}

void outcome_list_close(struct outcome_list *list)
{
    if (list != NULL) {
        table_reader_close(list->reader);
        free(list);
    }
}

enum err outcome_list_next(struct outcome_list *list, struct outcome_row *out,
                           struct fault *out_fault)
{
    struct table_row row;
    enum err e = table_reader_next(list->reader, &row, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    *out = (struct outcome_row){.line = row.line, .why = row.is_bad ? row.why : NULL};
    if (row.is_bad) {
        return ERR_NONE;
    }
    out->address = slice_trim(row.address);
    if (list->has_provider) {
        out->provider = slice_trim(row.cells[list->provider_column]);
    }
    if (!likely_outcome_parse(row.cells[list->outcome_column], &out->outcome)) {
        out->why = "this outcome is not known; delivered and bounced are, 'heloise score --help' "
                   "names the others";
    }
    return ERR_NONE;
}

void outcome_means_init(struct outcome_means *out, struct store *store,
                        const struct knowledge *knowledge)
{
    *out = (struct outcome_means){
        .store = store,
        .likely = {knowledge_likeness(knowledge), knowledge_lists(knowledge)},
        .providers = knowledge_providers(knowledge),
    };
}

struct slice outcome_provider(const struct provider_book *providers, struct slice name,
                              struct slice domain)
{
    const struct provider *provider = name.len > 0 ? provider_by_name(providers, name) : NULL;
    provider = provider != NULL ? provider : provider_by_domain(providers, domain);
    bool is_one = provider != NULL && provider->class != PROVIDER_SELFHOSTED;
    return is_one ? provider->name : SLICE_NONE;
}

enum err outcome_learn(const struct outcome_means *means, const struct outcome_row *row,
                       int64_t now_ms, struct outcome_counts *counts, struct fault *out_fault)
{
    if (row->why != NULL) {
        counts->unused++;
        return fault_set(out_fault, ERR_SYNTAX, 0, "%s", row->why);
    }
    if (row->outcome == LIKELY_SILENT) {
        counts->silent++;
        return ERR_NONE;
    }
    size_t at = slice_find_last_byte(row->address, '@');
    struct slice domain = slice_sub(row->address, at + 1, row->address.len);
    const struct likely_report report = {
        .address = row->address,
        .provider = outcome_provider(means->providers, row->provider, domain),
        .was_alive = row->outcome == LIKELY_ALIVE,
        .at_ms = now_ms,
    };
    enum err e = likely_learn(means->store, &means->likely, &report, out_fault);
    if (e == ERR_SYNTAX || e == ERR_STATE) {
        counts->unused++;
        return ERR_SYNTAX;
    }
    counts->alive += e == ERR_NONE && report.was_alive ? 1 : 0;
    counts->gone += e == ERR_NONE && !report.was_alive ? 1 : 0;
    return e;
}

void outcome_counts_write(struct json_writer *w, const struct outcome_counts *counts)
{
    json_int(w, "alive", (int64_t)counts->alive);
    json_int(w, "gone", (int64_t)counts->gone);
    json_int(w, "silent", (int64_t)counts->silent);
    json_int(w, "unused", (int64_t)counts->unused);
}
