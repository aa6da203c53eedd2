/* bench/lists: what a look-up in a list of domains costs: Heloise's own, in the text as it was read, beside bsearch over
 * sorted strings and glibc's hash table (hsearch), on the same list in the same run. Half of the words stand in it.
 *
 *     lists [--entries 200000] [--lookups 2000000]
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "address/lists.h"
#include "base/buf.h"
#include "base/random.h"
#include "base/slice.h"
#include "limit.h"

enum { WORDS = 1 << 16, TEXT_BYTES_MAX = 1 << 30, NAME_BYTES = 40 };

struct bench {
    unsigned entries, lookups;
    struct buf text; /* the list as a file */
    char **sorted;
    char (*words)[NAME_BYTES]; /* what is looked up, in no order */
    struct address_lists *lists;
};

/* Names as they are in such lists: of 8 to 20 letters under some endings. */
static void make_name(struct random *random, char out[NAME_BYTES])
{
    static const char *const endings[] = {".com", ".net", ".org", ".info", ".xyz", ".co.uk"};
    unsigned len = 4 + random_below(random, 13);
    for (unsigned i = 0; i < len; i++) {
        out[i] = (char)('a' + random_below(random, 26));
    }
    (void)snprintf(out + len, NAME_BYTES - len, "%s", endings[random_below(random, 6)]);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void *room_for(size_t count, size_t size)
{
    void *room = calloc(count, size);
    if (room == NULL) {
        limit_die("memory");
    }
    return room;
}

static void make_list(struct bench *bench, struct random *random)
{
    char name[NAME_BYTES];
    bench->sorted = room_for(bench->entries, sizeof *bench->sorted);
    for (unsigned i = 0; i < bench->entries; i++) {
        make_name(random, name);
        bench->sorted[i] = strdup(name);
        if (bench->sorted[i] == NULL) {
            limit_die("memory");
        }
    }
    qsort(bench->sorted, bench->entries, sizeof *bench->sorted, by_text);
    buf_init(&bench->text, TEXT_BYTES_MAX);
    for (unsigned i = 0; i < bench->entries; i++) {
        if (buf_printf(&bench->text, "%s\n", bench->sorted[i]) != ERR_NONE) {
            limit_die("memory");
        }
    }
}

static void make_words(struct bench *bench, struct random *random)
{
    bench->words = room_for(WORDS, sizeof *bench->words);
    for (unsigned i = 0; i < WORDS; i++) {
        if (i % 2 == 0) {
            unsigned which = random_below(random, bench->entries);
            (void)snprintf(bench->words[i], NAME_BYTES, "%s", bench->sorted[which]);
        } else {
            make_name(random, bench->words[i]);
        }
    }
}

static bool look_in_list(const struct bench *bench, char *word)
{
    struct list_match match;
    return list_match(bench->lists, LIST_FREE, slice_of(word), &match);
}

static bool look_in_array(const struct bench *bench, char *word)
{
    return bsearch(&word, bench->sorted, bench->entries, sizeof *bench->sorted, by_text) != NULL;
}

static bool look_in_table(const struct bench *bench, char *word)
{
    (void)bench;
    const ENTRY wanted = {.key = word};
    return hsearch(wanted, FIND) != NULL; /* NOLINT(concurrency-mt-unsafe): one thread */
}

/* CPU time: others may use the machine. */
static double cpu_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double measure(const struct bench *bench, const char *what,
                      bool (*look)(const struct bench *bench, char *word), double beside)
{
    unsigned found = 0;
    double since_us = cpu_us();
    for (unsigned i = 0; i < bench->lookups; i++) {
        found += look(bench, bench->words[i % WORDS]) ? 1 : 0;
    }
    double ns = (cpu_us() - since_us) * 1000 / bench->lookups;
    (void)printf("%-28s %7.0f ns a look-up, %u of %u found", what, ns, found, bench->lookups);
    (void)printf(beside > 0 ? ", %.2f times bsearch\n" : "\n", ns / beside);
    return ns;
}

int main(int argc, char **argv)
{
    struct bench bench = {.entries = 200000, .lookups = 2000000};
    const struct limit_option options[] = {
        {"--entries", &bench.entries, 10000000}, {"--lookups", &bench.lookups, 1000000000}, {0}};
    struct random random = {.state = 1};
    struct fault fault;
    limit_options(argc, argv, options);
    make_list(&bench, &random);
    make_words(&bench, &random);
    const struct address_list_source source = {SLICE("free.txt"), buf_view(&bench.text)};
    double since_us = cpu_us();
    if (address_lists_load(&source, 1, &bench.lists, &fault) != ERR_NONE) {
        limit_die(fault.text);
    }
    (void)printf("%u entries, %zu bytes, read in %.1f ms\n", bench.entries, bench.text.len,
                 (cpu_us() - since_us) / 1000);
    if (hcreate(bench.entries * 2) == 0) { /* NOLINT(concurrency-mt-unsafe): one thread */
        limit_die("hcreate");
    }
    for (unsigned i = 0; i < bench.entries; i++) {
        const ENTRY entry = {.key = bench.sorted[i]};
        (void)hsearch(entry, ENTER); /* NOLINT(concurrency-mt-unsafe): one thread */
    }
    double plain = measure(&bench, "bsearch over strings", look_in_array, 0);
    (void)measure(&bench, "hsearch (a hash table)", look_in_table, plain);
    (void)measure(&bench, "list_match (Heloise)", look_in_list, plain);
    return 0; /* the process ends: nothing is freed */
}
