/* late/unistring: libunistring, which only local parts beyond ASCII need.
 * SPDX-License-Identifier: Apache-2.0 */
#include <unictype.h>
#include <uninorm.h>

#include "late/late.h"

/* clang-format off */
#define FUNCTIONS(gives, does) \
    gives(uint8_t *, u8_normalize, \
          (uninorm_t form, const uint8_t *text, size_t len, uint8_t *buffer, size_t *out_len), \
          (form == &uninorm_nfc ? loaded()->uninorm_nfc : form, text, len, buffer, out_len)) \
    gives(bool, uc_is_general_category_withtable, (ucs4_t code, uint32_t categories), (code, categories))
#define TABLE(gives, does) \
    FUNCTIONS(gives, does) \
    gives(uninorm_t, uninorm_nfc, , )
/* clang-format on */

/* Ours is nothing but an address that stands for theirs. */
struct unicode_normalization_form {
    char unused;
};
const struct unicode_normalization_form uninorm_nfc = {0};

LATE_TABLE(TABLE, "libunistring2", "libunistring.so.2", "libunistring.so.5")
FUNCTIONS(LATE_GIVES, LATE_DOES)
