/* address/suggest: did you mean: a domain that is one slip away from a well-known one. Measured by
 * tests/address/suggest_test: it must find slips and must leave every known domain alone.
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <string.h>

#include "address/lists_private.h"
#include "base/attr.h"
#include "base/must.h"
#include "base/reader.h"
#include "base/slice.h"
#include "base/slip.h"

static struct slice name_of(struct slice domain)
{
    return slice_sub(domain, 0, slice_find_byte(domain, '.', 0));
}

/* Names that are no words of a language and that nobody else is called nearly: only here a slip is likelier
 * than another domain. Of the popular domains many are words (lawyer, casino, live) and never suggested. In the
 * order of their bytes, as the popular domains are. */
static const struct slice sure_names[] = {
    SLICE_LITERAL("bellsouth"),  SLICE_LITERAL("bigpond"),     SLICE_LITERAL("bluewin"),
    SLICE_LITERAL("blueyonder"), SLICE_LITERAL("btinternet"),  SLICE_LITERAL("centurylink"),
    SLICE_LITERAL("comcast"),    SLICE_LITERAL("earthlink"),   SLICE_LITERAL("fastmail"),
    SLICE_LITERAL("foxmail"),    SLICE_LITERAL("freenet"),     SLICE_LITERAL("gmail"),
    SLICE_LITERAL("googlemail"), SLICE_LITERAL("hanmail"),     SLICE_LITERAL("hotmail"),
    SLICE_LITERAL("hushmail"),   SLICE_LITERAL("icloud"),      SLICE_LITERAL("interia"),
    SLICE_LITERAL("laposte"),    SLICE_LITERAL("libero"),      SLICE_LITERAL("mindspring"),
    SLICE_LITERAL("ntlworld"),   SLICE_LITERAL("numericable"), SLICE_LITERAL("optonline"),
    SLICE_LITERAL("optusnet"),   SLICE_LITERAL("outlook"),     SLICE_LITERAL("posteo"),
    SLICE_LITERAL("protonmail"), SLICE_LITERAL("rediffmail"),  SLICE_LITERAL("rocketmail"),
    SLICE_LITERAL("sbcglobal"),  SLICE_LITERAL("seznam"),      SLICE_LITERAL("sympatico"),
    SLICE_LITERAL("t-online"),   SLICE_LITERAL("talktalk"),    SLICE_LITERAL("telenet"),
    SLICE_LITERAL("tiscali"),    SLICE_LITERAL("tutanota"),    SLICE_LITERAL("verizon"),
    SLICE_LITERAL("videotron"),  SLICE_LITERAL("virgilio"),    SLICE_LITERAL("virginmedia"),
    SLICE_LITERAL("wanadoo"),    SLICE_LITERAL("windstream"),  SLICE_LITERAL("yahoo"),
    SLICE_LITERAL("yandex"),
};

enum { SURE_NAMES = sizeof sure_names / sizeof sure_names[0] };
static_assert((size_t)SURE_NAMES <= SURE_NAMES_MAX, "each has its letters and its bit");

/* A bit for each letter, whatever its case; other bytes share bits with them. */
static uint32_t letters_of(struct slice name)
{
    uint32_t letters = 0;
    for (size_t i = 0; i < name.len; i++) {
        letters |= UINT32_C(1) << (name.at[i] & 31);
    }
    return letters;
}

static unsigned slips_allowed(struct slice name)
{
    return name.len <= 8 ? 1 : 2;
}

void suggest_prepare(struct address_lists *lists)
{
    for (size_t i = 0; i < SURE_NAMES; i++) {
        size_t slips = slips_allowed(sure_names[i]);
        lists->sure_letters[i] = letters_of(sure_names[i]);
        must(sure_names[i].len + slips < SURE_LENS);
        for (size_t len = sure_names[i].len - slips; len <= sure_names[i].len + slips; len++) {
            lists->sure_of_len[len] |= UINT64_C(1) << i;
        }
    }
}

/* A slip makes one letter appear and one disappear, at most. */
static bool may_be_near(uint32_t letters, uint32_t known_letters, unsigned slips)
{
    uint32_t different = letters ^ known_letters;
    for (unsigned i = 0; i < 2 * slips; i++) {
        different &= different - 1; /* without its lowest bit */
    }
    return different == 0;
}

/* Near a sure name, but other people's. */
static const struct slice neighbours[] = {
    SLICE_LITERAL("cloud.com"),
    SLICE_LITERAL("libera.it"),
};

/* The lists of free providers hold some slips that somebody registered to catch mail. */
static const struct slice caught_slips[] = {
    SLICE_LITERAL("gamil.com"),    SLICE_LITERAL("gmail.co"),    SLICE_LITERAL("gmail.om"),
    SLICE_LITERAL("gmal.com"),     SLICE_LITERAL("homail.com"),  SLICE_LITERAL("hotmail.cm"),
    SLICE_LITERAL("hotmail.co"),   SLICE_LITERAL("hotmail.con"), SLICE_LITERAL("outiook.com"),
    SLICE_LITERAL("sbcglbal.net"), SLICE_LITERAL("vahoo.com"),   SLICE_LITERAL("yaho.com"),
    SLICE_LITERAL("yahoo.co"),     SLICE_LITERAL("yahoo.om"),
};

