/* providers/classify: what a reply means. Stage, then text, then enhanced code, then code give a
 * scope (whom the statement is about) and a reason. Knowledge is in rule files (data/rules/);
 * this is the engine that reads and applies them. Pure: texts of files are arguments.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef PROVIDERS_CLASSIFY_H
#define PROVIDERS_CLASSIFY_H

#include "base/err.h"
#include "heloise/smtp_client.h"

enum reply_scope {
    SCOPE_MAILBOX, /* about this mailbox */
    SCOPE_DOMAIN,  /* about the whole domain */
    SCOPE_US,      /* about the asker: address, name, sender, rate, TLS */
    SCOPE_MESSAGE, /* about the message */
    SCOPE_SERVER,  /* about the server's own state */
    SCOPE_UNKNOWN, /* cannot be told from this reply alone */
};

enum reply_reason {
    REASON_ACCEPTED,
    REASON_MAILBOX_UNKNOWN,
    REASON_MAILBOX_FULL,
    REASON_MAILBOX_DISABLED,
    REASON_MAILBOX_MOVED,
    REASON_EXISTS, /* a refusal that proves the mailbox lives */
    REASON_GREYLISTED,
    REASON_RATE_LIMITED,
    REASON_POLICY_BLOCKED,
    REASON_SPAM_CONTENT,
    REASON_RELAY_DENIED,
    REASON_DOMAIN_PROBLEM,
    REASON_AUTH_REQUIRED,
    REASON_TLS_REQUIRED,
    REASON_TOO_BIG,
    REASON_SYSTEM_ERROR,
    REASON_UNKNOWN,
    REASON_COUNT,
};

/* With REASON_POLICY_BLOCKED: what about us displeased (VERDICTS.md, block_kind). */
enum block_kind {
    BLOCK_NONE,
    BLOCK_IP_LIST,
    BLOCK_IP_REPUTATION,
    BLOCK_HELO,
    BLOCK_SENDER,
    BLOCK_PTR,
    BLOCK_SPF_DKIM_DMARC,
    BLOCK_POLICY,
    BLOCK_GEO,
};

struct classification {
    enum reply_scope scope;
    enum reply_reason reason;
    enum block_kind block_kind;
    bool is_in_progress;    /* "address verification in progress": ask again soon */
    bool is_forwarded;      /* 251: accepted, forwarded elsewhere */
    uint32_t retry_after_s; /* a delay named in the text; 0: none */
    const char
        *rule; /* "rules/google.rules:12" or "code:550": what decided; lives as long as the rules */
};

const char *reply_scope_name(enum reply_scope scope);
const char *reply_reason_name(enum reply_reason reason);
const char *block_kind_name(enum block_kind kind);

struct rules;

struct rules_source {
    struct slice name; /* file name for messages */
    struct slice text;
};

/* ERR_SYNTAX with file, line and hint in *out_fault, ERR_NOMEM. Provider names used by rules must be
 * known to providers (struct provider_book); an unknown one is an error. */
struct provider_book;
enum err rules_compile(const struct rules_source *sources, size_t count,
                       const struct provider_book *book, struct rules **out,
                       struct fault *out_fault) MUST_USE;
void rules_free(struct rules *rules);
const char *rules_version(const struct rules *rules); /* a short hash over all sources */

/* For who writes rules, not for who uses them: ERR_SYNTAX where a rule can never decide because an earlier one always
 * does first, or where a text of a rule adds nothing to another. */
enum err rules_check(const struct rules *rules, struct fault *out_fault) MUST_USE;

/* For who asks thousands of times: patterns become machine code, which takes longer than a few replies are worth.
 * Before the rules are shared. Where that cannot be done (a platform, a locked-down kernel) they are as they were. */
void rules_hasten(struct rules *rules);

/* Every rule carries examples: replies that this very rule must decide. */
struct rules_example {
    enum hel_smtp_stage stage;
    struct slice provider; /* empty: none */
    struct slice reply;    /* whole, with codes; lines joined by LF */
    const char *rule;      /* as in struct classification */
};
size_t rules_count(const struct rules *rules);
size_t rules_example_count(const struct rules *rules);
struct rules_example rules_example_at(const struct rules *rules, size_t i);

/* Servers say the same sentence to each recipient. A memo keeps which rule decided the last few hundred
 * different ones; it changes the speed of answers only. It belongs to one thread and one set of rules, whose end it
 * must not see. ERR_NOMEM. */
struct rules_memo;
enum err rules_memo_new(struct rules_memo **out) MUST_USE;
void rules_memo_free(struct rules_memo *memo);

/* provider: a provider's name, or empty for none. own_words: our IP and EHLO name, which mark a reply
 * as being about us when echoed; may be empty. Never fails: what no rule knows falls to the codes. */
struct classify_question {
    enum hel_smtp_stage stage;
    struct slice provider;
    const struct hel_reply *reply;
    const struct slice *own_words;
    size_t own_word_count;
    struct slice rcpt; /* the recipient asked for; its echo in the text is ignored when matching */
    struct rules_memo *memo; /* NULL: none */
};
struct classification rules_classify(const struct rules *rules,
                                     const struct classify_question *question);

#endif
