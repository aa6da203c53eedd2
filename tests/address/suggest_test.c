/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "address_case.h"
#include "load_lists.h"

static int open_lists(void **state)
{
    *state = load_shipped_lists();
    return 0;
}

static int close_lists(void **state)
{
    close_shipped_lists(*state);
    return 0;
}

struct slip {
    const char *given, *meant;
};

static const struct slip slips[] = {
    {"gmial.com", "gmail.com"}, /* scenarios 77 and 108 */
    {"hotmial.fr", "hotmail.fr"},
    {"yaho.co.uk", "yahoo.co.uk"},
    /* a letter left out, doubled, changed, swapped */
    {"gmal.com", "gmail.com"},
    {"gmil.com", "gmail.com"},
    {"gmai.com", "gmail.com"},
    {"gmaill.com", "gmail.com"},
    {"ggmail.com", "gmail.com"},
    {"gmmail.com", "gmail.com"},
    {"gmaiil.com", "gmail.com"},
    {"gamil.com", "gmail.com"},
    {"gmali.com", "gmail.com"},
    {"gnail.com", "gmail.com"},
    {"gmaik.com", "gmail.com"},
    {"gmaio.com", "gmail.com"},
    {"gmsil.com", "gmail.com"},
    {"gemail.com", "gmail.com"},
    {"yaoo.com", "yahoo.com"},
    {"yhoo.com", "yahoo.com"},
    {"yahho.com", "yahoo.com"},
    {"yahooo.com", "yahoo.com"},
    {"yhaoo.com", "yahoo.com"},
    {"yajoo.com", "yahoo.com"},
    {"yaho.fr", "yahoo.fr"},
    {"yahou.de", "yahoo.de"},
    {"yahoo.co.ul", "yahoo.co.uk"},
    {"hotmal.com", "hotmail.com"},
    {"hotmai.com", "hotmail.com"},
    {"hotmali.com", "hotmail.com"},
    {"hotmaill.com", "hotmail.com"},
    {"hotmil.com", "hotmail.com"},
    {"hotnail.com", "hotmail.com"},
    {"homtail.com", "hotmail.com"},
    {"htmail.com", "hotmail.com"},
    {"otmail.com", "hotmail.com"},
    {"hormail.com", "hotmail.com"},
    {"hotmal.co.uk", "hotmail.co.uk"},
    {"hotmaul.it", "hotmail.it"},
    {"outlok.com", "outlook.com"},
    {"outloook.com", "outlook.com"},
    {"otlook.com", "outlook.com"},
    {"oulook.com", "outlook.com"},
    {"outlool.com", "outlook.com"},
    {"ouutlook.com", "outlook.com"},
    {"icoud.com", "icloud.com"},
    {"iclod.com", "icloud.com"},
    {"icluod.com", "icloud.com"},
    {"iclould.com", "icloud.com"},
    {"googlemial.com", "googlemail.com"},
    {"googelmail.com", "googlemail.com"},
    {"protonmial.com", "protonmail.com"},
    {"comcst.net", "comcast.net"},
    {"comast.net", "comcast.net"},
    {"comcas.net", "comcast.net"},
    {"verizn.net", "verizon.net"},
    {"sbcgobal.net", "sbcglobal.net"},
    {"sbcglobl.net", "sbcglobal.net"},
    {"belsouth.net", "bellsouth.net"},
    {"btinternt.com", "btinternet.com"},
    {"virginmdia.com", "virginmedia.com"},
    {"laposte.nte", "laposte.net"},
    {"lapost.net", "laposte.net"},
    {"wanado.fr", "wanadoo.fr"},
    {"liberoo.it", "libero.it"},
    {"freent.de", "freenet.de"},
    {"t-onlin.de", "t-online.de"},
    {"t-onlie.de", "t-online.de"},
    {"yandx.ru", "yandex.ru"},
    {"earthlnk.net", "earthlink.net"},
    {"redifmail.com", "rediffmail.com"},
    {"bigpnd.com", "bigpond.com"},
    {"telnet.be", "telenet.be"},
    {"seznm.cz", "seznam.cz"},
    /* the ending */
    {"gmail.con", "gmail.com"},
    {"gmail.co", "gmail.com"},
    {"gmail.cm", "gmail.com"},
    {"gmail.om", "gmail.com"},
    {"gmail.comm", "gmail.com"},
    {"gmail.vom", "gmail.com"},
    {"gmail.xom", "gmail.com"},
    {"gmail.cmo", "gmail.com"},
    {"hotmail.con", "hotmail.com"},
    {"hotmail.couk", "hotmail.co.uk"},
    {"yahoo.cpm", "yahoo.com"},
    {"yahoo.ocm", "yahoo.com"},
    {"yahoo.co", "yahoo.com"},
    {"outlook.co", "outlook.com"},
    {"icloud.con", "icloud.com"},
    {"comcast.nte", "comcast.net"},
    /* name and ending */
    {"gmial.con", "gmail.com"},
    {"hotmal.con", "hotmail.com"},
    {"yaho.cm", "yahoo.com"},
};

