/* engine/config_private: the table of keys and the values behind them, for config's own files only: config.c (life,
 * command line, what the engine gets), config_keys.c (the table), config_value.c (text to values), config_proxy.c
 * (their URLs), config_read.c (a file's text), config_file.c (files and environment), config_show.c (values to text).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_CONFIG_PRIVATE_H
#define ENGINE_CONFIG_PRIVATE_H

#include "engine/config.h"

enum config_kind {
    CONFIG_COUNT,     /* uint32_t from min to max */
    CONFIG_PERCENT,   /* the same, written 50% */
    CONFIG_SPAN,      /* uint64_t in ms, written 30s; min and max are in ms */
    CONFIG_DATE,      /* uint32_t in days since 1970-01-01, written 2026-11-21 */
    CONFIG_SWITCH,    /* bool, written yes or no */
    CONFIG_PATH,      /* struct slice */
    CONFIG_PATHS,     /* struct config_texts */
    CONFIG_STORE,     /* struct config_store */
    CONFIG_HELO,      /* struct slice */
    CONFIG_SENDER,    /* struct slice */
    CONFIG_IP_V4,     /* struct ip */
    CONFIG_IP_V6,     /* struct ip */
    CONFIG_RESOLVERS, /* struct config_texts */
    CONFIG_LISTEN,    /* struct config_texts: ADDR[:PORT] */
    CONFIG_ORIGINS,   /* struct config_texts: SCHEME://HOST[:PORT], or * */
    CONFIG_NETS,      /* struct config_nets */
    CONFIG_HOSTS,     /* struct config_texts: names of hosts or addresses */
    CONFIG_SOCKETS,   /* struct config_texts: inet:ADDR:PORT or unix:/PATH */
    CONFIG_POLICY,    /* enum config_policy_do */
    CONFIG_RISKY,     /* uint32_t, a set of enum verify_risky */
    CONFIG_PROXY,     /* struct config_proxy */
    CONFIG_URL,       /* struct slice: http or https, without a slash at the end */
};

struct config_key {
    const char *section; /* "" outside of all */
    const char *name;
    enum config_kind kind;
    size_t offset, size; /* in struct config; of section egress, in struct config_egress */
    uint64_t min, max;   /* max also of a list's entries */
    const char *unset;   /* what holds where nobody set it; NULL: the default is a value */
};

/* The table; the keys of egresses are its end. */
extern const struct config_key config_keys[];
extern const size_t config_key_count;
bool config_key_is_egress(const struct config_key *key);

/* Where the key's mark stands among those of the config, or of its egress. */
size_t config_mark_index(const struct config_key *key);

/* Of keys that exist. */
struct config_mark config_mark(const struct config *config, const char *section, const char *name);
struct config_mark config_egress_mark(const struct config_egress *egress, const char *name);

/* NULL where there is none. */
const struct config_key *config_key_find(struct slice section, struct slice name);
bool config_is_section(struct slice name);
/* "limits, timeouts, ... and egress" */
enum { CONFIG_SECTIONS_BYTES = 256 };
void config_list_sections(char out[CONFIG_SECTIONS_BYTES]);

/* The nearest by slips among the keys of the section, all keys, or the sections; NULL: none is near. */
const char *config_key_near(struct slice section, struct slice name);
const struct config_key *config_key_near_any(struct slice name);
const char *config_section_near(struct slice name);

/* The section of a key that is not one of this section; NULL: there is no such key. */
const char *config_section_of(struct slice name);

bool config_kind_is_list(enum config_kind kind);

/* A value as it was given. */
struct config_word {
    struct slice text; /* NUL-terminated, in the config's arena, or somewhere that lives as long */
    bool is_quoted;    /* never a word with a meaning of its own, as none */
};
struct config_given {
    const struct config_word *words;
    size_t count;
    struct slice folder; /* from where relative paths are meant; empty: as they are */
    bool takes_seconds;  /* a time may lack its unit */
};

/* Into *field, which has the key's type and is untouched on failure; lists grow by it. ERR_SYNTAX with what is wrong and
 * what to do, ERR_NOMEM. */
enum err config_value_read(const struct config_key *key, const struct config_given *given,
                           struct arena *arena, void *field, struct fault *out_why) MUST_USE;

/* As it stands in a file; nothing for an empty list or an absent value. */
enum err config_value_write(const struct config_key *key, const void *field, struct buf *out)
    MUST_USE;

/* scheme://[user[:password]@]host:port */
enum err config_proxy_read(struct slice url, struct arena *arena, struct config_proxy *out,
                           struct fault *out_why) MUST_USE;
/* What is wrong with a file for the proxy's password, and what to do; NULL: nothing. Static. */
const char *config_proxy_password_complaint(const struct config_proxy *proxy);
enum err config_proxy_write(const struct config_proxy *proxy, struct buf *out) MUST_USE;

/* line 0: of the file as a whole. Unsafe bytes are escaped, what does not fit is cut. */
void config_complain(struct config_complaints *complaints, bool is_warning, struct slice name,
                     unsigned line, const char *format, ...) PRINTF_LIKE(5, 6);

static inline void *config_field(const struct config_key *key, void *base)
{
    return (char *)base + key->offset;
}

static inline const void *config_field_view(const struct config_key *key, const void *base)
{
    return (const char *)base + key->offset;
}

void config_egress_init(struct config_egress *out);

#endif
