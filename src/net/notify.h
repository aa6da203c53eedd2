/* net/notify: how the service manager is told of starting, reloading and stopping (sd_notify(3)): one datagram.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_NOTIFY_H
#define NET_NOTIFY_H

#include <stdbool.h>

#include "base/attr.h"

/* path: what NOTIFY_SOCKET names, a path or "@" and an abstract name; NULL: nobody is told. state: "READY=1" and the like, a
 * line each. False: it was not sent, which changes nothing for a service. */
bool notify_send(const char *path, struct slice state);

#endif