static void slips_find_what_was_meant(void **state)
{
    assert_true(COUNT(slips) >= 60);
    for (size_t i = 0; i < COUNT(slips); i++) {
        char text[CASE_TEXT_BYTES];
        char meant[CASE_TEXT_BYTES];
        (void)write_address("Jane.Doe+x", slips[i].meant, meant);
        struct hel_address a = parsed(write_address("Jane.Doe+x", slips[i].given, text));
        char out[HEL_WIRE_BYTES] = "nothing";
        if (!address_suggest(*state, &a, out) || strcmp(out, meant) != 0) {
            fail_msg("%s: %s", text, out);
        }
    }
}

/* Domains that exist and whose users write mail: none of them may be led away from. */
static const char *const providers[] = {
    "gmail.com",      "googlemail.com", "outlook.com",    "outlook.fr",      "outlook.de",
    "outlook.dk",     "outlook.ie",     "outlook.be",     "outlook.com.au",  "outlook.in",
    "hotmail.com",    "hotmail.fr",     "hotmail.dk",     "hotmail.no",      "hotmail.fi",
    "hotmail.gr",     "hotmail.ch",     "hotmail.co.jp",  "hotmail.co.nz",   "hotmail.com.tr",
    "live.com",       "live.dk",        "live.no",        "live.ie",         "live.at",
    "live.com.au",    "msn.com",        "yahoo.com",      "yahoo.dk",        "yahoo.no",
    "yahoo.se",       "yahoo.pl",       "yahoo.gr",       "yahoo.ro",        "yahoo.ie",
    "yahoo.com.sg",   "yahoo.com.hk",   "yahoo.com.vn",   "yahoo.com.ph",    "yahoo.co.th",
    "yahoo.co.za",    "yahoo.co.nz",    "yahoo.com.tr",   "yahoo.com.my",    "ymail.com",
    "rocketmail.com", "gmx.com",        "gmx.net",        "gmx.at",          "gmx.li",
    "mail.com",       "mail.de",        "mail.ee",        "mail.bg",         "mail.ru",
    "email.cz",       "email.com",      "email.it",       "inbox.lt",        "inbox.lv",
    "inbox.ru",       "icloud.com",     "me.com",         "mac.com",         "aol.com",
    "aim.com",        "aol.de",         "proton.me",      "protonmail.ch",   "pm.me",
    "tutanota.de",    "tutamail.com",   "tuta.io",        "fastmail.fm",     "fastmail.net",
    "posteo.net",     "posteo.org",     "mailbox.org",    "hushmail.me",     "zoho.eu",
    "yandex.by",      "yandex.kz",      "yandex.ua",      "ya.ru",           "bk.ru",
    "list.ru",        "rambler.ru",     "qq.com",         "163.com",         "126.com",
    "139.com",        "189.cn",         "sina.com",       "sohu.com",        "naver.com",
    "daum.net",       "hanmail.net",    "orange.fr",      "orange.pl",       "orange.es",
    "orange.be",      "wanadoo.nl",     "free.fr",        "sfr.fr",          "laposte.fr",
    "libero.it",      "tiscali.cz",     "tiscali.co.uk",  "virgilio.it",     "alice.it",
    "tim.it",         "fastweb.it",     "web.de",         "freenet.de",      "t-online.hu",
    "arcor.de",       "vodafone.it",    "telenet.be",     "skynet.be",       "chello.pl",
    "chello.at",      "home.pl",        "ziggo.nl",       "kpnmail.nl",      "planet.nl",
    "xs4all.nl",      "tele2.ee",       "telia.ee",       "online.nl",       "online.ua",
    "ukr.net",        "interia.eu",     "onet.eu",        "o2.pl",           "wp.pl",
    "centrum.sk",     "seznam.cz",      "azet.sk",        "uol.com.br",      "bol.com.br",
    "terra.com.br",   "comcast.net",    "comcast.com",    "verizon.net",     "verizon.com",
    "att.net",        "att.com",        "cox.net",        "cox.com",         "charter.com",
    "earthlink.net",  "bellsouth.com",  "frontier.com",   "shaw.ca",         "rogers.com",
    "rogers.ca",      "telus.com",      "bigpond.net.au", "optusnet.com.au", "optus.com.au",
    "xtra.co.nz",     "bt.com",         "sky.com",        "virgin.com",      "rediffmail.com",
};

