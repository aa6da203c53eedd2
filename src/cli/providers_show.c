/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/providers_show.h"

#include <string.h>

#include "base/slice.h"
#include "base/text.h"

enum { SHOWN_BYTES_MAX = 4096 };

static uint32_t seconds_of(const struct knocker_config *config,
                           const struct provider_setting *setting)
{
    enum hel_smtp_stage stage = HEL_SMTP_CONNECT;
    struct slice key = slice_of(setting->key);
    struct slice name = slice_sub(key, slice_find_byte(key, ' ', 0) + 1, key.len);
    bool is_own = setting->value == 0 && hel_smtp_stage_parse(name, &stage);
    return is_own ? config->timeout_ms[stage] / 1000 : setting->value;
}

static bool is_timeout(const struct provider_setting *setting)
{
    return strncmp(setting->key, "timeout ", 8) == 0;
}

static uint32_t value_of(const struct knocker_config *config,
                         const struct provider_setting *setting)
{
    return is_timeout(setting) ? seconds_of(config, setting) : setting->value;
}

/* ---- text ---- */

static enum err put_padded(struct buf *out, struct slice text, size_t width)
{
    size_t before = out->len;
    enum err e = text_append_printable(out, text);
    while (e == ERR_NONE && out->len - before < width) {
        e = buf_append_byte(out, ' ');
    }
    return e;
}

static enum err put_row(struct buf *out, const char *key, struct slice value, const char *where,
                        const char *meaning)
{
    enum err e = buf_append(out, SLICE("  "));
    e = e != ERR_NONE ? e : put_padded(out, slice_of(key), 23);
    e = e != ERR_NONE ? e : put_padded(out, value, 8);
    e = e != ERR_NONE ? e : put_padded(out, slice_of(where), meaning[0] == '\0' ? 0 : 28);
    e = e != ERR_NONE || meaning[0] == '\0' ? e : buf_append(out, SLICE("  "));
    e = e != ERR_NONE ? e : buf_append(out, slice_of(meaning));
    return e != ERR_NONE ? e : buf_append_byte(out, '\n');
}

static enum err put_line(struct buf *out, const char *key, struct slice text, const char *where)
{
    enum err e = buf_append(out, SLICE("  "));
    e = e != ERR_NONE ? e : put_padded(out, slice_of(key), 23);
    e = e != ERR_NONE ? e : text_append_printable(out, text);
    if (e == ERR_NONE && where[0] != '\0') {
        e = buf_append(out, SLICE("  ("));
        e = e != ERR_NONE ? e : text_append_printable(out, slice_of(where));
        e = e != ERR_NONE ? e : buf_append_byte(out, ')');
    }
    return e != ERR_NONE ? e : buf_append_byte(out, '\n');
}

static enum err put_settings(const struct providers_answer *answer, struct buf *out)
{
    struct provider_setting setting;
    enum err e = ERR_NONE;
    for (size_t i = 0;
         e == ERR_NONE && provider_trait_at(answer->book, answer->provider, i, &setting); i++) {
        e = put_row(out, setting.key, SLICE("yes"), setting.where, setting.meaning);
    }
    for (size_t i = 0;
         e == ERR_NONE && provider_setting_at(answer->book, answer->provider, i, &setting); i++) {
        struct buf value;
        buf_init(&value, 16);
        e = buf_printf(&value, "%u", value_of(answer->config, &setting));
        e = e != ERR_NONE
                ? e
                : put_row(out, setting.key, buf_view(&value), setting.where, setting.meaning);
        buf_done(&value);
    }
    return e;
}

/* What told the provider, in the order of weight. */
static enum err put_matches(const struct providers_answer *answer, struct buf *out)
{
    struct provider_match match;
    struct buf text;
    buf_init(&text, SHOWN_BYTES_MAX);
    enum err e = ERR_NONE;
    const struct route *route = answer->route;
    if (route == NULL) {
        e = put_line(out, "exchanger", SLICE("not asked for"), "");
    } else if (answer->mx_host.len == 0) {
        e = put_line(out, "exchanger", slice_of(route_status_name(route->status)), "");
    } else {
        provider_match_host(answer->book, answer->mx_host, &match);
        e = buf_append(&text, answer->mx_host);
        if (match.provider != NULL) {
            e = e != ERR_NONE ? e : buf_printf(&text, ", by mx %.*s", SLICE_ARG(match.name));
        }
        e = e != ERR_NONE
                ? e
                : put_line(out, "exchanger", buf_view(&text),
                           match.provider == NULL ? "nobody's that is known" : match.where);
    }
    buf_done(&text);
    provider_match_domain(answer->book, answer->domain, &match);
    if (e == ERR_NONE && match.provider != NULL) {
        e = put_line(out, "domain", match.provider->name, match.where);
    }
    return e;
}

