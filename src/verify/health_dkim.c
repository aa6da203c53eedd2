/* verify/health_dkim: checks of DKIM keys (RFC 6376 3.6.1, 8301, 8463), and where their names come from.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/reader.h"
#include "base/slice.h"
#include "dns/key_size.h"
#include "dns/tags.h"
#include "verify/health_private.h"

enum {
    RSA_BITS_MIN = 1024,     /* RFC 8301 3.2: smaller keys are not considered */
    RSA_BITS_ADVISED = 2048, /* the same */
    KEY_TEXT_BYTES_MAX = 4096,
    SIGNATURE_BYTES_MAX = 16384, /* of one field */
};

/* Without white space, which may stand in base64 (RFC 6376 3.2). False: it does not fit. */
static bool squeeze(struct slice text, char out[KEY_TEXT_BYTES_MAX], size_t *out_len)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (ascii_is_space(text.at[i])) {
            continue;
        }
        if (len == KEY_TEXT_BYTES_MAX) {
            return false;
        }
        out[len++] = text.at[i];
    }
    *out_len = len;
    return true;
}

static void read_key_bytes(struct slice p, struct health_key_view *out)
{
    char text[KEY_TEXT_BYTES_MAX];
    char bytes[KEY_TEXT_BYTES_MAX];
    size_t text_len;
    size_t len;
    if (!squeeze(p, text, &text_len) || !base64_read(slice_make(text, text_len), bytes, &len)) {
        out->is_broken = true;
        return;
    }
    bool is_rsa = slice_equal_nocase(out->kind, SLICE("rsa"));
    out->bits = is_rsa ? dns_rsa_bits(slice_make(bytes, len)) : (unsigned)len * 8;
    out->is_broken =
        out->bits == 0 || (slice_equal_nocase(out->kind, SLICE("ed25519")) && out->bits != 256);
}

/* One word of a list parted by colons. */
static bool has_word(struct slice list, struct slice word)
{
    while (list.at != NULL) {
        if (slice_equal_nocase(slice_trim(slice_cut(&list, ':')), word)) {
            return true;
        }
    }
    return false;
}

void health_key_read(const struct health_key *key, struct health_key_view *out)
{
    struct slice record = key->record.text;
    struct slice value;
    *out = (struct health_key_view){.kind = SLICE("rsa")};
    if (dns_tags_bad(record).len > 0 || key->record.is_cut ||
        (dns_tag_find(record, SLICE("v"), &value) && !slice_equal(value, SLICE("DKIM1")))) {
        out->is_broken = true;
        return;
    }
    if (dns_tag_find(record, SLICE("k"), &value)) {
        out->kind = value;
    }
    if (dns_tag_find(record, SLICE("t"), &value)) {
        out->is_testing = has_word(value, SLICE("y"));
    }
    if (!dns_tag_find(record, SLICE("p"), &value)) {
        out->is_broken = true;
    } else if (value.len == 0) {
        out->is_revoked = true;
    } else {
        read_key_bytes(value, out);
    }
}

/* ---- selectors of a message ---- */

/* A field of several lines as one line. */
static struct slice read_field(struct reader *r, char room[SIGNATURE_BYTES_MAX])
{
    struct slice line;
    char next;
    size_t len = 0;
    do {
        if (!reader_line(r, &line)) {
            break;
        }
        size_t fits = SIGNATURE_BYTES_MAX - len < line.len ? SIGNATURE_BYTES_MAX - len : line.len;
        memcpy(room + len, line.at, fits);
        len += fits;
    } while (line.len > 0 && reader_peek(r, &next) && (next == ' ' || next == '\t'));
    return slice_make(room, len);
}

static bool is_known(char (*selectors)[HEALTH_SELECTOR_BYTES], size_t count, struct slice selector)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal_nocase(slice_of(selectors[i]), selector)) {
            return true;
        }
    }
    return false;
}

