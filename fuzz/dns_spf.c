/* fuzz/dns_spf: any bytes as a policy and the answers around it. The first line is the sender, its first byte
 * choosing the address; each further line answers one question: values parted by '|', a text for TXT, names or
 * addresses for the others, with "!" for no such name, "?" for silence and ">" before an alias. When the lines
 * are used up nothing exists any more. An evaluation must end within the questions that its limits allow.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "dns/spf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    WIRE_BYTES = 1 << 20,
    TEXT_BYTES = 16384,
    /* Policies, terms, their hosts, reverse names, the explanation; each with its aliases. */
    QUESTIONS_MAX =
        (2 + SPF_LOOKUPS_MAX * (2 + SPF_NAMES_MAX) + 1 + SPF_NAMES_MAX) * (1 + DNS_ALIASES_MAX),
};

static void set_name(char out[DNS_NAME_BYTES], struct slice text)
{
    size_t len = text.len < DNS_NAME_BYTES - 1 ? text.len : DNS_NAME_BYTES - 1;
    memcpy(out, text.at, len);
    out[len] = '\0';
}

/* One string after the other, each behind its length. */
static struct slice wire_text(struct slice value, char room[TEXT_BYTES])
{
    size_t len = 0;
    while (value.len > 0 && len + 256 < TEXT_BYTES) {
        size_t n = value.len < 255 ? value.len : 255;
        room[len++] = (char)n;
        memcpy(room + len, value.at, n);
        len += n;
        value = slice_sub(value, n, value.len);
    }
    return slice_make(room, len);
}

static void add_record(struct dns_message *message, struct slice owner, uint16_t type,
                       struct slice value, char room[TEXT_BYTES])
{
    struct dns_record *record = &message->answers[message->answer_count];
    *record = (struct dns_record){.type = type, .ttl_s = 60};
    set_name(record->owner, owner);
    if (slice_starts(value, SLICE(">"))) {
        record->type = DNS_CNAME;
        value = slice_sub(value, 1, value.len);
    }
    if (record->type == DNS_TXT) {
        record->text = wire_text(value, room);
    } else if (record->type == DNS_A || record->type == DNS_AAAA) {
        bool is_six = record->type == DNS_AAAA;
        if (!ip_parse(value, &record->ip) || (record->ip.family == IP_V6) != is_six) {
            return;
        }
    } else {
        set_name(record->target, value);
    }
    message->answer_count++;
}

static void answer(struct spf *spf, struct slice line, struct slice name, uint16_t type)
{
    static struct dns_message message;
    static char texts[8][TEXT_BYTES];
    struct buf wire;
    message.id = 1;
    message.is_response = true;
    message.is_truncated = false;
    message.rcode = slice_starts(line, SLICE("!")) ? DNS_NXDOMAIN : DNS_NOERROR;
    message.question_type = 0;
    message.answer_count = 0;
    message.has_negative_ttl = false;
    for (size_t i = 0; i < 8 && line.at != NULL && message.rcode == DNS_NOERROR; i++) {
        add_record(&message, name, type, slice_cut(&line, '|'), texts[i]);
    }
    buf_init(&wire, WIRE_BYTES);
    enum err e = dns_message_write(&message, &wire);
    bool is_lost = e != ERR_NONE || slice_starts(line, SLICE("?"));
    spf_answered(spf, is_lost ? DNS_TRANSPORT_TIMEOUT : DNS_TRANSPORT_ANSWERED, buf_view(&wire));
    buf_done(&wire);
}

static void check_outcome(const struct spf_outcome *outcome)
{
    bool is_error = outcome->result == SPF_TEMPERROR || outcome->result == SPF_PERMERROR;
    must(is_error == (outcome->fault != SPF_FAULT_NONE));
    must((outcome->result == SPF_TEMPERROR) == (outcome->fault == SPF_FAULT_DNS));
    must(outcome->lookups <= SPF_LOOKUPS_MAX || outcome->fault == SPF_FAULT_LOOKUPS);
    must(outcome->voids <= SPF_VOIDS_MAX || outcome->fault == SPF_FAULT_VOIDS);
    must(outcome->explanation[0] == '\0' || outcome->result == SPF_FAIL);
    must(spf_result_name(outcome->result)[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_make((const char *)data, size);
    struct slice sender = size == 0 ? SLICE_NONE : slice_cut(&rest, '\n');
    bool is_six = sender.len > 0 && (sender.at[0] & 1) != 0;
    struct spf_request request = {.sender = slice_sub(sender, 1, sender.len),
                                  .helo = SLICE("mail.example.com"),
                                  .wants_explanation = true};
    struct spf *spf;
    struct slice name;
    uint16_t type;
    must(ip_parse(is_six ? SLICE("2001:db8::1") : SLICE("192.0.2.1"), &request.ip));
    if (spf_new(&request, &spf) != ERR_NONE) {
        return 0;
    }
    unsigned count = 0;
    while (spf_next(spf, &name, &type)) {
        must(++count <= QUESTIONS_MAX && name.len < DNS_NAME_BYTES);
        answer(spf, rest.at != NULL ? slice_cut(&rest, '\n') : SLICE("!"), name, type);
    }
    must(spf_is_done(spf));
    check_outcome(spf_outcome(spf));
    spf_free(spf);
    return 0;
}
