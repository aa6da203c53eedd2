/* message/dkim_verify: each signature has a trial: its verdict, and the hash of the body as it wants it. A trial is over
 * at its first fault; those that are left when the body has gone by ask for their keys, one after the other.
 * SPDX-License-Identifier: Apache-2.0 */
#include "message/dkim_verify.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "message/dkim_private.h"

enum { CLOCK_SKEW_S = 12 * 3600 }; /* that a signer's clock may be ahead of ours */

struct trial {
    struct dkim_verdict verdict;
    bool is_over;
    struct dkim_hash hash; /* of the body */
    struct dkim_body body;
};

struct dkim_verifier {
    const struct crypto *crypto;
    struct dkim_verify_options options;
    struct message_header header;
    bool has_trials, is_finished;
    size_t count;
    size_t now; /* the trial whose key is asked for; count: all are over */
    struct trial trials[DKIM_SIGNATURES_MAX];
    char name[DNS_NAME_BYTES]; /* of the question */
    bool is_sent;
    unsigned aliases;
};

enum err dkim_verifier_new(const struct crypto *crypto, const struct dkim_verify_options *options,
                           struct dkim_verifier **out)
{
    struct dkim_verifier *verifier = calloc(1, sizeof *verifier);
    if (verifier == NULL) {
        return ERR_NOMEM;
    }
    unsigned max = options->signatures_max;
    verifier->crypto = crypto;
    verifier->options = *options;
    verifier->options.signatures_max =
        max == 0 || max > DKIM_SIGNATURES_MAX ? DKIM_SIGNATURES_MAX : max;
    message_header_init(&verifier->header);
    *out = verifier;
    return ERR_NONE;
}

void dkim_verifier_free(struct dkim_verifier *verifier)
{
    if (verifier == NULL) {
        return;
    }
    for (size_t i = 0; i < verifier->count; i++) {
        dkim_hash_done(&verifier->trials[i].hash);
    }
    message_header_done(&verifier->header);
    free(verifier);
}

static void end_trial(struct trial *trial, enum dkim_fault fault)
{
    trial->is_over = true;
    trial->verdict.fault = fault;
    trial->verdict.result = dkim_fault_result(fault);
    dkim_hash_done(&trial->hash);
}

/* ---- the header ---- */

/* What the field says that is wrong at this time. */
static enum dkim_fault judge_field(const struct dkim_signature *signature, int64_t now_s)
{
    uint64_t now = now_s < 0 ? 0 : (uint64_t)now_s;
    if (signature->algorithm == DKIM_RSA_SHA1) {
        return DKIM_FAULT_SHA1;
    }
    if (signature->has_expiry && signature->expiry_s < now) {
        return DKIM_FAULT_EXPIRED;
    }
    bool is_future = signature->has_time && signature->time_s > now + CLOCK_SKEW_S;
    return is_future ? DKIM_FAULT_FUTURE : DKIM_FAULT_NONE;
}

static enum err begin_trial(struct dkim_verifier *verifier, struct trial *trial, size_t field)
{
    struct dkim_signature *signature = &trial->verdict.signature;
    trial->verdict.field = field;
    enum dkim_fault fault =
        dkim_signature_read(verifier->header.fields[field].value, signature, NULL);
    if (fault == DKIM_FAULT_NONE) {
        fault = judge_field(signature, verifier->options.now_s);
    }
    if (fault != DKIM_FAULT_NONE) {
        end_trial(trial, fault);
        return ERR_NONE;
    }
    dkim_body_init(&trial->body, signature->body_canon, dkim_hash_write, &trial->hash);
    if (signature->has_length) {
        dkim_body_limit(&trial->body, signature->length);
    }
    return dkim_hash_begin(&trial->hash, verifier->crypto);
}

/* RFC 6376 6.1: from the top, where the last signers are. */
static enum err begin_trials(struct dkim_verifier *verifier)
{
    const struct message_header *header = &verifier->header;
    enum err e = ERR_NONE;
    verifier->has_trials = true;
    for (size_t i = message_header_find(header, SLICE("DKIM-Signature"), 0);
         i < header->count && verifier->count < verifier->options.signatures_max && e == ERR_NONE;
         i = message_header_find(header, SLICE("DKIM-Signature"), i + 1)) {
        e = begin_trial(verifier, &verifier->trials[verifier->count++], i);
    }
    return e;
}

/* ---- the body ---- */

enum err dkim_verifier_feed(struct dkim_verifier *verifier, struct slice bytes)
{
    must(!verifier->is_finished);
    enum err e = message_header_feed(&verifier->header, &bytes);
    if (e == ERR_NONE && verifier->header.is_complete && !verifier->has_trials) {
        e = begin_trials(verifier);
    }
    for (size_t i = 0; i < verifier->count && e == ERR_NONE; i++) {
        if (!verifier->trials[i].is_over) {
            e = dkim_body_feed(&verifier->trials[i].body, bytes);
        }
    }
    return e;
}

/* RFC 6376 6.1.3 */
static enum err judge_body(struct trial *trial)
{
    const struct dkim_signature *signature = &trial->verdict.signature;
    struct crypto_digest digest;
    enum err e = dkim_body_finish(&trial->body);
    e = e != ERR_NONE ? e : dkim_hash_end(&trial->hash, &digest);
    if (e != ERR_NONE) {
        return e;
    }
    trial->verdict.body_bytes = trial->body.bytes;
    trial->verdict.is_body_partial = signature->has_length && signature->length < trial->body.bytes;
    if (signature->has_length && signature->length > trial->body.bytes) {
        end_trial(trial, DKIM_FAULT_BODY_SHORT);
    } else if (memcmp(digest.bytes, signature->body_hash.bytes, sizeof digest.bytes) != 0) {
        end_trial(trial, DKIM_FAULT_BODY_CHANGED);
    }
    return ERR_NONE;
}

