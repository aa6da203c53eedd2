/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/probe_words.h"

#include <stdio.h>

#include "base/reader.h"
#include "base/slice.h"

static const struct {
    struct slice keyword;
    const char *meaning;
} extensions[] = {
    {SLICE_LITERAL("8BITMIME"), "takes messages with bytes above 127 as they are (RFC 6152)"},
    {SLICE_LITERAL("ATRN"), "hands over queued mail to whom it knows (RFC 2645)"},
    {SLICE_LITERAL("AUTH"), "logins, in the ways listed (RFC 4954)"},
    {SLICE_LITERAL("BINARYMIME"), "takes messages with any bytes, by BDAT (RFC 3030)"},
    {SLICE_LITERAL("BURL"), "takes a message out of an IMAP store (RFC 4468)"},
    {SLICE_LITERAL("CHECKPOINT"), "goes on with a broken transfer (RFC 1845)"},
    {SLICE_LITERAL("CHUNKING"), "takes a message in counted pieces, BDAT (RFC 3030)"},
    {SLICE_LITERAL("CONNEG"), "tells what content a recipient can use (RFC 4141)"},
    {SLICE_LITERAL("CONPERM"), "lets content be converted (RFC 4141)"},
    {SLICE_LITERAL("DELIVERBY"), "deliver by a time, or say so (RFC 2852)"},
    {SLICE_LITERAL("DSN"), "reports of delivery as the sender asks for them (RFC 3461)"},
    {SLICE_LITERAL("ENHANCEDSTATUSCODES"), "answers carry a code like 5.1.1 (RFC 2034)"},
    {SLICE_LITERAL("ETRN"), "starts the queue for a domain on request (RFC 1985)"},
    {SLICE_LITERAL("EXPN"), "lists the members of a mailing list (RFC 5321): best kept shut"},
    {SLICE_LITERAL("FUTURERELEASE"), "keeps a message until a time (RFC 4865)"},
    {SLICE_LITERAL("HELP"), "tells its commands (RFC 5321)"},
    {SLICE_LITERAL("LIMITS"), "says how much it takes in one session (RFC 9422)"},
    {SLICE_LITERAL("MT-PRIORITY"), "messages with a priority (RFC 6710)"},
    {SLICE_LITERAL("MTRK"), "messages can be tracked (RFC 3885)"},
    {SLICE_LITERAL("NO-SOLICITING"), "wants no advertisements without label (RFC 3865)"},
    {SLICE_LITERAL("PIPELINING"), "takes several commands in one packet (RFC 2920)"},
    {SLICE_LITERAL("PRDR"), "answers the message once for each recipient (a draft of 2007)"},
    {SLICE_LITERAL("REQUIRETLS"), "passes a message on inside verified TLS only (RFC 8689)"},
    {SLICE_LITERAL("RRVS"), "checks since when a mailbox has its owner (RFC 7293)"},
    {SLICE_LITERAL("SAML"), "an old way to send to mailbox and terminal (RFC 821)"},
    {SLICE_LITERAL("SEND"), "an old way to send to a terminal (RFC 821)"},
    {SLICE_LITERAL("SIZE"), "takes messages up to so many bytes (RFC 1870); 0 or none: no limit"},
    {SLICE_LITERAL("SMTPUTF8"), "takes addresses and headers in any script (RFC 6531)"},
    {SLICE_LITERAL("SOML"), "an old way to send to mailbox or terminal (RFC 821)"},
    {SLICE_LITERAL("STARTTLS"), "the line can be secured (RFC 3207)"},
    {SLICE_LITERAL("SUBMITTER"), "an old way to name who submitted it (RFC 4405, given up)"},
    {SLICE_LITERAL("TURN"), "swaps the roles of both sides (RFC 821): not safe"},
    {SLICE_LITERAL("UTF8SMTP"), "an experiment before SMTPUTF8 (RFC 5336)"},
    {SLICE_LITERAL("VERB"), "tells more of what it does (Sendmail)"},
    {SLICE_LITERAL("VRFY"), "says whether a mailbox exists (RFC 5321): best kept shut"},
    {SLICE_LITERAL("X-EXPS"), "logins of Exchange servers among themselves"},
    {SLICE_LITERAL("XCLIENT"), "lets a trusted client speak for another one (Postfix)"},
    {SLICE_LITERAL("XEXCH50"), "Exchange servers among themselves"},
    {SLICE_LITERAL("XFORWARD"), "lets a trusted client log where mail came from (Postfix)"},
    {SLICE_LITERAL("XREMOTEQUEUE"), "starts a queue from afar (Exim)"},
};

