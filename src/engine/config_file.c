/* engine/config_file: where the configuration stands, who may read it, and what the environment adds.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/reader.h"
#include "base/slice.h"
#include "engine/config_private.h"

enum {
    READ_BYTES = 4096,
    PASSWORD_BYTES_MAX = 255,       /* RFC 1929 2 */
    PASSWORD_FILE_BYTES_MAX = 4096, /* its first line counts */
};

/* ---- places ---- */

static const char *variable(const char *name)
{
    const char *value = secure_getenv(name);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

/* A folder of the XDG base directory specification 0.8, which ignores relative ones: the variable's, or the one
 * below HOME. False where neither is there. */
static bool user_path(const char *name, const char *below_home, const char *rest,
                      char out[CONFIG_PATH_BYTES])
{
    const char *folder = variable(name);
    const char *home = variable("HOME");
    int len = -1;
    if (folder != NULL && folder[0] == '/') {
        len = snprintf(out, CONFIG_PATH_BYTES, "%s/%s", folder, rest);
    } else if (home != NULL && home[0] == '/') {
        len = snprintf(out, CONFIG_PATH_BYTES, "%s/%s/%s", home, below_home, rest);
    }
    return len > 0 && len < CONFIG_PATH_BYTES;
}

/* One that is there and cannot be read is there: that is told when it is read. */
static bool exists(const char *path)
{
    return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

const char *config_find(const char *wanted, char room[CONFIG_PATH_BYTES])
{
    static const char everybodys[] = "/etc/heloise/heloise.conf";
    if (wanted == NULL) {
        wanted = variable("HELOISE_CONFIG");
    }
    if (wanted != NULL) {
        return wanted;
    }
    if (user_path("XDG_CONFIG_HOME", ".config", "heloise/heloise.conf", room) && exists(room)) {
        return room;
    }
    return exists(everybodys) ? everybodys : NULL;
}

/* ---- reading ---- */

/* Up to out's ceiling; ERR_LIMIT where there is more. errno tells of ERR_SYSTEM. */
static enum err read_all(const char *path, struct buf *out, struct stat *out_about)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return ERR_SYSTEM;
    }
    enum err e = fstat(fileno(file), out_about) == 0 ? ERR_NONE : ERR_SYSTEM;
    while (e == ERR_NONE) {
        char block[READ_BYTES];
        size_t got = fread(block, 1, sizeof block, file);
        if (got == 0) {
            e = ferror(file) != 0 ? ERR_SYSTEM : ERR_NONE;
            break;
        }
        e = buf_append(out, slice_make(block, got));
    }
    int kept = errno;
    (void)fclose(file); /* it was only read */
    errno = kept;
    return e;
}

static void cannot_read(struct config_complaints *complaints, struct slice name, unsigned line,
                        const char *path)
{
    char room[128];
    config_complain(complaints, false, name, line, "%s%scannot be read: %s", path,
                    path[0] == '\0' ? "" : " ", strerror_r(errno, room, sizeof room));
}

/* What a file holds that is nobody else's business, and where the file was named. */
struct secret {
    const char *word; /* "password" */
    const char *path;
    struct slice name;
    unsigned line;
};

static void warn_if_open(struct config_complaints *complaints, const struct secret *secret,
                         const struct stat *about)
{
    if (S_ISREG(about->st_mode) && (about->st_mode & S_IROTH) != 0) {
        config_complain(complaints, true, secret->name, secret->line,
                        "everybody on this machine may read the %s in %s; chmod o-r takes "
                        "that away",
                        secret->word, secret->path);
    }
}

static enum err load_secret(struct config *config, const struct secret *secret, struct slice *out,
                            struct config_complaints *complaints)
{
    struct stat about;
    struct buf text;
    buf_init(&text, PASSWORD_FILE_BYTES_MAX);
    enum err e = read_all(secret->path, &text, &about);
    if (e == ERR_SYSTEM) {
        cannot_read(complaints, secret->name, secret->line, secret->path);
    } else if (e == ERR_NONE || e == ERR_LIMIT) {
        struct reader r = reader_over(buf_view(&text));
        struct slice first = SLICE_NONE;
        bool has_line = reader_line(&r, &first);
        if (e == ERR_LIMIT || !has_line || first.len == 0 || first.len > PASSWORD_BYTES_MAX) {
            config_complain(complaints, false, secret->name, secret->line,
                            "%s holds no %s; its first line is one, of 1 to %d bytes", secret->path,
                            secret->word, PASSWORD_BYTES_MAX);
            e = ERR_SYNTAX;
        } else {
            warn_if_open(complaints, secret, &about);
            e = arena_copy(&config->arena, first, out);
        }
    }
    buf_done_wipe(&text);
    return e;
}

