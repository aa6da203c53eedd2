/* The report for people.
 * SPDX-License-Identifier: Apache-2.0 */
#include "tools/probe_report.h"

#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "base/reader.h"
#include "base/slice.h"
#include "tools/probe_words.h"

#define COLOUR_CLIENT "\033[36m"
#define COLOUR_SERVER "\033[32m"
#define COLOUR_REFUSE "\033[31m"
#define COLOUR_LATER  "\033[33m"
#define COLOUR_DIM    "\033[2m"

/* ---- lines ---- */

static const char *colour_of_line(char direction, struct slice line)
{
    if (direction == 'C' || direction == 'c') {
        return COLOUR_CLIENT;
    }
    if (direction == 'T') {
        return COLOUR_DIM;
    }
    unsigned code = probe_words_code(line);
    return code / 100 == 5 ? COLOUR_REFUSE : code / 100 == 4 ? COLOUR_LATER : COLOUR_SERVER;
}

void probe_write_line(struct writer *w, uint32_t t_ms, char direction, struct slice line,
                      bool with_words)
{
    static const char *const sides[] = {"C  ", "S  ", "C *", "S *", "-  "};
    const char *side = direction == 'C'   ? sides[0]
                       : direction == 'S' ? sides[1]
                       : direction == 'c' ? sides[2]
                       : direction == 's' ? sides[3]
                                          : sides[4];
    char room[PROBE_WORDS_BYTES];
    bool is_answer = direction == 'S' || direction == 's';
    const char *words = with_words && is_answer ? probe_words_line(line, room) : NULL;
    writer_printf(w, "%6u.%03u %s ", t_ms / 1000, t_ms % 1000, side);
    writer_put_colour(w, colour_of_line(direction, line));
    writer_put_safe(w, line);
    writer_put_colour(w, WRITER_COLOUR_END);
    if (words != NULL) {
        writer_put_colour(w, COLOUR_DIM);
        writer_printf(w, "   [%s]", words);
        writer_put_colour(w, WRITER_COLOUR_END);
    }
    writer_put(w, "\n");
}

/* ---- parts ---- */

/* On one line, whatever it holds. */
static void put_line(struct writer *w, const char *text)
{
    struct slice rest = slice_of(text);
    while (rest.at != NULL) {
        writer_put_safe(w, slice_trim(slice_cut(&rest, '\n')));
        writer_put(w, rest.at != NULL ? " / " : "\n");
    }
}

static void put_date(struct writer *w, int64_t time_s)
{
    struct date d = date_of_unix(time_s);
    writer_printf(w, "%04d-%02d-%02d", d.year, d.month, d.day);
}

static void put_certificate(struct writer *w, const struct tls_certificate *certificate,
                            unsigned place)
{
    writer_printf(w, "  chain %u      ", place);
    writer_put_safe(w, slice_of(certificate->subject));
    writer_put(w, "\n               by ");
    writer_put_safe(w, slice_of(certificate->issuer));
    writer_put(w, "\n               from ");
    put_date(w, certificate->not_before_s);
    writer_put(w, " to ");
    put_date(w, certificate->not_after_s);
    writer_printf(w, ", %s of %d bits, %s\n", certificate->key, certificate->key_bits,
                  certificate->signature);
    if (place == 0 && certificate->names[0] != '\0') {
        writer_put(w, "               for ");
        writer_put_safe(w, slice_of(certificate->names));
        writer_put(w, certificate->has_all_names ? "\n" : " and more\n");
    }
}

static void put_versions(struct writer *w, const struct probe_host *host)
{
    static const char *const names[PROBE_VERSIONS] = {"1.0", "1.1", "1.2", "1.3"};
    if (host->versions[0].offered == PROBE_NOT_TRIED) {
        return;
    }
    for (size_t i = 0; i < PROBE_VERSIONS; i++) {
        writer_printf(w, "  TLS %s      %s  ", names[i],
                      probe_answer_name(host->versions[i].offered));
        put_line(w, host->versions[i].detail);
    }
}

static void put_tls(struct writer *w, const struct probe_host *host)
{
    const struct tls_view *tls = &host->talk.tls;
    if (host->talk.has_tls) {
        writer_printf(w, "  TLS          %s, %s, %d bits%s%s, in %u ms\n", tls->version,
                      tls->cipher, tls->cipher_bits, tls->group[0] == '\0' ? "" : ", ", tls->group,
                      host->talk.handshake_ms);
        for (unsigned i = 0; i < tls->chain_count; i++) {
            put_certificate(w, &tls->chain[i], i);
        }
        writer_printf(w, "  OCSP         %s stapled\n",
                      tls->ocsp == TLS_OCSP_NONE ? "nothing" : tls_ocsp_name(tls->ocsp));
    }
    put_versions(w, host);
    if (host->dane != PROBE_DANE_NOT_TRIED) {
        writer_printf(w, "  DANE         %s, %u records, %s\n", probe_dane_name(host->dane),
                      host->dane_count, host->has_dane_proof ? "authentic" : "not authentic");
    }
    if (host->sts_names_it != PROBE_NOT_TRIED) {
        writer_printf(w, "  MTA-STS      the policy %s this host\n",
                      host->sts_names_it == PROBE_YES ? "names" : "does not name");
    }
    if (host->injection != PROBE_INJECTION_NOT_TRIED) {
        writer_printf(w, "  injection    %s\n", probe_injection_name(host->injection));
    }
}