size_t health_mail_selectors(struct slice message, struct slice domain,
                             char (*out)[HEALTH_SELECTOR_BYTES], size_t room)
{
    char field_room[SIGNATURE_BYTES_MAX];
    struct reader r = reader_over(message);
    size_t count = 0;
    while (count < room && !reader_is_done(&r)) {
        struct slice field = read_field(&r, field_room);
        struct slice selector;
        struct slice signer;
        if (field.len == 0) {
            break; /* the end of the header */
        }
        struct slice name = slice_trim(slice_cut(&field, ':'));
        if (!slice_equal_nocase(name, SLICE("DKIM-Signature")) || field.at == NULL ||
            !dns_tag_find(field, SLICE("s"), &selector) ||
            !dns_tag_find(field, SLICE("d"), &signer) || !slice_equal_nocase(signer, domain) ||
            selector.len == 0 || selector.len >= HEALTH_SELECTOR_BYTES ||
            memchr(selector.at, '\0', selector.len) != NULL || is_known(out, count, selector)) {
            continue;
        }
        memcpy(out[count], selector.at, selector.len);
        out[count++][selector.len] = '\0';
    }
    return count;
}

/* ---- checks ---- */

typedef void (*key_fn)(struct health_judge *j, const struct health_key *key,
                       const struct health_key_view *view);

static void each_key(struct health_judge *j, key_fn fn)
{
    for (size_t i = 0; i < j->facts->key_count; i++) {
        const struct health_key *key = &j->facts->keys[i];
        struct health_key_view view;
        if (key->record.count > 0) {
            health_key_read(key, &view);
            fn(j, key, &view);
        }
    }
}

/* Every key under a name that could not be asked about would be a guess. */
static void look_none(struct health_judge *j)
{
    bool is_asked = false;
    for (size_t i = 0; i < j->facts->key_count; i++) {
        const struct health_key *key = &j->facts->keys[i];
        if (key->record.count > 0 || key->from != HEALTH_KEY_COMMON) {
            return; /* there is one, or one is missed by name */
        }
        is_asked |= key->record.kind != DNS_ANSWER_OPEN;
    }
    if (is_asked && !health_takes_no_mail(j->facts)) {
        health_say(j, "name the selector (--selector), or give a message that was signed (--mail)",
                   NULL, "no DKIM key stands under a usual name");
    }
}

static void look_missing(struct health_judge *j)
{
    for (size_t i = 0; i < j->facts->key_count; i++) {
        const struct health_key *key = &j->facts->keys[i];
        if (key->from != HEALTH_KEY_COMMON && key->record.count == 0 &&
            (health_is_absent(key->record.kind) || key->record.kind == DNS_ANSWER_RECORDS)) {
            health_say(j, "publish the public key",
                       health_text_of(j, "%s. IN TXT \"v=DKIM1; k=rsa; p=...\"", key->record.name),
                       "there is no DKIM key under the selector %s", key->selector);
        }
    }
}

static void look_failing(struct health_judge *j)
{
    for (size_t i = 0; i < j->facts->key_count; i++) {
        const struct health_key *key = &j->facts->keys[i];
        if (key->record.kind == DNS_ANSWER_ERROR && key->from != HEALTH_KEY_COMMON) {
            health_say(j, "look at the name servers", NULL,
                       "the DKIM key under %s cannot be found out: %s", key->record.name,
                       dns_failure_name(key->record.failure));
        }
    }
}

static void look_several(struct health_judge *j)
{
    for (size_t i = 0; i < j->facts->key_count; i++) {
        const struct health_key *key = &j->facts->keys[i];
        if (key->record.count > 1) {
            health_say(j, "give each key a selector of its own", NULL,
                       "under the selector %s there are %u records", key->selector,
                       key->record.count);
        }
    }
}

static void say_broken(struct health_judge *j, const struct health_key *key,
                       const struct health_key_view *view)
{
    if (view->is_broken) {
        health_say(j, "publish it again, as the signing software writes it", NULL,
                   "the DKIM key under the selector %s cannot be read", key->selector);
    }
}