static bool is_keyword_byte(char byte)
{
    return ascii_is_alnum(byte) || byte == '-';
}

const char *probe_words_extension(struct slice line)
{
    struct reader r = reader_over(slice_trim(line));
    struct slice keyword = reader_while(&r, is_keyword_byte);
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++) {
        if (slice_equal_nocase(keyword, extensions[i].keyword)) {
            return extensions[i].meaning;
        }
    }
    return NULL;
}

/* IANA, SMTP Enhanced Status Codes Registry. */
static const struct {
    uint16_t subject, detail;
    const char *meaning;
} details[] = {
    {0, 0, "no more is said"},
    {1, 0, "something about an address"},
    {1, 1, "there is no such mailbox"},
    {1, 2, "the domain of the address does not exist, or takes no mail"},
    {1, 3, "the address is not well-formed"},
    {1, 4, "the address means more than one mailbox"},
    {1, 5, "the recipient's address is good"},
    {1, 6, "the mailbox has moved, and says not where to"},
    {1, 7, "the sender's address is not well-formed"},
    {1, 8, "the sender's domain does not exist, or takes no mail"},
    {1, 9, "the message went to a system that may not tell of its delivery"},
    {1, 10, "the recipient's domain takes no mail (null MX)"},
    {2, 0, "something about the mailbox"},
    {2, 1, "the mailbox is shut"},
    {2, 2, "the mailbox is full"},
    {2, 3, "the message is longer than the mailbox takes"},
    {2, 4, "the mailing list could not be unfolded"},
    {3, 0, "something about the mail system"},
    {3, 1, "the mail system is full"},
    {3, 2, "the system takes no messages now"},
    {3, 3, "the system cannot do what is asked for"},
    {3, 4, "the message is too long for the system"},
    {3, 5, "the system is not set up rightly"},
    {3, 6, "the priority that was asked for was changed"},
    {4, 0, "something about the network or the route"},
    {4, 1, "the next host does not answer"},
    {4, 2, "the connection is bad"},
    {4, 3, "a directory (DNS) could not be asked"},
    {4, 4, "there is no route to the domain"},
    {4, 5, "the mail system is too busy"},
    {4, 6, "the mail goes round in a loop"},
    {4, 7, "the message was too long on its way"},
    {5, 0, "something about the protocol"},
    {5, 1, "this command is not known or not in its place"},
    {5, 2, "the command is not well-formed"},
    {5, 3, "too many recipients"},
    {5, 4, "the command's arguments are wrong"},
    {5, 5, "wrong version of the protocol"},
    {5, 6, "the line of the login is too long"},
    {6, 0, "something about the content"},
    {6, 1, "the kind of content is not supported"},
    {6, 2, "the content would have to be converted, and may not"},
    {6, 3, "the content would have to be converted, and cannot"},
    {6, 4, "the content was converted with loss"},
    {6, 5, "the content could not be converted"},
    {6, 6, "the content of the message is not to be had"},
    {6, 7, "the address is in another script, which is not taken here"},
    {6, 8, "an answer in another script would be needed"},
    {6, 9, "the header is in another script, which cannot be passed on"},
    {7, 0, "something about security or policy"},
    {7, 1, "policy: not to be delivered"},
    {7, 2, "the mailing list takes nothing from this sender"},
    {7, 3, "security: to be converted, and cannot"},
    {7, 4, "a security feature is not supported"},
    {7, 5, "the cryptography failed"},
    {7, 6, "the cryptographic algorithm is not supported"},
    {7, 7, "the message was changed on its way"},
    {7, 8, "user or password is wrong"},
    {7, 9, "this way to log in is too weak for what is asked"},
    {7, 10, "encryption is needed"},
    {7, 11, "encryption is needed for this way to log in"},
    {7, 12, "the password must be changed to go over to this way to log in"},
    {7, 13, "the account is disabled"},
    {7, 14, "trust between systems is needed"},
    {7, 15, "the message's priority is too low"},
    {7, 16, "the message is too long for its priority"},
    {7, 17, "the mailbox has another owner now"},
    {7, 18, "the domain has another owner now"},
    {7, 19, "the test of the owner cannot be done"},
    {7, 20, "no DKIM signature passes"},
    {7, 21, "no DKIM signature that is acceptable"},
    {7, 22, "no DKIM signature of the author's domain passes"},
    {7, 23, "SPF: the sender's domain does not allow this client"},
    {7, 24, "SPF could not be evaluated"},
    {7, 25, "the client's address has no right reverse name"},
    {7, 26, "several checks of the sender failed"},
    {7, 27, "the sender's domain takes no mail (null MX)"},
    {7, 28, "too much mail at once"},
    {7, 29, "ARC did not validate"},
    {7, 30, "REQUIRETLS is needed"},
};

