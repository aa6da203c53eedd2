/* net/wall_clock: the calendar's time, for those without a door (net/door.h), whose time may be a simulated one.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_WALL_CLOCK_H
#define NET_WALL_CLOCK_H

#include <stdint.h>

/* Unix milliseconds. */
int64_t wall_clock_ms(void);

#endif
