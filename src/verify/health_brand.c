/* verify/health_brand: checks of BIMI and of the records by which mail programs find their servers (RFC 6186).
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"
#include "dns/tags.h"
#include "verify/health_private.h"

static const struct health_text *bimi_of(const struct health_facts *facts)
{
    return facts->bimi.count > 0 ? &facts->bimi : NULL;
}

static void look_bimi_record(struct health_judge *j)
{
    const struct health_text *bimi = bimi_of(j->facts);
    struct tag_list tags;
    struct slice bad;
    if (bimi == NULL) {
        return;
    }
    bool is_list = tag_list_read(bimi->text, &tags, &bad) == TAG_FAULT_NONE;
    const struct tag *place = tag_find(&tags, SLICE("l"));
    bool is_good = is_list && place != NULL && /* an empty one declines */
                   (place->value.len == 0 || slice_starts_nocase(place->value, SLICE("https://")));
    if (bimi->count > 1 || !is_good) {
        health_say(j, "name one picture in SVG Tiny PS, over https",
                   health_text_of(j, "%s. IN TXT \"v=BIMI1; l=https://%s/logo.svg\"", bimi->name,
                                  j->facts->domain),
                   bimi->count > 1 ? "there are several BIMI records"
                                   : "the BIMI record names no picture over https (l=)");
    }
}

static void look_bimi_policy(struct health_judge *j)
{
    bool is_enforced = health_dmarc_policy(j->facts) >= DMARC_POLICY_QUARANTINE;
    if (bimi_of(j->facts) != NULL && !is_enforced) {
        health_say(j, "ask for p=quarantine or p=reject in the DMARC policy", NULL,
                   "there is a BIMI record, and no DMARC policy that is enforced");
    }
}

static void look_service_absent(struct health_judge *j)
{
    for (size_t i = 0; i < j->facts->service_count; i++) {
        const struct health_service *service = &j->facts->services[i];
        for (size_t k = 0; k < service->target_count; k++) {
            const struct health_host *host = &service->targets[k].host;
            if (host->name[0] != '\0' && health_is_absent(host->kinds[FITNESS_V4]) &&
                health_is_absent(host->kinds[FITNESS_V6])) {
                health_say(j, "mend or remove the record", NULL,
                           "%s.%s names %s, which has no address", service->label, j->facts->domain,
                           host->name);
            }
        }
    }
}

static void look_service_alias(struct health_judge *j)
{
    for (size_t i = 0; i < j->facts->service_count; i++) {
        const struct health_service *service = &j->facts->services[i];
        for (size_t k = 0; k < service->target_count; k++) {
            const struct health_host *host = &service->targets[k].host;
            if (host->is_alias) {
                health_say(j, "name the host that the alias leads to", NULL,
                           "%s.%s names %s, which is an alias (CNAME)", service->label,
                           j->facts->domain, host->name);
            }
        }
    }
}

static const struct health_check checks[] = {
    {"bimi_record", HEALTH_BIMI, HEALTH_ADVICE, "No receiver shows a picture by it.",
     look_bimi_record},
    {"bimi_without_dmarc", HEALTH_BIMI, HEALTH_ADVICE,
     "Receivers show the picture only for mail that an enforced DMARC policy covers.",
     look_bimi_policy},
    {"autodiscovery_without_address", HEALTH_AUTODISCOVERY, HEALTH_WARNING,
     "Mail programs that look for their settings there fail.", look_service_absent},
    {"autodiscovery_is_alias", HEALTH_AUTODISCOVERY, HEALTH_ADVICE,
     "RFC 2782 forbids an alias there; some programs do not follow it.", look_service_alias},
};

const struct health_checks health_brand_checks = {checks, sizeof checks / sizeof *checks};
