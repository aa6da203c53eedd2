/* tools/probe_way: from where and how patiently a probe asks: as the configuration has it, by its first way out.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_PROBE_WAY_H
#define TOOLS_PROBE_WAY_H

#include "engine/config.h"
#include "tools/probe.h"

/* Sets port, sources, networks, proxy, names and times of *plan, which point into *ways and the configuration. Returns
 * what is in the way, static; NULL: nothing. */
const char *probe_way_choose(const struct config *config, struct config_ways *ways,
                             struct probe_plan *plan);

#endif
