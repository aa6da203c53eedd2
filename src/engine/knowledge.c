/* engine/knowledge: reads the data folders and hands the texts to the compilers of providers/ and
 * address/. Files of a folder are taken in the order of their names, so that the order of rules does
 * not depend on the file system.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/knowledge.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "address/lists.h"
#include "base/arena.h"
#include "base/must.h"
#include "base/slice.h"
#include "net/wall_clock.h"
#include "verify/likeness.h"

enum {
    FILES_MAX = 256,
    FILE_BYTES_MAX = 16 * 1024 * 1024,
    FOLDER_BYTES_MAX = 64 * 1024 * 1024,
    CLOCKS_APART_MS = 2, /* a loop's time and the system's */
    PATH_BYTES = 4096,
    NAME_BYTES = 320, /* "providers/" and a file name */
};

/* The files of one folder. */
struct folder {
    struct arena arena;
    struct slice names[FILES_MAX]; /* "rules/google.rules": as faults name them */
    struct slice paths[FILES_MAX]; /* whole */
    struct slice texts[FILES_MAX];
    size_t count;
};

struct knowledge {
    struct knowledge_files files;
    struct provider_source trial; /* without a name: none */
    enum knowledge_part next;     /* the first part that is not loaded */
    struct provider_book *providers;
    struct rules *rules;
    struct list_shelf *lists;
    struct likeness_model *likeness;
};

static void folder_done(struct folder *folder)
{
    arena_done(&folder->arena);
}

/* What grows while it is read is cut at the size it had. */
static enum err read_open(struct folder *folder, FILE *file, const char *path, struct slice *out,
                          struct fault *out_fault)
{
    struct stat status;
    if (fstat(fileno(file), &status) != 0) {
        return fault_set(out_fault, ERR_SYSTEM, errno, "%.180s: cannot be read", path);
    }
    if (status.st_size >= FILE_BYTES_MAX) {
        return fault_set(out_fault, ERR_LIMIT, 0, "%.180s: larger than %d MB", path,
                         FILE_BYTES_MAX >> 20);
    }
    size_t size = (size_t)status.st_size;
    char *text = arena_alloc_unfilled(&folder->arena, size + 1);
    if (text == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "%.180s: no memory", path);
    }
    size_t len = fread(text, 1, size, file);
    if (ferror(file) != 0) {
        return fault_set(out_fault, ERR_SYSTEM, errno, "%.180s: cannot be read", path);
    }
    *out = slice_make(text, len);
    return ERR_NONE;
}

static enum err read_file(struct folder *folder, const char *path, struct slice *out,
                          struct fault *out_fault)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return fault_set(out_fault, ERR_SYSTEM, errno, "%.180s: cannot be opened", path);
    }
    (void)setvbuf(file, NULL, _IONBF, 0); /* straight to where it stays */
    enum err e = read_open(folder, file, path, out, out_fault);
    (void)fclose(file); /* it was only read */
    return e;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static enum err add_file(struct folder *folder, const char *dir, const char *kind, const char *name,
                         struct fault *out_fault)
{
    char path[PATH_BYTES];
    char shown[NAME_BYTES];
    int n = snprintf(path, sizeof path, "%s/%s%s%s", dir, kind, *kind == '\0' ? "" : "/", name);
    int m = snprintf(shown, sizeof shown, "%s/%s", kind, name);
    if (n < 0 || (size_t)n >= sizeof path || m < 0 || (size_t)m >= sizeof shown ||
        folder->count == FILES_MAX) {
        return fault_set(out_fault, ERR_LIMIT, 0, "%.100s/%s: too many files or too long a path",
                         dir, kind);
    }
    size_t at = folder->count++;
    if (arena_copy(&folder->arena, slice_of(shown), &folder->names[at]) != ERR_NONE ||
        arena_copy(&folder->arena, slice_of(path), &folder->paths[at]) != ERR_NONE) {
        return fault_set(out_fault, ERR_NOMEM, 0, "%.180s: no memory", path);
    }
    return read_file(folder, path, &folder->texts[at], out_fault);
}

/* A file that the user names. */
static enum err add_named_file(struct folder *folder, const char *path, struct fault *out_fault)
{
    if (folder->count == FILES_MAX) {
        return fault_set(out_fault, ERR_LIMIT, 0, "%.180s: too many files", path);
    }
    size_t at = folder->count++;
    if (arena_copy(&folder->arena, slice_of(path), &folder->names[at]) != ERR_NONE) {
        return fault_set(out_fault, ERR_NOMEM, 0, "%.180s: no memory", path);
    }
    return read_file(folder, path, &folder->texts[at], out_fault);
}

