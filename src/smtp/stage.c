/* SPDX-License-Identifier: Apache-2.0 */
#include "heloise/smtp_client.h"

#include "base/slice.h"

const char *hel_smtp_stage_name(enum hel_smtp_stage stage)
{
    switch (stage) {
    case HEL_SMTP_CONNECT: return "connect";
    case HEL_SMTP_BANNER: return "banner";
    case HEL_SMTP_EHLO: return "ehlo";
    case HEL_SMTP_STARTTLS: return "starttls";
    case HEL_SMTP_MAIL: return "mail";
    case HEL_SMTP_RCPT: return "rcpt";
    case HEL_SMTP_DATA: return "data";
    case HEL_SMTP_BODY: return "body";
    case HEL_SMTP_RSET: return "rset";
    case HEL_SMTP_QUIT: return "quit";
    case HEL_SMTP_AUTH: return "auth";
    case HEL_SMTP_XCLIENT: return "xclient";
    case HEL_SMTP_STAGE_COUNT: break;
    }
    return "none";
}

bool hel_smtp_stage_parse(struct slice name, enum hel_smtp_stage *out)
{
    for (int i = 0; i < HEL_SMTP_STAGE_COUNT; i++) {
        enum hel_smtp_stage stage = (enum hel_smtp_stage)i;
        if (slice_equal_nocase(name, slice_of(hel_smtp_stage_name(stage)))) {
            *out = stage;
            return true;
        }
    }
    return false;
}