/* name and line: where the file was named. */
static enum err load_password(struct config *config, struct config_egress *egress,
                              struct slice name, unsigned line,
                              struct config_complaints *complaints)
{
    const struct secret secret = {"password", egress->proxy_password_file.at, name, line};
    return load_secret(config, &secret, &egress->proxy.password, complaints);
}

enum err config_find_keys(struct config *config, struct config_complaints *complaints)
{
    enum err e = ERR_NONE;
    for (int i = 0; i < SIGNAL_SERVICE_COUNT; i++) {
        struct config_signal *signal = &config->signals[i];
        const char *service = signal_service_name((enum signal_service)i);
        if (signal->key_file.len == 0 || signal->key.len > 0) {
            continue;
        }
        struct config_mark mark = config_mark(config, service, "key-file");
        bool is_option = mark.origin == CONFIG_COMMAND_LINE;
        const struct secret secret = {"key", signal->key_file.at,
                                      is_option ? SLICE("--set") : config->file, mark.line};
        enum err now = load_secret(config, &secret, &signal->key, complaints);
        e = now != ERR_NONE ? now : e;
    }
    return e;
}

static enum err look_at_passwords(struct config *config, const struct stat *about,
                                  struct config_complaints *complaints)
{
    enum err e = ERR_NONE;
    bool is_warned = config->proxy.password.len > 0;
    if (is_warned) {
        const struct secret secret = {"password", config->file.at, config->file,
                                      config_mark(config, "", "proxy").line};
        warn_if_open(complaints, &secret, about);
    }
    for (size_t i = 0; i < config->egress_count; i++) {
        struct config_egress *egress = &config->egresses[i];
        enum err now = ERR_NONE;
        if (egress->proxy_password_file.len > 0) {
            now = load_password(config, egress, config->file,
                                config_egress_mark(egress, "proxy-password-file").line, complaints);
        } else if (egress->proxy.password.len > 0 && !is_warned) {
            const struct secret secret = {"password", config->file.at, config->file,
                                          config_egress_mark(egress, "proxy").line};
            warn_if_open(complaints, &secret, about);
            is_warned = true;
        }
        e = now != ERR_NONE ? now : e;
    }
    return e;
}

/* The folder that a file stands in, from the root; empty where that cannot be told. */
static void folder_of(struct slice path, char out[CONFIG_PATH_BYTES])
{
    char folder[CONFIG_PATH_BYTES];
    size_t slash = slice_find_last_byte(path, '/');
    struct slice part = slash == path.len ? SLICE(".") : slice_sub(path, 0, slash + 1);
    int len = snprintf(folder, sizeof folder, "%.*s", SLICE_ARG(part));
    if (len < 0 || (size_t)len >= sizeof folder || realpath(folder, out) == NULL) {
        out[0] = '\0';
    }
}

enum err config_load(struct config *config, const char *path, struct config_complaints *complaints)
{
    struct slice name = slice_of(path);
    struct stat about;
    struct buf text;
    buf_init(&text, CONFIG_BYTES_MAX + READ_BYTES);
    enum err e = read_all(path, &text, &about);
    if (e == ERR_LIMIT) {
        e = ERR_NONE; /* it holds more than CONFIG_BYTES_MAX then: config_read says so */
    }
    if (e == ERR_SYSTEM) {
        cannot_read(complaints, name, 0, "");
    } else if (e == ERR_NONE) {
        char folder[CONFIG_PATH_BYTES];
        folder_of(name, folder);
        e = config_read(config, name, slice_of(folder), buf_view(&text), complaints);
        if (e == ERR_NONE) {
            e = look_at_passwords(config, &about, complaints);
            enum err keys = config_find_keys(config, complaints);
            e = e != ERR_NONE ? e : keys;
        }
    }
    buf_done_wipe(&text);
    return e;
}

