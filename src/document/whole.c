/* document/whole: what can only be read when all of it is there: from the file itself, or from a copy that nobody else
 * sees.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/slice.h"
#include "document/document_private.h"

struct whole_reader {
    struct reader base;
    enum sniff_kind kind;
    bool is_direct;
    FILE *copy;
    uint64_t len;
};

static enum err system_fault(struct whole_reader *whole)
{
    char text[128];
    return reader_fail(&whole->base, ERR_SYSTEM, "cannot be kept on disk to be read: %s",
                       strerror_r(errno, text, sizeof text));
}

static enum err feed(struct reader *reader, struct slice bytes)
{
    struct whole_reader *whole = (struct whole_reader *)reader;
    if (whole->is_direct) {
        return ERR_NONE;
    }
    whole->len += bytes.len;
    if (whole->len > reader->document->config.limits.spool_bytes_max) {
        return reader_fail(reader, ERR_LIMIT,
                           "too large to be read inside another file; unpack it first");
    }
    if (whole->copy == NULL) {
        whole->copy = tmpfile();
    }
    bool is_kept = whole->copy != NULL && fwrite(bytes.at, 1, bytes.len, whole->copy) == bytes.len;
    return is_kept ? reader_check_go_on(reader) : system_fault(whole);
}

static enum err end(struct reader *reader)
{
    struct whole_reader *whole = (struct whole_reader *)reader;
    int fd = reader->document->config.fd;
    if (!whole->is_direct) {
        if (whole->copy == NULL || fflush(whole->copy) != 0) {
            return system_fault(whole);
        }
        fd = fileno(whole->copy);
    }
    return whole->kind == SNIFF_PDF ? pdf_read(reader, fd) : zip_read(reader, fd);
}

static void whole_free(struct reader *reader)
{
    struct whole_reader *whole = (struct whole_reader *)reader;
    if (whole->copy != NULL) {
        (void)fclose(whole->copy); /* nobody wants what was written */
    }
    free(whole);
}

enum err whole_reader_new(const struct reader *parent, enum sniff_kind kind, struct reader **out)
{
    static const struct reader_ops ops = {.feed = feed, .end = end, .free = whole_free};
    struct whole_reader *whole = calloc(1, sizeof *whole);
    if (whole == NULL) {
        return ERR_NOMEM;
    }
    reader_init(&whole->base, &ops, parent, parent->member);
    whole->kind = kind;
    whole->is_direct = parent == parent->document->root && parent->document->config.fd >= 0;
    parent->document->is_direct = parent->document->is_direct || whole->is_direct;
    *out = &whole->base;
    return ERR_NONE;
}
