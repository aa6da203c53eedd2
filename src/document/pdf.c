/* document/pdf: the text of a PDF, page by page, by poppler's pdftotext. A format as large as this one is read in a process
 * of its own: what breaks it breaks nothing of ours.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/slice.h"
#include "document/document_private.h"
#include "document/tool.h"

enum {
    MEMORY_BYTES = 1 << 30,
    OUTPUT_BYTES_MAX = 1 << 28, /* some hundred thousand pages */
};

static enum err take(void *context, struct slice text)
{
    return finder_feed_pages(context, text);
}

static enum err complain_of(struct reader *reader, enum tool_end end)
{
    switch (end) {
    case TOOL_DONE: return ERR_NONE;
    case TOOL_FAILED:
        return reader_fail(reader, ERR_SYNTAX, "the PDF is damaged or needs a password");
    case TOOL_MISSING:
        return reader_fail(reader, ERR_SYSTEM,
                           "a PDF is read by pdftotext, which is not here: install poppler-utils");
    case TOOL_TOO_LONG:
        return reader_fail(reader, ERR_LIMIT,
                           "reading the PDF took too long; what was read counts");
    case TOOL_TOO_MUCH:
        return reader_fail(reader, ERR_LIMIT, "the PDF holds more text than %d bytes",
                           OUTPUT_BYTES_MAX);
    }
    return ERR_NONE;
}

enum err pdf_read(struct reader *reader, int fd)
{
    char words[][12] = {"pdftotext", "-q", "-enc", "UTF-8", "-", "-"};
    char *const argv[] = {words[0], words[1], words[2], words[3], words[4], words[5], NULL};
    struct document *document = reader->document;
    const struct document_config *config = &document->config;
    const struct document_limits *limits = &config->limits;
    if (document->tools_took_ms >= limits->tools_ms) {
        return reader_fail(reader, ERR_LIMIT,
                           "passed over: the PDFs before it took %u seconds together",
                           limits->tools_ms / 1000);
    }
    uint32_t left_ms = limits->tools_ms - document->tools_took_ms;
    const struct tool tool = {
        .argv = argv,
        .in_fd = fd,
        .time_ms = left_ms < limits->tool_ms ? left_ms : limits->tool_ms,
        .memory_bytes = MEMORY_BYTES,
        .output_bytes_max = OUTPUT_BYTES_MAX,
        .may_go_on = config->may_go_on,
        .context = config->context,
    };
    struct finder finder;
    enum err e = finder_open(&finder, reader);
    if (e != ERR_NONE) {
        return e;
    }
    finder_begin_pages(&finder);
    struct tool_outcome outcome;
    errno = 0;
    e = tool_run(&tool, take, &finder, &outcome);
    if (e == ERR_SYSTEM) {
        char text[128];
        e = reader_fail(reader, e, "pdftotext cannot be run: %s",
                        strerror_r(errno, text, sizeof text));
    } else if (e == ERR_NONE) {
        document->tools_took_ms += outcome.took_ms;
        e = finder_end(&finder);
        e = e == ERR_NONE ? complain_of(reader, outcome.end) : e;
    }
    finder_close(&finder);
    return e;
}
