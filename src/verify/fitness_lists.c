/* verify/fitness_lists: block lists: which of them can be believed, and what those say.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/slice.h"
#include "verify/fitness_private.h"

/* A text of names parted by commas; what does not fit any more is left out. */
struct enumeration {
    char text[FITNESS_TEXT_BYTES / 2];
    size_t len;
    unsigned count;
};

static void enumerate(struct enumeration *all, struct slice label, struct slice why)
{
    char one[256];
    int len =
        snprintf(one, sizeof one, "%s%.*s%s%.*s%s", all->count == 0 ? "" : ", ", SLICE_ARG(label),
                 why.len > 0 ? " (" : "", SLICE_ARG(why), why.len > 0 ? ")" : "");
    all->count++;
    if (len > 0 && (size_t)len < sizeof one && all->len + (size_t)len < sizeof all->text) {
        memcpy(all->text + all->len, one, (size_t)len + 1);
        all->len += (size_t)len;
    }
}

static bool is_answer(const struct fitness_listing *listing)
{
    return listing->kind == DNS_ANSWER_RECORDS && (listing->word.meaning == BLOCKLIST_LISTED ||
                                                   listing->word.meaning == BLOCKLIST_HARMLESS);
}

/* What keeps a list from being believed about such subjects; empty: nothing. */
static struct slice trouble_of(const struct fitness_list_test *test)
{
    const struct fitness_listing *listed = &test->listed;
    if (listed->kind == DNS_ANSWER_RECORDS && listed->word.meaning == BLOCKLIST_REFUSED) {
        return listed->word.text.len > 0 ? listed->word.text : SLICE("it refuses to answer");
    }
    if (listed->kind == DNS_ANSWER_ERROR || listed->kind == DNS_ANSWER_OPEN ||
        listed->kind == DNS_ANSWER_CUT) {
        return SLICE("it does not answer");
    }
    if (listed->kind == DNS_ANSWER_RECORDS && listed->word.meaning == BLOCKLIST_BROKEN) {
        return SLICE("what answers is no block list");
    }
    if (!is_answer(listed)) {
        return SLICE("it does not know its own test entry");
    }
    if (is_answer(&test->clean) && test->clean.word.meaning == BLOCKLIST_LISTED) {
        return SLICE("it lists everybody");
    }
    return SLICE_NONE;
}

static bool was_tested(const struct fitness_list_test *test)
{
    return test->listed.kind != DNS_ANSWER_OPEN || test->clean.kind != DNS_ANSWER_OPEN;
}

void fitness_judge_lists(struct fitness_judge *j)
{
    const struct blocklist_book *book = j->facts->lists;
    struct enumeration silent = {.text = ""};
    bool is_heavy = false;
    for (size_t i = 0; book != NULL && i < blocklist_count(book); i++) {
        const struct blocklist *list = blocklist_at(book, i);
        struct slice why = SLICE_NONE;
        for (size_t s = 0; s < FITNESS_SUBJECTS && why.len == 0; s++) {
            const struct fitness_list_test *test = &j->facts->tests[i][s];
            why = was_tested(test) ? trouble_of(test) : SLICE_NONE;
        }
        if (why.len > 0) {
            enumerate(&silent, list->label, why);
            is_heavy = is_heavy || list->is_heavy;
        }
    }
    if (silent.count > 0) {
        fitness_add(j, FITNESS_BLOCK_LISTS, is_heavy ? FITNESS_UNKNOWN : FITNESS_ADVICE,
                    "lists answer a resolver of your own (unbound on this machine, then --resolver "
                    "127.0.0.1), and seldom a public one; look your address up on their pages",
                    "not to be asked from here: %s", silent.text);
    }
}

static void add_listing(struct fitness_judge *j, const struct blocklist *list, struct slice what,
                        const struct fitness_listing *listing)
{
    char hint[FITNESS_TEXT_BYTES];
    (void)snprintf(hint, sizeof hint, "find out why, end it, and ask for removal: %.*s",
                   SLICE_ARG(list->page));
    struct slice says = listing->word.text;
    fitness_add(j, FITNESS_BLOCK_LISTS, list->is_heavy ? FITNESS_MEND : FITNESS_ADVICE, hint,
                "%.*s is on the list %.*s%s%.*s", SLICE_ARG(what), SLICE_ARG(list->label),
                says.len > 0 ? ": " : "", SLICE_ARG(says));
}

void fitness_judge_listings(struct fitness_judge *j, unsigned subject, struct slice what,
                            const struct fitness_listing *listings)
{
    const struct blocklist_book *book = j->facts->lists;
    struct enumeration clean = {.text = ""};
    unsigned listed = 0;
    for (size_t i = 0; book != NULL && i < blocklist_count(book); i++) {
        const struct blocklist *list = blocklist_at(book, i);
        const struct fitness_listing *listing = &listings[i];
        bool is_believed = trouble_of(&j->facts->tests[i][subject]).len == 0;
        if (!is_believed || listing->kind == DNS_ANSWER_OPEN || listing->kind == DNS_ANSWER_ERROR) {
            continue;
        }
        if (is_answer(listing) && listing->word.meaning == BLOCKLIST_LISTED) {
            add_listing(j, list, what, listing);
            listed++;
        } else if (listing->kind != DNS_ANSWER_RECORDS || is_answer(listing)) {
            enumerate(&clean, list->label, SLICE_NONE);
        }
    }
    if (clean.count > 0) {
        fitness_add(j, FITNESS_BLOCK_LISTS, FITNESS_OK, NULL, "%.*s is not on %s%s",
                    SLICE_ARG(what), listed > 0 ? "the others: " : "", clean.text);
    }
}
