/* dns/spf: the evaluation (RFC 7208 4, 5, 6). A frame is a policy being evaluated; an include puts one on top of
 * the other, a redirect takes the place of its own.
 * SPDX-License-Identifier: Apache-2.0 */
#include "dns/spf.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "dns/reverse.h"
#include "dns/spf_private.h"

enum {
    FRAMES_MAX = 1 + SPF_LOOKUPS_MAX, /* each include is a term that asks */
    SENDER_BYTES = 330,               /* RFC 5321 4.5.3.1: 64, "@", 255, and some room */
    EXPANDED_BYTES_MAX = 16384,       /* before it is cut to a name */
    NAME_MAX = 253,                   /* RFC 7208 7.3 */
    LABEL_MAX = 63,
};

enum step {
    STEP_RECORD, /* TXT of the top frame's domain */
    STEP_TERMS,  /* nothing is asked: on with the terms */
    STEP_ADDRESS,
    STEP_EXCHANGERS,
    STEP_HOST, /* the address of hosts.at[hosts.now] */
    STEP_EXISTS,
    STEP_POINTERS,
    STEP_POINTER, /* the address of pointers.at[pointers.now] */
    STEP_EXPLANATION,
    STEP_DONE,
};

struct names {
    size_t count, now;
    char at[SPF_NAMES_MAX][DNS_NAME_BYTES];
    bool is_valid[SPF_NAMES_MAX]; /* pointers whose name leads back to the address */
};

struct frame {
    char domain[DNS_NAME_BYTES];
    bool is_led_here; /* by an include or redirect */
    char record[SPF_RECORD_BYTES_MAX];
    struct reader rest; /* of the terms */
    struct spf_modifiers modifiers;
    struct spf_term term; /* under way */
};

struct spf {
    struct ip ip;
    char sender[SENDER_BYTES];
    char helo[DNS_NAME_BYTES];
    enum step step;
    char name[DNS_NAME_BYTES]; /* of the question */
    uint16_t type;
    bool is_sent;
    unsigned aliases; /* followed over several answers to one question */
    struct names hosts, pointers;
    bool has_pointers; /* they are known */
    size_t depth;      /* frames in use */
    struct frame frames[FRAMES_MAX];
    struct spf_outcome outcome;
    bool wants_explanation, is_explaining; /* the outcome is known but for its explanation */
    char receiver[DNS_NAME_BYTES];
    int64_t now_s;
    char explanation[SPF_EXPLANATION_BYTES]; /* as it was published; empty: not fetched yet */
};

static struct frame *top(struct spf *spf)
{
    return &spf->frames[spf->depth - 1];
}

/* Lower case, without the last dot, a space as "\032" as names have it here (dns/message). False: too long, or not a
 * name of labels (RFC 7208 4.3). */
static bool copy_name(struct slice text, char out[DNS_NAME_BYTES])
{
    static const char space[] = {'\\', '0', '3', '2'};
    char folded[sizeof space * NAME_MAX];
    size_t len = 0;
    size_t label = 0;
    if (slice_ends(text, SLICE("."))) {
        text.len--;
    }
    if (text.len == 0 || text.len > NAME_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];
        if (c < ' ' || c > '~' || c == '\\' || (c == '.' && label == 0) || label > LABEL_MAX) {
            return false;
        }
        label = c == '.' ? 0 : label + 1;
        if (c == ' ') {
            memcpy(folded + len, space, sizeof space);
            len += sizeof space;
        } else {
            folded[len++] = ascii_lower(c);
        }
    }
    if (label == 0 || label > LABEL_MAX || len >= DNS_NAME_BYTES) {
        return false;
    }
    memcpy(out, folded, len);
    out[len] = '\0';
    return true;
}

static void copy_text(char *out, size_t room, struct slice text)
{
    size_t len = text.len < room - 1 ? text.len : room - 1;
    if (len > 0) {
        memcpy(out, text.at, len);
    }
    out[len] = '\0';
}

/* ---- the end ---- */

