/* bench/waiting: what an address costs while it waits. Servers on the virtual network (sim/world) greylist every
 * address that the knocker asks; when all wait, the heap is measured. Then the servers have had enough, and the retries
 * run to their end: the most that the process ever held, and whether each answer is right, is told too. No descriptor, no
 * sleep; the hours of waiting take no time.
 * Prints one line of JSON; exit 1 where an answer was wrong.
 * SPDX-License-Identifier: Apache-2.0 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/slice.h"
#include "engine/knocker.h"
#include "limit.h"
#include "sim/peer.h"
#include "sim/world.h"

enum {
    ADDRESS_BYTES = 64,
    NAME_BYTES = 64,
    BUSY_MAX = 8192, /* asked at once, like engine/bulk */
    STEP_MS = 1000,
    NAME_TTL_S = 86400,
    TEXTS = 4,
};

struct waiting {
    unsigned addresses, few, domains, hosts;
    struct world *world;
    struct knocker *knocker;
    unsigned asked, wanted, open, answered, wrong;
    bool is_open; /* the servers have had enough of greylisting */
    struct peer_script script;
};

static size_t heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static size_t resident_bytes(void)
{
    unsigned long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL || fscanf(file, "%lu %lu", &pages, &resident) != 2) {
        limit_die("/proc/self/statm");
    }
    (void)fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

/* Half of them exist. */
static bool is_real(unsigned number)
{
    return (number * 2654435761u >> 16) % 2 == 0;
}

static const char *mailbox(const void *context, struct slice path)
{
    static const char *const texts[TEXTS] = {
        "450 4.2.0 <%r>: Recipient address rejected: Greylisted, see http://postgrey.example/help",
        "451 4.7.1 Greylisting in action, please come back in 3000 seconds",
        "451 4.7.1 <%r>: try again in 2987 seconds",
        "450 4.7.1 Greylisted for 2993 seconds (id %l-17)",
    };
    const struct waiting *waiting = context;
    if (!waiting->is_open) {
        return texts[slice_hash(path, 0) % TEXTS];
    }
    return slice_starts(path, SLICE("real")) ? "" : NULL;
}

static void on_answer(void *context, const struct record *record)
{
    struct waiting *waiting = context;
    bool is_real_one = slice_starts(record->local, SLICE("real"));
    waiting->open--;
    waiting->answered++;
    waiting->wrong +=
        record->status != (is_real_one ? VERDICT_DELIVERABLE : VERDICT_UNDELIVERABLE) ? 1 : 0;
}

static void ask_more(struct waiting *waiting)
{
    struct knocker_counts counts;
    knocker_count(waiting->knocker, &counts);
    while (waiting->asked < waiting->wanted && waiting->open < counts.waiting + BUSY_MAX) {
        char address[ADDRESS_BYTES];
        unsigned number = waiting->asked++;
        waiting->open++;
        int len = snprintf(address, sizeof address, "%s.somebody%u@d%u.greylists.test",
                           is_real(number) ? "real" : "gone", number, number % waiting->domains);
        if (knocker_ask(waiting->knocker, slice_make(address, (size_t)len), on_answer, waiting) !=
            ERR_NONE) {
            limit_die("knocker_ask");
        }
    }
}

static void build_world(struct waiting *waiting)
{
    struct world_config config = {.seed = 1, .events_max = UINT64_MAX};
    if (world_new(&config, &waiting->world) != ERR_NONE) {
        limit_die("world_new");
    }
    waiting->script = (struct peer_script){.mailbox = mailbox, .mailbox_context = waiting};
    for (unsigned i = 0; i < waiting->hosts; i++) {
        char ip[NAME_BYTES], name[NAME_BYTES];
        (void)snprintf(ip, sizeof ip, "5.9.%u.%u", i / 200 + 1, i % 200 + 1);
        (void)snprintf(name, sizeof name, "mx%u.greylists.test", i);
        struct world_host host = {.ip = ip, .script = &waiting->script};
        if (world_host_add(waiting->world, &host) != ERR_NONE ||
            zone_add(world_zone(waiting->world), name, DNS_A, ip, NAME_TTL_S) != ERR_NONE) {
            limit_die("world_host_add");
        }
    }
    for (unsigned i = 0; i < waiting->domains; i++) {
        char name[NAME_BYTES], mx[NAME_BYTES + 8];
        (void)snprintf(name, sizeof name, "d%u.greylists.test", i);
        (void)snprintf(mx, sizeof mx, "10 mx%u.greylists.test", i % waiting->hosts);
        if (zone_add(world_zone(waiting->world), name, DNS_MX, mx, NAME_TTL_S) != ERR_NONE) {
            limit_die("zone_add");
        }
    }
}

