/* SPDX-License-Identifier: Apache-2.0 */
#include "dns/route.h"

#include <stdlib.h>
#include <string.h>

void exchanger_copy(struct exchanger *to, const struct exchanger *from)
{
    memcpy(to->host, from->host, strlen(from->host) + 1);
    to->preference = from->preference;
    to->status = from->status;
    to->address_count = from->address_count;
    memcpy(to->addresses, from->addresses, from->address_count * sizeof from->addresses[0]);
}

struct route *route_copy(const struct route *route)
{
    size_t size = sizeof *route + route->exchanger_count * sizeof route->exchangers[0];
    struct route *copy = malloc(size);
    if (copy != NULL) {
        memcpy(copy, route, size);
    }
    return copy;
}

void route_free(struct route *route)
{
    free(route);
}

const char *route_status_name(enum route_status status)
{
    switch (status) {
    case ROUTE_OK: return "ok";
    case ROUTE_NOT_FOUND: return "not_found";
    case ROUTE_NULL_MX: return "null_mx";
    case ROUTE_NO_HOST: return "no_host";
    case ROUTE_UNROUTABLE: return "unroutable";
    case ROUTE_DNS_ERROR: return "dns_error";
    }
    return "unknown";
}

const char *dns_failure_name(enum dns_failure failure)
{
    switch (failure) {
    case DNS_FAILURE_NONE: return "none";
    case DNS_FAILURE_SERVFAIL: return "servfail";
    case DNS_FAILURE_TIMEOUT: return "timeout";
    case DNS_FAILURE_REFUSED: return "refused";
    case DNS_FAILURE_BROKEN: return "broken";
    }
    return "unknown";
}