static void end(struct spf *spf, enum spf_result result, enum spf_fault fault, struct slice term)
{
    spf->step = STEP_DONE;
    spf->outcome.result = result;
    spf->outcome.fault = fault;
    copy_text(spf->outcome.domain, sizeof spf->outcome.domain, slice_of(top(spf)->domain));
    copy_text(spf->outcome.term, sizeof spf->outcome.term, term);
}

static void fail(struct spf *spf, enum spf_fault fault)
{
    end(spf, fault == SPF_FAULT_DNS ? SPF_TEMPERROR : SPF_PERMERROR, fault, top(spf)->term.text);
}

static void explain(struct spf *spf);

/* The top policy has its result. RFC 7208 5.2: what an include makes of it. */
static void leave_frame(struct spf *spf, enum spf_result result, struct slice term)
{
    while (spf->depth > 1 && result == SPF_PASS) {
        spf->depth--; /* the include matched, so that policy is at its end too */
        result = top(spf)->term.result;
        term = top(spf)->term.text;
    }
    if (spf->depth == 1) {
        end(spf, result, SPF_FAULT_NONE, term);
        if (result == SPF_FAIL && spf->wants_explanation) {
            spf->is_explaining = true;
            explain(spf);
        }
        return;
    }
    spf->depth--;
    spf->step = STEP_TERMS;
}

/* What the term under way comes to. */
static void settle(struct spf *spf, bool is_match)
{
    const struct spf_term *term = &top(spf)->term;
    if (is_match) {
        leave_frame(spf, term->result, term->text);
    } else {
        spf->step = STEP_TERMS;
    }
}

/* ---- questions ---- */

static void ask(struct spf *spf, enum step step, const char *name, uint16_t type)
{
    spf->step = step;
    spf->type = type;
    spf->is_sent = false;
    spf->aliases = 0;
    memmove(spf->name, name, strlen(name) + 1);
}

static uint16_t address_type(const struct spf *spf)
{
    return spf->ip.family == IP_V6 ? DNS_AAAA : DNS_A;
}

static bool has_address(const struct dns_answer *answer, const struct ip_net *net)
{
    for (const struct dns_record *record = dns_answer_next(answer, NULL); record != NULL;
         record = dns_answer_next(answer, record)) {
        if (ip_net_contains(net, &record->ip)) {
            return true;
        }
    }
    return false;
}

static void take_names(const struct dns_answer *answer, struct names *out)
{
    *out = (struct names){0};
    for (const struct dns_record *record = dns_answer_next(answer, NULL);
         record != NULL && out->count < SPF_NAMES_MAX; record = dns_answer_next(answer, record)) {
        memcpy(out->at[out->count++], record->target, DNS_NAME_BYTES);
    }
}

/* RFC 7208 4.6.4: a question that nobody has records for. True: there were too many. */
static bool count_void(struct spf *spf, const struct dns_answer *answer)
{
    if (answer->kind != DNS_ANSWER_NOT_FOUND && answer->kind != DNS_ANSWER_NO_DATA) {
        return false;
    }
    return ++spf->outcome.voids > SPF_VOIDS_MAX;
}

/* ---- what a term means ---- */

/* RFC 7208 5.5, 7.3: the name of p: the domain itself, else one below it, else any. */
static struct slice validated_name(const struct spf *spf, struct slice domain)
{
    const char *below = NULL;
    const char *any = NULL;
    for (size_t i = 0; i < spf->pointers.count; i++) {
        const char *name = spf->pointers.at[i];
        struct slice s = slice_of(name);
        if (!spf->pointers.is_valid[i]) {
            continue;
        }
        if (slice_equal(s, domain)) {
            return s;
        }
        bool is_below =
            s.len > domain.len && slice_ends(s, domain) && s.at[s.len - domain.len - 1] == '.';
        below = below == NULL && is_below ? name : below;
        any = any == NULL ? name : any;
    }
    return below != NULL ? slice_of(below) : any != NULL ? slice_of(any) : SLICE("unknown");
}

