/* fuzz/traffic_saved: any text as what was kept of a site. The first byte says whose connections are counted.
 * Whatever it says, limits stay within what was configured and waits end; and what is written of it reads as itself.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "base/slice.h"
#include "traffic/saved.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW UINT64_C(1763719200000)

struct pair {
    struct traffic_pool pool;
    struct traffic_site site;
};

static void make(struct pair *pair, bool is_shared)
{
    static const struct traffic_limits limits = {
        .connections = 4,
        .rcpts_per_connection = 20,
        .transactions_per_connection = 20,
        .rcpts_per_transaction = 20,
        .invalids_per_session = 5,
        .invalids_per_hour = 10,
    };
    static const struct traffic_egress egresses[2] = {
        {.name = SLICE_LITERAL("n"), .weight = 1, .warm_up = {.since_ms = NOW}},
        {.name = SLICE_LITERAL("s"), .weight = 1, .rcpts_per_day = 100},
    };
    must(traffic_pool_init(&pair->pool, egresses, 2) == ERR_NONE);
    traffic_site_init(&pair->site, &limits, is_shared);
}

static void load(struct pair *pair, struct slice text, struct buf *out_written)
{
    must(traffic_site_load(&pair->site, &pair->pool, text, NOW) == ERR_NONE);
    buf_init(out_written, TRAFFIC_SAVED_BYTES_MAX);
    must(traffic_site_save(&pair->site, &pair->pool, NOW, out_written) == ERR_NONE);
}

static void check(struct pair *pair)
{
    struct traffic_site *site = &pair->site;
    must(site->limits.rcpts_per_connection >= 1 && site->limits.rcpts_per_connection <= 20);
    must(site->adapt.connections >= 1 && site->adapt.connections <= 4);
    struct traffic_wish wish = {.has_ipv4 = true, .keep = TRAFFIC_ANY};
    struct traffic_choice choice;
    traffic_pool_choose(&pair->pool, site, &wish, NOW, &choice);
    must(choice.kind == TRAFFIC_GO || choice.at_ms <= NOW + (uint64_t)TRAFFIC_TRY_MS_MAX * 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct slice text = slice_make((const char *)data + 1, size - 1);
    struct pair first, second;
    struct buf written, again;
    make(&first, data[0] % 2 == 0);
    make(&second, data[0] % 2 == 0);
    load(&first, text, &written);
    check(&first);
    load(&second, buf_view(&written), &again);
    must(slice_equal(buf_view(&written), buf_view(&again)));
    traffic_egress_load(&first.pool.egresses[1], text, NOW);
    buf_done(&written);
    buf_done(&again);
    traffic_site_done(&first.site);
    traffic_pool_done(&first.pool);
    traffic_site_done(&second.site);
    traffic_pool_done(&second.pool);
    return 0;
}