/* Those of dir/kind whose names end in suffix; none of them is fine. */
static enum err add_files(struct folder *folder, const char *dir, const char *kind,
                          const char *suffix, struct fault *out_fault)
{
    char path[PATH_BYTES];
    int n = snprintf(path, sizeof path, "%s/%s", dir, kind);
    if (n < 0 || (size_t)n >= sizeof path) {
        return fault_set(out_fault, ERR_LIMIT, 0, "%.100s: too long a path", dir);
    }
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, NULL, by_name);
    if (count < 0) {
        return fault_set(out_fault, ERR_SYSTEM, errno,
                         "%.120s: no such data folder; name it with --data or HELOISE_DATA", path);
    }
    enum err e = ERR_NONE;
    for (int i = 0; i < count; i++) {
        bool is_wanted = slice_ends(slice_of(entries[i]->d_name), slice_of(suffix)) &&
                         entries[i]->d_name[0] != '.';
        if (e == ERR_NONE && is_wanted) {
            e = add_file(folder, dir, kind, entries[i]->d_name, out_fault);
        }
        free(entries[i]);
    }
    free(entries);
    return e;
}

/* All files of dir/kind whose names end in suffix. */
static enum err folder_read(struct folder *folder, const char *dir, const char *kind,
                            const char *suffix, struct fault *out_fault)
{
    folder->count = 0;
    arena_init(&folder->arena, FOLDER_BYTES_MAX);
    enum err e = add_files(folder, dir, kind, suffix, out_fault);
    if (e == ERR_NONE && folder->count == 0) {
        e = fault_set(out_fault, ERR_SYSTEM, 0, "%.100s/%.20s: no %s files in this data folder",
                      dir, kind, suffix);
    }
    return e;
}

/* The one of that name in the user's folder; false: it is not there. */
static bool find_own(const char *dir, const char *name, char out[PATH_BYTES])
{
    int len = dir == NULL || *dir == '\0' ? -1 : snprintf(out, PATH_BYTES, "%s/%s", dir, name);
    return len > 0 && len < PATH_BYTES && access(out, F_OK) == 0;
}

/* What stands over our providers before the files that the user names: a text that is to be tried, or the own file. */
static enum err add_newer_providers(struct folder *folder, const struct knowledge *k,
                                    struct fault *out_fault)
{
    char path[PATH_BYTES];
    if (k->trial.name.len == 0) {
        bool is_there = find_own(k->files.lists_dir, "providers.conf", path);
        return is_there ? add_named_file(folder, path, out_fault) : ERR_NONE;
    }
    if (folder->count == FILES_MAX) {
        return fault_set(out_fault, ERR_LIMIT, 0, "too many files of providers");
    }
    folder->names[folder->count] = k->trial.name;
    folder->texts[folder->count++] = k->trial.text;
    return ERR_NONE;
}

static enum err load_providers(struct knowledge *k, const char *dir, struct fault *out_fault)
{
    const struct knowledge_files *files = &k->files;
    DEFER(folder_done) struct folder folder = {.count = 0};
    enum err e = folder_read(&folder, dir, "providers", ".conf", out_fault);
    size_t own_count = folder.count;
    e = e != ERR_NONE ? e : add_newer_providers(&folder, k, out_fault);
    for (size_t i = 0; i < files->provider_file_count && e == ERR_NONE; i++) {
        e = add_named_file(&folder, files->provider_files[i], out_fault);
    }
    if (e != ERR_NONE) {
        return e;
    }
    struct provider_source sources[FILES_MAX];
    for (size_t i = 0; i < folder.count; i++) {
        sources[i] = (struct provider_source){folder.names[i], folder.texts[i], i >= own_count};
    }
    return provider_book_compile_telling(sources, folder.count, files->provider_faults,
                                         &k->providers, out_fault);
}