/* RFC 7208 5.5: a validated name that is the target or ends in it. */
static bool has_pointer(const struct spf *spf, struct slice target)
{
    struct slice name = validated_name(spf, target);
    return slice_equal(name, target) || (name.len > target.len && slice_ends(name, target) &&
                                         name.at[name.len - target.len - 1] == '.');
}

static void names_of(struct spf *spf, struct spf_names *out)
{
    struct slice sender = slice_of(spf->sender);
    size_t at = slice_find_last_byte(sender, '@');
    *out = (struct spf_names){
        .sender = sender,
        .local = slice_sub(sender, 0, at),
        .sender_domain = slice_sub(sender, at + 1, sender.len),
        .domain = slice_of(top(spf)->domain),
        .helo = slice_of(spf->helo),
        .ip = spf->ip,
        .receiver = slice_of(spf->receiver),
        .now_s = spf->now_s,
    };
    out->validated = validated_name(spf, out->domain);
}

/* RFC 7208 7.3: whole labels are cut from the left until it fits. */
static struct slice cut_to_name(struct slice text)
{
    if (slice_ends(text, SLICE("."))) {
        text.len--;
    }
    while (text.len > NAME_MAX) {
        size_t dot = slice_find_byte(text, '.', 0);
        text = slice_sub(text, dot + 1, text.len);
    }
    return text;
}

/* The target of a term (RFC 7208 4.8). ERR_SYNTAX: no name of DNS. ERR_LIMIT, ERR_NOMEM. */
static enum err find_target(struct spf *spf, const struct spf_term *term, char out[DNS_NAME_BYTES])
{
    if (term->domain_spec.len == 0) {
        memcpy(out, top(spf)->domain, DNS_NAME_BYTES);
        return ERR_NONE;
    }
    struct buf text;
    struct spf_names names;
    buf_init(&text, EXPANDED_BYTES_MAX);
    names_of(spf, &names);
    enum err e = spf_macro_expand(term->domain_spec, &names, &text);
    if (e == ERR_NONE && !copy_name(cut_to_name(buf_view(&text)), out)) {
        e = ERR_SYNTAX;
    }
    buf_done(&text);
    return e;
}

static bool is_asking(enum spf_kind kind)
{
    return kind == SPF_INCLUDE || kind == SPF_A || kind == SPF_MX || kind == SPF_PTR ||
           kind == SPF_EXISTS || kind == SPF_REDIRECT;
}

/* A policy that another one names; it must be there (RFC 7208 5.2, 6.1). */
static void go_to(struct spf *spf, const char *target)
{
    struct slice name = slice_of(target);
    if (slice_find_byte(name, '.', 0) == name.len) {
        fail(spf, SPF_FAULT_NO_POLICY);
        return;
    }
    if (top(spf)->term.kind == SPF_INCLUDE) {
        must(spf->depth < FRAMES_MAX); /* the terms that ask are counted */
        spf->depth++;
        top(spf)->term = (struct spf_term){0};
    }
    memmove(top(spf)->domain, target, strlen(target) + 1);
    top(spf)->is_led_here = true;
    ask(spf, STEP_RECORD, top(spf)->domain, DNS_TXT);
}

static void evaluate(struct spf *spf, const char *target)
{
    const struct spf_term *term = &top(spf)->term;
    switch (term->kind) {
    case SPF_ALL: settle(spf, true); return;
    case SPF_IP4:
    case SPF_IP6: settle(spf, ip_net_contains(&term->net, &spf->ip)); return;
    case SPF_A: ask(spf, STEP_ADDRESS, target, address_type(spf)); return;
    case SPF_MX: ask(spf, STEP_EXCHANGERS, target, DNS_MX); return;
    case SPF_EXISTS: ask(spf, STEP_EXISTS, target, DNS_A); return; /* RFC 7208 5.7 */
    case SPF_PTR: settle(spf, has_pointer(spf, slice_of(target))); return;
    case SPF_INCLUDE:
    case SPF_REDIRECT: go_to(spf, target); return;
    case SPF_EXPLANATION:
    case SPF_MODIFIER: settle(spf, false); return;
    }
}

