/* engine/config_file: which file is found, what is read with it, who is warned, and what the environment adds.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/must.h"
#include "base/slice.h"
#include "config_case.h"

enum { PATH_ROOM = 512 };

static const char *const made[] = {"config/heloise/heloise.conf",
                                   "config/heloise",
                                   "config",
                                   ".config/heloise/heloise.conf",
                                   ".config/heloise",
                                   ".config",
                                   "a.conf",
                                   "secret"};

static void path_in(void **state, const char *name, char out[PATH_ROOM])
{
    must(snprintf(out, PATH_ROOM, "%s/%s", (const char *)*state, name) < PATH_ROOM);
}

static int set_up(void **state)
{
    static char folder[64];
    (void)snprintf(folder, sizeof folder, "/tmp/heloise-config-XXXXXX");
    must(mkdtemp(folder) != NULL);
    *state = folder;
    static const char *const names[] = {"HELOISE_CONFIG", "HELOISE_DATA", "XDG_CONFIG_HOME",
                                        "XDG_STATE_HOME"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        must(unsetenv(names[i]) == 0);
    }
    must(setenv("HOME", folder, 1) == 0);
    return 0;
}

static int tear_down(void **state)
{
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        char path[PATH_ROOM];
        path_in(state, made[i], path);
        (void)remove(path);
    }
    return rmdir(*state);
}

static void make_folder(void **state, const char *name)
{
    char path[PATH_ROOM];
    path_in(state, name, path);
    assert_int_equal(mkdir(path, 0700), 0);
}

static void write_file(void **state, const char *name, const char *text, mode_t mode)
{
    char path[PATH_ROOM];
    path_in(state, name, path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void load(void **state, const char *name, struct config_case *out)
{
    char path[PATH_ROOM];
    path_in(state, name, path);
    *out = (struct config_case){.err = ERR_NONE};
    config_init(&out->config);
    out->err = config_load(&out->config, path, &out->complaints);
}

static void finds_the_first_of_the_places(void **state)
{
    char room[CONFIG_PATH_BYTES], path[PATH_ROOM];
    make_folder(state, ".config");
    make_folder(state, ".config/heloise");
    write_file(state, ".config/heloise/heloise.conf", "", 0600);
    path_in(state, ".config/heloise/heloise.conf", path);
    assert_string_equal(config_find(NULL, room), path);

    path_in(state, "config", path);
    assert_int_equal(setenv("XDG_CONFIG_HOME", path, 1), 0);
    const char *found = config_find(NULL, room); /* nothing there yet; not the one below HOME */
    assert_true(found == NULL || strcmp(found, "/etc/heloise/heloise.conf") == 0);
    make_folder(state, "config");
    make_folder(state, "config/heloise");
    write_file(state, "config/heloise/heloise.conf", "", 0600);
    path_in(state, "config/heloise/heloise.conf", path);
    assert_string_equal(config_find(NULL, room), path);

    assert_int_equal(setenv("XDG_CONFIG_HOME", "config", 1), 0); /* relative ones do not count */
    path_in(state, ".config/heloise/heloise.conf", path);
    assert_string_equal(config_find(NULL, room), path);

    assert_int_equal(setenv("HELOISE_CONFIG", "/not/there", 1), 0);
    assert_string_equal(config_find(NULL, room), "/not/there");
    assert_string_equal(config_find("wanted", room), "wanted");
}

static void paths_are_meant_from_its_folder(void **state)
{
    char path[PATH_ROOM];
    write_file(state, "a.conf", "store h.db\n", 0600);
    struct config_case c;
    load(state, "a.conf", &c);
    assert_int_equal(c.err, ERR_NONE);
    path_in(state, "h.db", path);
    assert_string_equal(c.config.store.path.at, path);
    config_case_done(&c);
}

static void what_cannot_be_read_is_told(void **state)
{
    static const struct {
        const char *name, *said;
    } rows[] = {{"none.conf", "No such file"}, {"", "Is a directory"}, {"a.conf/b", "Not a dir"}};
    write_file(state, "a.conf", "", 0600);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct config_case c;
        load(state, rows[i].name, &c);
        assert_int_equal(c.err, ERR_SYSTEM);
        assert_int_equal(c.complaints.errors, 1);
        assert_non_null(strstr(c.complaints.at[0].text, rows[i].said));
        config_case_done(&c);
    }
}

static void large_files_are_refused(void **state)
{
    for (size_t more = 1; more <= 5000; more += 4999) {
        size_t len = CONFIG_BYTES_MAX + more;
        char *text = calloc(1, len + 1);
        assert_non_null(text);
        memset(text, '\n', len);
        write_file(state, "a.conf", text, 0600);
        free(text);
        struct config_case c;
        load(state, "a.conf", &c);
        assert_int_equal(c.err, ERR_SYNTAX);
        assert_non_null(strstr(c.complaints.at[0].text, "larger than 256 KB"));
        config_case_done(&c);
    }
}

#define WITH_FILE "egress e {\nproxy socks5://joe@h:1\nproxy-password-file secret\n}\n"
#define WITH_URL  "egress e {\nproxy socks5://joe:pw@h:1\n}\n"

