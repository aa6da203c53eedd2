/* engine/signal_rdap: the registration of a domain by RDAP (RFC 9082 3.1.3, RFC 9083 4.5), through a server that
 * redirects to the one responsible, such as https://about.rdap.org. A name below a registered one has no registration of
 * its own: 404.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <jansson.h>

#include "base/reader.h"
#include "base/slice.h"
#include "engine/signal_private.h"

enum { YEAR_MIN = 1970, YEAR_MAX = 9999, EVENTS_MAX = 1000 };

static enum err write_path(const struct signal_question *question, struct buf *url)
{
    enum err e = buf_append(url, SLICE("/domain/"));
    return e != ERR_NONE ? e : signal_escape(question->domain, url);
}

static void add_headers(const struct signal_question *question, struct signal_headers *out)
{
    (void)question;
    out->at[out->count++] =
        (struct http_client_header){.name = "Accept", .value = SLICE("application/rdap+json")};
}

static bool read_part(struct reader *reader, size_t digits, uint64_t max, int64_t *out)
{
    uint64_t number;
    size_t before = reader->rest.len;
    bool is_number = reader_number(reader, max, &number) && before - reader->rest.len == digits;
    *out = is_number ? (int64_t)number : 0;
    return is_number;
}

static int64_t days_before_year(int64_t year)
{
    int64_t past = year - 1;
    return past * 365 + past / 4 - past / 100 + past / 400;
}

/* The day of "1997-09-15T04:00:00Z" (RFC 3339 5.6), counted from 1970-01-01; the time of day does not matter here. */
static bool read_day(struct slice text, uint32_t *out_day)
{
    static const int before_month[12] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    struct reader reader = {text};
    int64_t year = 0;
    int64_t month = 0;
    int64_t day = 0;
    bool is_date = read_part(&reader, 4, YEAR_MAX, &year) && reader_literal(&reader, SLICE("-")) &&
                   read_part(&reader, 2, 12, &month) && reader_literal(&reader, SLICE("-")) &&
                   read_part(&reader, 2, 31, &day);
    if (!is_date || year < YEAR_MIN || month < 1 || day < 1) {
        return false;
    }
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int64_t days = days_before_year(year) - days_before_year(YEAR_MIN) + before_month[month - 1] +
                   (is_leap && month > 2 ? 1 : 0) + day - 1;
    *out_day = (uint32_t)days;
    return true;
}

static bool find_registration(const json_t *events, uint32_t *out_day)
{
    size_t count = json_array_size(events);
    for (size_t i = 0; i < count && i < EVENTS_MAX; i++) {
        const json_t *event = json_array_get(events, i);
        const char *action = json_string_value(json_object_get(event, "eventAction"));
        const char *date = json_string_value(json_object_get(event, "eventDate"));
        if (action != NULL && date != NULL && strcmp(action, "registration") == 0) {
            return read_day(slice_of(date), out_day);
        }
    }
    return false;
}

static enum signal_reading read_answer(const struct http_client_answer *answer,
                                       struct verify_signal *out)
{
    uint32_t day = 0;
    if (answer->status == 404) {
        *out = (struct verify_signal){.result = SIGNAL_NO};
        return SIGNAL_READ;
    }
    if (answer->status != 200) {
        return signal_read_status(answer->status);
    }
    json_t *root = json_loadb(answer->body.at, answer->body.len, JSON_REJECT_DUPLICATES, NULL);
    bool is_domain = json_is_object(root);
    bool is_found = find_registration(json_object_get(root, "events"), &day);
    json_decref(root);
    if (!is_domain) {
        return SIGNAL_READ_BROKEN;
    }
    *out = (struct verify_signal){.result = is_found ? SIGNAL_YES : SIGNAL_NO, .number = day};
    return SIGNAL_READ;
}

const struct signal_kind signal_rdap = {
    .config = {.base_url = SLICE_LITERAL("https://rdap.org"),
               .timeout_ms = 8000,
               .cache_ms = UINT64_C(30) * 86400 * 1000,
               .per_minute = 60},
    .is_of_domain = true,
    .write_path = write_path,
    .add_headers = add_headers,
    .read = read_answer,
};
