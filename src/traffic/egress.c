/* SPDX-License-Identifier: Apache-2.0 */
#include "traffic/egress.h"

#include "base/slice.h"

static bool is_name(struct slice name)
{
    if (name.len == 0 || name.len > TRAFFIC_EGRESS_NAME_MAX) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        if (!ascii_is_alnum(c) && c != '.' && c != '-' && c != '_') {
            return false;
        }
    }
    return true;
}

static enum err check(const struct traffic_egress *egress, struct fault *out_fault)
{
    if (!is_name(egress->name)) {
        return fault_set(out_fault, ERR_SYNTAX, 0,
                         "egress '%.*s': a name has 1 to %d letters, digits, '.', '-' or '_'",
                         (int)(egress->name.len < 64 ? egress->name.len : 64), egress->name.at,
                         TRAFFIC_EGRESS_NAME_MAX);
    }
    if (egress->weight == 0 || egress->weight > TRAFFIC_WEIGHT_MAX) {
        return fault_set(out_fault, ERR_SYNTAX, 0, "egress %.*s: a weight is 1 to %d, not %u",
                         SLICE_ARG(egress->name), TRAFFIC_WEIGHT_MAX, egress->weight);
    }
    if (egress->no_ipv4 && egress->no_ipv6) {
        return fault_set(out_fault, ERR_SYNTAX, 0, "egress %.*s: reaches neither IPv4 nor IPv6",
                         SLICE_ARG(egress->name));
    }
    return ERR_NONE;
}

enum err traffic_egresses_check(const struct traffic_egress *egresses, size_t count,
                                struct fault *out_fault)
{
    if (count == 0 || count > TRAFFIC_EGRESSES_MAX) {
        return fault_set(out_fault, ERR_SYNTAX, 0, "there must be 1 to %d egresses, not %zu",
                         TRAFFIC_EGRESSES_MAX, count);
    }
    for (size_t i = 0; i < count; i++) {
        enum err e = check(&egresses[i], out_fault);
        if (e != ERR_NONE) {
            return e;
        }
        for (size_t j = 0; j < i; j++) {
            if (slice_equal(egresses[i].name, egresses[j].name)) {
                return fault_set(out_fault, ERR_SYNTAX, 0, "egress %.*s: the name stands twice",
                                 SLICE_ARG(egresses[i].name));
            }
        }
    }
    return ERR_NONE;
}
