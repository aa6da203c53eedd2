/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "address_case.h"

static void takes_off_what_people_paste(void **state)
{
    (void)state;
    static const struct good_case good[] = {
        /* RFC 5322 3.4: name-addr */
        {"name", "Jane Doe <jane@example.com>", "jane@example.com"},
        {"no name", "<jane@example.com>", "jane@example.com"},
        {"quoted name", "\"Doe, Jane\" <jane@example.com>", "jane@example.com"},
        {"quoted name with brackets", "\"Jane <J>\" <jane@example.com>", "jane@example.com"},
        {"quoted name with an address", "\"x@y.de\" <jane@example.com>", "jane@example.com"},
        {"name that is an address", "x@y.de <jane@example.com>", "jane@example.com"},
        {"name without a space", "Jane<jane@example.com>", "jane@example.com"},
        {"name with a single quote", "5\" disk <jane@example.com>", "jane@example.com"},
        {"name in UTF-8", "J\xc3\xbcrgen \xe7\x94\xb0 <j@example.com>", "j@example.com"},
        {"spaces inside of the brackets", "Jane < jane@example.com >", "jane@example.com"},
        {"brackets and a comma", "Jane <jane@example.com>,", "jane@example.com"},
        {"a bracket in the quoted local part", "<\"a<b>c\"@example.com>", "\"a<b>c\"@example.com"},
        {"a bracket in the quoted local part, alone", "\"a<b>\"@example.com",
         "\"a<b>\"@example.com"},
        /* RFC 6068 2 */
        {"mailto", "mailto:jane@example.com", "jane@example.com"},
        {"mailto, upper case", "MAILTO:jane@example.com", "jane@example.com"},
        {"mailto, headers", "mailto:jane@example.com?subject=a%40b&cc=x@y.de", "jane@example.com"},
        {"mailto, plus", "mailto:jane+tag@example.com", "jane+tag@example.com"},
        {"mailto, escapes", "mailto:jane%2Btag%40example.com", "jane+tag@example.com"},
        {"mailto, percent", "mailto:gorby%25kremvax@example.com", "gorby%kremvax@example.com"},
        {"mailto, question mark", "mailto:unlikely%3Faddress@example.com",
         "unlikely?address@example.com"},
        {"mailto, ampersand", "mailto:Mike%26family@example.org", "Mike&family@example.org"},
        {"mailto, quotes", "mailto:%22not%40me%22@example.org", "\"not@me\"@example.org"},
        {"mailto, UTF-8", "mailto:user@%C3%BC.example", "user@xn--tda.example"},
        {"mailto, cut escape", "mailto:a%2@example.com", "a%2@example.com"},
        {"mailto in brackets", "<mailto:jane@example.com>", "jane@example.com"},
        {"mailto, space", "mailto: jane@example.com", "jane@example.com"},
        {"percent elsewhere", "a%41b@example.com", "a%41b@example.com"},
        /* marks and spaces */
        {"BOM", "\xef\xbb\xbfjane@example.com", "jane@example.com"},
        {"BOM and name", "\xef\xbb\xbfJane <jane@example.com>", "jane@example.com"},
        {"no-break space", "\xc2\xa0jane@example.com\xc2\xa0", "jane@example.com"},
        {"ideographic space", "\xe3\x80\x80jane@example.com", "jane@example.com"},
        {"zero width space", "jane@example.com\xe2\x80\x8b", "jane@example.com"},
        {"thin space", "\xe2\x80\x89jane@example.com", "jane@example.com"},
        {"direction mark", "\xe2\x80\x8ejane@example.com\xe2\x80\x8f", "jane@example.com"},
        {"word joiner", "\xe2\x81\xa0jane@example.com", "jane@example.com"},
        {"tab and line end", "\tjane@example.com\r\n", "jane@example.com"},
        /* punctuation */
        {"dot", "jane@example.com.", "jane@example.com"},
        {"ideographic full stop", "jane@example.com\xe3\x80\x82", "jane@example.com"},
        {"comma", "jane@example.com,", "jane@example.com"},
        {"semicolon", "jane@example.com;", "jane@example.com"},
        {"several", "jane@example.com. ; , ", "jane@example.com"},
        {"dot in brackets", "Jane <jane@example.com.>;", "jane@example.com"},
        {"dot behind a literal", "jane@[192.0.2.1].", "jane@[192.0.2.1]"},
        /* full-width forms */
        {"full-width at",
         "jane\xef\xbc\xa0"
         "example.com",
         "jane@example.com"},
        {"small at",
         "jane\xef\xb9\xab"
         "example.com",
         "jane@example.com"},
        {"full-width at in brackets",
         "Jane <jane\xef\xbc\xa0"
         "example.com>",
         "jane@example.com"},
        {"full-width letters and dot",
         "jane@\xef\xbd\x85xample\xef\xbc\x8e"
         "com",
         "jane@example.com"},
    };
    check_good(good, COUNT(good));
}

