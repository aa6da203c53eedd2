/* SPDX-License-Identifier: Apache-2.0 */
#include "http/framing.h"

#include "base/text.h"

/* RFC 9110 5.5 */
static bool has_control(struct slice value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.at[i];
        if ((c < ' ' && c != '\t') || c == 0x7f) {
            return true;
        }
    }
    return false;
}

void framing_take(struct framing *framing, struct slice name, struct slice value)
{
    if (!text_is_http_token(name) || has_control(value)) {
        framing->has_bad_field = true;
    }
    if (slice_equal_nocase(name, SLICE("Host"))) {
        framing->hosts++;
    } else if (slice_equal_nocase(name, SLICE("Content-Length"))) {
        framing->lengths++;
    } else if (slice_equal_nocase(name, SLICE("Transfer-Encoding"))) {
        framing->codings++;
        framing->is_chunked = slice_equal_nocase(slice_trim(value), SLICE("chunked"));
    }
}

const char *framing_fault(const struct framing *framing, struct slice version)
{
    bool is_old = slice_equal(version, SLICE("HTTP/1.0"));
    if (framing->has_bad_field) {
        return "a header field has a name that is none, or a control character in its value";
    }
    if (framing->hosts > 1 || (framing->hosts == 0 && !is_old)) {
        return "a request has one Host";
    }
    if (framing->lengths > 1) {
        return "a request has one Content-Length at most";
    }
    if (framing->codings > 0 && framing->lengths > 0) {
        return "a body has either Content-Length or Transfer-Encoding";
    }
    if (framing->codings > 0 && (framing->codings > 1 || !framing->is_chunked || is_old)) {
        return "the one Transfer-Encoding that is read is chunked, of HTTP/1.1";
    }
    return NULL;
}
