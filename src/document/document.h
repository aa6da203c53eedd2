/* document: the mail addresses in a file of any kind that decode/sniff knows, told by its content: text, HTML, XML, mail and
 * mboxes, vCards, LDIF, PDF, Office Open XML, OpenDocument, and gzip, tar and ZIP archives of all of these, in each other
 * up to a depth. Fed in pieces of any size; each address is told as soon as it is found, with its place.
 *
 *     document_open(&config, &document);
 *     for each piece while document_wants_bytes(document): document_feed(document, piece);
 *     document_end(document);
 *     document_close(document);
 *
 * Every byte is a stranger's: memory is fixed, what unpacks to far too much is refused, a PDF is read by a process of its
 * own with limits. What cannot be read is told as trouble; what is around it is read.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef DOCUMENT_DOCUMENT_H
#define DOCUMENT_DOCUMENT_H

#include "address/extract.h"
#include "base/err.h"

enum document_unit {
    DOCUMENT_LINE,
    DOCUMENT_PAGE,
    DOCUMENT_CELL,
};

struct document_place {
    struct slice
        member; /* of the file: "letters.zip/a.eml/part 2", "Sheet1"; empty: the file itself */
    enum document_unit unit;
    uint64_t number; /* of the line, page or row, from 1; 0: has no meaning there */
    uint64_t column; /* of the cell, from 1 */
};

struct document_limits {
    unsigned depth_max;          /* of archives and attachments in each other */
    uint64_t unpacked_bytes_max; /* of all archives in the file together */
    uint64_t spool_bytes_max;    /* of a member that must stand on disk to be read */
    uint32_t tool_ms;            /* for each PDF */
    uint32_t tools_ms; /* for all PDFs of the file together; those behind them are passed over */
};

struct document_config {
    const struct address_lists *lists; /* for top-level domains */
    bool wants_obfuscated;             /* "jane [at] example [dot] com" counts */
    bool wants_hidden;                 /* comments and scripts of HTML count */
    bool has_no_lines;                 /* nobody asks for line numbers, which take time */
    struct document_limits limits;     /* zeros: document_usual_limits */
    /* Descriptor of the file whose bytes are fed, where it can be read from any place; -1: none. What must be read so
     * is then not copied. Its offset moves. */
    int fd;
    /* An error ends all: it is what document_feed and document_end return. Slices until it returns. */
    enum err (*found)(void *context, const struct extract_found *found,
                      const struct document_place *place);
    /* A member could not be read; text says which and why. NULL: nobody wants to know. */
    void (*trouble)(void *context, const char *text);
    bool (*may_go_on)(void *context); /* asked now and then; false: ERR_STATE. NULL: always */
    void *context;
};

struct document;

struct document_limits document_usual_limits(void);

/* config is copied; what it borrows must outlive the document. ERR_NOMEM. */
enum err document_open(const struct document_config *config, struct document **out) MUST_USE;
void document_close(struct document *document); /* safe on NULL */

/* ERR_NOMEM, ERR_STATE, and what found returned. */
enum err document_feed(struct document *document, struct slice bytes) MUST_USE;
enum err document_end(struct document *document) MUST_USE;
/* False: it is of a kind that is read from fd, at its end. */
bool document_wants_bytes(const struct document *document);
/* Whether trouble was told. */
bool document_has_trouble(const struct document *document);

#endif
