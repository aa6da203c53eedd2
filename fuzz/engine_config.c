/* fuzz/engine_config: any bytes as a configuration file. What is wrong has a place and is safe to show; what is right
 * can be settled and shown, and what is shown is right too and shows the same again.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "base/text.h"
#include "engine/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SHOWN_BYTES_MAX = 16 << 20 };

static void check_complaints(const struct config_complaints *complaints)
{
    must(complaints->count <= complaints->errors + complaints->warnings);
    for (size_t i = 0; i < complaints->count; i++) {
        struct slice text = slice_of(complaints->at[i].text);
        must(slice_starts(text, SLICE("fuzz:")) && text.len < CONFIG_COMPLAINT_BYTES);
        for (size_t k = 0; k < text.len; k++) {
            must((unsigned char)text.at[k] >= 0x20 && text.at[k] != 0x7f);
        }
    }
}

/* What was read without a complaint is what the engine can use. */
static void check_ways_out(const struct config *config)
{
    static struct config_ways ways;
    struct knocker_config knocker;
    struct fault fault;
    knocker_config_init(&knocker);
    config_apply(config, &ways, &knocker);
    must(traffic_egresses_check(knocker.egresses, knocker.egress_count, &fault) == ERR_NONE);
}

/* Settled; config_done is owed in any case. */
static enum err read(struct config *config, struct slice text)
{
    static struct config_complaints complaints;
    memset(&complaints, 0, sizeof complaints);
    config_init(config);
    enum err e = config_read(config, SLICE("fuzz"), SLICE("/f"), text, &complaints);
    must((e == ERR_SYNTAX) == (complaints.errors > 0));
    check_complaints(&complaints);
    if (e == ERR_NONE) {
        config_settle(config);
        check_ways_out(config);
    }
    return e;
}

static void check_shown(const struct config *config)
{
    struct buf shown;
    struct buf again;
    static struct config second;
    buf_init(&shown, SHOWN_BYTES_MAX);
    buf_init(&again, SHOWN_BYTES_MAX);
    must(config_show(config, &shown) == ERR_NONE);
    if (shown.len <=
        CONFIG_BYTES_MAX / 4) { /* with default lines and comments it may have grown too large */
        must(read(&second, buf_view(&shown)) == ERR_NONE);
        must(config_show(&second, &again) == ERR_NONE);
        config_done(&second);
    }
    buf_done(&shown);
    buf_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config config;
    if (read(&config, slice_make((const char *)data, size)) == ERR_NONE) {
        check_shown(&config);
    }
    config_done(&config);
    return 0;
}
