/* SPDX-License-Identifier: Apache-2.0 */
#include "store/pack.h"

#include <lz4.h>
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "base/slice.h"

enum {
    PACK_NUMBER = 1,     /* of the known text */
    PACK_HEAD_BYTES = 4, /* that number, and the length of the text */
    PACK_TEXT_MAX = (1 << 24) - 1,
    PACK_RATIO_MAX = 255, /* of an LZ4 block: a byte more of a length is so much text */
    PACK_HASTE = 4,       /* of LZ4: a little longer, and sooner done */
};

/* A record as most are, and what others have instead. What stands together often stands together here: the longer the
 * pieces, the fewer they are. */
static const char known[] =
    "{\"email\":\"\",\"normalized\":\"\",\"ascii\":\"\",\"local\":\"\",\"domain\":\""
    "\",\"status\":\"deliverable\",\"sub_status\":\"accepted\",\"score\":95,\"confidence\":0.95,"
    "\"reasons\":[{\"code\":\"accepted\",\"effect\":95,\"detail\":\"250 2.1.5 Ok\"},"
    "{\"code\":\"rcpt_accepted\",\"effect\":0,\"detail\":\"250 2.1.5 Ok\"},"
    "{\"code\":\"control_refused\",\"effect\":0,\"detail\":null}],\"did_you_mean\":null,"
    "\"flags\":{\"is_disposable\":false,\"is_role\":false,\"is_free\":false,"
    "\"is_catch_all\":false,\"is_plus_tagged\":false,\"is_noreply\":false,\"is_gov\":false,"
    "\"is_edu\":false,\"is_idn\":false,\"is_full\":false,\"is_disabled\":false,"
    "\"is_gibberish\":false,\"disposable_entry\":null},"
    "\"dns\":{\"status\":\"ok\",\"resolver_status\":\"none\",\"mx_found\":true,"
    "\"implicit_mx\":false,\"null_mx\":false,\"ttl\":3600,\"mx\":[{\"host\":\""
    "\",\"preference\":10,\"addresses\":[\"\"]}]},\"provider\":{\"name\":\"default\","
    "\"label\":\"Own server\",\"class\":\"selfhosted\",\"gateway\":false,\"trait\":null},"
    "\"smtp\":{\"host\":\"\",\"ip\":\"\",\"port\":25,\"stage\":\"rcpt\",\"code\":250,"
    "\"enhanced\":\"2.1.5\",\"text\":\"2.1.5 Ok\",\"rule\":\"code:250\","
    "\"tls\":{\"used\":false,\"version\":null,\"cipher\":null,\"cert_ok\":false},"
    "\"extensions\":[\"PIPELINING\",\"STARTTLS\",\"SIZE\",\"8BITMIME\",\"SMTPUTF8\",\"CHUNKING\","
    "\"ENHANCEDSTATUSCODES\",\"DSN\"],\"attempts\":1,\"egress\":\"default\",\"helo\":\""
    "\",\"mail_from\":\"\",\"control\":{\"tested\":false,\"result\":\"refused\",\"code\":550,"
    "\"count\":0},\"greylist\":{\"seen\":false,\"first_at\":null,\"passed_at\":null,"
    "\"waited_s\":0},\"latency_ms\":{\"dns\":,\"connect\":,\"banner\":,\"ehlo\":,\"starttls\":,"
    "\"mail\":,\"rcpt\":,\"control\":0}},\"retry_after\":null,\"checked_at\":\"2026-\","
    "\"expires_at\":\"2026-\",\"cached\":false,\"duration_ms\":,\"engine_version\":\"0.1.0\","
    "\"rules_version\":\"\"}"
    /* What is otherwise. */
    "\"status\":\"undeliverable\",\"sub_status\":\"mailbox_not_found\",\"score\":0,"
    "\"confidence\":0.9"
    "\"status\":\"risky\",\"sub_status\":\"catch_all\",\"status\":\"unknown\","
    "\"code\":\"mailbox_not_found\",\"effect\":-,\"detail\":\"550 5.1.1 No such user here\"},"
    "{\"code\":\"rcpt_no_user\",\"effect\":0,\"detail\":\"550 5.1.1 User unknown"
    "\"code\":550,\"enhanced\":\"5.1.1\",\"text\":\"5.1.1 No such user here\","
    "\"rule\":\"rules/layer-6-no-user.rules:"
    "\"tls\":{\"used\":true,\"version\":\"TLSv1.3\",\"cipher\":\"TLS_AES_256_GCM_SHA384\","
    "\"cert_ok\":true},\"provider\":{\"name\":\"google\",\"label\":\"Google\","
    "\"class\":\"webmail\",\"gateway\":false,\"trait\":null},\"name\":\"microsoft365\","
    "\"label\":\"Microsoft 365\",\"class\":\"business\",\"gateway\":true,"
    "\"control\":{\"tested\":true,\"result\":null,\"code\":0,\"is_catch_all\":null,";

