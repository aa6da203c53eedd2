/* late/jansson: jansson, which reads JSON; what is written needs it seldom.
 * SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdarg.h>

#include "late/late.h"

/* clang-format off */
#define FUNCTIONS(gives, does) \
    gives(json_t *, json_array_get, (const json_t *array, size_t index), (array, index)) \
    gives(size_t, json_array_size, (const json_t *array), (array)) \
    does(void, json_delete, (json_t *json), (json)) \
    gives(int, json_dumpf, (const json_t *json, FILE *output, size_t flags), (json, output, flags)) \
    gives(char *, json_dumps, (const json_t *json, size_t flags), (json, flags)) \
    gives(json_int_t, json_integer_value, (const json_t *integer), (integer)) \
    gives(json_t *, json_loadb, (const char *text, size_t len, size_t flags, json_error_t *error), \
          (text, len, flags, error)) \
    gives(double, json_number_value, (const json_t *number), (number)) \
    gives(json_t *, json_object_get, (const json_t *object, const char *key), (object, key)) \
    gives(void *, json_object_iter, (json_t *object), (object)) \
    gives(const char *, json_object_iter_key, (void *at), (at)) \
    gives(void *, json_object_iter_next, (json_t *object, void *at), (object, at)) \
    gives(json_t *, json_object_iter_value, (void *at), (at)) \
    gives(void *, json_object_key_to_iter, (const char *key), (key)) \
    gives(size_t, json_string_length, (const json_t *string), (string)) \
    gives(const char *, json_string_value, (const json_t *string), (string))
#define TABLE(gives, does) \
    FUNCTIONS(gives, does) \
    gives(json_t *, json_vpack_ex, , )
/* clang-format on */

LATE_TABLE(TABLE, "libjansson4", "libjansson.so.4")
FUNCTIONS(LATE_GIVES, LATE_DOES)

json_t *json_pack(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    json_t *json = loaded()->json_vpack_ex(NULL, 0, format, args);
    va_end(args);
    return json;
}
