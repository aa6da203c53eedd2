/* docs/verdicts.md against the program: every sub-status with its status, score, confidence, life and advice, its
 * words at other services, and every field that a record has at any depth.
 * SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "engine/format.h"
#include "engine/record_json.h"
#include "verify/life.h"
#include "verify/score.h"

enum { PAGE_BYTES_MAX = 1 << 20, RECORD_BYTES_MAX = 1 << 16, ROW_BYTES = 400, LIFE_BYTES = 24 };

static char page[PAGE_BYTES_MAX];

static int load_page(void **state)
{
    (void)state;
    FILE *file = fopen(VERDICTS_PAGE, "rb");
    assert_non_null(file);
    size_t len = fread(page, 1, sizeof page - 1, file);
    assert_true(len > 0 && len < sizeof page - 1);
    page[len] = '\0';
    return fclose(file);
}

static const char *section(const char *heading)
{
    const char *at = strstr(page, heading);
    if (at == NULL) {
        fail_msg("no section %s", heading);
    }
    return at;
}

static void expect_row(const char *heading, const char *row)
{
    if (strstr(section(heading), row) == NULL) {
        fail_msg("\"%s\" does not stand in %s", row, heading);
    }
}

static void life_text(uint32_t seconds, char out[LIFE_BYTES])
{
    if (seconds == 0) {
        (void)snprintf(out, LIFE_BYTES, "\xe2\x80\x93");
    } else if (seconds % 86400 == 0) {
        (void)snprintf(out, LIFE_BYTES, "%u d", seconds / 86400);
    } else if (seconds % 3600 == 0) {
        (void)snprintf(out, LIFE_BYTES, "%u h", seconds / 3600);
    } else {
        (void)snprintf(out, LIFE_BYTES, "%u min", seconds / 60);
    }
}

/* Scores and confidences come with a verdict; a case without evidence has none but the base. */
static void each_sub_status_has_its_row(void **state)
{
    (void)state;
    for (int i = 0; i < SUB_COUNT; i++) {
        enum verdict_sub sub = (enum verdict_sub)i;
        char life[LIFE_BYTES];
        char retry[LIFE_BYTES];
        char row[ROW_BYTES];
        uint32_t retry_s = life_retry_after(sub, SKIP_NONE);
        struct verdict verdict = {
            .sub = sub, .status = verdict_status_of(sub), .retry_after_s = retry_s};
        life_text(life_of(&verdict, NULL), life);
        life_text(retry_s, retry);
        (void)snprintf(row, sizeof row, "| `%s` | %s | %d | %.2f | %s | %s | ",
                       verdict_sub_name(sub), verdict_status_name(verdict.status), score_base(sub),
                       score_confidence(sub), life, retry);
        expect_row("## Sub-status", row);
    }
}

typedef enum err (*write_fn)(const struct record *record, struct buf *out);

static json_t *written(const struct record *record, write_fn write)
{
    struct buf out;
    buf_init(&out, RECORD_BYTES_MAX);
    assert_int_equal(write(record, &out), ERR_NONE);
    json_t *value = json_loadb(out.at, out.len, 0, NULL);
    assert_non_null(value);
    buf_done(&out);
    return value;
}

static void put_word(const json_t *object, const char *key, const char *before, char row[ROW_BYTES])
{
    const char *word = json_string_value(json_object_get(object, key));
    size_t len = strlen(row);
    assert_non_null(word);
    if (word[0] != '\0') {
        (void)snprintf(row + len, ROW_BYTES - len, "%s%s", before, word);
    }
}

static void each_sub_status_has_its_words_elsewhere(void **state)
{
    (void)state;
    for (int i = 0; i < SUB_COUNT; i++) {
        struct record record = {.sub = (enum verdict_sub)i};
        char row[ROW_BYTES];
        record.status = verdict_status_of(record.sub);
        json_t *reacher = written(&record, record_write_reacher);
        json_t *zerobounce = written(&record, record_write_zerobounce);
        json_t *kickbox = written(&record, record_write_kickbox);
        json_t *neverbounce = written(&record, record_write_neverbounce);
        (void)snprintf(row, sizeof row, "| `%s`", verdict_sub_name(record.sub));
        put_word(reacher, "is_reachable", " | ", row);
        put_word(zerobounce, "status", " | ", row);
        put_word(zerobounce, "sub_status", " / ", row);
        put_word(kickbox, "result", " | ", row);
        put_word(kickbox, "reason", " / ", row);
        put_word(neverbounce, "result", " | ", row);
        expect_row("## Other services", row);
        json_decref(reacher);
        json_decref(zerobounce);
        json_decref(kickbox);
        json_decref(neverbounce);
    }
}

static unsigned expect_fields(json_t *value)
{
    const char *key;
    json_t *member;
    json_t *element;
    size_t index;
    unsigned count = 0;
    json_object_foreach(value, key, member)
    {
        char quoted[80];
        (void)snprintf(quoted, sizeof quoted, "`%s`", key);
        expect_row("## Record", quoted);
        count += 1;
        if (json_is_object(member)) {
            count += expect_fields(member);
        }
        json_array_foreach(member, index, element)
        {
            count += json_is_object(element) ? expect_fields(element) : 0;
        }
    }
    return count;
}

static void each_field_is_described(void **state)
{
    (void)state;
    static const struct record_line line = {.direction = 'S', .text = SLICE_LITERAL("220 hi")};
    struct record record = {
        .sub = SUB_BLOCKED,
        .status = VERDICT_UNKNOWN,
        .block_kind = BLOCK_POLICY,
        .skip = SKIP_BUDGET, /* never both; all fields are to be written */
        .reason_count = 1,
        .reasons = {{.code = "blocked"}},
        .has_dns = true,
        .mx_count = 1,
        .provider_name = SLICE_LITERAL("google"),
        .smtp = {.was_tried = true},
        .transcript_count = 1,
        .transcript = &line,
    };
    json_t *value = written(&record, record_write_json);
    assert_true(expect_fields(value) > 80);
    json_decref(value);
}

static void each_word_of_a_field_is_described(void **state)
{
    (void)state;
    char word[80];
    for (int i = BLOCK_IP_LIST; i <= BLOCK_GEO; i++) {
        (void)snprintf(word, sizeof word, "`%s`", block_kind_name((enum block_kind)i));
        expect_row("## Sub-status", word);
    }
    for (int i = SKIP_PROVIDER_POLICY; i <= SKIP_CANCELLED; i++) {
        (void)snprintf(word, sizeof word, "`%s`", skip_reason_name((enum skip_reason)i));
        expect_row("## Sub-status", word);
    }
    for (int i = ROUTE_OK; i <= ROUTE_DNS_ERROR; i++) {
        (void)snprintf(word, sizeof word, "`%s`", route_status_name((enum route_status)i));
        expect_row("## Record", word);
    }
    for (int i = PROVIDER_WEBMAIL; i <= PROVIDER_SELFHOSTED; i++) {
        (void)snprintf(word, sizeof word, "`%s`", provider_class_name((enum provider_class)i));
        expect_row("## Record", word);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_sub_status_has_its_row),
        cmocka_unit_test(each_sub_status_has_its_words_elsewhere),
        cmocka_unit_test(each_field_is_described),
        cmocka_unit_test(each_word_of_a_field_is_described),
    };
    return cmocka_run_group_tests(tests, load_page, NULL);
}
