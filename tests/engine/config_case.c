/* SPDX-License-Identifier: Apache-2.0 */
#include "config_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/slice.h"

enum { FILE_ROOM = 128 * 1024 };

void config_case_read(struct config_case *out, struct slice text)
{
    *out = (struct config_case){.err = ERR_NONE};
    config_init(&out->config);
    out->err = config_read(&out->config, SLICE("t.conf"), SLICE("/conf"), text, &out->complaints);
}

void config_case_read_right(struct config_case *out, const char *text)
{
    config_case_read(out, slice_of(text));
    if (out->err != ERR_NONE) {
        fail_msg("%s\n%s", text, out->complaints.at[0].text);
    }
}

void config_case_done(struct config_case *c)
{
    config_done(&c->config);
}

char *config_case_load(const char *path)
{
    char *text = calloc(1, FILE_ROOM);
    FILE *file = fopen(path, "rb");
    assert_non_null(text);
    assert_non_null(file);
    size_t len = fread(text, 1, FILE_ROOM - 1, file);
    assert_true(len > 0 && len < FILE_ROOM - 1);
    assert_int_equal(fclose(file), 0);
    return text;
}
