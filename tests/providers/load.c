/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

enum { FILES_MAX = 100 };

char *load_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fail_msg("cannot open %s", path);
    }
    char *text = NULL;
    size_t len = 0;
    size_t cap = 0;
    do {
        cap += 1 << 16;
        text = realloc(text, cap + 1);
        assert_non_null(text);
        len += fread(text + len, 1, cap - len, file);
    } while (len == cap);
    text[len] = '\0';
    assert_int_equal(fclose(file), 0);
    return text;
}

struct files {
    struct slice names[FILES_MAX];
    char *texts[FILES_MAX];
    size_t count;
    glob_t paths;
};

static void files_open(struct files *files, const char *pattern)
{
    *files = (struct files){.count = 0};
    assert_int_equal(glob(pattern, 0, NULL, &files->paths), 0);
    assert_true(files->paths.gl_pathc > 0 && files->paths.gl_pathc <= FILES_MAX);
    for (size_t i = 0; i < files->paths.gl_pathc; i++) {
        const char *path = files->paths.gl_pathv[i];
        files->names[i] = slice_of(strrchr(path, '/') + 1);
        files->texts[i] = load_file(path);
        files->count++;
    }
}

static void files_close(struct files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->texts[i]);
    }
    globfree(&files->paths);
}

struct provider_book *load_providers(void)
{
    struct files files;
    files_open(&files, DATA_DIR "/providers/*.conf");
    struct provider_source sources[FILES_MAX];
    for (size_t i = 0; i < files.count; i++) {
        sources[i] = (struct provider_source){files.names[i], slice_of(files.texts[i]), false};
    }
    struct provider_book *book = NULL;
    struct fault fault = {.err = ERR_NONE};
    if (provider_book_compile(sources, files.count, &book, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    files_close(&files);
    return book;
}

struct rules *load_rules(const struct provider_book *book)
{
    struct files files;
    files_open(&files, DATA_DIR "/rules/*.rules");
    struct rules_source sources[FILES_MAX];
    for (size_t i = 0; i < files.count; i++) {
        sources[i] = (struct rules_source){files.names[i], slice_of(files.texts[i])};
    }
    struct rules *rules = NULL;
    struct fault fault = {.err = ERR_NONE};
    if (rules_compile(sources, files.count, book, &rules, &fault) != ERR_NONE ||
        rules_check(rules, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    files_close(&files);
    return rules;
}

enum err compile_books(const char *text, const char *over, struct buf *report,
                       struct provider_book **out, struct fault *fault)
{
    const struct provider_source sources[] = {
        {.name = SLICE("test"), .text = slice_of(text)},
        {.name = SLICE("own"), .text = slice_of(over), .is_overlay = true},
    };
    return provider_book_compile_telling(sources, over == NULL ? 1 : 2, report, out, fault);
}

enum err compile_book(const char *text, struct provider_book **out, struct fault *fault)
{
    return compile_books(text, NULL, NULL, out, fault);
}

enum err compile_rules(const char *text, const struct provider_book *book, struct rules **out,
                       struct fault *fault)
{
    const struct rules_source source = {SLICE("test"), slice_of(text)};
    struct rules *rules;
    enum err e = rules_compile(&source, 1, book, &rules, fault);
    if (e != ERR_NONE) {
        return e;
    }
    e = rules_check(rules, fault);
    if (e != ERR_NONE) {
        rules_free(rules);
        return e;
    }
    *out = rules;
    return ERR_NONE;
}
