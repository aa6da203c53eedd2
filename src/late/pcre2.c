/* late/pcre2: libpcre2, which compiles and matches the rules: beside whoever waits for the network.
 * SPDX-License-Identifier: Apache-2.0 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "late/late.h"

/* clang-format off */
#define FUNCTIONS(gives, does) \
    does(void, pcre2_code_free_8, (pcre2_code *code), (code)) \
    gives(pcre2_code *, pcre2_compile_8, \
          (PCRE2_SPTR pattern, PCRE2_SIZE len, uint32_t options, int *error, PCRE2_SIZE *place, \
           pcre2_compile_context *context), \
          (pattern, len, options, error, place, context)) \
    gives(int, pcre2_get_error_message_8, (int code, PCRE2_UCHAR *text, PCRE2_SIZE size), (code, text, size)) \
    gives(int, pcre2_jit_compile_8, (pcre2_code *code, uint32_t options), (code, options)) \
    gives(int, pcre2_match_8, \
          (const pcre2_code *code, PCRE2_SPTR subject, PCRE2_SIZE len, PCRE2_SIZE start, uint32_t options, \
           pcre2_match_data *data, pcre2_match_context *context), \
          (code, subject, len, start, options, data, context)) \
    gives(pcre2_match_context *, pcre2_match_context_create_8, (pcre2_general_context *context), (context)) \
    does(void, pcre2_match_context_free_8, (pcre2_match_context *context), (context)) \
    gives(pcre2_match_data *, pcre2_match_data_create_8, (uint32_t pairs, pcre2_general_context *context), \
          (pairs, context)) \
    does(void, pcre2_match_data_free_8, (pcre2_match_data *data), (data)) \
    gives(int, pcre2_set_match_limit_8, (pcre2_match_context *context, uint32_t limit), (context, limit))
/* clang-format on */

LATE_LIBRARY(FUNCTIONS, "libpcre2-8-0", "libpcre2-8.so.0")
