/* SPDX-License-Identifier: Apache-2.0 */
#include "http/form.h"

#include <stdlib.h>

#include "base/slice.h"
#include "http/server_private.h"

enum { FORM_BUFFER_BYTES = 65536 };

struct http_form {
    const struct mhd *mhd;
    struct MHD_PostProcessor *processor;
    http_form_fn fn;
    void *context;
};

/* NOLINTNEXTLINE(readability-function-size): the parameters are the library's */
static enum MHD_Result on_part(void *context, enum MHD_ValueKind kind, const char *field,
                               const char *file_name, const char *type, const char *encoding,
                               const char *bytes, uint64_t offset, size_t len)
{
    struct http_form *form = context;
    (void)kind, (void)type, (void)encoding;
    const struct http_form_part part = {
        .field = field == NULL ? SLICE_NONE : slice_of(field),
        .file_name = file_name == NULL ? SLICE_NONE : slice_of(file_name),
        .bytes = slice_make(bytes, len),
        .offset = offset,
    };
    return form->fn(form->context, &part) ? MHD_YES : MHD_NO;
}

bool http_form_is(const struct http_request *request)
{
    return slice_starts_nocase(request->content_type, SLICE("multipart/form-data"));
}

struct http_form *http_form_open(struct http_request *request, http_form_fn fn, void *context)
{
    struct http_form *form = calloc(1, sizeof *form);
    if (form == NULL) {
        return NULL;
    }
    form->mhd = &request->exchange->server->mhd;
    form->fn = fn;
    form->context = context;
    form->processor = form->mhd->MHD_create_post_processor(request->exchange->connection,
                                                           FORM_BUFFER_BYTES, on_part, form);
    if (form->processor == NULL) {
        free(form);
        return NULL;
    }
    return form;
}

bool http_form_feed(struct http_form *form, struct slice piece)
{
    return form->mhd->MHD_post_process(form->processor, piece.at, piece.len) == MHD_YES;
}

bool http_form_close(struct http_form *form)
{
    if (form == NULL) {
        return true;
    }
    bool is_whole = form->mhd->MHD_destroy_post_processor(form->processor) == MHD_YES;
    free(form);
    return is_whole;
}