/* ---- the environment ---- */

static void mark(struct config *config, const char *name)
{
    const struct config_key *key = config_key_find(SLICE_NONE, slice_of(name));
    config->marks[config_mark_index(key)] = (struct config_mark){.origin = CONFIG_ENVIRONMENT};
}

enum err config_read_environment(struct config *config)
{
    const char *data = variable("HELOISE_DATA");
    if (data != NULL) {
        enum err e = arena_copy(&config->arena, slice_of(data), &config->data_dir);
        if (e != ERR_NONE) {
            return e;
        }
        mark(config, "data");
    }
    char path[CONFIG_PATH_BYTES];
    if (config_mark(config, "", "store").origin == CONFIG_DEFAULT &&
        user_path("XDG_STATE_HOME", ".local/state", "heloise/heloise.db", path)) {
        enum err e = arena_copy(&config->arena, slice_of(path), &config->store.path);
        if (e != ERR_NONE) {
            return e;
        }
        mark(config, "store");
    }
    return ERR_NONE;
}

enum err config_find_lists(struct config *config)
{
    char path[CONFIG_PATH_BYTES];
    struct stat about;
    if (config_mark(config, "", "lists").origin != CONFIG_DEFAULT) {
        return ERR_NONE;
    }
    if (config->file.len == 0) {
        return user_path("XDG_CONFIG_HOME", ".config", "heloise/lists", path)
                   ? arena_copy(&config->arena, slice_of(path), &config->lists_dir)
                   : ERR_NONE;
    }
    size_t slash = slice_find_last_byte(config->file, '/');
    struct slice folder =
        slash == config->file.len ? SLICE(".") : slice_sub(config->file, 0, slash);
    int len = snprintf(path, sizeof path, "%.*s/lists", SLICE_ARG(folder));
    bool is_file = stat(config->file.at, &about) == 0 && S_ISREG(about.st_mode);
    return is_file && len < CONFIG_PATH_BYTES
               ? arena_copy(&config->arena, slice_make(path, (size_t)len), &config->lists_dir)
               : ERR_NONE;
}

/* From a file: as complaints name it, where the line of the configuration, or the option, names it. */
static enum err load_default_password(struct config *config, struct config_complaints *complaints)
{
    struct config_egress *egress = &config->egresses[0];
    struct config_mark mark = config_mark(config, "", "proxy-password-file");
    bool is_option = mark.origin == CONFIG_COMMAND_LINE;
    struct slice name = is_option ? SLICE("--proxy-password-file") : config->file;
    const char *complaint = config_proxy_password_complaint(&egress->proxy);
    if (egress->proxy.kind == PROXY_NONE) {
        complaint = "there is no proxy that this password is for";
    }
    if (complaint != NULL) {
        config_complain(complaints, false, name, mark.line, "%s", complaint);
        return ERR_SYNTAX;
    }
    return load_password(config, egress, name, mark.line, complaints);
}

enum err config_find_password(struct config *config, struct config_complaints *complaints)
{
    static const char name[] = "HELOISE_PROXY_PASSWORD";
    struct config_egress *egress = &config->egresses[0];
    struct config_proxy *proxy = &egress->proxy;
    const char *password = variable(name);
    bool is_option = config_mark(config, "", "proxy-password-file").origin == CONFIG_COMMAND_LINE;
    if (egress->line != 0 && is_option) {
        config_complain(complaints, false, SLICE("--proxy-password-file"), 0,
                        "there is no proxy that this password is for");
        return ERR_SYNTAX;
    }
    if (egress->line != 0) {
        return ERR_NONE; /* those of a file have been looked at */
    }
    if (egress->proxy_password_file.len > 0) {
        return load_default_password(config, complaints);
    }
    if (password == NULL || proxy->user.len == 0 || proxy->password.len > 0) {
        return ERR_NONE;
    }
    if (strlen(password) > PASSWORD_BYTES_MAX) {
        config_complain(complaints, false, slice_of(name), 0, "a password has at most %d bytes",
                        PASSWORD_BYTES_MAX);
        return ERR_SYNTAX;
    }
    return arena_copy(&config->arena, slice_of(password), &proxy->password);
}
