/* The examples of the RFCs, with the hashes of net/digest.
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/sasl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "net/digest.h"

static enum err digest(void *context, enum sasl_hash hash, struct slice bytes, uint8_t *out)
{
    return digest_any(context, (enum digest_kind)hash, bytes, out);
}
static enum err hmac(void *context, enum sasl_hash hash, struct slice key, struct slice bytes,
                     uint8_t *out)
{
    return digest_hmac(context, (enum digest_kind)hash, key, bytes, out);
}
static enum err derive(void *context, enum sasl_hash hash, struct slice password, struct slice salt,
                       uint32_t iterations, uint8_t *out)
{
    return digest_derive(context, (enum digest_kind)hash, password, salt, iterations, out);
}

static struct sasl_hashes hashes;

static int open_hashes(void **state)
{
    (void)state;
    struct digester *set;
    if (digester_new(&set, NULL) != ERR_NONE) {
        return -1;
    }
    hashes = (struct sasl_hashes){set, digest, hmac, derive};
    return 0;
}

static int close_hashes(void **state)
{
    (void)state;
    digester_free(hashes.context);
    return 0;
}

/* What is said, word by word: the client's first (NULL: none), then challenge and answer in turn. */
struct play {
    const char *name;
    struct sasl_config config;
    const char *first;
    const char *turns[6]; /* the answer NULL: ERR_SYNTAX */
    bool is_proven;
};

#define PENCIL .user = {"user", 4}, .password = {"pencil", 6}

static const struct play plays[] = {
    {.name = "RFC 5802 5",
     .config = {.mechanism = SASL_SCRAM_SHA_1, PENCIL, .nonce = {"fyko+d2lbbFgONRv9qkxdawL", 24}},
     .first = "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
     .turns = {"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
               "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
               "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=", ""},
     .is_proven = true},
    {.name = "RFC 7677 3",
     .config = {.mechanism = SASL_SCRAM_SHA_256, PENCIL, .nonce = {"rOprNGfwEbeRWgbNEkqO", 20}},
     .first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
     .turns =
         {"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
          "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
          "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
          "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", ""},
     .is_proven = true},
    {.name = "a server that does not know the password",
     .config = {.mechanism = SASL_SCRAM_SHA_1, PENCIL, .nonce = {"fyko+d2lbbFgONRv9qkxdawL", 24}},
     .first = "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
     .turns = {"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
               "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
               "v=rmF9pqV8S7suAoZWja4dJRkFsKR=", NULL}},
    {.name = "a nonce that is not ours",
     .config = {.mechanism = SASL_SCRAM_SHA_1, PENCIL, .nonce = {"abc", 3}},
     .first = "n,,n=user,r=abc",
     .turns = {"r=abd1,s=QSXCR+Q6sek8bf92,i=4096", NULL}},
    {.name = "a nonce that does not go on",
     .config = {.mechanism = SASL_SCRAM_SHA_1, PENCIL, .nonce = {"abc", 3}},
     .first = "n,,n=user,r=abc",
     .turns = {"r=abc,s=QSXCR+Q6sek8bf92,i=4096", NULL}},
    {.name = "no count",
     .config = {.mechanism = SASL_SCRAM_SHA_1, PENCIL, .nonce = {"abc", 3}},
     .first = "n,,n=user,r=abc",
     .turns = {"r=abc1,s=QSXCR+Q6sek8bf92,i=0", NULL}},
    {.name = "names with comma and equals sign",
     .config = {.mechanism = SASL_SCRAM_SHA_1,
                .user = {"a,b=c", 5},
                .password = {"x", 1},
                .authorization = {"z,", 2},
                .nonce = {"abc", 3}},
     .first = "n,a=z=2C,n=a=2Cb=3Dc,r=abc"},
    {.name = "RFC 2195 2",
     .config = {.mechanism = SASL_CRAM_MD5,
                .user = {"tim", 3},
                .password = {"tanstaaftanstaaf", 16}},
     .turns = {"<1896.697170952@postoffice.reston.mci.net>",
               "tim b913a602c7eda7a495b4e6e7334d3890"},
     .is_proven = true},
    {.name = "LOGIN",
     .config = {.mechanism = SASL_LOGIN, PENCIL},
     .turns = {"Username:", "user", "Password:", "pencil", "more?", NULL},
     .is_proven = true},
    {.name = "XOAUTH2",
     .config = {.mechanism = SASL_XOAUTH2, .user = {"u@x.example", 11}, .password = {"tok", 3}},
     .first = "user=u@x.example\001auth=Bearer tok\001\001",
     .turns = {"{\"status\":\"401\"}", "", "again", NULL},
     .is_proven = true},
    {.name = "RFC 7628 4.1",
     .config = {.mechanism = SASL_OAUTHBEARER,
                .user = {"user@example.com", 16},
                .password = {"vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==", 42},
                .host = {"server.example.com", 18},
                .port = 143},
     .first = "n,a=user@example.com,\001host=server.example.com\001port=143\001"
              "auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\001\001",
     .turns = {"{\"status\":\"invalid_token\"}", "\001"},
     .is_proven = true},
};

