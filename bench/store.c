/* bench/store: the store alone, asked for exactly what a bulk job asks of it for each address, on disk: the list goes
 * into a job in no order; items come back in job order, up to --open of them at a time; each is looked for, claimed and
 * looked for again, and later answered: verdict, fact, release of the claim, result; all is committed after every
 * --group answers; at the end results are read in the order of the list, and the job is over.
 * Prints one line of JSON: for each phase CPU time and bytes handed to the kernel, for an address; exit 1 where a result
 * was missing or wrong.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/random.h"
#include "base/slice.h"
#include "limit.h"
#include "store/store.h"

enum {
    FETCH = 512,
    LARGE = 16, /* domains */
    TEXT_BYTES = 64,
    CELLS_BYTES = 300, /* the same as cells of a table */
    FOUND_BYTES = 4096,
};

#define NOW_MS INT64_C(1800000000000)
#define DAY_MS INT64_C(86400000)

/* What the whole program keeps of an address of its benchmark. */
static const char record[] =
    "{\"email\":\"\",\"normalized\":\"person@d1.bench\",\"ascii\":\"person@d1.bench\",\"local\""
    ":\"person\",\"domain\":\"d1.bench\",\"status\":\"deliverable\",\"sub_status\":\"accepted\""
    ",\"score\":95,\"confidence\":0.95,\"reasons\":[{\"code\":\"accepted\",\"effect\":95,\"det"
    "ail\":\"250 2.1.5 Ok\"},{\"code\":\"rcpt_accepted\",\"effect\":0,\"detail\":\"250 2.1.5 "
    "Ok\"},{\"code\":\"control_refused\",\"effect\":0,\"detail\":null}],\"did_you_mean\":nul"
    "l,\"flags\":{\"is_disposable\":false,\"is_role\":false,\"is_free\":false,\"is_catch_a"
    "ll\":false,\"is_plus_tagged\":false,\"is_noreply\":false,\"is_gov\":false,\"is_edu\":"
    "false,\"is_idn\":false,\"is_full\":false,\"is_disabled\":false,\"is_gibberish\":fals"
    "e,\"disposable_entry\":null},\"dns\":{\"status\":\"ok\",\"resolver_status\":\"none\",\"mx"
    "_found\":true,\"implicit_mx\":false,\"null_mx\":false,\"ttl\":3600,\"mx\":[{\"host\":\"m"
    "x1.bench\",\"preference\":10,\"addresses\":[\"127.1.0.2\"]}]},\"provider\":{\"name\":\"d"
    "efault\",\"label\":\"Own server\",\"class\":\"selfhosted\",\"gateway\":false,\"trait\":nu"
    "ll},\"smtp\":{\"host\":\"mx1.bench\",\"ip\":\"127.1.0.2\",\"port\":2599,\"stage\":\"rcpt\",\""
    "code\":250,\"enhanced\":\"2.1.5\",\"text\":\"2.1.5 Ok\",\"rule\":\"code:250\",\"tls\":{\"use"
    "d\":false,\"version\":null,\"cipher\":null,\"cert_ok\":false},\"extensions\":[\"ENHANC"
    "EDSTATUSCODES\"],\"attempts\":1,\"egress\":\"default\",\"helo\":\"probe.limit.bench\",\""
    "mail_from\":\"probe@limit.bench\",\"control\":{\"tested\":false,\"result\":\"refused\","
    "\"code\":550,\"count\":0},\"greylist\":{\"seen\":false,\"first_at\":null,\"passed_at\":n"
    "ull,\"waited_s\":0},\"latency_ms\":{\"dns\":40,\"ehlo\":13,\"control\":0}},\"retry_afte"
    "r\":null,\"checked_at\":\"2026-11-22T11:56:49.955Z\",\"expires_at\":\"2026-11-29T11:"
    "56:49.955Z\",\"cached\":false,\"duration_ms\":285,\"engine_version\":\"0.1.0\",\"rules"
    "_version\":\"3bfdb48b7652\"}";

struct cost {
    double cpu_us;
    uint64_t bytes;
};

struct open_item {
    uint64_t id;
    char key[TEXT_BYTES];
};

struct bench {
    unsigned addresses, domains, open_max, group;
    struct store *store;
    struct store_job *job;
    struct open_item *open;
    size_t open_count;
    unsigned answered, in_group, wrong;
    struct random random;
    struct cost since;
    char cells[CELLS_BYTES];
};

static void must_work(const struct bench *bench, enum err e, const char *what)
{
    struct fault fault;
    if (e != ERR_NONE) {
        (void)store_why(bench->store, &fault);
        (void)fprintf(stderr, "%s: %s: %s\n", what, err_name(e), fault.text);
        exit(1);
    }
}