static bool is_among(const struct slice *words, size_t count, struct slice word)
{
    for (size_t i = 0; i < count; i++) {
        if (slice_equal(words[i], word)) {
            return true;
        }
    }
    return false;
}

static bool is_known(const struct address_lists *lists, struct slice domain)
{
    if (is_among(neighbours, sizeof neighbours / sizeof neighbours[0], domain) ||
        list_has(lists, LIST_POPULAR, domain)) {
        return true;
    }
    return list_has(lists, LIST_FREE, domain) &&
           !is_among(caught_slips, sizeof caught_slips / sizeof caught_slips[0], domain);
}

static struct slice top_of(struct slice domain)
{
    return slice_sub(domain, slice_find_last_byte(domain, '.') + 1, domain.len);
}

/* Somebody may mean it: hotmail.dk is no slip of hotmail.de. Of com these three are, although they exist. */
static bool is_other_top(const struct list *tops, struct slice given, struct slice known)
{
    struct slice top = top_of(given);
    struct slice known_top = top_of(known);
    bool is_com = slice_equal(known_top, SLICE("com")) &&
                  (slice_equal(top, SLICE("co")) || slice_equal(top, SLICE("cm")) ||
                   slice_equal(top, SLICE("om")));
    return !slice_equal(top, known_top) && !is_com && list_find(tops, top).len > 0;
}

struct best {
    struct slice domain;
    unsigned cost;
};

/* Of equals the one with the same first letter: people slip later in a word. */
static void take_better(struct best *best, struct slice given, struct slice known, unsigned cost)
{
    bool is_better =
        cost < best->cost ||
        (cost == best->cost && best->domain.at[0] != given.at[0] && known.at[0] == given.at[0]);
    if (is_better) {
        *best = (struct best){.domain = known, .cost = cost};
    }
}

/* The popular domains of a name that the given one has or nearly has: the ending must be right or nearly, too. */
static void try_endings(const struct address_lists *lists, struct slice given,
                        struct slice sure_name, unsigned name_slips, struct best *best)
{
    struct slice ending = slice_sub(given, name_of(given).len, given.len);
    struct reader popular = reader_over(list_from(&lists->lists[LIST_POPULAR], sure_name));
    struct slice known;
    while (reader_line(&popular, &known) && slice_starts(known, sure_name)) {
        struct slice known_ending = slice_sub(known, sure_name.len, known.len);
        unsigned ending_slips = slip_distance(ending, known_ending, 1);
        bool is_com = slice_equal(known_ending, SLICE(".com"));
        bool is_near = name_of(known).len == sure_name.len && ending_slips <= 1 &&
                       (name_slips == 0 || ending_slips == 0 || is_com) &&
                       name_slips + ending_slips <= 2;
        if (is_near && !is_other_top(&lists->lists[LIST_TLDS], given, known)) {
            take_better(best, given, known, name_slips + ending_slips);
        }
    }
}

struct slice address_suggest_domain(const struct address_lists *lists, struct slice domain)
{
    struct best best = {.domain = SLICE_NONE, .cost = SLIP_FAR};
    if (domain.len == 0 || is_known(lists, domain)) {
        return SLICE_NONE;
    }
    struct slice name = name_of(domain);
    uint64_t near = name.len < SURE_LENS ? lists->sure_of_len[name.len] : 0;
    uint32_t letters = near == 0 ? 0 : letters_of(name);
    for (; near != 0; near &= near - 1) {
        unsigned i = LOWEST_BIT(near);
        unsigned allowed = slips_allowed(sure_names[i]);
        if (!may_be_near(letters, lists->sure_letters[i], allowed)) {
            continue;
        }
        unsigned name_slips = slip_distance(name, sure_names[i], allowed);
        if (name_slips <= allowed) {
            try_endings(lists, domain, sure_names[i], name_slips, &best);
        }
    }
    return best.domain;
}

bool address_with_domain(const struct hel_address *address, struct slice domain,
                         char out[HEL_WIRE_BYTES])
{
    struct slice local = hel_address_local(address);
    if (local.len + domain.len + 2 > HEL_WIRE_BYTES) {
        return false;
    }
    memcpy(out, local.at, local.len);
    out[local.len] = '@';
    memcpy(out + local.len + 1, domain.at, domain.len);
    out[local.len + 1 + domain.len] = '\0';
    return true;
}

bool address_suggest(const struct address_lists *lists, const struct hel_address *address,
                     char out[HEL_WIRE_BYTES])
{
    if (address->is_literal) {
        return false;
    }
    struct slice best = address_suggest_domain(lists, hel_address_domain(address));
    return best.len > 0 && address_with_domain(address, best, out);
}
