/* Signatures that others made (data/README.md), as they are, in pieces, and with each thing changed that must or must
 * not matter.
 * SPDX-License-Identifier: Apache-2.0 */
#include "message/dkim_verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../sim/zone_lines.h"
#include "base/slice.h"
#include "dkim_case.h"

enum { NOW_S = 1700000000 };

static const char *folder;
static struct crypter *crypter;

static int set_up(void **state)
{
    (void)state;
    struct fault fault;
    return crypter_new(&crypter, &fault) == ERR_NONE ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    crypter_free(crypter);
    return 0;
}

static void check(const char *name, struct slice message, const char *keys, size_t piece,
                  const char *says)
{
    char text[CASE_TEXT_BYTES];
    struct dkim_case given = {crypter_interface(crypter), NULL, NOW_S, piece};
    assert_int_equal(zone_new(&given.zone), ERR_NONE);
    zone_add_lines(given.zone, keys, NULL);
    dkim_case_judge(&given, message, text);
    if (strcmp(text, says) != 0) {
        fail_msg("%s, in pieces of %zu: is '%s', wanted '%s'", name, piece, text, says);
    }
    zone_free(given.zone);
}

/* RFC 6376 A, RFC 8463 A */
static void public_vectors_hold(void **state)
{
    (void)state;
    static const struct {
        const char *file, *says;
    } rows[] = {
        {"rfc6376.eml", "pass example.com brisbane"},
        {"rfc8463.eml", "pass football.example.com brisbane; pass football.example.com test"},
        {"dkimpy-simple.eml", "pass football.example.com brisbane; pass football.example.com test"},
        {"exim-ed25519.eml", "pass test.ex sed"},
        {"gmail-folded.eml", "pass gmail.com 20120113"},
    };
    struct buf keys = dkim_case_file(folder, "keys.txt");
    for (size_t i = 0; i < keys.len; i++) {
        keys.at[i] = keys.at[i] == '\r' ? '\n' : keys.at[i];
    }
    assert_int_equal(buf_append_byte(&keys, '\0'), ERR_NONE);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf message = dkim_case_file(folder, rows[i].file);
        check(rows[i].file, buf_view(&message), keys.at, 0, rows[i].says);
        for (size_t piece = 1; piece < 70; piece++) {
            check(rows[i].file, buf_view(&message), keys.at, piece, rows[i].says);
        }
        buf_done(&message);
    }
    buf_done(&keys);
}

/* ---- what is changed ---- */

#define ED_KEY                                                          \
    "brisbane._domainkey.football.example.com TXT v=DKIM1; k=ed25519; " \
    "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define ED_TAGS(tags)                                    \
    "brisbane._domainkey.football.example.com TXT " tags \
    "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"

/* The first signature of RFC 8463's message, after one text of it was replaced; NULL: nothing. */
struct change {
    const char *name, *from, *to;
    const char *keys; /* NULL: the key */
    const char *says; /* the result, and the fault behind a colon */
};

