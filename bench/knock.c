/* bench/knock: the knocker alone, as the limit client is the sockets alone: no list is read or written and no
 * store is kept. Addresses are called real or gone, half of each, and their answers must say so; those of a
 * domain are asked one after the other. --loops threads have a knocker each and share the domains. DNS, dialogue, control probes, evidence, classification, verdict and record
 * are the real ones.
 * Prints one line of JSON; exit 1 where an answer was wrong.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "base/slice.h"
#include "engine/knocker.h"
#include "limit.h"
#include "net/uv_door.h"

enum {
    KNOCK_SHOWN_MAX = 10, /* wrong answers */
    ADDRESS_BYTES = 64,
    RESOLVER_BYTES = 32,
    HANDFUL = 512, /* asked together when there is room for them, as bulk does */
    LOOPS_MAX = 64,
};

struct knock {
    unsigned port, dns_port, addresses, domains, connections, per_site, rcpts, pipelined, open_max,
        ring;
    unsigned first_domain; /* of this thread's */
    pthread_t thread;
    struct door *door;
    struct knocker *knocker;
    unsigned asked, open, answered, wrong;
};

static void ask_more(struct knock *knock);

static bool is_real(unsigned number)
{
    return (number * 2654435761u >> 16) % 2 == 0; /* mixed, in every domain */
}

static void on_answer(void *context, const struct record *record)
{
    struct knock *knock = context;
    bool is_real_one = record->local.len > 0 && record->local.at[0] == 'r';
    if (record->status != (is_real_one ? VERDICT_DELIVERABLE : VERDICT_UNDELIVERABLE)) {
        if (knock->wrong++ < KNOCK_SHOWN_MAX) {
            (void)fprintf(stderr, "%.*s: %s\n", (int)record->email.len, record->email.at,
                          verdict_sub_name(record->sub));
        }
    }
    knock->answered++;
    knock->open--;
    if (knock->open_max - knock->open >= HANDFUL) {
        ask_more(knock);
    }
}

static void ask_more(struct knock *knock)
{
    while (knock->open < knock->open_max && knock->asked < knock->addresses) {
        char address[ADDRESS_BYTES];
        unsigned number = knock->asked++;
        unsigned domain =
            knock->first_domain + (unsigned)((uint64_t)number * knock->domains / knock->addresses);
        knock->open++;
        int len = snprintf(address, sizeof address, "%s%u@d%u.bench",
                           is_real(number) ? "real" : "gone", number, domain);
        if (knocker_ask(knock->knocker, slice_make(address, (size_t)len), on_answer, knock) !=
            ERR_NONE) {
            limit_die("knocker_ask");
        }
    }
}

static void configure(const struct knock *knock, struct knocker_config *config)
{
    knocker_config_init(config);
    static const struct traffic_egress egress = {
        .name = SLICE_LITERAL("default"),
        .helo_name = SLICE_LITERAL("probe.limit.bench"),
        .mail_from = SLICE_LITERAL("probe@limit.bench"),
        .weight = 1,
    };
    config->verify.has_sender = true;
    config->egresses = &egress;
    config->egress_count = 1;
    config->port = (uint16_t)knock->port;
    config->is_budget_wall_clock = false;
    config->connections_max = knock->connections;
    config->per_site_max = knock->per_site;
    config->rcpts_per_connection = knock->rcpts;
    config->pipelined_rcpts = knock->pipelined;
    config->invalids_per_hour = 1000000;
    config->allowed_net_count = 1;
    (void)ip_net_parse(SLICE("127.0.0.0/8"), &config->allowed_nets[0]);
}