#define KNOWN_BYTES (sizeof known - 1)

struct pack_state {
    LZ4_stream_t known; /* that has read the known text */
    LZ4_stream_t work;
};

void store_pack_done(struct pack *pack)
{
    free(pack->state);
    pack->state = NULL;
}

static enum err begin(struct pack *pack)
{
    if (pack->state == NULL) {
        pack->state = malloc(sizeof *pack->state);
        if (pack->state == NULL) {
            return ERR_NOMEM;
        }
        (void)LZ4_initStream(&pack->state->known, sizeof pack->state->known);
        (void)LZ4_loadDict(&pack->state->known, known, KNOWN_BYTES);
    }
    memcpy(&pack->state->work, &pack->state->known, sizeof pack->state->work);
    return ERR_NONE;
}

static void put_head(char *at, size_t text_len)
{
    at[0] = PACK_NUMBER;
    at[1] = (char)(text_len >> 16 & 0xff);
    at[2] = (char)(text_len >> 8 & 0xff);
    at[3] = (char)(text_len & 0xff);
}

enum err store_pack(struct pack *pack, struct slice text, struct buf *out, bool *out_is_packed)
{
    *out_is_packed = false;
    if (text.len <= PACK_HEAD_BYTES) {
        return ERR_NONE;
    }
    if (text.len > PACK_TEXT_MAX) {
        return ERR_LIMIT;
    }
    enum err e = buf_reserve(out, text.len);
    e = e != ERR_NONE ? e : begin(pack);
    if (e != ERR_NONE) {
        return e;
    }
    char *at = out->at + out->len;
    int room = (int)text.len - PACK_HEAD_BYTES - 1; /* else it is no shorter */
    int len = LZ4_compress_fast_continue(&pack->state->work, text.at, at + PACK_HEAD_BYTES,
                                         (int)text.len, room, PACK_HASTE);
    if (len > 0) {
        put_head(at, text.len);
        out->len += PACK_HEAD_BYTES + (size_t)len;
        *out_is_packed = true;
    }
    return ERR_NONE;
}

enum err store_unpack(struct slice packed, struct buf *out)
{
    struct reader r = reader_over(packed);
    uint8_t number, high;
    uint16_t low;
    if (!reader_u8(&r, &number) || number != PACK_NUMBER || !reader_u8(&r, &high) ||
        !reader_u16(&r, &low)) {
        return ERR_SYNTAX;
    }
    size_t text_len = (size_t)high << 16 | low;
    struct slice block = slice_sub(packed, PACK_HEAD_BYTES, packed.len);
    if (text_len == 0 || text_len / PACK_RATIO_MAX > block.len || block.len > PACK_TEXT_MAX) {
        return ERR_SYNTAX; /* before memory is taken for it */
    }
    enum err e = buf_reserve(out, text_len);
    if (e != ERR_NONE) {
        return e;
    }
    int len = LZ4_decompress_safe_usingDict(block.at, out->at + out->len, (int)block.len,
                                            (int)text_len, known, KNOWN_BYTES);
    if (len != (int)text_len) {
        return ERR_SYNTAX;
    }
    out->len += text_len;
    return ERR_NONE;
}
