/* engine/config_show: all that holds, as a configuration file with comments that say where each value comes from.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/slice.h"
#include "base/text.h"
#include "engine/config_private.h"

enum {
    LINE_BYTES_MAX_SHOWN = 64 * 1024, /* a list of long paths */
    ORIGIN_COLUMN = 44,
};

static enum err write_origin(const struct config *config, struct config_mark mark, struct buf *out)
{
    switch (mark.origin) {
    case CONFIG_DEFAULT: return buf_append(out, SLICE("# default\n"));
    case CONFIG_ENVIRONMENT: return buf_append(out, SLICE("# environment\n"));
    case CONFIG_COMMAND_LINE: return buf_append(out, SLICE("# command line\n"));
    case CONFIG_FILE: break;
    }
    enum err e = buf_append(out, SLICE("# "));
    e = e != ERR_NONE ? e : text_append_printable(out, config->file);
    return e != ERR_NONE ? e : buf_printf(out, ":%u\n", mark.line);
}

/* The line so far stands in `line`; the comment begins in a column of its own where there is room. */
static enum err end_line(const struct config *config, struct buf *line, struct config_mark mark,
                         struct buf *out)
{
    int width = line->len < ORIGIN_COLUMN ? ORIGIN_COLUMN : (int)line->len;
    enum err e = buf_printf(out, "%-*.*s ", width, SLICE_ARG(buf_view(line)));
    return e != ERR_NONE ? e : write_origin(config, mark, out);
}

static enum err write_key(const struct config *config, const struct config_key *key,
                          const void *base, struct config_mark mark, struct buf *out)
{
    const char *indent = key->section[0] == '\0' ? "" : "    ";
    struct buf line;
    struct buf value;
    buf_init(&line, LINE_BYTES_MAX_SHOWN);
    buf_init(&value, LINE_BYTES_MAX_SHOWN);
    enum err e = config_value_write(key, config_field_view(key, base), &value);
    if (e == ERR_NONE && value.len > 0) {
        e = buf_printf(&line, "%s%s %.*s", indent, key->name, SLICE_ARG(buf_view(&value)));
    } else if (e == ERR_NONE) {
        e = buf_printf(&line, "%s#%s: %s", indent, key->name, key->unset == NULL ? "" : key->unset);
    }
    if (e == ERR_NONE) {
        e = end_line(config, &line, mark, out);
    }
    buf_done(&line);
    buf_done(&value);
    return e;
}

static enum err write_egress(const struct config *config, const struct config_egress *egress,
                             struct buf *out)
{
    struct config_egress shown = *egress;
    if (shown.proxy_password_file.len > 0) {
        shown.proxy.password = SLICE_NONE; /* its place is told, not the proxy's URL */
    }
    enum err e = buf_printf(out, "\negress \"%.*s\" {\n", SLICE_ARG(egress->name));
    for (size_t i = 0; i < config_key_count && e == ERR_NONE; i++) {
        const struct config_key *key = &config_keys[i];
        if (config_key_is_egress(key)) {
            e = write_key(config, key, &shown, egress->marks[config_mark_index(key)], out);
        }
    }
    return e != ERR_NONE ? e : buf_append(out, SLICE("}\n"));
}

static enum err write_head(const struct config *config, struct buf *out)
{
    if (config->file.len == 0) {
        return buf_append(out, SLICE("# no configuration file\n"));
    }
    enum err e = buf_append(out, SLICE("# configuration file: "));
    e = e != ERR_NONE ? e : text_append_printable(out, config->file);
    return e != ERR_NONE ? e : buf_append_byte(out, '\n');
}

enum err config_show(const struct config *config, struct buf *out)
{
    enum err e = write_head(config, out);
    const char *section = "";
    for (size_t i = 0; !config_key_is_egress(&config_keys[i]) && e == ERR_NONE; i++) {
        const struct config_key *key = &config_keys[i];
        if (!slice_equal(slice_of(key->section), slice_of(section))) {
            e = buf_printf(out, "%s\n%s {\n", section[0] == '\0' ? "" : "}\n", key->section);
            section = key->section;
        }
        e = e != ERR_NONE ? e : write_key(config, key, config, config->marks[i], out);
    }
    e = e != ERR_NONE ? e : buf_append(out, SLICE("}\n"));
    for (size_t i = 0; i < config->egress_count && e == ERR_NONE; i++) {
        if (config->egresses[i].line > 0) { /* else the settings above say it all */
            e = write_egress(config, &config->egresses[i], out);
        }
    }
    return e;
}