static void play(const struct play *play)
{
    struct sasl_config config = play->config;
    struct sasl *sasl;
    config.hashes = &hashes;
    assert_int_equal(sasl_new(&config, &sasl), ERR_NONE);
    const struct slice *first = sasl_first(sasl);
    assert_int_equal(first == NULL, play->first == NULL);
    if (first != NULL && !slice_equal(*first, slice_of(play->first))) {
        fail_msg("%s: \"%.*s\"", play->name, SLICE_ARG(*first));
    }
    for (size_t i = 0; i < 6 && play->turns[i] != NULL; i += 2) {
        struct slice answer = SLICE_NONE;
        enum err e = sasl_answer(sasl, slice_of(play->turns[i]), &answer);
        const char *wanted = play->turns[i + 1];
        if (wanted == NULL) {
            assert_int_equal(e, ERR_SYNTAX);
        } else if (e != ERR_NONE || !slice_equal(answer, slice_of(wanted))) {
            fail_msg("%s: %d \"%.*s\"", play->name, (int)e, SLICE_ARG(answer));
        }
    }
    assert_int_equal(sasl_is_proven(sasl), play->is_proven);
    sasl_free(sasl);
}

static void every_example(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof plays / sizeof *plays; i++) {
        play(&plays[i]);
    }
}

static void plain(void **state)
{
    (void)state;
    struct sasl *sasl;
    const struct sasl_config config = {.mechanism = SASL_PLAIN, PENCIL, .authorization = {"z", 1}};
    assert_int_equal(sasl_new(&config, &sasl), ERR_NONE);
    assert_true(slice_equal(*sasl_first(sasl), SLICE("z\0user\0pencil")));
    sasl_free(sasl);
}

/* What would part or end the fields of a mechanism; work without end. */
static void what_is_refused(void **state)
{
    (void)state;
    struct sasl *sasl;
    struct slice answer;
    struct sasl_config config = {
        .mechanism = SASL_PLAIN, .user = SLICE("a\0b"), .password = SLICE("p")};
    assert_int_equal(sasl_new(&config, &sasl), ERR_SYNTAX);
    config = (struct sasl_config){
        .mechanism = SASL_SCRAM_SHA_1, PENCIL, .nonce = SLICE("abc"), .hashes = &hashes};
    assert_int_equal(sasl_new(&config, &sasl), ERR_NONE);
    assert_int_equal(sasl_answer(sasl, SLICE("r=abc1,s=QSXCR+Q6sek8bf92,i=1000001"), &answer),
                     ERR_LIMIT);
    sasl_free(sasl);
}

static void names_read_back(void **state)
{
    (void)state;
    for (int i = 0; i < SASL_MECHANISM_COUNT; i++) {
        enum sasl_mechanism read;
        assert_true(
            sasl_mechanism_parse(slice_of(sasl_mechanism_name((enum sasl_mechanism)i)), &read));
        assert_int_equal(read, i);
    }
    assert_false(sasl_mechanism_parse(SLICE("DIGEST-MD5"), &(enum sasl_mechanism){SASL_PLAIN}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example),
        cmocka_unit_test(plain),
        cmocka_unit_test(what_is_refused),
        cmocka_unit_test(names_read_back),
    };
    return cmocka_run_group_tests(tests, open_hashes, close_hashes);
}