/* Until so many were asked and all of them wait, with no line open. */
static void ask_up_to(struct waiting *waiting, unsigned wanted)
{
    struct door *door = world_door(waiting->world);
    struct knocker_counts counts;
    waiting->wanted = wanted;
    do {
        ask_more(waiting);
        world_run_until(waiting->world, door_now_ms(door) + STEP_MS);
        knocker_count(waiting->knocker, &counts);
        if (waiting->answered > 0) {
            limit_die("an answer came before all were waiting: fewer addresses, or more hosts");
        }
    } while (waiting->asked < wanted || counts.waiting < wanted || counts.talking > 0);
    (void)malloc_trim(0);
}

static void run(struct waiting *waiting, const struct knowledge *knowledge)
{
    struct knocker_config config;
    knocker_config_init(&config);
    config.is_budget_wall_clock = false;
    config.connections_max = 100000;
    config.invalids_per_hour = 100000000;
    if (knocker_new(world_door(waiting->world), knowledge, &config, NULL, &waiting->knocker) !=
        ERR_NONE) {
        limit_die("knocker_new");
    }
    ask_up_to(waiting, waiting->few);
    size_t few = heap_bytes(), few_resident = resident_bytes();
    ask_up_to(waiting, waiting->addresses);
    size_t many = heap_bytes(), many_resident = resident_bytes();
    double more = waiting->addresses - waiting->few;
    waiting->is_open = true;
    door_run(world_door(waiting->world));
    struct rusage used = {0};
    getrusage(RUSAGE_SELF, &used);
    printf("{\"addresses\": %u, \"bytes_per_waiting\": %.1f, \"resident_per_waiting\": %.1f, "
           "\"waiting_rss_kib\": %zu, \"rss_kib\": %ld, \"answered\": %u, \"wrong\": %u}\n",
           waiting->addresses, (double)(many - few) / more,
           ((double)many_resident - (double)few_resident) / more, many_resident / 1024,
           used.ru_maxrss, waiting->answered, waiting->wrong);
    knocker_free(waiting->knocker);
}

int main(int argc, char **argv)
{
    /* By the few all domains are known, and the servers have stopped keeping the names that they hear. */
    struct waiting waiting = {.addresses = 100000, .few = 20000, .domains = 1000, .hosts = 40};
    const struct limit_option options[] = {{"--addresses", &waiting.addresses, 100000000},
                                           {"--few", &waiting.few, 100000000},
                                           {"--domains", &waiting.domains, 1000000},
                                           {"--hosts", &waiting.hosts, 10000},
                                           {NULL, NULL, 0}};
    limit_options(argc, argv, options);
    if (waiting.few >= waiting.addresses) {
        limit_die("--few: fewer than --addresses");
    }
    struct knowledge *knowledge;
    struct fault fault;
    const char *data = getenv("HELOISE_DATA");
    if (knowledge_open(data == NULL ? "data" : data, &knowledge, &fault) != ERR_NONE) {
        limit_die(fault.text);
    }
    build_world(&waiting);
    run(&waiting, knowledge);
    world_free(waiting.world);
    knowledge_free(knowledge);
    return waiting.wrong == 0 && waiting.answered == waiting.addresses ? EXIT_SUCCESS
                                                                       : EXIT_FAILURE;
}
