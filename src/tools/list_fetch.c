/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/list_fetch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/slice.h"
#include "net/digest.h"
#include "net/signature.h"

enum {
    FETCH_TIMEOUT_MS = 120 * 1000,
    FETCH_CONNECT_MS = 20 * 1000,
    FETCH_REDIRECTS_MAX = 5,
    KEY_BYTES_MAX = 16384,
    READ_BYTES = 65536,
};

/* ---- files ---- */

static enum err read_open(FILE *file, const char *path, struct buf *out, struct fault *out_fault)
{
    enum err e = ERR_NONE;
    while (e == ERR_NONE && feof(file) == 0) {
        char block[READ_BYTES];
        size_t got = fread(block, 1, sizeof block, file);
        if (ferror(file) != 0) {
            return fault_set(out_fault, ERR_SYSTEM, errno, "%.200s: %s", path,
                             strerrordesc_np(errno));
        }
        e = buf_append(out, slice_make(block, got));
    }
    return e == ERR_NONE ? e
                         : fault_set(out_fault, e, 0, "%.200s: more than %zu bytes, or no memory",
                                     path, out->max);
}

static enum err read_file(const char *path, struct buf *out, struct fault *out_fault)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        return fault_set(out_fault, ERR_SYSTEM, errno, "%.200s: %s", path, strerrordesc_np(errno));
    }
    enum err e = read_open(file, path, out, out_fault);
    (void)fclose(file); /* it was only read */
    return e;
}

/* ---- URLs ---- */

struct download {
    struct door *door;
    struct buf *out;
    const char *url;
    enum err err;
    struct fault *fault;
};

static enum err judge(struct download *download, const struct http_client_answer *answer)
{
    if (answer->end == HTTP_CLIENT_END_TOO_LARGE) {
        return fault_set(download->fault, ERR_LIMIT, 0, "%.200s: more than %zu bytes",
                         download->url, download->out->max);
    }
    if (answer->end != HTTP_CLIENT_END_ANSWERED) {
        return fault_set(download->fault, ERR_SYSTEM, 0, "%.200s: %s: %.200s", download->url,
                         http_end_name(answer->end), answer->detail);
    }
    if (answer->status != 200) {
        return fault_set(download->fault, ERR_SYSTEM, 0, "%.200s: the server answered %u",
                         download->url, answer->status);
    }
    enum err e = buf_append(download->out, answer->body);
    return e == ERR_NONE ? e : fault_set(download->fault, e, 0, "out of memory");
}

static void on_answer(void *context, const struct http_client_answer *answer)
{
    struct download *download = context;
    download->err = judge(download, answer);
    door_stop(download->door);
}

static enum err ask(struct download *download, struct http_client *client)
{
    const struct http_client_request request = {
        .method = HTTP_CLIENT_GET,
        .url = slice_of(download->url),
        .body = SLICE_NONE,
        .timeout_ms = FETCH_TIMEOUT_MS,
        .connect_timeout_ms = FETCH_CONNECT_MS,
        .response_bytes_max = download->out->max,
        .redirects_max = FETCH_REDIRECTS_MAX,
    };
    struct http_exchange *exchange;
    enum err e = http_client_ask(client, &request, on_answer, download, &exchange, download->fault);
    if (e == ERR_NONE) {
        door_run(download->door);
        e = download->err;
    }
    return e;
}

static enum err fetch_url(const struct list_fetch *fetch, struct buf *out, struct fault *out_fault)
{
    struct download download = {.out = out, .url = fetch->from, .fault = out_fault};
    struct http_client *client = NULL;
    enum err e = uv_door_open(&fetch->door, &download.door, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    e = http_client_open(download.door, &fetch->http, &client, out_fault);
    e = e != ERR_NONE ? e : ask(&download, client);
    http_client_close(client);
    uv_door_close(download.door);
    return e;
}

/* ---- proof ---- */

static enum err check_sha256(const char *wanted, struct slice bytes,
                             char out_hex[LIST_SHA256_BYTES], struct fault *out_fault)
{
    struct digester *digester = NULL;
    struct digest digest;
    enum err e = digester_new(&digester, out_fault);
    if (e == ERR_NONE && digest_sha256(digester, bytes, &digest) != ERR_NONE) {
        e = fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    digester_free(digester);
    if (e != ERR_NONE) {
        return e;
    }
    digest_write_hex(&digest, out_hex);
    out_hex[DIGEST_HEX_BYTES] = '\0';
    if (wanted == NULL || slice_equal_nocase(slice_of(wanted), slice_of(out_hex))) {
        return ERR_NONE;
    }
    return fault_set(out_fault, ERR_SYNTAX, 0,
                     "its SHA-256 is %s, not the one that was given; nothing was changed", out_hex);
}

static enum err check_signature(const struct list_proof *proof, struct slice bytes,
                                struct fault *out_fault)
{
    char signature[SIGNATURE_BYTES];
    DEFER(buf_done) struct buf key;
    DEFER(buf_done) struct buf text;
    buf_init(&key, KEY_BYTES_MAX);
    buf_init(&text, KEY_BYTES_MAX);
    enum err e = read_file(proof->key, &key, out_fault);
    e = e != ERR_NONE ? e : read_file(proof->signature, &text, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    if (!signature_read(buf_view(&text), signature)) {
        return fault_set(out_fault, ERR_SYNTAX, 0,
                         "%.200s: no Ed25519 signature: 64 bytes, or those in base64",
                         proof->signature);
    }
    return signature_check(buf_view(&key), signature, bytes, out_fault);
}

static bool is_url(const char *text)
{
    struct slice from = slice_of(text);
    return slice_starts_nocase(from, SLICE("https://")) ||
           slice_starts_nocase(from, SLICE("http://"));
}

enum err list_fetch(const struct list_fetch *fetch, struct buf *out,
                    char out_hex[LIST_SHA256_BYTES], struct fault *out_fault)
{
    enum err e = is_url(fetch->from) ? fetch_url(fetch, out, out_fault)
                                     : read_file(fetch->from, out, out_fault);
    e = e != ERR_NONE ? e : check_sha256(fetch->proof.sha256, buf_view(out), out_hex, out_fault);
    if (e == ERR_NONE && fetch->proof.signature != NULL) {
        e = check_signature(&fetch->proof, buf_view(out), out_fault);
    }
    return e;
}
