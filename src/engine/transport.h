/* engine/transport: the door's word for how a DNS question went, in the words of src/dns, which knows no door.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_TRANSPORT_H
#define ENGINE_TRANSPORT_H

#include "dns/answer.h"
#include "net/door.h"

static inline enum dns_transport transport_of(enum query_status status)
{
    switch (status) {
    case QUERY_ANSWERED: return DNS_TRANSPORT_ANSWERED;
    case QUERY_TIMEOUT: return DNS_TRANSPORT_TIMEOUT;
    case QUERY_REFUSED: return DNS_TRANSPORT_REFUSED;
    case QUERY_FAILED: break;
    }
    return DNS_TRANSPORT_FAILED;
}

#endif