static const char *class_words(unsigned class_digit)
{
    return class_digit == 2 ? "success" : class_digit == 4 ? "temporarily" : "for good";
}

static const struct {
    uint16_t code;
    const char *meaning;
} codes[] = {
    {211, "status or help"},
    {214, "help"},
    {220, "ready"},
    {221, "goodbye"},
    {235, "logged in"},
    {250, "done"},
    {251, "not here, but it will be passed on"},
    {252, "cannot say, but will take the message"},
    {334, "go on with the login"},
    {354, "send the message"},
    {421, "the server ends the session"},
    {422, "the mailbox is full"},
    {432, "the password must be changed"},
    {450, "the mailbox cannot be used now: busy, or greylisting"},
    {451, "an error on the server's side, or greylisting"},
    {452, "not enough room, or too many recipients"},
    {454, "a login or TLS is not to be had at the moment"},
    {455, "a parameter cannot be taken now"},
    {500, "the command is not known"},
    {501, "the arguments are wrong"},
    {502, "the command is not built in"},
    {503, "the command is not in its place"},
    {504, "the parameter is not built in"},
    {521, "the host takes no mail"},
    {523, "the message is longer than the recipient takes"},
    {525, "the user's account is disabled"},
    {530, "log in or encrypt first"},
    {534, "this way to log in is too weak"},
    {535, "user or password is wrong"},
    {538, "encrypt first"},
    {550, "refused: no such mailbox, or policy"},
    {551, "the user is not here"},
    {552, "too long, or over quota"},
    {553, "the mailbox name is not allowed"},
    {554, "refused"},
    {555, "a parameter of MAIL or RCPT is not known"},
    {556, "the domain takes no mail"},
};

const char *probe_words_reply(uint16_t code, struct hel_enhanced enhanced,
                              char out[PROBE_WORDS_BYTES])
{
    for (size_t i = 0; enhanced.class_digit != 0 && i < sizeof details / sizeof *details; i++) {
        bool is_it = details[i].subject == enhanced.subject && details[i].detail == enhanced.detail;
        if (is_it && (enhanced.subject != 0 || enhanced.class_digit != 2)) {
            (void)snprintf(out, PROBE_WORDS_BYTES, "%u.%u.%u: %s, %s", enhanced.class_digit,
                           enhanced.subject, enhanced.detail, details[i].meaning,
                           class_words(enhanced.class_digit));
            return out;
        }
    }
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (codes[i].code == code) {
            (void)snprintf(out, PROBE_WORDS_BYTES, "%u: %s", code, codes[i].meaning);
            return out;
        }
    }
    (void)snprintf(out, PROBE_WORDS_BYTES, "%u: %s", code, class_words(code / 100));
    return out;
}

unsigned probe_words_code(struct slice line)
{
    struct reader r = reader_over(slice_sub(line, 0, 3));
    uint64_t code = 0;
    bool is_code =
        line.len >= 3 && reader_number(&r, 599, &code) && reader_is_done(&r) && code >= 200;
    return is_code ? (unsigned)code : 0;
}

const char *probe_words_line(struct slice line, char room[PROBE_WORDS_BYTES])
{
    unsigned code = probe_words_code(line);
    struct slice text = slice_sub(line, 4, line.len);
    struct hel_enhanced enhanced = {0};
    if (code == 250 && !hel_enhanced_parse(text, &enhanced)) {
        return probe_words_extension(text);
    }
    bool is_refusal = code / 100 >= 4;
    bool is_last = line.len == 3 || line.at[3] == ' ';
    if (!is_refusal || !is_last) {
        return NULL;
    }
    (void)hel_enhanced_parse(text, &enhanced);
    return probe_words_reply((uint16_t)code, enhanced, room);
}
