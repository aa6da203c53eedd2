/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/public_suffix.h"

#include <errno.h>
#include <libpsl.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"

struct public_suffix {
    psl_ctx_t *list;
};

enum err public_suffix_open(const char *path, struct public_suffix **out, struct fault *out_fault)
{
    struct public_suffix *suffix = calloc(1, sizeof *suffix);
    if (suffix == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    errno = 0;
    suffix->list = path == NULL ? psl_latest(NULL) : psl_load_file(path);
    if (suffix->list == NULL) {
        int os_errno = errno;
        free(suffix);
        return fault_set(out_fault, ERR_SYSTEM, os_errno,
                         "%s cannot be read: install the Debian package publicsuffix",
                         path == NULL ? "the Public Suffix List" : path);
    }
    *out = suffix;
    return ERR_NONE;
}

void public_suffix_close(struct public_suffix *list)
{
    if (list != NULL) {
        psl_free(list->list);
        free(list);
    }
}

/* Lower case, without the last dot. */
static bool copy_lower(struct slice domain, char out[DNS_NAME_BYTES])
{
    char name[DNS_NAME_BYTES];
    char *lower;
    if (slice_ends(domain, SLICE("."))) {
        domain.len--;
    }
    if (domain.len == 0 || domain.len >= DNS_NAME_BYTES || domain.at[0] == '.' ||
        memchr(domain.at, '\0', domain.len) != NULL) {
        return false;
    }
    memcpy(name, domain.at, domain.len);
    name[domain.len] = '\0';
    if (psl_str_to_utf8lower(name, "utf-8", NULL, &lower) != PSL_SUCCESS) {
        return false;
    }
    size_t len = strlen(lower);
    bool has_room = len < DNS_NAME_BYTES;
    if (has_room) {
        memcpy(out, lower, len + 1);
    }
    psl_free_string(lower);
    return has_room;
}

bool public_suffix_registrable(const struct public_suffix *list, struct slice domain,
                               char out[DNS_NAME_BYTES])
{
    char name[DNS_NAME_BYTES];
    if (!copy_lower(domain, name)) {
        return false;
    }
    const char *registrable = psl_registrable_domain(list->list, name);
    if (registrable == NULL) {
        return false;
    }
    memcpy(out, registrable, strlen(registrable) + 1);
    return true;
}

bool public_suffix_organizational(const struct public_suffix *list, struct slice domain,
                                  char out[DNS_NAME_BYTES])
{
    return public_suffix_registrable(list, domain, out) || copy_lower(domain, out);
}
