/* SPDX-License-Identifier: Apache-2.0 */
#define ERR_STATE OPENSSL_ERR_STATE
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#undef ERR_STATE

#include "certs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/slice.h"

enum { DAY_S = 86400 };

static EVP_PKEY *authority_key;
static X509 *authority;

static void add_extension(X509 *certificate, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, authority, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static X509 *blank(EVP_PKEY *key, const char *name, int days_left)
{
    static int serial = 1;
    X509 *made = X509_new();
    assert_non_null(made);
    assert_int_equal(X509_set_version(made, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(made), ++serial), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(made), -60L * DAY_S));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(made), (long)days_left * DAY_S));
    assert_int_equal(X509_set_pubkey(made, key), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC,
                                                (const unsigned char *)name, -1, -1, 0),
                     1);
    return made;
}

static void need_authority(void)
{
    if (authority != NULL) {
        return;
    }
    authority_key = EVP_EC_gen("P-256");
    assert_non_null(authority_key);
    authority = blank(authority_key, "Authority of the tests", 30);
    assert_int_equal(X509_set_issuer_name(authority, X509_get_subject_name(authority)), 1);
    add_extension(authority, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(authority, NID_key_usage, "critical,keyCertSign");
    assert_true(X509_sign(authority, authority_key, EVP_sha256()) > 0);
}

void certs_done(void)
{
    X509_free(authority);
    EVP_PKEY_free(authority_key);
    authority = NULL;
    authority_key = NULL;
}

static char *text_of(BIO *bio)
{
    char *at;
    long len = BIO_get_mem_data(bio, &at);
    char *text = calloc(1, (size_t)len + 1);
    assert_non_null(text);
    memcpy(text, at, (size_t)len);
    BIO_free(bio);
    return text;
}

static char *key_text(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL), 1);
    return text_of(bio);
}

char *certs_key(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    char *text = key_text(key);
    EVP_PKEY_free(key);
    return text;
}

void certs_pem(const struct cert_wish *wish, char **out_certificate, char **out_key)
{
    need_authority();
    EVP_PKEY *key = EVP_EC_gen("P-256");
    assert_non_null(key);
    X509 *made = blank(key, wish->host, wish->days_left);
    char names[300];
    (void)snprintf(names, sizeof names, "DNS:%s", wish->host);
    add_extension(made, NID_subject_alt_name, names);
    const X509 *issuer = wish->is_by_nobody ? made : authority;
    assert_int_equal(X509_set_issuer_name(made, X509_get_subject_name(issuer)), 1);
    assert_true(X509_sign(made, wish->is_by_nobody ? key : authority_key, EVP_sha256()) > 0);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(bio, made), 1);
    *out_certificate = text_of(bio);
    *out_key = key_text(key);
    X509_free(made);
    EVP_PKEY_free(key);
}

char *certs_authority(void)
{
    need_authority();
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_X509(bio, authority), 1);
    return text_of(bio);
}

struct tls_server *certs_server(const struct cert_wish *wish)
{
    char *certificate, *key;
    certs_pem(wish, &certificate, &key);
    struct tls_server *server = NULL;
    struct fault fault = {0};
    if (tls_server_new(slice_of(certificate), slice_of(key), "", 0, &server, &fault) != ERR_NONE) {
        fail_msg("%s", fault.text);
    }
    free(certificate);
    free(key);
    return server;
}

/* The roots come from where the system keeps them; here from a file that is read once. */
struct tls_client *certs_client(void)
{
    need_authority();
    char path[] = "/tmp/heloise-roots-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *file = fdopen(fd, "w");
    assert_non_null(file);
    assert_int_equal(PEM_write_X509(file, authority), 1);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(setenv("SSL_CERT_FILE", path, 1), 0);
    assert_int_equal(setenv("SSL_CERT_DIR", "/nonexistent", 1), 0);
    struct tls_client *client = NULL;
    assert_int_equal(tls_client_new(&client, NULL), ERR_NONE);
    assert_int_equal(unlink(path), 0);
    return client;
}
