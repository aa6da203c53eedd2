/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/village.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "base/slice.h"
#include "sim/peer_link.h"
#include "sim/responder.h"

enum {
    HOUSE_COUNT = 10,
    CERT_DAYS = 30,
    NAME_TTL_S = 300,
    OPEN_TRIES = 16, /* for one port that is free at every address */
};

const char village_dns_ip[] = "127.0.83.53";

static const struct house houses[HOUSE_COUNT] = {
    {"plain.example",
     "honest: takes whom it knows, refuses the others",
     {.name = "mx.plain.example",
      .live = {"jane", "paul.smith", "info", "o'neil"},
      .tls = PEER_TLS_GOOD}},
    {"catchall.example",
     "catch-all: takes whatever comes",
     {.name = "mx.catchall.example", .catch_all = PEER_CATCH_ALL_YES}},
    {"grey.example",
     "greylisting: come back in four seconds",
     {.name = "mx.grey.example",
      .live = {"jane", "nora"},
      .greylist_s = 4,
      .greylist_say = "451 4.7.1 Greylisted, please try again in %d seconds"}},
    {"full.example",
     "mailboxes that are full, closed or moved",
     {.name = "mx.full.example",
      .live = {"jane"},
      .rules = {{PEER_AT_RCPT, .who = "otto",
                 .say = "452 4.2.2 The recipient's mailbox is over quota"},
                {PEER_AT_RCPT, .who = "hana", .say = "550 5.2.1 This mailbox is disabled"},
                {PEER_AT_RCPT, .who = "li",
                 .say = "251 2.1.5 User not local; will forward to <li@plain.example>"}}}},
    {"blocked.example",
     "refuses us, whoever is asked for",
     {.name = "mx.blocked.example",
      .live = {"jane"},
      .rules =
          {{PEER_AT_RCPT,
            .say = "550 5.7.1 Service unavailable; client [%i] blocked using zen.spamhaus.org"}}}},
    {"tls.example",
     "speaks only after STARTTLS, with a certificate nobody signed",
     {.name = "mx.tls.example",
      .live = {"jane", "emil"},
      .tls = PEER_TLS_GOOD,
      .is_tls_required = true}},
    {"slow.example",
     "takes a second and a half for each answer",
     {.name = "mx.slow.example", .live = {"jane"}, .delay_ms = 1500, .banner_delay_ms = 1500}},
    {"hangup.example",
     "hangs up after each refusal",
     {.name = "mx.hangup.example", .live = {"jane", "ada"}, .closes_after_bad = true}},
    {"busy.example",
     "only one recipient a transaction, two connections at most",
     {.name = "mx.busy.example",
      .live = {"jane", "tom"},
      .connections_max = 2,
      .rules = {{PEER_AT_RCPT, .from_in_transaction = 2, .say = "452 4.5.3 Too many recipients"}}}},
    {"relay.example",
     "a server that does not know the domain",
     {.name = "mx.relay.example", .domains = {"elsewhere.example"}}},
};

const struct house *village_houses(size_t *out_count)
{
    *out_count = HOUSE_COUNT;
    return houses;
}

struct village {
    struct zone *zone;
    struct responder *responder;
    struct tls_server *tls;
    struct peer_links links[HOUSE_COUNT];
    struct listener *listeners[HOUSE_COUNT];
    uint16_t port;
};

static void house_ip(size_t index, char out[IP_TEXT_BYTES])
{
    (void)snprintf(out, IP_TEXT_BYTES, "127.0.83.%zu", index + 1);
}

static enum err add_names(struct zone *zone)
{
    enum err e = ERR_NONE;
    for (size_t i = 0; i < HOUSE_COUNT && e == ERR_NONE; i++) {
        char host[DNS_NAME_BYTES], mx[DNS_NAME_BYTES + 8], ip[IP_TEXT_BYTES];
        house_ip(i, ip);
        (void)snprintf(host, sizeof host, "mx.%s", houses[i].domain);
        (void)snprintf(mx, sizeof mx, "10 %s", host);
        e = zone_add(zone, houses[i].domain, DNS_MX, mx, NAME_TTL_S);
        if (e == ERR_NONE) {
            e = zone_add(zone, host, DNS_A, ip, NAME_TTL_S);
        }
    }
    if (e == ERR_NONE) {
        e = zone_add(zone, "nomail.example", DNS_MX, "0 .", NAME_TTL_S);
    }
    return e;
}

/* Every house at its own address with one port for all. */
static enum err open_houses(struct village *village, struct door *door, uint16_t port,
                            struct fault *out_fault)
{
    for (size_t i = 0; i < HOUSE_COUNT; i++) {
        char text[IP_TEXT_BYTES];
        struct net_place place = {.port = port};
        house_ip(i, text);
        must(ip_parse(slice_of(text), &place.ip));
        enum err e = net_listen(door, &place, peer_links_accept, &village->links[i],
                                &village->listeners[i], out_fault);
        if (e != ERR_NONE) {
            return e;
        }
        port = listener_port(village->listeners[i]);
    }
    village->port = port;
    return ERR_NONE;
}

static void close_houses(struct village *village)
{
    for (size_t i = 0; i < HOUSE_COUNT; i++) {
        listener_close(village->listeners[i]);
        village->listeners[i] = NULL;
    }
}

static enum err build(struct village *village, struct fault *out_fault)
{
    if (zone_new(&village->zone) != ERR_NONE || add_names(village->zone) != ERR_NONE) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    for (size_t i = 0; i < HOUSE_COUNT; i++) {
        village->links[i].tls = village->tls;
        if (peer_server_new(&houses[i].script, i, &village->links[i].server) != ERR_NONE) {
            return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
        }
    }
    return ERR_NONE;
}

static enum err open_doors(struct village *village, struct door *door,
                           const struct village_config *config, struct fault *out_fault)
{
    struct ip ip;
    must(ip_parse(slice_of(village_dns_ip), &ip));
    enum err e =
        responder_open(door, village->zone, &ip, config->dns_port, &village->responder, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    int tries = config->port == 0 ? OPEN_TRIES : 1;
    do {
        e = open_houses(village, door, config->port, out_fault);
        if (e != ERR_NONE) {
            close_houses(village);
        }
    } while (e != ERR_NONE && --tries > 0);
    return e;
}

enum err village_open(struct door *door, const struct village_config *config, struct village **out,
                      struct fault *out_fault)
{
    struct village *village = calloc(1, sizeof *village);
    if (village == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    enum err e = tls_server_new(SLICE_NONE, SLICE_NONE, "mx.tls.example", CERT_DAYS, &village->tls,
                                out_fault);
    if (e == ERR_NONE) {
        e = build(village, out_fault);
    }
    if (e == ERR_NONE) {
        e = open_doors(village, door, config, out_fault);
    }
    if (e != ERR_NONE) {
        village_close(village);
        return e;
    }
    *out = village;
    return ERR_NONE;
}

void village_close(struct village *village)
{
    if (village == NULL) {
        return;
    }
    close_houses(village);
    responder_close(village->responder);
    for (size_t i = 0; i < HOUSE_COUNT; i++) {
        peer_links_close(&village->links[i]);
        peer_server_free(village->links[i].server);
    }
    zone_free(village->zone);
    tls_server_free(village->tls);
    free(village);
}

uint16_t village_port(const struct village *village)
{
    return village->port;
}

uint16_t village_dns_port(const struct village *village)
{
    return responder_port(village->responder);
}