/* The next trial that needs its key. */
static void ask_next(struct dkim_verifier *verifier)
{
    for (; verifier->now < verifier->count; verifier->now++) {
        struct trial *trial = &verifier->trials[verifier->now];
        const struct dkim_signature *signature = &trial->verdict.signature;
        if (trial->is_over) {
            continue;
        }
        if (dkim_key_name(slice_of(signature->selector), slice_of(signature->domain),
                          verifier->name)) {
            verifier->is_sent = false;
            verifier->aliases = 0;
            return;
        }
        end_trial(trial, DKIM_FAULT_DOMAIN);
    }
}

enum err dkim_verifier_finish(struct dkim_verifier *verifier)
{
    must(!verifier->is_finished);
    enum err e = message_header_finish(&verifier->header);
    if (e == ERR_NONE && !verifier->has_trials) {
        e = begin_trials(verifier);
    }
    for (size_t i = 0; i < verifier->count && e == ERR_NONE; i++) {
        if (!verifier->trials[i].is_over) {
            e = judge_body(&verifier->trials[i]);
        }
    }
    if (e == ERR_NONE) {
        verifier->is_finished = true;
        ask_next(verifier);
    }
    return e;
}

/* ---- keys ---- */

bool dkim_verifier_next(struct dkim_verifier *verifier, struct slice *out_name, uint16_t *out_type)
{
    if (!verifier->is_finished || verifier->is_sent || verifier->now == verifier->count) {
        return false;
    }
    verifier->is_sent = true;
    *out_name = slice_of(verifier->name);
    *out_type = DNS_TXT;
    return true;
}

/* RFC 6376 6.1.2: whether this key may sign like this. */
static enum dkim_fault judge_key(const struct dkim_key *key, const struct dkim_signature *signature)
{
    bool is_rsa = signature->algorithm == DKIM_RSA_SHA256;
    if (!key->takes_sha256) {
        return DKIM_FAULT_KEY_HASH;
    }
    if (!key->is_for_mail) {
        return DKIM_FAULT_KEY_SERVICE;
    }
    if ((key->kind == CRYPTO_RSA) != is_rsa) {
        return DKIM_FAULT_KEY_OTHER;
    }
    if (key->is_strict && signature->is_identity_below) {
        return DKIM_FAULT_KEY_STRICT;
    }
    return is_rsa && key->bits < DKIM_RSA_BITS_MIN ? DKIM_FAULT_KEY_SMALL : DKIM_FAULT_NONE;
}

static enum err judge_signature(const struct dkim_verifier *verifier, struct trial *trial)
{
    const struct dkim_verdict *verdict = &trial->verdict;
    const struct dkim_signature *signature = &verdict->signature;
    const struct dkim_key *key = &verdict->key;
    const struct crypto *crypto = verifier->crypto;
    struct dkim_header_hash what = {crypto, signature->header_canon, &verifier->header,
                                    signature->headers, verifier->header.fields[verdict->field]};
    struct crypto_digest digest;
    bool is_right = false;
    enum err e = dkim_header_digest(&what, &digest);
    if (e == ERR_NONE) {
        e = crypto->verify(
            crypto->context, key->kind, slice_make((const char *)key->bytes, key->byte_count),
            &digest, slice_make((const char *)signature->signature, signature->signature_bytes),
            &is_right);
    }
    if (e == ERR_NOMEM) {
        return e;
    }
    end_trial(trial, e == ERR_SYNTAX ? DKIM_FAULT_KEY_BROKEN
                     : e != ERR_NONE ? DKIM_FAULT_CRYPTO
                     : is_right      ? DKIM_FAULT_NONE
                                     : DKIM_FAULT_WRONG);
    return ERR_NONE;
}

static enum err take_key(struct dkim_verifier *verifier, const struct dns_answer *answer)
{
    struct trial *trial = &verifier->trials[verifier->now];
    enum dkim_fault fault = dkim_key_answer(answer, &trial->verdict.key);
    trial->verdict.has_key = answer->kind == DNS_ANSWER_RECORDS;
    if (fault == DKIM_FAULT_NONE) {
        fault = judge_key(&trial->verdict.key, &trial->verdict.signature);
    }
    if (fault != DKIM_FAULT_NONE) {
        end_trial(trial, fault);
        return ERR_NONE;
    }
    return judge_signature(verifier, trial);
}

enum err dkim_verifier_answered(struct dkim_verifier *verifier, enum dns_transport transport,
                                struct slice message)
{
    must(verifier->is_sent);
    struct dns_answer answer;
    dns_answer_read(verifier->name, DNS_TXT, transport, message, &answer);
    verifier->is_sent = false;
    verifier->aliases += answer.aliases;
    if (answer.kind == DNS_ANSWER_CUT && verifier->aliases <= DNS_ALIASES_MAX) {
        memcpy(verifier->name, answer.name, sizeof verifier->name);
        return ERR_NONE;
    }
    if (answer.kind == DNS_ANSWER_CUT) {
        answer.kind = DNS_ANSWER_ERROR;
    }
    enum err e = take_key(verifier, &answer);
    if (e == ERR_NONE) {
        ask_next(verifier);
    }
    return e;
}

size_t dkim_verifier_count(const struct dkim_verifier *verifier)
{
    return verifier->count;
}

const struct dkim_verdict *dkim_verifier_verdict(const struct dkim_verifier *verifier, size_t i)
{
    must(i < verifier->count);
    return &verifier->trials[i].verdict;
}

const struct message_header *dkim_verifier_header(const struct dkim_verifier *verifier)
{
    return &verifier->header;
}