static void ask_pointers(struct spf *spf)
{
    char name[DNS_NAME_BYTES];
    must(dns_pointer_name(&spf->ip, name));
    ask(spf, STEP_POINTERS, name, DNS_PTR);
}

/* The term under way; again when the names it needs are known. */
static void begin_term(struct spf *spf)
{
    const struct spf_term *term = &top(spf)->term;
    char target[DNS_NAME_BYTES] = "";
    bool needs_pointers =
        term->kind == SPF_PTR || (is_asking(term->kind) && spf_macro_uses(term->domain_spec, 'p'));
    if (needs_pointers && !spf->has_pointers) {
        ask_pointers(spf);
        return;
    }
    enum err e = is_asking(term->kind) ? find_target(spf, term, target) : ERR_NONE;
    if (e == ERR_NOMEM) {
        fail(spf, SPF_FAULT_DNS); /* ours, and passing */
    } else if (e == ERR_LIMIT) {
        fail(spf, SPF_FAULT_TOO_LONG);
    } else if (e == ERR_NONE) {
        evaluate(spf, target);
    } else if (term->kind == SPF_INCLUDE || term->kind == SPF_REDIRECT) {
        fail(spf, SPF_FAULT_NO_POLICY);
    } else {
        settle(spf, false);
    }
}

static void next_term(struct spf *spf)
{
    struct frame *frame = top(spf);
    struct spf_term term;
    if (spf_term_next(&frame->rest, &term) == SPF_READ_TERM) {
        frame->term = term;
        if (term.kind == SPF_REDIRECT) {
            return; /* when all others have not matched */
        }
    } else if (frame->modifiers.redirect.text.len > 0) {
        frame->term = frame->modifiers.redirect;
        frame->modifiers.redirect = (struct spf_term){0};
    } else {
        leave_frame(spf, SPF_NEUTRAL, SLICE_NONE); /* RFC 7208 4.7 */
        return;
    }
    if (is_asking(frame->term.kind) && ++spf->outcome.lookups > SPF_LOOKUPS_MAX) {
        fail(spf, SPF_FAULT_LOOKUPS);
        return;
    }
    begin_term(spf);
}

/* ---- the explanation of a fail (RFC 7208 6.2) ---- */

static void write_explanation(struct spf *spf)
{
    struct buf text;
    struct spf_names names;
    buf_init(&text, SPF_EXPLANATION_BYTES - 1);
    names_of(spf, &names);
    if (spf_macro_expand(slice_of(spf->explanation), &names, &text) == ERR_NONE) {
        copy_text(spf->outcome.explanation, SPF_EXPLANATION_BYTES, buf_view(&text));
    }
    buf_done(&text);
}

/* Of the policy that decided. Again when the names it needs are known, and when its text has come. Whatever fails
 * leaves it out. */
static void explain(struct spf *spf)
{
    const struct spf_term *term = &top(spf)->modifiers.explanation;
    bool has_text = spf->explanation[0] != '\0';
    struct slice macros = has_text ? slice_of(spf->explanation) : term->domain_spec;
    char target[DNS_NAME_BYTES];
    if (spf_macro_uses(macros, 'p') && !spf->has_pointers) {
        ask_pointers(spf);
        return;
    }
    spf->step = STEP_DONE;
    if (has_text) {
        write_explanation(spf);
    } else if (term->text.len > 0 && find_target(spf, term, target) == ERR_NONE) {
        ask(spf, STEP_EXPLANATION, target, DNS_TXT);
    }
}

static void on_explanation(struct spf *spf, const struct dns_answer *answer)
{
    spf->step = STEP_DONE;
    const struct dns_record *record = dns_answer_next(answer, NULL);
    if (record == NULL || dns_answer_next(answer, record) != NULL) {
        return; /* none, or several: which one is meant? */
    }
    struct buf text;
    struct slice rest = record->text;
    struct slice string;
    enum err e = ERR_NONE;
    buf_init(&text, SPF_EXPLANATION_BYTES - 1);
    while (e == ERR_NONE && dns_text_next(&rest, &string)) {
        e = buf_append(&text, string);
    }
    if (e == ERR_NONE && spf_macro_check(buf_view(&text), SPF_MACRO_EXPLANATION)) {
        copy_text(spf->explanation, sizeof spf->explanation, buf_view(&text));
    }
    buf_done(&text);
    if (spf->explanation[0] != '\0') {
        explain(spf);
    }
}