static const char *const companies[] = {
    "google.com",
    "apple.com",
    "microsoft.com",
    "amazon.com",
    "meta.com",
    "intel.com",
    "ibm.com",
    "oracle.com",
    "cisco.com",
    "dell.com",
    "hp.com",
    "sap.com",
    "siemens.com",
    "bosch.com",
    "basf.com",
    "bayer.com",
    "bmw.de",
    "daimler.com",
    "volkswagen.de",
    "airbus.com",
    "boeing.com",
    "ge.com",
    "gm.com",
    "ford.com",
    "toyota.com",
    "honda.com",
    "sony.com",
    "lg.com",
    "samsung.com",
    "nokia.com",
    "ericsson.com",
    "shell.com",
    "bp.com",
    "total.com",
    "eni.com",
    "aon.com",
    "axa.com",
    "aig.com",
    "allianz.com",
    "zurich.com",
    "ubs.com",
    "hsbc.com",
    "chase.com",
    "citi.com",
    "visa.com",
    "paypal.com",
    "ebay.com",
    "uber.com",
    "lyft.com",
    "netflix.com",
    "adobe.com",
    "nike.com",
    "adidas.com",
    "ikea.com",
    "tesco.com",
    "gap.com",
    "colt.com",
    "lawyers.com",
    "casinos.com",
    "line.me",
    "love.com",
    "life.com",
    "soho.com",
    "gail.co.in",
    "mall.com",
    "main.com",
    "outlooktraveller.com",
    "yahoo-inc.com",
    "yahooinc.com",
    "iclouds.org",
    "cloud.com",
    "hotels.com",
    "comcastbiz.net",
    "verisign.com",
    "libera.it",
    "verizonwireless.com",
    "wanderlust.com",
    "seznam.com",
    "telnet.com",
    "bluewin.com",
};

static const char *const universities[] = {
    "mit.edu",        "harvard.edu",    "stanford.edu",   "yale.edu",        "princeton.edu",
    "berkeley.edu",   "umich.edu",      "cornell.edu",    "columbia.edu",    "ucla.edu",
    "ox.ac.uk",       "cam.ac.uk",      "imperial.ac.uk", "ucl.ac.uk",       "ed.ac.uk",
    "ethz.ch",        "epfl.ch",        "tum.de",         "lmu.de",          "uni-bonn.de",
    "kit.edu",        "rwth-aachen.de", "sorbonne.fr",    "ens.fr",          "kuleuven.be",
    "uva.nl",         "tudelft.nl",     "ku.dk",          "uio.no",          "kth.se",
    "helsinki.fi",    "uw.edu.pl",      "cuni.cz",        "unibo.it",        "ub.edu",
    "unam.mx",        "usp.br",         "u-tokyo.ac.jp",  "tsinghua.edu.cn", "nus.edu.sg",
    "unimelb.edu.au", "auckland.ac.nz", "utoronto.ca",    "mcgill.ca",       "iitb.ac.in",
};