static double seconds_of(const struct timeval *t)
{
    return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static void print_result(const struct knock *knocks, unsigned loops, double seconds)
{
    struct rusage used = {0};
    struct knocker_counts counts = {0};
    unsigned answered = 0, wrong = 0;
    getrusage(RUSAGE_SELF, &used);
    for (unsigned i = 0; i < loops; i++) {
        struct knocker_counts one;
        knocker_count(knocks[i].knocker, &one);
        knocker_counts_add(&counts, &one);
        answered += knocks[i].answered;
        wrong += knocks[i].wrong;
    }
    printf("{\"addresses\": %u, \"wrong\": %u, \"conversations\": %" PRIu64
           ", \"seconds\": %.3f, \"user_s\": %.3f, \"system_s\": %.3f, \"rss_kib\": %ld}\n",
           answered, wrong, counts.conversations, seconds, seconds_of(&used.ru_utime),
           seconds_of(&used.ru_stime), used.ru_maxrss);
}

static void *run(void *context)
{
    struct knock *knock = context;
    ask_more(knock);
    door_run(knock->door);
    return NULL;
}

/* One thread's part: so many domains with their addresses. */
static void open_part(const struct knock *whole, unsigned loops, unsigned n,
                      const struct knowledge *knowledge, struct knock *out)
{
    char resolver[RESOLVER_BYTES];
    const char *resolvers[] = {resolver};
    (void)snprintf(resolver, sizeof resolver, "127.0.0.1:%u", whole->dns_port);
    struct uv_door_config door = {.resolvers = resolvers, .resolver_count = 1};
    door.wants_ring = whole->ring != 0;
    struct knocker_config config;
    struct fault fault;
    *out = *whole;
    out->addresses = limit_share(whole->addresses, loops, n);
    out->domains = limit_share(whole->domains, loops, n);
    out->first_domain = (unsigned)((uint64_t)whole->domains * n / loops);
    out->connections = limit_share(whole->connections, loops, n);
    out->open_max = limit_share(whole->open_max, loops, n);
    configure(out, &config);
    if (uv_door_open(&door, &out->door, &fault) != ERR_NONE) {
        limit_die(fault.text);
    }
    if (knocker_new(out->door, knowledge, &config, NULL, &out->knocker) != ERR_NONE) {
        limit_die("knocker_new");
    }
}

/* The time runs from the first question to the last line closed; reading data/ is not in it. */
static bool run_all(const struct knock *whole, unsigned loops, const struct knowledge *knowledge)
{
    struct knock knocks[LOOPS_MAX];
    bool is_right = true;
    for (unsigned i = 0; i < loops; i++) {
        open_part(whole, loops, i, knowledge, &knocks[i]);
    }
    uint64_t begun = limit_now_us();
    for (unsigned i = 0; i < loops; i++) {
        if (pthread_create(&knocks[i].thread, NULL, run, &knocks[i]) != 0) {
            limit_die("pthread_create");
        }
    }
    for (unsigned i = 0; i < loops; i++) {
        pthread_join(knocks[i].thread, NULL);
    }
    print_result(knocks, loops, (double)(limit_now_us() - begun) / 1e6);
    for (unsigned i = 0; i < loops; i++) {
        is_right = is_right && knocks[i].wrong == 0 && knocks[i].answered == knocks[i].addresses;
        knocker_free(knocks[i].knocker);
        uv_door_close(knocks[i].door);
    }
    return is_right;
}

int main(int argc, char **argv)
{
    struct knock knock = {.port = 2599,
                          .dns_port = 2553,
                          .addresses = 10000,
                          .domains = 10000,
                          .connections = 200,
                          .per_site = 1,
                          .rcpts = 102, /* a hundred, the control and the closing control */
                          .pipelined = 1,
                          .open_max = 8192,
                          .ring = 1};
    unsigned loops = 1;
    const struct limit_option options[] = {
        {"--port", &knock.port, 65535},
        {"--dns-port", &knock.dns_port, 65535},
        {"--addresses", &knock.addresses, 100000000},
        {"--domains", &knock.domains, 1000000},
        {"--connections", &knock.connections, 100000},
        {"--per-site", &knock.per_site, 1000},
        {"--rcpts", &knock.rcpts, 1000},
        {"--pipelined", &knock.pipelined, PROVIDER_PIPELINED_RCPTS_MAX},
        {"--open", &knock.open_max, 1000000},
        {"--ring", &knock.ring, 1},
        {"--loops", &loops, LOOPS_MAX},
        {NULL, NULL, 0}};
    limit_options(argc, argv, options);
    limit_raise_files();
    struct knowledge *knowledge;
    struct fault fault;
    if (knowledge_open(NULL, &knowledge, &fault) != ERR_NONE) {
        (void)fprintf(stderr, "%s: %s\n", argv[0], fault.text);
        return 1;
    }
    knowledge_hasten(knowledge);
    bool is_right = run_all(&knock, loops, knowledge);
    knowledge_free(knowledge);
    return is_right ? 0 : 1;
}
