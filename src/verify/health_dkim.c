/* verify/health_dkim: checks of DKIM keys (RFC 6376 3.6.1, 8301, 8463), and where their names come from.
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/slice.h"
#include "message/dkim_signature.h"
#include "message/header.h"
#include "verify/health_private.h"

bool health_key_is_there(const struct health_key *key)
{
    bool is_other = key->from == HEALTH_KEY_COMMON && key->fault == DKIM_FAULT_KEY_VERSION;
    return key->kind == DNS_ANSWER_RECORDS && !is_other;
}

const char *health_key_kind(const struct health_key *key)
{
    if (key->fault == DKIM_FAULT_KEY_KIND) {
        return "unknown";
    }
    return key->key.kind == CRYPTO_ED25519 ? "ed25519" : "rsa";
}

/* ---- selectors of a message ---- */

static bool is_known(char (*selectors)[HEALTH_SELECTOR_BYTES], size_t count, const char *selector)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal_nocase(slice_of(selectors[i]), slice_of(selector))) {
            return true;
        }
    }
    return false;
}

static size_t list_selectors(const struct message_header *header, struct slice domain,
                             char (*out)[HEALTH_SELECTOR_BYTES], size_t room)
{
    static const struct slice name = SLICE_LITERAL("DKIM-Signature");
    struct dkim_signature signature;
    size_t count = 0;
    for (size_t i = message_header_find(header, name, 0); i < header->count && count < room;
         i = message_header_find(header, name, i + 1)) {
        (void)dkim_signature_read(header->fields[i].value, &signature, NULL);
        size_t len = strlen(signature.selector);
        if (slice_equal_nocase(slice_of(signature.domain), domain) && len > 0 &&
            len < HEALTH_SELECTOR_BYTES && !is_known(out, count, signature.selector)) {
            memcpy(out[count++], signature.selector, len + 1);
        }
    }
    return count;
}

size_t health_mail_selectors(struct slice message, struct slice domain,
                             char (*out)[HEALTH_SELECTOR_BYTES], size_t room)
{
    struct message_header header;
    size_t count = 0;
    message_header_init(&header);
    if (message_header_feed(&header, &message) == ERR_NONE &&
        message_header_finish(&header) == ERR_NONE) {
        count = list_selectors(&header, domain, out, room);
    }
    message_header_done(&header);
    return count;
}

/* ---- checks ---- */

typedef void (*key_fn)(struct health_judge *j, const struct health_key *key);

static void each_key(struct health_judge *j, key_fn fn)
{
    for (size_t i = 0; i < j->facts->key_count; i++) {
        if (health_key_is_there(&j->facts->keys[i])) {
            fn(j, &j->facts->keys[i]);
        }
    }
}

/* Every key under a name that could not be asked about would be a guess. */
static void look_none(struct health_judge *j)
{
    bool is_asked = false;
    for (size_t i = 0; i < j->facts->key_count; i++) {
        const struct health_key *key = &j->facts->keys[i];
        if (health_key_is_there(key) || key->from != HEALTH_KEY_COMMON) {
            return; /* there is one, or one is missed by name */
        }
        is_asked |= key->kind != DNS_ANSWER_OPEN;
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
        if (key->from != HEALTH_KEY_COMMON && health_is_absent(key->kind)) {
            health_say(j, "publish the public key",
                       health_text_of(j, "%s. IN TXT \"v=DKIM1; k=rsa; p=...\"", key->name),
                       "there is no DKIM key under the selector %s", key->selector);
        }
    }
}

static void look_failing(struct health_judge *j)
{
    for (size_t i = 0; i < j->facts->key_count; i++) {
        const struct health_key *key = &j->facts->keys[i];
        if (key->kind == DNS_ANSWER_ERROR && key->from != HEALTH_KEY_COMMON) {
            health_say(j, "look at the name servers", NULL,
                       "the DKIM key under %s cannot be found out: %s", key->name,
                       dns_failure_name(key->failure));
        }
    }
}

static void say_several(struct health_judge *j, const struct health_key *key)
{
    if (key->fault == DKIM_FAULT_KEY_SEVERAL) {
        health_say(j, "give each key a selector of its own", NULL,
                   "under the selector %s there are several keys", key->selector);
    }
}

static void look_several(struct health_judge *j)
{
    each_key(j, say_several);
}

static bool can_be_read(const struct health_key *key)
{
    return key->fault == DKIM_FAULT_NONE || key->fault == DKIM_FAULT_KEY_SEVERAL ||
           key->fault == DKIM_FAULT_KEY_REVOKED;
}

static void say_broken(struct health_judge *j, const struct health_key *key)
{
    if (!can_be_read(key)) {
        health_say(j, "publish it again, as the signing software writes it", NULL,
                   "the DKIM key under the selector %s cannot be read: %s", key->selector,
                   dkim_fault_text(key->fault));
    }
}

static void look_broken(struct health_judge *j)
{
    each_key(j, say_broken);
}

static void say_revoked(struct health_judge *j, const struct health_key *key)
{
    if (key->fault == DKIM_FAULT_KEY_REVOKED && key->from != HEALTH_KEY_COMMON) {
        health_say(j, "sign with another selector, or publish the key", NULL,
                   "the DKIM key under the selector %s is revoked (p=)", key->selector);
    }
}

static void look_revoked(struct health_judge *j)
{
    each_key(j, say_revoked);
}

static void say_bits(struct health_judge *j, const struct health_key *key)
{
    health_say(j, "make a key of 2048 bits", NULL, "the DKIM key under the selector %s has %u bits",
               key->selector, key->key.bits);
}

static bool is_rsa(const struct health_key *key)
{
    return key->fault == DKIM_FAULT_NONE && key->key.kind == CRYPTO_RSA;
}

static void say_tiny(struct health_judge *j, const struct health_key *key)
{
    if (is_rsa(key) && key->key.bits < DKIM_RSA_BITS_MIN) {
        say_bits(j, key);
    }
}

static void look_tiny(struct health_judge *j)
{
    each_key(j, say_tiny);
}

static void say_small(struct health_judge *j, const struct health_key *key)
{
    if (is_rsa(key) && key->key.bits >= DKIM_RSA_BITS_MIN && key->key.bits < DKIM_RSA_BITS_GOOD) {
        say_bits(j, key);
    }
}

static void look_small(struct health_judge *j)
{
    each_key(j, say_small);
}

static void say_testing(struct health_judge *j, const struct health_key *key)
{
    if (can_be_read(key) && key->key.is_testing) {
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