static const struct change changes[] = {
    {"nothing", NULL, NULL, NULL, "pass"},
    {"a field that is not signed", "From: Joe", "Received: by x\r\nFrom: Joe", NULL, "pass"},
    {"white space in a field", "Subject: Is dinner ready?", "SUBJECT:\r\n Is  dinner\t ready? ",
     NULL, "pass"},
    {"white space in the body", "We lost the game.  Are", "We lost the game. \tAre", NULL, "pass"},
    {"white space at the end of a line", "Hi.", "Hi. \t", NULL, "pass"},
    {"empty lines at the end", "Joe.\r\n", "Joe.\r\n\r\n \r\n\r\n", NULL, "pass"},
    {"no end of the last line", "Joe.\r\n", "Joe.", NULL, "pass"},
    {"lone LFs", "Hi.\r\n\r\nWe", "Hi.\n\nWe", NULL, "pass"},
    {"a word of the body", "lost", "won", NULL, "fail: the body is not what was signed"},
    {"a line more", "Joe.\r\n", "Joe.\r\nJim.\r\n", NULL, "fail: the body is not what was signed"},
    {"a field", "Subject: Is", "Subject: is", NULL,
     "fail: the header fields are not what was signed with this key"},
    {"a second subject on top", "From: Joe", "Subject: x\r\nFrom: Joe", NULL,
     "fail: the header fields are not what was signed with this key"},
    {"a second From on top", "From: Joe", "From: x@example.net\r\nFrom: Joe", NULL,
     "fail: the header fields are not what was signed with this key"},
    {"a field gone", "To: Suzie Q <suzie@shopping.example.net>\r\n", "", NULL,
     "fail: the header fields are not what was signed with this key"},
    {"the signature's own tags", "t=1528637909; h=from : to :\r\n subject",
     "t=1528637908; h=from : to :\r\n subject", NULL,
     "fail: the header fields are not what was signed with this key"},
    {"white space in b=", "b=/gCrinpcQO", "b= /gCr\r\n inpcQO", NULL, "pass"},
    {"a letter of b=", "b=/gCrinpcQO", "b=/gCrinpcQP", NULL,
     "fail: the header fields are not what was signed with this key"},
    {"b= is no base64", "b=/gCrinpcQO", "b=/gCr!npcQO", NULL,
     "neutral: the signature's own bytes cannot be read"},
    {"another algorithm", "a=ed25519-sha256", "a=ed448-sha256", NULL,
     "neutral: the signature's algorithm is not known"},
    {"SHA-1", "a=ed25519-sha256", "a=rsa-sha1", NULL,
     "permerror: signatures with SHA-1 count for nothing"},
    {"another canonical form", "c=relaxed/relaxed", "c=relaxed/nowsp", NULL,
     "neutral: the signature's canonical form is not known"},
    {"no version", "v=1; a=ed", "a=ed", NULL,
     "permerror: the signature lacks a tag that it must have"},
    {"another version", "v=1; a=ed", "v=2; a=ed", NULL,
     "neutral: the signature is of another version of DKIM"},
    {"a tag twice", "v=1; a=ed", "v=1; v=1; a=ed", NULL, "neutral: the signature has a tag twice"},
    {"From is not signed", "h=from : to :\r\n subject : date : message-id : from",
     "h=to : to :\r\n subject : date : message-id : to", NULL,
     "permerror: the From field is not signed"},
    {"an identity elsewhere", "i=@football.example.com;\r\n q=dns/txt; s=brisbane",
     "i=@afootball.example.com;\r\n q=dns/txt; s=brisbane", NULL,
     "permerror: the signer's identity is not in the signature's domain"},
    {"expired", "t=1528637909; h=from : to :\r\n subject",
     "t=1528637909; x=1528638000; h=from : to :\r\n subject", NULL,
     "permerror: the signature has expired"},
    {"of the future", "t=1528637909; h=from : to :\r\n subject",
     "t=2528637909; h=from : to :\r\n subject", NULL, "permerror: the signature is of the future"},
    {"expires before it was made", "t=1528637909; h=from : to :\r\n subject",
     "t=1528637909; x=1528637909; h=from : to :\r\n subject", NULL,
     "neutral: the times of the signature cannot be"},
    {"more is signed than there is", "q=dns/txt; s=brisbane", "q=dns/txt; l=9999; s=brisbane", NULL,
     "fail: the body is shorter than what was signed"},
    {"a length that is no number", "q=dns/txt; s=brisbane", "q=dns/txt; l=-1; s=brisbane", NULL,
     "neutral: the length of the signed body is no number"},
    {"another way to the key", "q=dns/txt; s=brisbane", "q=http; s=brisbane", NULL,
     "neutral: the signature's key is not to be found in DNS"},
    /* RFC 6376 3.6.1, 6.1.2 */
    {"no key", NULL, NULL, "", "permerror: there is no key record"},
    {"silence", NULL, NULL, "brisbane._domainkey.football.example.com FAIL timeout",
     "temperror: the DNS question for the key failed"},
    {"a revoked key", NULL, NULL, "brisbane._domainkey.football.example.com TXT v=DKIM1; p=",
     "permerror: the key is revoked (p= is empty)"},
    {"two keys", NULL, NULL, ED_KEY "\n" ED_KEY "x\n",
     "permerror: there are several key records under one selector"},
    {"a key and another text", NULL, NULL,
     ED_KEY "\nbrisbane._domainkey.football.example.com TXT v=spf1 -all\n", "pass"},
    {"a key behind an alias", NULL, NULL,
     "brisbane._domainkey.football.example.com CNAME k.example.net\n"
     "k.example.net TXT v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n",
     "pass"},
    {"a testing key", NULL, NULL, ED_TAGS("v=DKIM1; k=ed25519; t=y; "), "pass"},
    {"a strict key, and the domain itself", NULL, NULL, ED_TAGS("v=DKIM1; k=ed25519; t=y:s; "),
     "pass"},
    {"a key for other things", NULL, NULL, ED_TAGS("v=DKIM1; k=ed25519; s=tlsrpt; "),
     "permerror: the key is not for mail (s=)"},
    {"a key for mail, too", NULL, NULL, ED_TAGS("v=DKIM1; k=ed25519; s=tlsrpt:email; "), "pass"},
    {"a key for other hashes", NULL, NULL, ED_TAGS("v=DKIM1; k=ed25519; h=sha1; "),
     "permerror: the key record does not allow the signature's hash (h=)"},
    {"a key of RSA", NULL, NULL, ED_TAGS("v=DKIM1; "),
     "permerror: the key record's p= is no public key of its kind"},
    {"a key of another kind", NULL, NULL, ED_TAGS("v=DKIM1; k=ed448; "),
     "permerror: the key is of an unknown kind (k=)"},
    {"a record of another version", NULL, NULL, ED_TAGS("v=DKIM2; k=ed25519; "),
     "permerror: the key record is not of version DKIM1"},
    {"another key", NULL, NULL,
     "brisbane._domainkey.football.example.com TXT k=ed25519; "
     "p=sPs07Vu29FpHT/80UXUcYHFOHifD4o2ZlP2+XUh9g6E=",
     "fail: the header fields are not what was signed with this key"},
};

