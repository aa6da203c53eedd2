/* engine/table_results: the columns that stand beside the input's in a CSV.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/date.h"
#include "base/slice.h"
#include "base/text.h"
#include "engine/sentence.h"
#include "engine/table_private.h"

static enum err put_bool(struct buf *out, bool value)
{
    return buf_append(out, value ? SLICE("true") : SLICE("false"));
}

static enum err put_time(struct buf *out, int64_t unix_ms)
{
    char text[DATE_TIME_BYTES];
    return unix_ms == 0 ? ERR_NONE : buf_append(out, slice_of(date_time_text(unix_ms, text)));
}

static enum err put_status(const struct record *record, struct buf *out)
{
    return buf_append(out, slice_of(verdict_status_name(record->status)));
}

static enum err put_sub(const struct record *record, struct buf *out)
{
    return buf_append(out, slice_of(verdict_sub_name(record->sub)));
}

static enum err put_score(const struct record *record, struct buf *out)
{
    return buf_append_int(out, record->score);
}

static enum err put_confidence(const struct record *record, struct buf *out)
{
    return buf_printf(out, "%.2f", record->confidence);
}

/* The sentence, and what is known beyond it. */
static enum err put_reason(const struct record *record, struct buf *out)
{
    enum err e = buf_append(out, slice_of(sentence_of(record->sub)));
    struct slice more = SLICE_NONE;
    if (record->sub == SUB_BLOCKED) {
        more = slice_of(sentence_of_block(record->block_kind));
    } else if (record->reason_count > 0 &&
               (record->sub == SUB_INVALID_SYNTAX || record->sub == SUB_SKIPPED)) {
        more = slice_of(record->reasons[0].detail);
    }
    if (e != ERR_NONE || more.len == 0) {
        return e;
    }
    return buf_printf(out, ": %.*s", SLICE_ARG(more));
}

static enum err put_suggestion(const struct record *record, struct buf *out)
{
    return text_append_printable(out, record->did_you_mean);
}

static enum err put_normalized(const struct record *record, struct buf *out)
{
    return text_append_printable(out, record->normalized);
}

static enum err put_domain(const struct record *record, struct buf *out)
{
    return text_append_printable(out, record->domain);
}

static enum err put_host(const struct record *record, struct buf *out)
{
    struct slice host = record->smtp.host.len > 0 ? record->smtp.host
                        : record->mx_count > 0    ? record->mx[0].host
                                                  : SLICE_NONE;
    return text_append_printable(out, host);
}

static enum err put_provider(const struct record *record, struct buf *out)
{
    return text_append_printable(out, record->provider_name);
}

static enum err put_catch_all(const struct record *record, struct buf *out)
{
    return record->is_catch_all == TRI_UNKNOWN ? ERR_NONE
                                               : put_bool(out, record->is_catch_all == TRI_YES);
}

static enum err put_code(const struct record *record, struct buf *out)
{
    return record->smtp.code == 0 ? ERR_NONE : buf_append_int(out, record->smtp.code);
}

static enum err put_enhanced(const struct record *record, struct buf *out)
{
    const struct hel_enhanced *enhanced = &record->smtp.enhanced;
    if (enhanced->class_digit == 0) {
        return ERR_NONE;
    }
    return buf_printf(out, "%u.%u.%u", enhanced->class_digit, enhanced->subject, enhanced->detail);
}

static enum err put_text(const struct record *record, struct buf *out)
{
    return text_append_printable(out, record->smtp.text);
}

static enum err put_role(const struct record *record, struct buf *out)
{
    return put_bool(out, record->flags.is_role);
}

static enum err put_free(const struct record *record, struct buf *out)
{
    return put_bool(out, record->flags.is_free);
}

static enum err put_disposable(const struct record *record, struct buf *out)
{
    return put_bool(out, record->flags.is_disposable);
}

static enum err put_tag(const struct record *record, struct buf *out)
{
    return put_bool(out, record->flags.is_plus_tagged);
}

static enum err put_retry(const struct record *record, struct buf *out)
{
    return record->retry_after_s == 0 ? ERR_NONE : buf_append_int(out, record->retry_after_s);
}

static enum err put_checked(const struct record *record, struct buf *out)
{
    return put_time(out, record->checked_at_ms);
}

static enum err put_expires(const struct record *record, struct buf *out)
{
    return put_time(out, record->expires_at_ms);
}

static const struct {
    const char *name;
    enum err (*put)(const struct record *record, struct buf *out);
    bool is_number;
} result_columns[] = {
    {"status", put_status, false},
    {"sub_status", put_sub, false},
    {"score", put_score, true},
    {"confidence", put_confidence, true},
    {"reason", put_reason, false},
    {"did_you_mean", put_suggestion, false},
    {"normalized", put_normalized, false},
    {"domain", put_domain, false},
    {"mx_host", put_host, false},
    {"provider", put_provider, false},
    {"catch_all", put_catch_all, false},
    {"smtp_code", put_code, true},
    {"smtp_enhanced", put_enhanced, false},
    {"smtp_text", put_text, false},
    {"is_role", put_role, false},
    {"is_free", put_free, false},
    {"is_disposable", put_disposable, false},
    {"is_tag", put_tag, false},
    {"retry_after", put_retry, true},
    {"checked_at", put_checked, false},
    {"expires_at", put_expires, false},
};

size_t table_result_count(void)
{
    return sizeof result_columns / sizeof result_columns[0];
}

const char *table_result_name(size_t column)
{
    return result_columns[column].name;
}

enum err table_result_put(size_t column, const struct record *record, struct buf *out)
{
    return result_columns[column].put(record, out);
}

bool table_result_is_number(size_t column)
{
    return result_columns[column].is_number;
}