/* ---- answers ---- */

/* RFC 7208 3.3: the strings are one text. False: it is no policy. *out_len is cut where it is too long. */
static bool read_policy(const struct dns_record *record, char out[SPF_RECORD_BYTES_MAX],
                        size_t *out_len, bool *out_is_cut)
{
    struct slice rest = record->text;
    struct slice string;
    size_t len = 0;
    *out_is_cut = false;
    while (dns_text_next(&rest, &string)) {
        size_t room = SPF_RECORD_BYTES_MAX - len;
        *out_is_cut = *out_is_cut || string.len > room;
        size_t n = string.len < room ? string.len : room;
        memcpy(out + len, string.at, n);
        len += n;
    }
    *out_len = len;
    struct slice text = slice_make(out, len);
    return slice_starts_nocase(text, SLICE("v=spf1")) && (len == 6 || text.at[6] == ' ');
}

/* RFC 7208 4.5: the policies among the records; the last one is kept in the frame. */
static unsigned select_policy(struct frame *frame, const struct dns_answer *answer, size_t *out_len,
                              bool *out_is_cut)
{
    char text[SPF_RECORD_BYTES_MAX];
    unsigned count = 0;
    for (const struct dns_record *record = dns_answer_next(answer, NULL); record != NULL;
         record = dns_answer_next(answer, record)) {
        size_t len;
        bool is_cut;
        if (read_policy(record, text, &len, &is_cut)) {
            memcpy(frame->record, text, len);
            *out_len = len;
            *out_is_cut = is_cut;
            count++;
        }
    }
    return count;
}

static void on_record(struct spf *spf, const struct dns_answer *answer)
{
    struct frame *frame = top(spf);
    struct slice bad;
    size_t len = 0;
    bool is_cut = false;
    frame->term = (struct spf_term){0};
    frame->modifiers = (struct spf_modifiers){0};
    unsigned count = select_policy(frame, answer, &len, &is_cut);
    if (answer->kind == DNS_ANSWER_ERROR) {
        fail(spf, SPF_FAULT_DNS);
    } else if (count == 0 && frame->is_led_here) {
        fail(spf, SPF_FAULT_NO_POLICY);
    } else if (count == 0) {
        end(spf, SPF_NONE, SPF_FAULT_NONE, SLICE_NONE);
    } else if (count > 1) {
        fail(spf, SPF_FAULT_SEVERAL_RECORDS);
    } else if (is_cut) {
        fail(spf, SPF_FAULT_TOO_LONG);
    } else {
        struct slice terms = slice_sub(slice_make(frame->record, len), 6, len);
        frame->rest = reader_over(terms);
        spf->step = STEP_TERMS;
        if (!spf_record_check(terms, &frame->modifiers, &bad)) {
            end(spf, SPF_PERMERROR, SPF_FAULT_SYNTAX, bad);
        }
    }
}

/* The network around an address that a and mx name. */
static bool matches_address(const struct spf *spf, const struct spf_term *term,
                            const struct dns_answer *answer)
{
    struct ip_net net = {spf->ip, spf->ip.family == IP_V6 ? term->bits_v6 : term->bits_v4};
    return has_address(answer, &net);
}

static void ask_next_host(struct spf *spf)
{
    struct names *hosts = &spf->hosts;
    while (hosts->now < hosts->count && hosts->at[hosts->now][0] == '\0') {
        hosts->now++; /* a null MX */
    }
    if (hosts->now == hosts->count) {
        settle(spf, false);
    } else {
        ask(spf, STEP_HOST, hosts->at[hosts->now++], address_type(spf));
    }
}