static struct buf replaced(struct slice message, const char *from, const char *to)
{
    struct buf out;
    size_t at = slice_find_nocase(message, slice_of(from));
    assert_true(at < message.len);
    buf_init(&out, message.len + strlen(to) + 1);
    assert_int_equal(buf_append(&out, slice_sub(message, 0, at)), ERR_NONE);
    assert_int_equal(buf_append(&out, slice_of(to)), ERR_NONE);
    assert_int_equal(buf_append(&out, slice_sub(message, at + strlen(from), message.len)),
                     ERR_NONE);
    return out;
}

/* What is said of the first signature; the second one's key is not there. */
static void check_change(const struct change *change, struct slice message)
{
    char says[CASE_TEXT_BYTES];
    char found[CASE_TEXT_BYTES];
    struct buf changed = change->from == NULL ? replaced(message, "From: Joe", "From: Joe")
                                              : replaced(message, change->from, change->to);
    struct dkim_case given = {crypter_interface(crypter), NULL, NOW_S, 0};
    assert_int_equal(zone_new(&given.zone), ERR_NONE);
    zone_add_lines(given.zone, change->keys == NULL ? ED_KEY : change->keys, NULL);
    dkim_case_judge(&given, buf_view(&changed), found);
    struct slice first =
        slice_sub(slice_of(found), 0, slice_find_nocase(slice_of(found), SLICE("; ")));
    struct slice why = slice_of(change->says);
    struct slice result = slice_cut(&why, ':');
    (void)snprintf(says, sizeof says, "%.*s football.example.com brisbane%s%.*s", SLICE_ARG(result),
                   why.at == NULL ? "" : ":", (int)why.len, why.at == NULL ? "" : why.at);
    if (!slice_equal(first, slice_of(says))) {
        fail_msg("%s: is '%.*s', wanted '%s'", change->name, SLICE_ARG(first), says);
    }
    zone_free(given.zone);
    buf_done(&changed);
}

static void what_is_changed_is_seen(void **state)
{
    (void)state;
    struct buf message = dkim_case_file(folder, "rfc8463.eml");
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        check_change(&changes[i], buf_view(&message));
    }
    buf_done(&message);
}

static void what_is_not_signed_has_no_verdict(void **state)
{
    (void)state;
    check("no signature", SLICE("From: a@example.com\r\n\r\nhello\r\n"), "", 0, "none");
    check("no header", SLICE("\r\nhello\r\n"), "", 1, "none");
    check("nothing", SLICE(""), "", 0, "none");
    check("no body", SLICE("From: a@example.com\r\nDKIM-Signature: x"), "", 1,
          "neutral  : the signature is no list of tags");
}

/* Signatures beyond the ceiling are not looked at. */
static void signatures_are_bounded(void **state)
{
    (void)state;
    struct buf message;
    struct dkim_verifier *verifier;
    struct dkim_verify_options options = {.now_s = NOW_S};
    buf_init(&message, 1 << 16);
    for (int i = 0; i < 2 * DKIM_SIGNATURES_MAX; i++) {
        assert_int_equal(buf_append(&message, SLICE("DKIM-Signature: v=1\r\n")), ERR_NONE);
    }
    assert_int_equal(dkim_verifier_new(crypter_interface(crypter), &options, &verifier), ERR_NONE);
    assert_int_equal(dkim_verifier_feed(verifier, buf_view(&message)), ERR_NONE);
    assert_int_equal(dkim_verifier_finish(verifier), ERR_NONE);
    assert_int_equal(dkim_verifier_count(verifier), DKIM_SIGNATURES_MAX);
    dkim_verifier_free(verifier);
    dkim_verifier_free(NULL);
    buf_done(&message);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(public_vectors_hold),
        cmocka_unit_test(what_is_changed_is_seen),
        cmocka_unit_test(what_is_not_signed_has_no_verdict),
        cmocka_unit_test(signatures_are_bounded),
    };
    if (argc != 2) {
        return EXIT_FAILURE;
    }
    folder = argv[1];
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