static enum err load_rules(struct knowledge *k, const char *dir, struct fault *out_fault)
{
    DEFER(folder_done) struct folder folder = {.count = 0};
    enum err e = folder_read(&folder, dir, "rules", ".rules", out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    struct rules_source sources[FILES_MAX];
    for (size_t i = 0; i < folder.count; i++) {
        sources[i] = (struct rules_source){folder.names[i], folder.texts[i]};
    }
    return rules_compile(sources, folder.count, k->providers, &k->rules, out_fault);
}

static struct slice base_name(struct slice path)
{
    return slice_sub(path, slice_find_last_byte(path, '/') + 1, path.len);
}

/* Later files replace those of the same name, so the user's come last. */
static enum err add_own_lists(struct folder *folder, const char *dir, struct fault *out_fault)
{
    if (dir == NULL || *dir == '\0' || (access(dir, F_OK) != 0 && errno == ENOENT)) {
        return ERR_NONE;
    }
    enum err e = add_files(folder, dir, "", ".txt", out_fault);
    return e != ERR_NONE ? e : add_files(folder, dir, "", ".own", out_fault);
}

static int64_t later(int64_t at_ms, const char *path)
{
    struct stat about;
    if (stat(path, &about) != 0) {
        return at_ms;
    }
    int64_t changed_ms = (int64_t)about.st_ctim.tv_sec * 1000 + about.st_ctim.tv_nsec / 1000000;
    return changed_ms > at_ms ? changed_ms : at_ms;
}

/* When the user last changed something in the folder, which itself changes when a file goes. */
static int64_t own_changed_at(const struct folder *folder, size_t shipped, const char *dir)
{
    int64_t at_ms = dir == NULL || *dir == '\0' ? 0 : later(0, dir);
    for (size_t i = shipped; i < folder->count; i++) {
        at_ms = later(at_ms, folder->paths[i].at);
    }
    return at_ms;
}

static enum err load_lists(const struct knowledge *k, bool is_again, struct fault *out_fault)
{
    const char *dir = knowledge_data_folder(k->files.data_dir);
    DEFER(folder_done) struct folder folder = {.count = 0};
    struct address_lists *lists = NULL;
    enum err e = folder_read(&folder, dir, "lists", ".txt", out_fault);
    size_t shipped = folder.count;
    e = e != ERR_NONE ? e : add_own_lists(&folder, k->files.lists_dir, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    struct address_list_source sources[FILES_MAX];
    for (size_t i = 0; i < folder.count; i++) {
        struct slice name = i < shipped ? base_name(folder.names[i]) : folder.paths[i];
        sources[i] = (struct address_list_source){name, folder.texts[i]};
    }
    e = address_lists_load(sources, folder.count, &lists, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    e = list_shelf_put(k->lists, lists, &folder.arena);
    /* Who answered until now may have gone by those before. */
    list_shelf_date(k->lists, is_again ? wall_clock_ms() + CLOCKS_APART_MS
                                       : own_changed_at(&folder, shipped, k->files.lists_dir));
    return e == ERR_NONE ? e : fault_set(out_fault, e, 0, "no memory for the lists");
}

enum err knowledge_reload_lists(const struct knowledge *knowledge, struct fault *out_fault)
{
    return load_lists(knowledge, true, out_fault);
}

void knowledge_drop_lists(const struct knowledge *knowledge)
{
    list_shelf_clear(knowledge->lists);
}

static enum err load_score(struct knowledge *k, const char *dir, struct fault *out_fault)
{
    DEFER(folder_done) struct folder folder = {.count = 0};
    enum err e = folder_read(&folder, dir, "score", "likeness.model", out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    struct fault fault;
    e = likeness_model_parse(folder.texts[0], &k->likeness, &fault);
    return e == ERR_NONE
               ? ERR_NONE
               : fault_set(out_fault, e, 0, "%.*s:%.120s", SLICE_ARG(folder.names[0]), fault.text);
}

const char *knowledge_data_folder(const char *data_dir)
{
    const char *dir = data_dir;
    if (dir == NULL || *dir == '\0') {
        dir = secure_getenv("HELOISE_DATA");
    }
    return dir == NULL || *dir == '\0' ? HELOISE_DATA_DIR : dir;
}

static enum err read_blocklists(struct folder *folder, const struct knowledge_files *files,
                                struct fault *out_fault)
{
    char path[PATH_BYTES];
    if (find_own(files->lists_dir, "blocklists.conf", path)) {
        arena_init(&folder->arena, FOLDER_BYTES_MAX);
        return add_named_file(folder, path, out_fault);
    }
    return folder_read(folder, knowledge_data_folder(files->data_dir), "blocklists", ".conf",
                       out_fault);
}

enum err knowledge_blocklists_open(const struct knowledge_files *files, struct blocklist_book **out,
                                   struct fault *out_fault)
{
    DEFER(folder_done) struct folder folder = {.count = 0};
    struct blocklist_source sources[FILES_MAX];
    enum err e = read_blocklists(&folder, files, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    for (size_t i = 0; i < folder.count; i++) {
        sources[i] = (struct blocklist_source){folder.names[i], folder.texts[i]};
    }
    return blocklist_book_compile(sources, folder.count, out, out_fault);
}

enum err knowledge_selectors_read(const char *data_dir, struct buf *out, struct fault *out_fault)
{
    DEFER(folder_done) struct folder folder = {.count = 0};
    enum err e = folder_read(&folder, knowledge_data_folder(data_dir), "dkim", ".txt", out_fault);
    for (size_t i = 0; i < folder.count && e == ERR_NONE; i++) {
        e = buf_append(out, folder.texts[i]);
        e = e != ERR_NONE ? e : buf_append_byte(out, '\n');
        if (e != ERR_NONE) {
            return fault_set(out_fault, e, 0, "no memory for the names of DKIM keys");
        }
    }
    return e;
}

enum err knowledge_new(const struct knowledge_files *files, struct knowledge **out,
                       struct fault *out_fault)
{
    struct knowledge *k = calloc(1, sizeof *k);
    if (k == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "no memory for the data");
    }
    if (list_shelf_new(&k->lists) != ERR_NONE) {
        free(k);
        return fault_set(out_fault, ERR_NOMEM, 0, "no memory for the data");
    }
    k->files = *files;
    *out = k;
    return ERR_NONE;
}

static enum err load_part(struct knowledge *k, enum knowledge_part part, struct fault *out_fault)
{
    const char *dir = knowledge_data_folder(k->files.data_dir);
    switch (part) {
    case KNOWLEDGE_PROVIDERS: return load_providers(k, dir, out_fault);
    case KNOWLEDGE_RULES: return load_rules(k, dir, out_fault);
    case KNOWLEDGE_LISTS: return load_lists(k, false, out_fault);
    case KNOWLEDGE_SCORE: return load_score(k, dir, out_fault);
    case KNOWLEDGE_PARTS: break;
    }
    return ERR_NONE;
}

enum err knowledge_load(struct knowledge *knowledge, enum knowledge_part part,
                        struct fault *out_fault)
{
    enum err e = ERR_NONE;
    while (e == ERR_NONE && knowledge->next <= part && knowledge->next < KNOWLEDGE_PARTS) {
        e = load_part(knowledge, knowledge->next, out_fault);
        knowledge->next += e == ERR_NONE ? 1 : 0;
    }
    return e;
}

enum err knowledge_open_files(const struct knowledge_files *files, struct knowledge **out,
                              struct fault *out_fault)
{
    struct knowledge *k = NULL;
    enum err e = knowledge_new(files, &k, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    must(k != NULL);
    e = knowledge_load(k, KNOWLEDGE_SCORE, out_fault);
    if (e != ERR_NONE) {
        knowledge_free(k);
        return e;
    }
    *out = k;
    return ERR_NONE;
}

enum err knowledge_check_providers(const struct knowledge_files *files, struct slice name,
                                   struct slice text, struct fault *out_fault)
{
    struct knowledge *k = NULL;
    enum err e = knowledge_new(files, &k, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    must(k != NULL);
    k->trial = (struct provider_source){name, text, true};
    e = knowledge_load(k, KNOWLEDGE_RULES, out_fault);
    knowledge_free(k);
    return e;
}

enum err knowledge_open(const char *data_dir, struct knowledge **out, struct fault *out_fault)
{
    const struct knowledge_files files = {.data_dir = data_dir};
    return knowledge_open_files(&files, out, out_fault);
}

void knowledge_free(struct knowledge *knowledge)
{
    if (knowledge == NULL) {
        return;
    }
    rules_free(knowledge->rules);
    provider_book_free(knowledge->providers);
    list_shelf_free(knowledge->lists);
    likeness_model_free(knowledge->likeness);
    free(knowledge);
}

void knowledge_hasten(struct knowledge *knowledge)
{
    rules_hasten(knowledge->rules);
}

const struct provider_book *knowledge_providers(const struct knowledge *knowledge)
{
    return knowledge->providers;
}

const struct rules *knowledge_rules(const struct knowledge *knowledge)
{
    return knowledge->rules;
}

const struct address_lists *knowledge_lists(const struct knowledge *knowledge)
{
    return list_shelf_lists(knowledge->lists);
}

struct list_shelf *knowledge_list_shelf(const struct knowledge *knowledge)
{
    return knowledge->lists;
}

const struct likeness_model *knowledge_likeness(const struct knowledge *knowledge)
{
    return knowledge->likeness;
}