/* RFC 7208 4.6.4: more than ten is a permanent error here, and cut off for ptr. */
static void on_exchangers(struct spf *spf, const struct dns_answer *answer)
{
    size_t count = 0;
    for (const struct dns_record *record = dns_answer_next(answer, NULL); record != NULL;
         record = dns_answer_next(answer, record)) {
        count++;
    }
    if (count > SPF_NAMES_MAX) {
        fail(spf, SPF_FAULT_EXCHANGERS);
        return;
    }
    take_names(answer, &spf->hosts);
    ask_next_host(spf);
}

static void ask_next_pointer(struct spf *spf)
{
    struct names *pointers = &spf->pointers;
    if (pointers->now < pointers->count) {
        ask(spf, STEP_POINTER, pointers->at[pointers->now], address_type(spf));
        return;
    }
    spf->has_pointers = true;
    if (spf->is_explaining) {
        explain(spf);
    } else {
        begin_term(spf);
    }
}

/* RFC 7208 5.5: trouble with a name only means that it is not validated. */
static void on_pointer(struct spf *spf, const struct dns_answer *answer)
{
    struct names *pointers = &spf->pointers;
    struct ip_net self = {spf->ip, spf->ip.family == IP_V6 ? 128 : 32};
    pointers->is_valid[pointers->now++] = has_address(answer, &self);
    ask_next_pointer(spf);
}

static void on_pointers(struct spf *spf, const struct dns_answer *answer)
{
    take_names(answer, &spf->pointers);
    ask_next_pointer(spf);
}

/* Answers whose failure or emptiness counts (RFC 7208 4.4, 4.6.4). True: that was the end. */
static bool ends_here(struct spf *spf, const struct dns_answer *answer)
{
    if (answer->kind == DNS_ANSWER_ERROR) {
        fail(spf, SPF_FAULT_DNS);
        return true;
    }
    if (count_void(spf, answer)) {
        fail(spf, SPF_FAULT_VOIDS);
        return true;
    }
    return false;
}

static void take_answer(struct spf *spf, const struct dns_answer *answer)
{
    const struct spf_term *term = &top(spf)->term;
    switch (spf->step) {
    case STEP_RECORD: on_record(spf, answer); return;
    case STEP_POINTERS: on_pointers(spf, answer); return;
    case STEP_POINTER: on_pointer(spf, answer); return;
    case STEP_EXPLANATION: on_explanation(spf, answer); return;
    case STEP_ADDRESS:
    case STEP_HOST:
    case STEP_EXCHANGERS:
    case STEP_EXISTS: break;
    case STEP_TERMS:
    case STEP_DONE: return;
    }
    if (ends_here(spf, answer)) {
        return;
    }
    if (spf->step == STEP_EXCHANGERS) {
        on_exchangers(spf, answer);
    } else if (spf->step == STEP_EXISTS) {
        settle(spf, answer->kind == DNS_ANSWER_RECORDS);
    } else if (matches_address(spf, term, answer)) {
        settle(spf, true);
    } else if (spf->step == STEP_HOST) {
        ask_next_host(spf);
    } else {
        settle(spf, false);
    }
}

void spf_answered(struct spf *spf, enum dns_transport transport, struct slice message)
{
    must(spf->is_sent);
    struct dns_answer answer;
    dns_answer_read(spf->name, spf->type, transport, message, &answer);
    spf->aliases += answer.aliases;
    if (answer.kind == DNS_ANSWER_CUT && spf->aliases <= DNS_ALIASES_MAX) {
        memcpy(spf->name, answer.name, sizeof spf->name);
        spf->is_sent = false;
        return;
    }
    if (answer.kind == DNS_ANSWER_CUT) {
        answer.kind = DNS_ANSWER_ERROR;
    }
    spf->is_sent = false;
    take_answer(spf, &answer);
    while (spf->step == STEP_TERMS) {
        next_term(spf);
    }
}

/* ---- the caller's side ---- */