static size_t check_left_alone(const struct address_lists *lists, const char *const *domains,
                               size_t count)
{
    size_t wrong = 0;
    for (size_t i = 0; i < count; i++) {
        char text[CASE_TEXT_BYTES];
        struct hel_address a = parsed(write_address("a", domains[i], text));
        char out[HEL_WIRE_BYTES] = "nothing";
        if (address_suggest(lists, &a, out)) {
            print_error("%s: %s\n", domains[i], out);
            wrong++;
        }
    }
    return wrong;
}

static void real_domains_are_left_alone(void **state)
{
    assert_true(COUNT(providers) + COUNT(companies) + COUNT(universities) >= 150);
    size_t wrong = check_left_alone(*state, providers, COUNT(providers)) +
                   check_left_alone(*state, companies, COUNT(companies)) +
                   check_left_alone(*state, universities, COUNT(universities));
    assert_int_equal(wrong, 0);
}

/* Too far from everything, or of another kind: a guess would be a guess. */
static void strangers_are_left_alone(void **state)
{
    static const char *const domains[] = {
        "example.org",    "hotmai.l",       "gmail",         "com.gmail",       "mail.gmail.com",
        "gmail.com.de",   "gmail.net",      "gmail.org",     "gmail.de",        "gmailer.com",
        "ghmaiol.com",    "gm.com",         "x.de",          "yahoo.gmail.com", "xn--gmal-bpa.com",
        "gmail-mail.com", "outlook365.com", "protonvpn.com",
    };
    for (size_t i = 0; i < COUNT(domains); i++) {
        char text[CASE_TEXT_BYTES];
        (void)write_address("a", domains[i], text);
        struct hel_address a;
        char out[HEL_WIRE_BYTES] = "nothing";
        if (hel_address_parse(slice_of(text), HEL_ADDRESS_STRICT, &a, NULL) == ERR_NONE &&
            address_suggest(*state, &a, out)) {
            fail_msg("%s: %s", domains[i], out);
        }
    }
    struct hel_address literal = parsed("a@[192.0.2.1]");
    char out[HEL_WIRE_BYTES];
    assert_false(address_suggest(*state, &literal, out));
}

/* What is suggested is itself known, so that a suggestion never leads to another one. */
static void suggestions_are_final(void **state)
{
    for (size_t i = 0; i < COUNT(slips); i++) {
        assert_int_equal(check_left_alone(*state, &slips[i].meant, 1), 0);
    }
}

static void the_longest_fit(void **state)
{
    char text[300];
    memset(text, 'a', 128);
    memcpy(text + 128, "@gmial.com", 11);
    struct hel_address a = parsed(text);
    char out[HEL_WIRE_BYTES];
    assert_true(address_suggest(*state, &a, out));
    assert_string_equal(out + 128, "@gmail.com");
    memset(text, 'b', 250);
    text[1] = '@';
    for (size_t i = 40; i < 240; i += 50) {
        text[i] = '.';
    }
    text[250] = '\0';
    a = parsed(text);
    assert_false(address_suggest(*state, &a, out));
}

/* Without lists nothing is known and nothing suggested. */
static void no_lists_no_suggestion(void **state)
{
    (void)state;
    struct address_lists *lists = NULL;
    assert_int_equal(address_lists_load(NULL, 0, &lists, NULL), ERR_NONE);
    struct hel_address a = parsed("a@gmial.com");
    char out[HEL_WIRE_BYTES];
    assert_false(address_suggest(lists, &a, out));
    address_lists_free(lists);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slips_find_what_was_meant), cmocka_unit_test(real_domains_are_left_alone),
        cmocka_unit_test(strangers_are_left_alone),  cmocka_unit_test(suggestions_are_final),
        cmocka_unit_test(the_longest_fit),           cmocka_unit_test(no_lists_no_suggestion),
    };
    return cmocka_run_group_tests(tests, open_lists, close_lists);
}