static void warns_where_all_may_read_a_password(void **state)
{
    static const struct {
        const char *text;
        mode_t mode, secret_mode;
        const char *warned; /* NULL: not at all */
    } rows[] = {
        {WITH_FILE, 0644, 0600, NULL},
        {WITH_FILE, 0600, 0640, NULL},
        {WITH_FILE, 0644, 0644, "a.conf:3: warning: everybody"},
        {WITH_URL, 0640, 0600, NULL},
        {WITH_URL, 0644, 0600, "a.conf:2: warning: everybody"},
        {"port 25\n", 0644, 0644, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        write_file(state, "secret", "pw\r\nmore\n", rows[i].secret_mode);
        write_file(state, "a.conf", rows[i].text, rows[i].mode);
        struct config_case c;
        load(state, "a.conf", &c);
        assert_int_equal(c.err, ERR_NONE);
        assert_int_equal(c.complaints.errors, 0);
        assert_int_equal(c.complaints.warnings, rows[i].warned != NULL);
        if (rows[i].warned != NULL) {
            assert_non_null(strstr(c.complaints.at[0].text, rows[i].warned));
            assert_true(c.complaints.at[0].is_warning);
        }
        if (c.config.egress_count > 0) {
            assert_string_equal(c.config.egresses[0].proxy.password.at, "pw");
        }
        config_case_done(&c);
    }
}

static void password_files_hold_one(void **state)
{
    char long_text[5000];
    memset(long_text, 'p', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    char limit_text[257];
    memset(limit_text, 'p', sizeof limit_text - 1);
    limit_text[sizeof limit_text - 1] = '\0';
    const struct {
        const char *secret;
        bool is_right;
    } rows[] = {{"pw", true},       {"\n", false},       {"", false},
                {long_text, false}, {limit_text, false}, {limit_text + 1, true}};
    write_file(state, "a.conf", WITH_FILE, 0600);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        write_file(state, "secret", rows[i].secret, 0600);
        struct config_case c;
        load(state, "a.conf", &c);
        assert_int_equal(c.complaints.errors, rows[i].is_right ? 0 : 1);
        assert_int_equal(c.err == ERR_NONE, rows[i].is_right);
        if (!rows[i].is_right) {
            assert_non_null(strstr(c.complaints.at[0].text, "a.conf:3: "));
            assert_non_null(strstr(c.complaints.at[0].text, "holds no password"));
        }
        config_case_done(&c);
    }
    char path[PATH_ROOM];
    path_in(state, "secret", path);
    assert_int_equal(remove(path), 0);
    struct config_case c;
    load(state, "a.conf", &c);
    assert_int_equal(c.err, ERR_SYSTEM);
    assert_non_null(strstr(c.complaints.at[0].text, "a.conf:3: "));
    config_case_done(&c);
}

static void keys_of_services_come_from_their_files(void **state)
{
    struct config_case c;
    write_file(state, "secret", "s3cret\n", 0600);
    write_file(state, "a.conf", "hibp {\nenabled yes\nkey-file secret\n}\n", 0600);
    load(state, "a.conf", &c);
    assert_int_equal(c.err, ERR_NONE);
    assert_int_equal(c.complaints.count, 0);
    struct signals_config out;
    config_apply_signals(&c.config, &out);
    assert_true(out.of[SIGNAL_HIBP].is_enabled);
    assert_true(slice_equal(out.of[SIGNAL_HIBP].key, SLICE("s3cret")));
    assert_int_equal(out.of[SIGNAL_GITHUB].key.len, 0);
    config_case_done(&c);
    write_file(state, "secret", "", 0600);
    load(state, "a.conf", &c);
    assert_int_equal(c.err, ERR_SYNTAX);
    assert_non_null(strstr(c.complaints.at[0].text, "a.conf:3: "));
    assert_non_null(strstr(c.complaints.at[0].text, "holds no key"));
    config_case_done(&c);
}

static void the_environment_stands_between(void **state)
{
    char path[PATH_ROOM];
    struct config_case c;
    assert_int_equal(setenv("HELOISE_DATA", "/env/data", 1), 0);
    config_case_read_right(&c, "data /file/data\n");
    assert_int_equal(config_read_environment(&c.config), ERR_NONE);
    assert_string_equal(c.config.data_dir.at, "/env/data");
    path_in(state, ".local/state/heloise/heloise.db", path);
    assert_string_equal(c.config.store.path.at, path);
    config_case_done(&c);

    assert_int_equal(setenv("XDG_STATE_HOME", "/xdg", 1), 0);
    config_case_read_right(&c, "");
    assert_int_equal(config_read_environment(&c.config), ERR_NONE);
    assert_string_equal(c.config.store.path.at, "/xdg/heloise/heloise.db");
    config_case_done(&c);

    config_case_read_right(&c, "store none\n"); /* a place by default only */
    assert_int_equal(config_read_environment(&c.config), ERR_NONE);
    assert_true(c.config.store.is_none);
    config_case_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_the_first_of_the_places, set_up, tear_down),
        cmocka_unit_test_setup_teardown(paths_are_meant_from_its_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_read_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(large_files_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(warns_where_all_may_read_a_password, set_up, tear_down),
        cmocka_unit_test_setup_teardown(password_files_hold_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(keys_of_services_come_from_their_files, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_environment_stands_between, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
