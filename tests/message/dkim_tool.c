/* tests/message/dkim_tool: our DKIM as a program, for the test that holds it against others' (dkim_tools_test.py).
 *     dkim_tool sign DOMAIN SELECTOR HEADER-CANON BODY-CANON KEY-FILE < message > signed message
 *     dkim_tool verify FOLDER KEYS < message    one line of verdicts; KEYS: a zone in FOLDER
 *     dkim_tool public KEY-FILE                 p= of its record
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "../sim/zone_lines.h"
#include "base/must.h"
#include "base/slice.h"
#include "dkim_case.h"
#include "message/dkim_sign.h"

enum { MESSAGE_BYTES = 1 << 22 };

static struct buf read_all(FILE *file)
{
    struct buf out;
    char piece[4096];
    size_t n;
    buf_init(&out, MESSAGE_BYTES);
    while ((n = fread(piece, 1, sizeof piece, file)) > 0) {
        must(buf_append(&out, slice_make(piece, n)) == ERR_NONE);
    }
    return out;
}

static struct crypto_key *read_key(const struct crypter *crypter, const char *path)
{
    struct fault fault;
    struct crypto_key *key;
    FILE *file = fopen(path, "rb");
    must(file != NULL);
    struct buf pem = read_all(file);
    (void)fclose(file);
    must(crypter_key_read(crypter, buf_view(&pem), &key, &fault) == ERR_NONE);
    buf_done(&pem);
    return key;
}

static enum dkim_canon canon(const char *word)
{
    return strcmp(word, "relaxed") == 0 ? DKIM_RELAXED : DKIM_SIMPLE;
}

static void sign(const struct crypter *crypter, char **words)
{
    struct crypto_key *key = read_key(crypter, words[4]);
    struct dkim_sign_request request = {
        .key = key,
        .domain = slice_of(words[0]),
        .selector = slice_of(words[1]),
        .header_canon = canon(words[2]),
        .body_canon = canon(words[3]),
        .time_s = (int64_t)time(NULL),
        .lifetime_s = 3600,
    };
    struct dkim_signer *signer;
    struct buf message = read_all(stdin);
    struct buf field;
    buf_init(&field, MESSAGE_BYTES);
    must(dkim_signer_new(crypter_interface(crypter), &request, &signer) == ERR_NONE);
    must(dkim_signer_feed(signer, buf_view(&message)) == ERR_NONE);
    must(dkim_signer_finish(signer, &field) == ERR_NONE);
    (void)fwrite(field.at, 1, field.len, stdout);
    (void)fwrite(message.at, 1, message.len, stdout);
    dkim_signer_free(signer);
    crypto_key_free(key);
    buf_done(&field);
    buf_done(&message);
}

static void verify(const struct crypter *crypter, char **words)
{
    char text[CASE_TEXT_BYTES];
    struct dkim_case given = {crypter_interface(crypter), NULL, (int64_t)time(NULL), 0};
    struct buf keys = dkim_case_file(words[0], words[1]);
    struct buf message = read_all(stdin);
    for (size_t i = 0; i < keys.len; i++) {
        keys.at[i] = keys.at[i] == '\r' ? '\n' : keys.at[i];
    }
    must(buf_append_byte(&keys, '\0') == ERR_NONE && zone_new(&given.zone) == ERR_NONE);
    zone_add_lines(given.zone, keys.at, NULL);
    dkim_case_judge(&given, buf_view(&message), text);
    (void)puts(text);
    zone_free(given.zone);
    buf_done(&keys);
    buf_done(&message);
}

static void show(const struct crypter *crypter, const char *path)
{
    struct crypto_key *key = read_key(crypter, path);
    struct buf text;
    buf_init(&text, MESSAGE_BYTES);
    must(crypto_key_write_public(key, &text) == ERR_NONE);
    (void)printf("%.*s\n", SLICE_ARG(buf_view(&text)));
    buf_done(&text);
    crypto_key_free(key);
}

int main(int argc, char **argv)
{
    struct fault fault;
    struct crypter *crypter;
    must(argc >= 3 && crypter_new(&crypter, &fault) == ERR_NONE);
    if (strcmp(argv[1], "sign") == 0 && argc == 7) {
        sign(crypter, argv + 2);
    } else if (strcmp(argv[1], "verify") == 0 && argc == 4) {
        verify(crypter, argv + 2);
    } else {
        show(crypter, argv[2]);
    }
    crypter_free(crypter);
    return EXIT_SUCCESS;
}