enum err providers_show_text(const struct providers_answer *answer, struct buf *out)
{
    const struct provider *provider = answer->provider;
    enum err e = text_append_printable(out, answer->domain);
    e = e != ERR_NONE ? e : buf_append_byte(out, '\n');
    struct buf text;
    buf_init(&text, SHOWN_BYTES_MAX);
    e = e != ERR_NONE
            ? e
            : buf_printf(&text, "%.*s: %.*s, %s", SLICE_ARG(provider->name),
                         SLICE_ARG(provider->label), provider_class_name(provider->class));
    e = e != ERR_NONE ? e : put_line(out, "provider", buf_view(&text), provider->where.at);
    buf_clear(&text);
    if (e == ERR_NONE && provider->source.len > 0) {
        e = buf_printf(&text, "%.*s%s%.*s", SLICE_ARG(provider->source),
                       provider->date.len > 0 ? ", " : "", SLICE_ARG(provider->date));
        e = e != ERR_NONE ? e : put_line(out, "known from", buf_view(&text), "");
    }
    buf_done(&text);
    e = e != ERR_NONE ? e : put_matches(answer, out);
    return e != ERR_NONE ? e : put_settings(answer, out);
}

enum err providers_list_text(const struct provider *provider, struct buf *out)
{
    enum err e = put_padded(out, provider->name, 24);
    e = e != ERR_NONE ? e : put_padded(out, slice_of(provider_class_name(provider->class)), 12);
    e = e != ERR_NONE ? e : put_padded(out, provider->label, 40);
    e = e != ERR_NONE ? e : buf_append_byte(out, ' ');
    e = e != ERR_NONE ? e : text_append_printable(out, provider->where);
    return e != ERR_NONE ? e : buf_append_byte(out, '\n');
}

/* ---- JSON ---- */

static void put_setting(struct json_writer *w, const char *key, uint32_t value, const char *where)
{
    json_open(w, key, '{');
    json_int(w, "value", value);
    json_string(w, "from", slice_of(where));
    json_close(w, '}');
}

static void put_provider(struct json_writer *w, const struct provider_book *book,
                         const struct provider *provider, const struct knocker_config *config)
{
    struct provider_setting setting;
    json_string(w, "provider", provider->name);
    json_string(w, "label", provider->label);
    json_string(w, "class", slice_of(provider_class_name(provider->class)));
    json_string(w, "entry", provider->where);
    json_string(w, "source", provider->source);
    json_string(w, "date", provider->date);
    json_open(w, "traits", '{');
    for (size_t i = 0; provider_trait_at(book, provider, i, &setting); i++) {
        json_string(w, setting.key, slice_of(setting.where));
    }
    json_close(w, '}');
    json_open(w, "limits", '{');
    for (size_t i = 0; provider_setting_at(book, provider, i, &setting); i++) {
        if (!is_timeout(&setting)) {
            put_setting(w, setting.key, setting.value, setting.where);
        }
    }
    json_close(w, '}');
    json_open(w, "timeouts_s", '{');
    for (size_t i = 0; provider_setting_at(book, provider, i, &setting); i++) {
        if (is_timeout(&setting)) {
            put_setting(w, setting.key + 8, seconds_of(config, &setting), setting.where);
        }
    }
    json_close(w, '}');
}

static void put_match(struct json_writer *w, const char *key, const struct provider_match *match)
{
    if (match->provider == NULL) {
        json_null(w, key);
        return;
    }
    json_open(w, key, '{');
    json_string(w, "provider", match->provider->name);
    json_string(w, "name", match->name);
    json_string(w, "from", slice_of(match->where));
    json_close(w, '}');
}

enum err providers_show_json(const struct providers_answer *answer, struct buf *out)
{
    struct json_writer w;
    struct provider_match match;
    json_begin(&w, out);
    json_open(&w, NULL, '{');
    json_string(&w, "domain", answer->domain);
    if (answer->route == NULL) {
        json_null(&w, "route");
    } else {
        json_string(&w, "route", slice_of(route_status_name(answer->route->status)));
    }
    json_string(&w, "exchanger", answer->mx_host);
    provider_match_host(answer->book, answer->mx_host, &match);
    put_match(&w, "by_mx", &match);
    provider_match_domain(answer->book, answer->domain, &match);
    put_match(&w, "by_domain", &match);
    put_provider(&w, answer->book, answer->provider, answer->config);
    json_close(&w, '}');
    return w.err != ERR_NONE ? w.err : buf_append_byte(out, '\n');
}

enum err providers_list_json(const struct provider_book *book, const struct provider *provider,
                             const struct knocker_config *config, struct buf *out)
{
    struct json_writer w;
    json_begin(&w, out);
    json_open(&w, NULL, '{');
    put_provider(&w, book, provider, config);
    json_close(&w, '}');
    return w.err != ERR_NONE ? w.err : buf_append_byte(out, '\n');
}
