/* The mechanisms but SCRAM.
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/sasl.h"

#include <stdlib.h>

#include "base/slice.h"
#include "smtp/sasl_private.h"

static const struct {
    const char *name;
    bool is_clear, wants_token;
} mechanisms[SASL_MECHANISM_COUNT] = {
    [SASL_PLAIN] = {"PLAIN", true, false},
    [SASL_LOGIN] = {"LOGIN", true, false},
    [SASL_CRAM_MD5] = {"CRAM-MD5", false, false},
    [SASL_SCRAM_SHA_1] = {"SCRAM-SHA-1", false, false},
    [SASL_SCRAM_SHA_256] = {"SCRAM-SHA-256", false, false},
    [SASL_XOAUTH2] = {"XOAUTH2", true, true},
    [SASL_OAUTHBEARER] = {"OAUTHBEARER", true, true},
};

const enum sasl_mechanism sasl_usual[SASL_USUAL_COUNT] = {SASL_SCRAM_SHA_256, SASL_SCRAM_SHA_1,
                                                          SASL_CRAM_MD5, SASL_PLAIN, SASL_LOGIN};

const char *sasl_mechanism_name(enum sasl_mechanism mechanism)
{
    return mechanisms[mechanism].name;
}

bool sasl_mechanism_parse(struct slice name, enum sasl_mechanism *out)
{
    for (int i = 0; i < SASL_MECHANISM_COUNT; i++) {
        if (slice_equal_nocase(name, slice_of(mechanisms[i].name))) {
            *out = (enum sasl_mechanism)i;
            return true;
        }
    }
    return false;
}

bool sasl_is_clear(enum sasl_mechanism mechanism)
{
    return mechanisms[mechanism].is_clear;
}

bool sasl_wants_token(enum sasl_mechanism mechanism)
{
    return mechanisms[mechanism].wants_token;
}

size_t sasl_hash_bytes(enum sasl_hash hash)
{
    switch (hash) {
    case SASL_MD5: return 16;
    case SASL_SHA_1: return 20;
    case SASL_SHA_256: break;
    }
    return 32;
}

/* NUL parts the fields of PLAIN, ^A those of the token mechanisms; neither has a place in a name or password. */
static bool is_sayable(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.at[i] < ' ' || text.at[i] == 0x7f) {
            return false;
        }
    }
    return text.len <= SASL_BYTES_MAX / 4;
}

static enum err append_all(struct buf *out, const struct slice *parts, size_t count)
{
    enum err e = ERR_NONE;
    for (size_t i = 0; i < count && e == ERR_NONE; i++) {
        e = buf_append(out, parts[i]);
    }
    return e;
}

/* RFC 4616 2 */
static enum err say_plain(struct sasl *sasl)
{
    const struct sasl_config *c = sasl->config;
    const struct slice parts[] = {c->authorization, SLICE_LITERAL("\0"), c->user,
                                  SLICE_LITERAL("\0"), c->password};
    return append_all(&sasl->out, parts, sizeof parts / sizeof *parts);
}

/* https://developers.google.com/workspace/gmail/imap/xoauth2-protocol */
static enum err say_xoauth2(struct sasl *sasl)
{
    const struct sasl_config *c = sasl->config;
    const struct slice parts[] = {SLICE_LITERAL("user="), c->user,
                                  SLICE_LITERAL("\001auth=Bearer "), c->password,
                                  SLICE_LITERAL("\001\001")};
    return append_all(&sasl->out, parts, sizeof parts / sizeof *parts);
}

/* RFC 7628 3.1; the name as RFC 5801 4 writes it. */
static enum err say_bearer(struct sasl *sasl)
{
    const struct sasl_config *c = sasl->config;
    enum err e = buf_append(&sasl->out, SLICE("n,a="));
    for (size_t i = 0; i < c->user.len && e == ERR_NONE; i++) {
        char byte = c->user.at[i];
        e = byte == ','   ? buf_append(&sasl->out, SLICE("=2C"))
            : byte == '=' ? buf_append(&sasl->out, SLICE("=3D"))
                          : buf_append_byte(&sasl->out, byte);
    }
    e = e != ERR_NONE ? e : buf_append(&sasl->out, SLICE(",\001"));
    if (e == ERR_NONE && c->host.len > 0) {
        e = buf_printf(&sasl->out, "host=%.*s\001port=%u\001", SLICE_ARG(c->host), c->port);
    }
    const struct slice parts[] = {SLICE_LITERAL("auth=Bearer "), c->password,
                                  SLICE_LITERAL("\001\001")};
    return e != ERR_NONE ? e : append_all(&sasl->out, parts, sizeof parts / sizeof *parts);
}