static bool copy_request(struct spf *spf, const struct spf_request *request)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    spf->ip = request->ip;
    if (spf->ip.family == IP_V6 && memcmp(spf->ip.bytes, mapped, sizeof mapped) == 0) {
        spf->ip = (struct ip){.family = IP_V4};
        memcpy(spf->ip.bytes, request->ip.bytes + 12, 4);
    }
    static const char postmaster[] = "postmaster@";
    struct slice sender = request->sender;
    bool has_local = sender.len > 0 && sender.at[0] != '@';
    size_t front = has_local ? 0 : sizeof postmaster - 1;
    if (sender.len == 0) {
        sender = request->helo;
    } else if (!has_local) {
        sender = slice_sub(sender, 1, sender.len);
    }
    if (spf->ip.family == IP_NONE || front + sender.len >= sizeof spf->sender ||
        request->helo.len >= sizeof spf->helo || request->receiver.len >= sizeof spf->receiver) {
        return false;
    }
    spf->wants_explanation = request->wants_explanation;
    spf->now_s = request->now_s;
    copy_text(spf->receiver, sizeof spf->receiver, request->receiver);
    memcpy(spf->sender, postmaster, front);
    copy_text(spf->sender + front, sizeof spf->sender - front, sender);
    copy_text(spf->helo, sizeof spf->helo, request->helo);
    return true;
}

enum err spf_new(const struct spf_request *request, struct spf **out)
{
    struct spf *spf = calloc(1, sizeof *spf);
    if (spf == NULL) {
        return ERR_NOMEM;
    }
    if (!copy_request(spf, request)) {
        free(spf);
        return ERR_SYNTAX;
    }
    spf->depth = 1;
    struct slice sender = slice_of(spf->sender);
    size_t at = slice_find_last_byte(sender, '@');
    struct slice domain = slice_sub(sender, at + 1, sender.len);
    /* RFC 7208 4.3: no name of several labels has no policy. */
    if (copy_name(domain, spf->frames[0].domain) &&
        slice_find_byte(slice_of(spf->frames[0].domain), '.', 0) < strlen(spf->frames[0].domain)) {
        ask(spf, STEP_RECORD, spf->frames[0].domain, DNS_TXT);
    } else {
        end(spf, SPF_NONE, SPF_FAULT_NONE, SLICE_NONE);
    }
    *out = spf;
    return ERR_NONE;
}

void spf_free(struct spf *spf)
{
    free(spf);
}

bool spf_next(struct spf *spf, struct slice *out_name, uint16_t *out_type)
{
    if (spf->step == STEP_DONE || spf->is_sent) {
        return false;
    }
    spf->is_sent = true;
    *out_name = slice_of(spf->name);
    *out_type = spf->type;
    return true;
}

bool spf_is_done(const struct spf *spf)
{
    return spf->step == STEP_DONE;
}

const struct spf_outcome *spf_outcome(const struct spf *spf)
{
    return &spf->outcome;
}

const char *spf_result_name(enum spf_result result)
{
    switch (result) {
    case SPF_NONE: return "none";
    case SPF_NEUTRAL: return "neutral";
    case SPF_PASS: return "pass";
    case SPF_FAIL: return "fail";
    case SPF_SOFTFAIL: return "softfail";
    case SPF_TEMPERROR: return "temperror";
    case SPF_PERMERROR: return "permerror";
    }
    return "none";
}

const char *spf_fault_text(enum spf_fault fault)
{
    switch (fault) {
    case SPF_FAULT_NONE: return "";
    case SPF_FAULT_SYNTAX: return "it is not written as RFC 7208 asks";
    case SPF_FAULT_SEVERAL_RECORDS: return "there are several policies";
    case SPF_FAULT_TOO_LONG: return "it is too long";
    case SPF_FAULT_LOOKUPS: return "it takes more than ten DNS lookups";
    case SPF_FAULT_VOIDS: return "it asks for more than two names that are not there";
    case SPF_FAULT_EXCHANGERS: return "it names a domain with more than ten exchangers";
    case SPF_FAULT_NO_POLICY: return "it leads to a domain without a policy";
    case SPF_FAULT_DNS: return "a DNS question failed";
    }
    return "";
}
