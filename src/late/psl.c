/* late/psl: libpsl, the Public Suffix List.
 * SPDX-License-Identifier: Apache-2.0 */
#include <libpsl.h>

#include "late/late.h"

/* clang-format off */
#define FUNCTIONS(gives, does) \
    does(void, psl_free, (psl_ctx_t *list), (list)) \
    does(void, psl_free_string, (char *text), (text)) \
    gives(psl_ctx_t *, psl_latest, (const char *path), (path)) \
    gives(psl_ctx_t *, psl_load_file, (const char *path), (path)) \
    gives(const char *, psl_registrable_domain, (const psl_ctx_t *list, const char *domain), (list, domain)) \
    gives(psl_error_t, psl_str_to_utf8lower, \
          (const char *text, const char *encoding, const char *locale, char **lower), \
          (text, encoding, locale, lower))
/* clang-format on */

LATE_LIBRARY(FUNCTIONS, "libpsl5", "libpsl.so.5")