static void look_broken(struct health_judge *j)
{
    each_key(j, say_broken);
}

static void say_revoked(struct health_judge *j, const struct health_key *key,
                        const struct health_key_view *view)
{
    if (view->is_revoked && key->from != HEALTH_KEY_COMMON) {
        health_say(j, "sign with another selector, or publish the key", NULL,
                   "the DKIM key under the selector %s is revoked (p=)", key->selector);
    }
}

static void look_revoked(struct health_judge *j)
{
    each_key(j, say_revoked);
}

static bool is_rsa(const struct health_key_view *view)
{
    return !view->is_broken && !view->is_revoked && slice_equal_nocase(view->kind, SLICE("rsa"));
}

static void say_tiny(struct health_judge *j, const struct health_key *key,
                     const struct health_key_view *view)
{
    if (is_rsa(view) && view->bits < RSA_BITS_MIN) {
        health_say(j, "make a key of 2048 bits", NULL,
                   "the DKIM key under the selector %s has %u bits", key->selector, view->bits);
    }
}

static void look_tiny(struct health_judge *j)
{
    each_key(j, say_tiny);
}

static void say_small(struct health_judge *j, const struct health_key *key,
                      const struct health_key_view *view)
{
    if (is_rsa(view) && view->bits >= RSA_BITS_MIN && view->bits < RSA_BITS_ADVISED) {
        health_say(j, "make a key of 2048 bits", NULL,
                   "the DKIM key under the selector %s has %u bits", key->selector, view->bits);
    }
}

static void look_small(struct health_judge *j)
{
    each_key(j, say_small);
}

static void say_testing(struct health_judge *j, const struct health_key *key,
                        const struct health_key_view *view)
{
    if (!view->is_broken && view->is_testing) {
        health_say(j, "take t=y out once signatures are seen to be good", NULL,
                   "the DKIM key under the selector %s says that it is a test (t=y)",
                   key->selector);
    }
}

static void look_testing(struct health_judge *j)
{
    each_key(j, say_testing);
}

static const struct health_check checks[] = {
    {"dkim_none_found", HEALTH_DKIM, HEALTH_UNKNOWN,
     "Mail without a DKIM signature is refused or marked by large providers. Names of keys cannot "
     "be listed, only tried.",
     look_none},
    {"dkim_missing", HEALTH_DKIM, HEALTH_ERROR,
     "Signatures that name this selector cannot be checked, and count for nothing.", look_missing},
    {"dkim_failing", HEALTH_DKIM, HEALTH_ERROR,
     "Receivers put mail off, or take the signature for none.", look_failing},
    {"dkim_several_records", HEALTH_DKIM, HEALTH_ERROR,
     "Receivers take any of them, or none (RFC 6376 3.6.2.2).", look_several},
    {"dkim_broken", HEALTH_DKIM, HEALTH_ERROR, "No signature by this key can be checked.",
     look_broken},
    {"dkim_revoked", HEALTH_DKIM, HEALTH_ERROR,
     "Signatures by a revoked key count for nothing (RFC 6376 3.6.1).", look_revoked},
    {"dkim_key_too_small", HEALTH_DKIM, HEALTH_ERROR,
     "Receivers do not look at signatures by RSA keys below 1024 bits (RFC 8301 3.2).", look_tiny},
    {"dkim_key_small", HEALTH_DKIM, HEALTH_ADVICE,
     "RFC 8301 3.2 asks for 2048 bits; 1024 are within reach of a wealthy attacker.", look_small},
    {"dkim_testing", HEALTH_DKIM, HEALTH_WARNING,
     "Receivers may treat the mail as if it were not signed (RFC 6376 3.6.1).", look_testing},
};

const struct health_checks health_dkim_checks = {checks, sizeof checks / sizeof *checks};
