/* late/late: each library is loaded by the first call of one of its functions, and not before; what is handed on is what
 * the library says; where there is none the process ends and says so.
 * SPDX-License-Identifier: Apache-2.0 */
#include "late/late.h"

#include <dlfcn.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <idn2.h>
#include <jansson.h>
#include <libpsl.h>
#include <lz4.h>
#include <sqlite3.h>
#include <unictype.h>
#include <uninorm.h>
#include <zlib.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <cmocka.h>

#include "base/must.h"

static void use_idn2(void)
{
    char *ascii = NULL;
    char *text = NULL;
    assert_int_equal(idn2_to_ascii_8z("b\u00fccher.example", &ascii, 0), IDN2_OK);
    assert_string_equal(ascii, "xn--bcher-kva.example");
    assert_int_equal(idn2_to_unicode_8z8z(ascii, &text, 0), IDN2_OK);
    assert_string_equal(text, "b\u00fccher.example");
    assert_true(strlen(idn2_strerror(IDN2_TOO_BIG_LABEL)) > 0);
    idn2_free(text);
    idn2_free(ascii);
}

/* U+0075 U+0308 composed is U+00FC, and decomposed again is itself: each form is its own. */
static void use_unistring(void)
{
    static const uint8_t apart[] = {'u', 0xcc, 0x88};
    static const uint8_t composed[] = {0xc3, 0xbc};
    size_t len = 0;
    uint8_t *normal = u8_normalize(UNINORM_NFC, apart, sizeof apart, NULL, &len);
    assert_non_null(normal);
    assert_int_equal(len, sizeof composed);
    assert_memory_equal(normal, composed, sizeof composed);
    free(normal);
    assert_true(uc_is_general_category_withtable(0x3000, UC_CATEGORY_MASK_Zs));
    assert_false(uc_is_general_category_withtable('u', UC_CATEGORY_MASK_Zs));
}

static void use_pcre2(void)
{
    int error = 0;
    PCRE2_SIZE place = 0;
    PCRE2_UCHAR text[64];
    pcre2_code *code = pcre2_compile((PCRE2_SPTR) "b+c", 3, 0, &error, &place, NULL);
    assert_non_null(code);
    pcre2_match_context *context = pcre2_match_context_create(NULL);
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    assert_true(context != NULL && data != NULL);
    assert_int_equal(pcre2_set_match_limit(context, 1000), 0);
    assert_int_equal(pcre2_match(code, (PCRE2_SPTR) "abbc", 4, 0, 0, data, context), 1);
    assert_int_equal(pcre2_match(code, (PCRE2_SPTR) "abb", 3, 0, 0, data, context),
                     PCRE2_ERROR_NOMATCH);
    assert_true(pcre2_get_error_message(PCRE2_ERROR_NOMATCH, text, sizeof text) > 0);
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    pcre2_code_free(code);
}

static void use_sqlite(void)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT ?1 || 'b'", -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_bind_text(statement, 1, "a", 1, SQLITE_STATIC), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(statement, 0), "ab");
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void use_jansson(void)
{
    static const char text[] = "{\"a\":[1,\"b\"]}";
    json_t *read = json_loadb(text, sizeof text - 1, 0, NULL);
    const json_t *array = json_object_get(read, "a");
    assert_int_equal(json_array_size(array), 2);
    assert_int_equal(json_integer_value(json_array_get(array, 0)), 1);
    assert_string_equal(json_string_value(json_array_get(array, 1)), "b");
    json_t *packed = json_pack("{s:[is]}", "a", 1, "b");
    char *written = json_dumps(packed, JSON_COMPACT);
    assert_non_null(written);
    assert_string_equal(written, text);
    free(written);
    json_decref(packed);
    json_decref(read);
}

static void use_lz4(void)
{
    static const char known[] = "what is said over and over again";
    static const char text[] = "what is said over and over again, and again";
    LZ4_stream_t stream;
    char packed[64], back[sizeof text];
    assert_non_null(LZ4_initStream(&stream, sizeof stream));
    assert_int_equal(LZ4_loadDict(&stream, known, sizeof known - 1), sizeof known - 1);
    int len = LZ4_compress_fast_continue(&stream, text, packed, sizeof text, sizeof packed, 1);
    assert_in_range(len, 1, sizeof text - 1);
    assert_int_equal(
        LZ4_decompress_safe_usingDict(packed, back, len, sizeof back, known, sizeof known - 1),
        sizeof text);
    assert_string_equal(back, text);
}

static void use_zlib(void)
{
    Bytef text[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    Bytef packed[64];
    Bytef unpacked[sizeof text];
    z_stream stream = {
        .next_in = text,
        .avail_in = sizeof text,
        .next_out = packed,
        .avail_out = sizeof packed,
    };
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    uLong len = stream.total_out;
    assert_int_equal(deflateEnd(&stream), Z_OK);
    stream = (z_stream){.next_in = packed,
                        .avail_in = (uInt)len,
                        .next_out = unpacked,
                        .avail_out = sizeof unpacked};
    assert_int_equal(inflateInit2(&stream, 15), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_memory_equal(unpacked, text, sizeof text);
    assert_int_equal(inflateEnd(&stream), Z_OK);
    assert_int_equal(crc32_z(0, (const Bytef *)"123456789", 9), 0xcbf43926);
}

static void use_psl(void)
{
    psl_ctx_t *list = psl_load_file(SUFFIXES);
    char *lower = NULL;
    assert_non_null(list);
    assert_string_equal(psl_registrable_domain(list, "a.b.co.uk"), "b.co.uk");
    assert_int_equal(psl_str_to_utf8lower("B.co.uk", "utf-8", NULL, &lower), PSL_SUCCESS);
    assert_string_equal(lower, "b.co.uk");
    psl_free_string(lower);
    psl_free(list);
}

static bool is_loaded(const char *name)
{
    void *handle = dlopen(name, RTLD_LAZY | RTLD_NOLOAD);
    if (handle != NULL) {
        must(dlclose(handle) == 0);
    }
    return handle != NULL;
}

/* In this order: some need others. */
static void test_loads_when_called(void **state)
{
    static const struct {
        const char *name;
        void (*use)(void);
    } cases[] = {
        {"libunistring.so.2", use_unistring},
        {"libidn2.so.0", use_idn2},
        {"libpcre2-8.so.0", use_pcre2},
        {"libsqlite3.so.0", use_sqlite},
        {"libjansson.so.4", use_jansson},
        {"libz.so.1", use_zlib},
        {"liblz4.so.1", use_lz4},
        {"libpsl.so.5", use_psl},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(is_loaded(cases[i].name));
        cases[i].use();
        cases[i].use();
        assert_true(is_loaded(cases[i].name) || i == 0); /* it may be a newer one */
    }
}

static void test_says_what_is_missing(void **state)
{
    static const char *const names[] = {"libnobody.so.1", NULL};
    const struct library library = {names, "libnobody1", NULL, 0};
    char said[256] = "";
    int ends[2];
    int status = 0;
    (void)state;
    must(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        must(dup2(ends[1], STDERR_FILENO) >= 0);
        late_load(&library, NULL);
        _exit(0);
    }
    must(close(ends[1]) == 0 && waitpid(child, &status, 0) == child);
    ssize_t len = read(ends[0], said, sizeof said - 1);
    must(len >= 0 && close(ends[0]) == 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), LATE_EXIT_MISSING);
    assert_string_equal(said, "heloise: libnobody.so.1 cannot be loaded: install libnobody1\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loads_when_called),
        cmocka_unit_test(test_says_what_is_missing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