static void leaves_the_rest_to_the_grammar(void **state)
{
    (void)state;
    static const struct bad_case bad[] = {
        {"only spaces", SLICE_LITERAL("  \t"), 0},
        {"only a BOM", SLICE_LITERAL("\xef\xbb\xbf"), 0},
        {"only punctuation", SLICE_LITERAL(";;;"), 0},
        {"empty brackets", SLICE_LITERAL("<>"), 0}, /* RFC 5321 4.1.1.2: the null path */
        {"empty brackets with a name", SLICE_LITERAL("Jane <>"), 0},
        {"bracket not closed", SLICE_LITERAL("Jane <jane@example.com"), 0},
        {"bracket not opened", SLICE_LITERAL("jane@example.com>"), 0},
        {"text behind the brackets", SLICE_LITERAL("<jane@example.com> Jane"), 0},
        {"two in brackets", SLICE_LITERAL("A <a@example.com>, B <b@example.com>"), 0},
        {"two without brackets", SLICE_LITERAL("a@example.com, b@example.com"), 0},
        {"two, semicolon", SLICE_LITERAL("a@example.com;b@example.com"), 0},
        {"brackets in brackets", SLICE_LITERAL("<<a@example.com>>"), 0},
        {"a source route", SLICE_LITERAL("<@a.example,@b.example:c@d.example>"), 0},
        {"a group", SLICE_LITERAL("friends: a@example.com;"), 0}, /* RFC 5322 3.4 */
        {"a comment", SLICE_LITERAL("jane@example.com (Jane)"), 0},
        {"empty mailto", SLICE_LITERAL("mailto:"), 0},
        {"mailto with headers only", SLICE_LITERAL("mailto:?subject=x"), 0},
        {"mailto, two", SLICE_LITERAL("mailto:a@b.de,c@d.ef"), 0},
        {"mailto, encoded NUL", SLICE_LITERAL("mailto:a%00@b.de"), 0},
        {"mailto twice", SLICE_LITERAL("mailto:mailto:a@b.de"), 0},
        {"another scheme", SLICE_LITERAL("smtp:a@b.de"), 0},
        {"both at signs",
         SLICE_LITERAL("a\xef\xbc\xa0"
                       "b@c.de\xef\xbc\xa0"),
         0},
        {"two full-width at",
         SLICE_LITERAL("a\xef\xbc\xa0"
                       "b\xef\xbc\xa0"
                       "c.de"),
         0},
        {"zero width inside", SLICE_LITERAL("ja\xe2\x80\x8bne@example.com"), 3},
        {"no-break space inside", SLICE_LITERAL("ja\xc2\xa0ne@example.com"), 3},
    };
    check_bad(bad, COUNT(bad));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_off_what_people_paste),
        cmocka_unit_test(leaves_the_rest_to_the_grammar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