static double seconds_of(const struct timeval *t)
{
    return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

/* What this process handed to write calls so far; a disk may be asked for more, or less. */
static uint64_t bytes_written(void)
{
    char line[TEXT_BYTES];
    uint64_t bytes = 0;
    FILE *file = fopen("/proc/self/io", "re");
    if (file == NULL) {
        limit_die("/proc/self/io");
    }
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "wchar: ", 7) == 0) {
            bytes = strtoull(line + 7, NULL, 10);
        }
    }
    (void)fclose(file);
    return bytes;
}

static struct cost cost_now(void)
{
    struct rusage used = {0};
    getrusage(RUSAGE_SELF, &used);
    return (struct cost){(seconds_of(&used.ru_utime) + seconds_of(&used.ru_stime)) * 1e6,
                         bytes_written()};
}

static void print_phase(struct bench *bench, const char *name)
{
    struct cost now = cost_now();
    printf("\"%s_us\": %.2f, \"%s_bytes\": %.0f, ", name,
           (now.cpu_us - bench->since.cpu_us) / bench->addresses, name,
           (double)(now.bytes - bench->since.bytes) / bench->addresses);
    bench->since = cost_now();
}

/* The address of a line: names as people have them, domains mixed, two lines in seven at one of sixteen large ones. */
static struct slice address_at(const struct bench *bench, unsigned line, char out[TEXT_BYTES],
                               struct slice *out_domain)
{
    struct random mixed = {line};
    uint32_t large = random_below(&mixed, 7);
    uint32_t domain = large < 2 ? random_below(&mixed, LARGE)
                                : random_below(&mixed, bench->domains - LARGE) + LARGE;
    int at =
        snprintf(out, TEXT_BYTES, "%c%c%c.person%u", 'a' + (int)random_below(&mixed, 26),
                 'a' + (int)random_below(&mixed, 26), 'a' + (int)random_below(&mixed, 26), line);
    int len = at + snprintf(out + at, TEXT_BYTES - (size_t)at, "@d%u.bench", domain);
    *out_domain = slice_make(out + at + 1, (size_t)(len - at - 1));
    return slice_make(out, (size_t)len);
}

static void load(struct bench *bench)
{
    for (unsigned i = 0; i < bench->addresses; i++) {
        char text[TEXT_BYTES];
        struct slice domain;
        struct slice address = address_at(bench, i, text, &domain);
        must_work(bench, store_job_add(bench->job, address, address, domain), "store_job_add");
    }
    uint64_t items;
    must_work(bench, store_job_loaded(bench->job, &items, NULL), "store_job_loaded");
    bench->wrong += items == bench->addresses ? 0 : 1;
}

static bool is_known(struct bench *bench, struct slice key)
{
    struct buf found;
    buf_init(&found, FOUND_BYTES);
    bool is_found = store_verdict_find(bench->store, key, NOW_MS, 0, &found);
    buf_done(&found);
    return is_found;
}

/* What an ask does before it opens a conversation. */
static void begin(void *context, const struct store_item *item)
{
    struct bench *bench = context;
    struct open_item *open = &bench->open[bench->open_count++];
    bool is_mine;
    (void)snprintf(open->key, sizeof open->key, "%.*s", SLICE_ARG(item->key));
    open->id = item->id;
    bench->wrong += is_known(bench, item->key) ? 1 : 0;
    must_work(bench, store_claim_try(bench->store, item->key, NOW_MS, &is_mine), "store_claim_try");
    bench->wrong += is_mine && !is_known(bench, item->key) ? 0 : 1;
}

/* The result names its address, so that a swapped one is seen. */
static struct slice cells_of(struct bench *bench, struct slice key)
{
    memset(bench->cells, 'c', sizeof bench->cells);
    memcpy(bench->cells, key.at, key.len);
    return slice_make(bench->cells, sizeof bench->cells);
}

static void commit(struct bench *bench)
{
    struct fault fault;
    must_work(bench, store_job_progress(bench->job, bench->addresses, bench->answered, NOW_MS),
              "store_job_progress");
    must_work(bench, store_flush(bench->store, &fault), "store_flush");
    bench->in_group = 0;
}

