/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/policy_request.h"

#include <string.h>

#include "base/slice.h"

enum { LINE_BYTES_MAX = 16 * 1024 };

static const char *const names[POLICY_ATTRIBUTE_COUNT] = {
    [POLICY_REQUEST] = "request",        [POLICY_PROTOCOL_STATE] = "protocol_state",
    [POLICY_CONTEXT] = "policy_context", [POLICY_SENDER] = "sender",
    [POLICY_RECIPIENT] = "recipient",    [POLICY_CLIENT_ADDRESS] = "client_address",
    [POLICY_HELO_NAME] = "helo_name",    [POLICY_QUEUE_ID] = "queue_id",
};

void policy_request_init(struct policy_request *out)
{
    buf_init(&out->line, LINE_BYTES_MAX);
    policy_request_clear(out);
}

void policy_request_done(struct policy_request *request)
{
    buf_done(&request->line);
}

void policy_request_clear(struct policy_request *request)
{
    buf_clear(&request->line);
    for (int i = 0; i < POLICY_ATTRIBUTE_COUNT; i++) {
        request->values[i][0] = '\0';
    }
    request->bytes = 0;
    request->attributes = 0;
    request->has_begun = false;
    request->what = "";
}

static enum policy_progress refuse(struct policy_request *request, const char *what)
{
    request->what = what;
    return POLICY_INVALID;
}

/* The last of several counts, as for Postfix's own servers. */
static enum policy_progress keep(struct policy_request *request, enum policy_attribute attribute,
                                 struct slice value)
{
    if (value.len > POLICY_VALUE_BYTES_MAX) {
        return refuse(request, "a value is too long");
    }
    memcpy(request->values[attribute], value.at, value.len);
    request->values[attribute][value.len] = '\0';
    return POLICY_MORE;
}

static enum policy_progress take_line(struct policy_request *request, struct slice line)
{
    size_t equals = slice_find_byte(line, '=', 0);
    if (slice_find_byte(line, '\0', 0) < line.len) {
        return refuse(request, "a line holds a NUL");
    }
    if (equals == line.len || equals == 0) {
        return refuse(request, "a line is no name=value");
    }
    if (++request->attributes > POLICY_ATTRIBUTES_MAX) {
        return refuse(request, "too many attributes");
    }
    struct slice name = slice_sub(line, 0, equals);
    for (int i = 0; i < POLICY_ATTRIBUTE_COUNT; i++) {
        if (slice_equal(name, slice_of(names[i]))) {
            return keep(request, (enum policy_attribute)i, slice_sub(line, equals + 1, line.len));
        }
    }
    return POLICY_MORE;
}

static enum policy_progress end(struct policy_request *request)
{
    struct slice kind = policy_request_value(request, POLICY_REQUEST);
    return slice_equal(kind, SLICE("smtpd_access_policy"))
               ? POLICY_WHOLE
               : refuse(request, "it is no request=smtpd_access_policy");
}

/* Postfix ends lines with LF; who writes by hand may end them with CR LF. */
static struct slice without_cr(struct slice line)
{
    return slice_ends(line, SLICE("\r")) ? slice_sub(line, 0, line.len - 1) : line;
}

/* A line that is whole. */
static enum policy_progress take_whole(struct policy_request *request)
{
    struct slice line = without_cr(buf_view(&request->line));
    enum policy_progress progress = line.len == 0 ? end(request) : take_line(request, line);
    buf_clear(&request->line);
    return progress;
}

enum policy_progress policy_request_feed(struct policy_request *request, struct slice bytes,
                                         size_t *out_used)
{
    size_t used = 0;
    enum policy_progress progress = POLICY_MORE;
    while (progress == POLICY_MORE && used < bytes.len) {
        size_t feed = slice_find_byte(bytes, '\n', used);
        struct slice piece = slice_sub(bytes, used, feed);
        request->has_begun = true;
        request->bytes += piece.len + 1;
        if (request->bytes > POLICY_REQUEST_BYTES_MAX ||
            buf_append(&request->line, piece) != ERR_NONE) {
            progress = refuse(request, "it is too long");
        } else if (feed < bytes.len) {
            progress = take_whole(request);
        }
        used = feed < bytes.len ? feed + 1 : feed;
    }
    *out_used = used;
    return progress;
}

struct slice policy_request_value(const struct policy_request *request,
                                  enum policy_attribute attribute)
{
    return slice_of(request->values[attribute]);
}