static enum err say_first(struct sasl *sasl)
{
    switch (sasl->config->mechanism) {
    case SASL_PLAIN: return say_plain(sasl);
    case SASL_SCRAM_SHA_1:
    case SASL_SCRAM_SHA_256: return sasl_scram_first(sasl);
    case SASL_XOAUTH2: return say_xoauth2(sasl);
    case SASL_OAUTHBEARER: return say_bearer(sasl);
    case SASL_LOGIN:
    case SASL_CRAM_MD5:
    case SASL_MECHANISM_COUNT: break;
    }
    return ERR_NONE;
}

enum err sasl_new(const struct sasl_config *config, struct sasl **out)
{
    if (!is_sayable(config->user) || !is_sayable(config->password) ||
        !is_sayable(config->authorization)) {
        return ERR_SYNTAX;
    }
    struct sasl *sasl = calloc(1, sizeof *sasl);
    if (sasl == NULL) {
        return ERR_NOMEM;
    }
    sasl->config = config;
    buf_init(&sasl->out, SASL_BYTES_MAX);
    buf_init(&sasl->bare, SASL_BYTES_MAX);
    enum err e = say_first(sasl);
    if (e != ERR_NONE) {
        sasl_free(sasl);
        return e;
    }
    *out = sasl;
    return ERR_NONE;
}

void sasl_free(struct sasl *sasl)
{
    if (sasl != NULL) {
        buf_done_wipe(&sasl->out);
        buf_done_wipe(&sasl->bare);
        free(sasl);
    }
}

const struct slice *sasl_first(struct sasl *sasl)
{
    enum sasl_mechanism mechanism = sasl->config->mechanism;
    if (mechanism == SASL_LOGIN || mechanism == SASL_CRAM_MD5) {
        return NULL;
    }
    sasl->first = buf_view(&sasl->out);
    return &sasl->first;
}

/* RFC 2195 2 */
static enum err answer_cram(struct sasl *sasl, struct slice challenge)
{
    static const char digits[] = "0123456789abcdef";
    const struct sasl_config *c = sasl->config;
    uint8_t mac[SASL_HASH_BYTES];
    enum err e = c->hashes->hmac(c->hashes->context, SASL_MD5, c->password, challenge, mac);
    e = e != ERR_NONE ? e : buf_append(&sasl->out, c->user);
    e = e != ERR_NONE ? e : buf_append_byte(&sasl->out, ' ');
    for (size_t i = 0; i < sasl_hash_bytes(SASL_MD5) && e == ERR_NONE; i++) {
        e = buf_append_byte(&sasl->out, digits[mac[i] >> 4]);
        e = e != ERR_NONE ? e : buf_append_byte(&sasl->out, digits[mac[i] & 15]);
    }
    return e;
}

/* The prompts are worded in many ways; the first is for the name, the second for the password. */
static enum err answer_login(struct sasl *sasl)
{
    const struct sasl_config *c = sasl->config;
    return buf_append(&sasl->out, sasl->challenges == 0 ? c->user : c->password);
}

static enum err answer(struct sasl *sasl, struct slice challenge)
{
    unsigned nth = sasl->challenges;
    switch (sasl->config->mechanism) {
    /* The first word again, for servers that ask for it although it was there. */
    case SASL_PLAIN: return nth == 0 && challenge.len == 0 ? say_plain(sasl) : ERR_SYNTAX;
    case SASL_LOGIN: return nth < 2 ? answer_login(sasl) : ERR_SYNTAX;
    case SASL_CRAM_MD5: return nth == 0 ? answer_cram(sasl, challenge) : ERR_SYNTAX;
    case SASL_SCRAM_SHA_1:
    case SASL_SCRAM_SHA_256: return sasl_scram_answer(sasl, challenge);
    /* What is said here is why the token is refused; the refusal itself follows an empty word. */
    case SASL_XOAUTH2: return nth == 0 ? ERR_NONE : ERR_SYNTAX;
    case SASL_OAUTHBEARER: /* RFC 7628 3.2.3 */
        return nth == 0 ? buf_append_byte(&sasl->out, '\001') : ERR_SYNTAX;
    case SASL_MECHANISM_COUNT: break;
    }
    return ERR_SYNTAX;
}

enum err sasl_answer(struct sasl *sasl, struct slice challenge, struct slice *out)
{
    if (challenge.len > SASL_BYTES_MAX) {
        return ERR_LIMIT;
    }
    buf_clear(&sasl->out);
    enum err e = answer(sasl, challenge);
    if (e == ERR_NONE) {
        sasl->challenges++;
        *out = buf_view(&sasl->out);
    }
    return e;
}

bool sasl_is_proven(const struct sasl *sasl)
{
    return sasl->is_proven || !sasl_is_scram(sasl->config->mechanism);
}