static void put_extensions(struct writer *w, const struct probe_talk *talk)
{
    struct slice rest = slice_of(talk->extension_lines);
    bool is_first = true;
    while (rest.at != NULL && rest.len > 0) {
        struct slice line = slice_cut(&rest, '\n');
        const char *meaning = probe_words_extension(line);
        writer_put(w, is_first ? "  extensions   " : "               ");
        writer_put_safe(w, line);
        writer_printf(w, "   %s\n", meaning == NULL ? "(not registered)" : meaning);
        is_first = false;
    }
}

static void put_ports(struct writer *w, const struct probe_host *host)
{
    for (size_t i = 0; i < host->port_count; i++) {
        const struct probe_port *port = &host->ports[i];
        const struct probe_talk *talk = &port->talk;
        writer_printf(w, "  port %-7u ", port->port);
        if (talk->end != PROBE_END_DONE) {
            writer_printf(w, " %s: ", probe_end_name(talk->end));
            put_line(w, talk->detail);
            continue;
        }
        writer_printf(w, " open, %u ms, %s%s; ", talk->connect_ms,
                      talk->has_tls ? talk->tls.version : "no TLS",
                      (talk->extensions & HEL_SMTP_EXT_AUTH) != 0 ? ", logins" : "");
        put_line(w, talk->banner);
    }
}

static void put_relay(struct writer *w, const struct probe_plan *plan,
                      const struct probe_host *host)
{
    size_t form = 0;
    for (size_t i = 0; i < host->relay.step_count; i++) {
        const struct probe_step *step = &host->relay.steps[i];
        if (step->stage == HEL_SMTP_RSET) {
            form++;
        }
        if (step->stage != HEL_SMTP_RCPT || form >= plan->relay_count) {
            continue;
        }
        writer_printf(w, "  relay        %-9s %u  <", step->code / 100 == 2 ? "TAKEN" : "refused",
                      step->code);
        writer_put_safe(w, slice_of(step->about));
        writer_printf(w, ">, %s\n", plan->relay_words[form]);
    }
}

static void put_logins(struct writer *w, const struct probe_host *host)
{
    for (int i = 0; i < SASL_MECHANISM_COUNT; i++) {
        const struct probe_login_result *login = &host->logins[i];
        if (login->is_offered) {
            writer_printf(w, "  login        %-14s %s  ",
                          sasl_mechanism_name((enum sasl_mechanism)i),
                          login->worked == PROBE_YES  ? "works"
                          : login->worked == PROBE_NO ? "fails"
                                                      : "not tried");
            put_line(w, login->detail);
        }
    }
}

static const char *colour_of_level(enum probe_level level)
{
    switch (level) {
    case PROBE_LEVEL_OK: return "\033[32m";
    case PROBE_LEVEL_ADVICE: return "\033[33m";
    case PROBE_LEVEL_UNKNOWN: return "\033[1;36m";
    case PROBE_LEVEL_MEND: break;
    }
    return "\033[1;31m";
}

static void put_findings(struct writer *w, const struct probe_findings *findings, int host)
{
    for (size_t i = 0; i < findings->count; i++) {
        const struct probe_finding *finding = &findings->at[i];
        if (finding->host != host) {
            continue;
        }
        writer_put(w, "  ");
        writer_put_colour(w, colour_of_level(finding->level));
        writer_printf(w, "%-8s", probe_level_name(finding->level));
        writer_put_colour(w, WRITER_COLOUR_END);
        writer_put(w, "     ");
        put_line(w, finding->text);
        if (finding->hint[0] != '\0') {
            writer_printf(w, "               -> %s\n", finding->hint);
        }
    }
}

static void put_host(struct writer *w, const struct probe_plan *plan, const struct probe_host *host)
{
    char ip[IP_TEXT_BYTES];
    writer_put(w, "\n");
    if (host->name[0] != '\0') {
        writer_put_safe(w, slice_of(host->name));
        writer_put(w, " ");
    }
    if (host->status == HOST_OK) {
        writer_printf(w, "%s port %u", ip_format(&host->talk.ip, ip), host->talk.port);
    }
    if (host->is_exchanger) {
        writer_printf(w, ", preference %u", host->preference);
    }
    writer_put(w, "\n");
    if (host->status != HOST_OK) {
        return;
    }
    writer_printf(w, "  time         connected in %u ms, all in %u ms\n", host->talk.connect_ms,
                  host->talk.total_ms);
    put_extensions(w, &host->talk);
    put_tls(w, host);
    put_logins(w, host);
    put_relay(w, plan, host);
    put_ports(w, host);
}

enum err probe_write_text(const struct probe_plan *plan, const struct probe_result *result,
                          const struct probe_findings *findings, bool has_colour, struct buf *out)
{
    struct writer w = {.out = out, .has_colour = has_colour};
    put_findings(&w, findings, -1);
    for (size_t i = 0; i < result->host_count; i++) {
        put_host(&w, plan, &result->hosts[i]);
        put_findings(&w, findings, (int)i);
    }
    return w.err;
}
