/* engine/table_names: which of the columns holds the addresses.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/reader.h"
#include "base/slice.h"
#include "engine/table_private.h"

/* The likeliest first; names that also head other things last. */
static const char *const address_names[] = {
    "email",
    "e-mail",
    "email address",
    "e-mail address",
    "email_address",
    "emailaddress",
    "email-address",
    "e_mail",
    "e-mail-adresse",
    "email-adresse",
    "emailadresse",
    "mailadresse",
    "adresse e-mail",
    "adresse email",
    "adresse mail",
    "adresse \xc3\xa9lectronique",
    "courriel",
    "correo",
    "correo electronico",
    "correo electr\xc3\xb3nico",
    "e-mailadres",
    "mailadres",
    "indirizzo email",
    "indirizzo e-mail",
    "endere\xc3\xa7o de email",
    "endere\xc3\xa7o de e-mail",
    "e-postadress",
    "epost",
    "e-post",
    "e-postadresse",
    "adres e-mail",
    "adres email",
    "s\xc3\xa4hk\xc3\xb6posti",
    "e-posta",
    "eposta",
    "\xd0\xbf\xd0\xbe\xd1\x87\xd1\x82\xd0\xb0",
    "\xe9\x82\xae\xe7\xae\xb1",
    "\xe7\x94\xb5\xe5\xad\x90\xe9\x82\xae\xe4\xbb\xb6",
    "\xe3\x83\xa1\xe3\x83\xbc\xe3\x83\xab\xe3\x82\xa2\xe3\x83\x89\xe3\x83\xac\xe3\x82\xb9",
    "mail",
    "mail address",
    "user_email",
    "contact_email",
    "primary email",
    "primary_email",
    "recipient",
    "recipients",
    "to",
    "adresse",
    "address",
};

enum { ADDRESS_NAME_COUNT = sizeof address_names / sizeof address_names[0] };

static size_t name_rank(struct slice name)
{
    size_t rank = 0;
    while (rank < ADDRESS_NAME_COUNT && !slice_equal_nocase(name, slice_of(address_names[rank]))) {
        rank++;
    }
    return rank;
}

bool table_is_address_name(struct slice name)
{
    return name_rank(name) < ADDRESS_NAME_COUNT;
}

size_t table_columns_find(const struct table_columns *columns, struct slice name)
{
    for (size_t i = 0; i < columns->count; i++) {
        if (slice_equal(columns->names[i], name)) {
            return i;
        }
    }
    for (size_t i = 0; i < columns->count; i++) {
        if (slice_equal_nocase(columns->names[i], name)) {
            return i;
        }
    }
    return columns->count;
}

static bool column_number(struct slice text, size_t count, size_t *out)
{
    struct reader r = reader_over(text);
    uint64_t number;
    if (!reader_number(&r, count, &number) || !reader_is_done(&r) || number == 0) {
        return false;
    }
    *out = (size_t)number - 1;
    return true;
}

/* Names the columns there are; what does not fit is cut by the fault. */
static enum err no_column(const struct table_reader_config *config,
                          const struct table_columns *columns, bool has_names,
                          struct fault *out_fault)
{
    char list[160] = "";
    size_t len = 0;
    for (size_t i = 0; i < columns->count && has_names && len + 1 < sizeof list; i++) {
        struct slice name = slice_sub(columns->names[i], 0, 40);
        int more =
            snprintf(list + len, sizeof list - len, "%s%.*s", i > 0 ? ", " : "", SLICE_ARG(name));
        len += more > 0 ? (size_t)more : 0;
    }
    if (!has_names || columns->count == 0) {
        (void)snprintf(list, sizeof list, "%zu without names", columns->count);
    }
    struct slice file =
        slice_sub(config->file_name, config->file_name.len > 80 ? config->file_name.len - 80 : 0,
                  config->file_name.len);
    if (config->column.len > 0) {
        struct slice wanted = slice_sub(config->column, 0, 40);
        return fault_set(out_fault, ERR_SYNTAX, 0, "%.*s has no column '%.*s'; its columns: %s",
                         SLICE_ARG(file), SLICE_ARG(wanted), list);
    }
    return fault_set(out_fault, ERR_SYNTAX, 0,
                     "%.*s: no column has addresses in it; --column names one. Its columns: %s",
                     SLICE_ARG(file), list);
}

/* A known name counts where the column has addresses, or none has. */
static bool pick_likeliest(const struct table_columns *columns, bool has_names, size_t *out)
{
    size_t fullest = 0;
    for (size_t i = 1; i < columns->count; i++) {
        fullest = columns->at_signs[i] > columns->at_signs[fullest] ? i : fullest;
    }
    bool is_any = columns->count > 0 && columns->at_signs[fullest] > 0;
    size_t best_rank = ADDRESS_NAME_COUNT;
    for (size_t i = 0; i < columns->count && has_names; i++) {
        size_t rank = name_rank(columns->names[i]);
        if (rank < best_rank && (columns->at_signs[i] > 0 || !is_any)) {
            best_rank = rank;
            *out = i;
        }
    }
    if (best_rank < ADDRESS_NAME_COUNT) {
        return true;
    }
    *out = fullest;
    return is_any || columns->count <= 1;
}

enum err table_columns_pick(const struct table_reader_config *config,
                            const struct table_columns *columns, bool has_names, size_t *out_column,
                            struct fault *out_fault)
{
    if (config->column.len == 0) {
        return pick_likeliest(columns, has_names, out_column)
                   ? ERR_NONE
                   : no_column(config, columns, has_names, out_fault);
    }
    size_t named = has_names ? table_columns_find(columns, config->column) : columns->count;
    if (named < columns->count) {
        *out_column = named;
        return ERR_NONE;
    }
    return column_number(config->column, columns->count, out_column)
               ? ERR_NONE
               : no_column(config, columns, has_names, out_fault);
}
