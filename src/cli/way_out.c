/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/way_out.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/slice.h"
#include "cli/workbench.h"
#include "dns/message.h"
#include "net/uv_door.h"

enum {
    WAY_OUT_MS = 5000,
    WAY_OUT_HOSTS = 3,
    SMTP_PORT = 25,
};

/* Exchangers that have stood at the same name for years; any provider with many would do. */
static const char *const way_out_hosts[WAY_OUT_HOSTS] = {"gmail-smtp-in.l.google.com",
                                                         "mx01.mail.icloud.com", "mx00.gmx.net"};

enum way_out_result {
    WAY_OUT_PENDING,
    WAY_OUT_NO_NAME,
    WAY_OUT_REFUSED,
    WAY_OUT_SILENT,
    WAY_OUT_TURNED_AWAY, /* the line came up and ended without a word, or with a 5xx */
    WAY_OUT_GOOD,
};

struct way_out_try {
    struct way_out *all;
    struct link *link;
    enum way_out_result result;
};

struct way_out {
    struct door *door;
    struct timer limit;
    struct way_out_try tries[WAY_OUT_HOSTS];
};

static void settle(struct way_out_try *this_try, enum way_out_result result)
{
    if (this_try->result != WAY_OUT_PENDING) {
        return;
    }
    this_try->result = result;
    for (int i = 0; i < WAY_OUT_HOSTS; i++) {
        if (this_try->all->tries[i].result == WAY_OUT_PENDING) {
            return;
        }
    }
    door_stop(this_try->all->door);
}

static void on_connected(void *context)
{
    (void)context; /* the banner decides */
}

static void on_received(void *context, struct slice bytes)
{
    struct way_out_try *this_try = context;
    enum err e = link_send(this_try->link, SLICE("QUIT\r\n"));
    settle(this_try,
           e == ERR_NONE && slice_starts(bytes, SLICE("220")) ? WAY_OUT_GOOD : WAY_OUT_TURNED_AWAY);
}

static void on_secured(void *context, const struct tls_info *info)
{
    (void)context;
    (void)info;
}

static void on_ended(void *context, enum link_end why, const char *detail)
{
    (void)detail;
    struct way_out_try *this_try = context;
    settle(this_try, why == LINK_END_REFUSED || why == LINK_END_UNREACHABLE || why == LINK_END_LOCAL
                         ? WAY_OUT_REFUSED
                         : WAY_OUT_TURNED_AWAY);
}

static void on_address(void *context, enum query_status status, struct slice message)
{
    static const struct link_handler handler = {on_connected, on_received, on_secured, on_ended};
    struct way_out_try *this_try = context;
    struct link_request request = {.port = SMTP_PORT};
    struct dns_message *answer = malloc(sizeof *answer);
    if (answer != NULL && status == QUERY_ANSWERED &&
        dns_message_parse(message, answer) == ERR_NONE) {
        for (size_t i = 0; i < answer->answer_count; i++) {
            if (answer->answers[i].type == DNS_A && !ip_is_special(&answer->answers[i].ip)) {
                request.ip = answer->answers[i].ip;
                break;
            }
        }
    }
    free(answer);
    if (request.ip.family == IP_NONE) {
        settle(this_try, WAY_OUT_NO_NAME);
        return;
    }
    this_try->link = door_connect(this_try->all->door, &request, &handler, this_try);
    if (this_try->link == NULL) {
        settle(this_try, WAY_OUT_REFUSED);
    }
}

static void on_limit(void *context)
{
    struct way_out *all = context;
    for (int i = 0; i < WAY_OUT_HOSTS; i++) {
        settle(&all->tries[i], all->tries[i].link != NULL ? WAY_OUT_SILENT : WAY_OUT_NO_NAME);
    }
}

static void print(const struct way_out *all)
{
    int counts[WAY_OUT_GOOD + 1] = {0};
    for (int i = 0; i < WAY_OUT_HOSTS; i++) {
        counts[all->tries[i].result]++;
    }
    if (counts[WAY_OUT_GOOD] > 0) {
        (void)printf("Port 25 is open from here: %d of %d large providers answered.\n",
                     counts[WAY_OUT_GOOD], (int)WAY_OUT_HOSTS);
    } else if (counts[WAY_OUT_NO_NAME] == WAY_OUT_HOSTS) {
        (void)puts("This machine finds no names in the public DNS, so no mail server can be found "
                   "from here.\n"
                   "Check /etc/resolv.conf, or name a DNS server with --resolver.");
    } else if (counts[WAY_OUT_TURNED_AWAY] > 0) {
        (void)puts("Lines to port 25 come up from here but no provider greets us: something "
                   "between takes them,\n"
                   "or this address is refused by all. Real verdicts will be unknown; run it from "
                   "another network.");
    } else {
        (void)puts("Port 25 is blocked from here: no large provider's mail server could be "
                   "reached. Most home and\n"
                   "cloud networks do that. Run this on a machine whose provider opened outgoing "
                   "port 25;\n"
                   "until then --no-smtp checks syntax, lists and DNS.");
    }
}

void way_out_report(void)
{
    struct way_out all = {0};
    struct uv_door_config config = {.query_timeout_ms = 1500, .query_tries = 2};
    struct fault fault;
    if (uv_door_open(&config, &all.door, &fault) != ERR_NONE) {
        complain("%s", fault.text);
        return;
    }
    all.limit = (struct timer){.fired = on_limit, .context = &all};
    door_timer_start(all.door, &all.limit, door_now_ms(all.door) + WAY_OUT_MS);
    for (int i = 0; i < WAY_OUT_HOSTS; i++) {
        all.tries[i].all = &all;
        door_query(all.door, slice_of(way_out_hosts[i]), DNS_A, on_address, &all.tries[i]);
    }
    door_run(all.door);
    door_timer_stop(all.door, &all.limit);
    for (int i = 0; i < WAY_OUT_HOSTS; i++) {
        link_close(all.tries[i].link);
    }
    print(&all);
    uv_door_close(all.door);
}
