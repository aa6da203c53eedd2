/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/policy_except.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/map.h"
#include "base/reader.h"
#include "base/slice.h"
#include "heloise/address.h"

enum {
    ARENA_BYTES_MAX = 32 << 20,
    NETS_MAX = 65536,
    ENTRY_BYTES_MAX = 320,
};

struct policy_except {
    struct map words; /* domains and addresses, lower case, to themselves */
    struct ip_net *nets;
    size_t net_count, net_cap;
    struct arena arena;
};

void policy_except_free(struct policy_except *except)
{
    if (except != NULL) {
        map_done(&except->words);
        arena_done(&except->arena);
        free(except->nets);
        free(except);
    }
}

static enum err add_net(struct policy_except *except, const struct ip_net *net)
{
    if (except->net_count == NETS_MAX) {
        return ERR_LIMIT;
    }
    if (except->net_count == except->net_cap) {
        size_t cap = except->net_cap == 0 ? 16 : 2 * except->net_cap;
        struct ip_net *grown = realloc(except->nets, cap * sizeof *grown);
        if (grown == NULL) {
            return ERR_NOMEM;
        }
        except->nets = grown;
        except->net_cap = cap;
    }
    except->nets[except->net_count++] = *net;
    return ERR_NONE;
}

/* In lower case, with the domain as A-labels. */
static bool fold(struct slice word, char out[HEL_WIRE_BYTES], struct slice *out_word)
{
    char whole[ENTRY_BYTES_MAX + 3];
    struct hel_address address;
    struct hel_address_error error;
    size_t len = 0;
    bool is_domain = slice_find_byte(word, '@', 0) == word.len;
    if (word.len > ENTRY_BYTES_MAX) {
        return false;
    }
    if (is_domain) {
        whole[len++] = 'a';
        whole[len++] = '@';
    }
    for (size_t i = 0; i < word.len; i++) {
        whole[len++] = word.at[i];
    }
    if (hel_address_parse(slice_make(whole, len), HEL_ADDRESS_PRACTICAL, &address, &error) !=
        ERR_NONE) {
        return false;
    }
    struct slice text = is_domain ? hel_address_domain(&address) : hel_address_wire(&address);
    for (size_t i = 0; i < text.len; i++) {
        out[i] = ascii_lower(text.at[i]);
    }
    *out_word = slice_make(out, text.len);
    return true;
}

static enum err add_word(struct policy_except *except, struct slice word)
{
    char room[HEL_WIRE_BYTES];
    struct slice folded = SLICE_NONE;
    struct slice kept = SLICE_NONE;
    if (!fold(word, room, &folded)) {
        return ERR_SYNTAX;
    }
    enum err e = arena_copy(&except->arena, folded, &kept);
    return e != ERR_NONE ? e : map_put(&except->words, kept, except);
}

static enum err add(struct policy_except *except, struct slice word)
{
    struct ip_net net;
    return ip_net_parse(word, &net) ? add_net(except, &net) : add_word(except, word);
}

static enum err read_lines(struct policy_except *except, struct slice name, struct slice text,
                           struct fault *out_fault)
{
    struct reader r = reader_over(text);
    struct slice line;
    for (unsigned number = 1; reader_line(&r, &line); number++) {
        struct slice word = slice_trim(slice_sub(line, 0, slice_find_byte(line, '#', 0)));
        enum err e = word.len == 0 ? ERR_NONE : add(except, word);
        if (e == ERR_SYNTAX) {
            return fault_set(out_fault, e, 0,
                             "%.*s:%u: '%.*s' is no domain, address or network like 192.0.2.0/24",
                             SLICE_ARG(name), number, SLICE_ARG(slice_sub(word, 0, 80)));
        }
        if (e != ERR_NONE) {
            return fault_set(out_fault, e, 0, "%.*s:%u: too many exceptions, or out of memory",
                             SLICE_ARG(name), number);
        }
    }
    return ERR_NONE;
}

enum err policy_except_read(struct slice name, struct slice text, struct policy_except **out,
                            struct fault *out_fault)
{
    struct policy_except *except = calloc(1, sizeof *except);
    if (except == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    map_init(&except->words, 1); /* the operator's own words: no stranger chooses them */
    arena_init(&except->arena, ARENA_BYTES_MAX);
    enum err e = read_lines(except, name, text, out_fault);
    if (e != ERR_NONE) {
        policy_except_free(except);
        return e;
    }
    *out = except;
    return ERR_NONE;
}

bool policy_except_has_client(const struct policy_except *except, const struct ip *client)
{
    for (size_t i = 0; except != NULL && i < except->net_count; i++) {
        if (ip_net_contains(&except->nets[i], client)) {
            return true;
        }
    }
    return false;
}

bool policy_except_has_address(const struct policy_except *except, struct slice address)
{
    char room[HEL_WIRE_BYTES];
    struct slice word = SLICE_NONE;
    if (except == NULL || !fold(address, room, &word)) {
        return false;
    }
    if (map_find(&except->words, word) != NULL) {
        return true;
    }
    word = slice_sub(word, slice_find_last_byte(word, '@') + 1, word.len);
    while (word.len > 0) {
        if (map_find(&except->words, word) != NULL) {
            return true;
        }
        word = slice_sub(word, slice_find_byte(word, '.', 0) + 1, word.len);
    }
    return false;
}