static void answer(struct bench *bench, const struct open_item *item)
{
    struct slice key = slice_of(item->key);
    const struct store_verdict verdict = {
        .key = key,
        .domain = slice_of(strchr(item->key, '@') + 1),
        .status = SLICE_LITERAL("deliverable"),
        .sub_status = SLICE_LITERAL("accepted"),
        .checked_at_ms = NOW_MS,
        .expires_at_ms = NOW_MS + DAY_MS,
        .json = slice_of(record),
    };
    const struct store_fact fact = {.key = key,
                                    .domain = verdict.domain,
                                    .kind = SLICE_LITERAL("probe"),
                                    .source = SLICE_LITERAL("default"),
                                    .detail = verdict.sub_status,
                                    .at_ms = NOW_MS};
    must_work(bench, store_verdict_put(bench->store, &verdict), "store_verdict_put");
    must_work(bench, store_fact_put(bench->store, &fact), "store_fact_put");
    must_work(bench, store_claim_release(bench->store, key), "store_claim_release");
    must_work(
        bench,
        store_job_result_put(bench->job, item->id, SLICE("deliverable"), cells_of(bench, key)),
        "store_job_result_put");
    bench->answered++;
    if (++bench->in_group >= bench->group) {
        commit(bench);
    }
}

/* Answers come nearly in the order of the questions: any of the older half of those open. */
static void answer_one(struct bench *bench)
{
    size_t place = random_below(&bench->random, (uint32_t)(bench->open_count + 1) / 2);
    struct open_item item = bench->open[place];
    bench->open[place] = bench->open[bench->open_count / 2];
    bench->open[bench->open_count / 2] = bench->open[bench->open_count - 1];
    bench->open_count--;
    answer(bench, &item);
}

static void work(struct bench *bench)
{
    uint64_t cursor = 0;
    size_t count = FETCH;
    while (count > 0 || bench->open_count > 0) {
        while (count > 0 && bench->open_count + FETCH <= bench->open_max) {
            must_work(bench, store_job_next(bench->job, &cursor, FETCH, begin, bench, &count),
                      "store_job_next");
        }
        for (unsigned i = 0; i < FETCH && bench->open_count > 0; i++) {
            answer_one(bench);
        }
    }
    commit(bench);
}

static void read_back(struct bench *bench)
{
    struct buf found;
    buf_init(&found, FOUND_BYTES);
    store_job_read_in_order(bench->job);
    for (unsigned i = 0; i < bench->addresses; i++) {
        char text[TEXT_BYTES];
        struct slice domain;
        struct slice key = address_at(bench, i, text, &domain);
        buf_clear(&found);
        bool is_right = store_job_result_find(bench->job, key, &found) &&
                        slice_equal(buf_view(&found), cells_of(bench, key));
        bench->wrong += is_right ? 0 : 1;
    }
    buf_done(&found);
}

static void run(struct bench *bench)
{
    static const struct store_job_name name = {.fingerprint = SLICE_LITERAL("bench"),
                                               .label = SLICE_LITERAL("bench")};
    struct fault fault;
    bench->since = cost_now();
    struct cost begun = bench->since;
    must_work(bench, store_job_open(bench->store, &name, NOW_MS, &bench->job, &fault),
              "store_job_open");
    printf("{\"addresses\": %u, ", bench->addresses);
    load(bench);
    print_phase(bench, "load");
    work(bench);
    print_phase(bench, "work");
    read_back(bench);
    print_phase(bench, "output");
    must_work(bench, store_job_end(bench->job, STORE_JOB_DONE, NOW_MS, &fault), "store_job_end");
    store_close(bench->store); /* what stands in the log goes to the file */
    print_phase(bench, "end");
    bench->since = begun;
    print_phase(bench, "all");
    struct rusage used = {0};
    getrusage(RUSAGE_SELF, &used);
    printf("\"wrong\": %u, \"rss_kib\": %ld}\n", bench->wrong, used.ru_maxrss);
}

int main(int argc, char **argv)
{
    static struct bench bench = {
        .addresses = 10000, .domains = 20000, .open_max = 8192, .group = 4096, .random = {1}};
    const struct limit_option options[] = {{"--addresses", &bench.addresses, 100000000},
                                           {"--domains", &bench.domains, 1000000},
                                           {"--open", &bench.open_max, 1000000},
                                           {"--group", &bench.group, 1000000},
                                           {NULL, NULL, 0}};
    struct fault fault;
    if (argc < 2) {
        (void)fprintf(stderr, "usage: %s FILE [--addresses N] [--domains N]...\n", argv[0]);
        return 64;
    }
    limit_options(argc - 1, argv + 1, options);
    bench.open = calloc(bench.open_max, sizeof *bench.open);
    if (bench.open == NULL || bench.open_max < FETCH || bench.domains < LARGE * 2) {
        (void)fprintf(stderr, "%s: no memory, or numbers that are too small\n", argv[0]);
        return 64;
    }
    if (store_open(argv[1], &bench.store, &fault) != ERR_NONE) {
        (void)fprintf(stderr, "%s: %s\n", argv[0], fault.text);
        return 1;
    }
    run(&bench);
    free(bench.open);
    return bench.wrong == 0 && bench.answered == bench.addresses ? 0 : 1;
}
