/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/slice.h"
#include "engine/xlsx_private.h"

enum {
    PIECE_BYTES = 32768,
    DEPTH_MAX = 256, /* a sheet is nested eight deep */
};

static const char *local_name(const char *name)
{
    const char *colon = strrchr(name, ':');
    return colon == NULL ? name : colon + 1;
}

const char *xlsx_attribute(const char **attributes, const char *name)
{
    for (size_t i = 0; attributes[i] != NULL; i += 2) {
        if (strcmp(local_name(attributes[i]), name) == 0) {
            return attributes[i + 1];
        }
    }
    return NULL;
}

/* An event's failure ends the parsing, a pause leaves it where it is. */
static void settle(struct xlsx_xml *xml, enum err e)
{
    if (e != ERR_NONE && xml->err == ERR_NONE) {
        xml->err = e;
        (void)xml->lib.XML_StopParser(xml->parser, XML_FALSE);
    } else if (xml->is_pausing) {
        xml->is_pausing = false;
        (void)xml->lib.XML_StopParser(xml->parser, XML_TRUE);
    }
}

static enum err refuse(struct xlsx_xml *xml, const char *why)
{
    return fault_set(&xml->fault, ERR_SYNTAX, 0, "%.*s: its part %.80s %s; save it again or as CSV",
                     SLICE_ARG(xml->config->file_name), xml->part_name, why);
}

static void XMLCALL on_begin(void *context, const XML_Char *name, const XML_Char **attributes)
{
    struct xlsx_xml *xml = context;
    if (xml->err != ERR_NONE) {
        return;
    }
    if (++xml->depth > DEPTH_MAX) {
        settle(xml, refuse(xml, "is nested too deep"));
        return;
    }
    settle(xml, xml->events->begin(xml->context, local_name(name), attributes));
}

static void XMLCALL on_end(void *context, const XML_Char *name)
{
    struct xlsx_xml *xml = context;
    if (xml->err == ERR_NONE) {
        xml->depth--;
        settle(xml, xml->events->end(xml->context, local_name(name)));
    }
}

static void XMLCALL on_text(void *context, const XML_Char *text, int len)
{
    struct xlsx_xml *xml = context;
    if (xml->err == ERR_NONE && xml->events->text != NULL) {
        settle(xml, xml->events->text(xml->context, slice_make(text, (size_t)len)));
    }
}

/* Without one there are no entities but XML's own five, so nothing can grow. */
static void XMLCALL on_doctype(void *context, const XML_Char *name, const XML_Char *system_id,
                               const XML_Char *public_id, int has_subset)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_subset;
    struct xlsx_xml *xml = context;
    settle(xml, refuse(xml, "holds a document type declaration, which no spreadsheet has"));
}

enum err xlsx_xml_open(struct xlsx_xml *xml, struct xlsx_zip *zip, const char *part_name,
                       struct fault *out_fault)
{
    enum err e = sheet_xml_load(&xml->lib, out_fault);
    if (e != ERR_NONE) {
        return e;
    }
    xml->config = zip->config;
    xml->part_name = part_name;
    xml->parser = xml->lib.XML_ParserCreate(NULL);
    if (xml->parser == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    xml->lib.XML_SetUserData(xml->parser, xml);
    xml->lib.XML_SetElementHandler(xml->parser, on_begin, on_end);
    xml->lib.XML_SetCharacterDataHandler(xml->parser, on_text);
    xml->lib.XML_SetStartDoctypeDeclHandler(xml->parser, on_doctype);
    return xlsx_part_open(zip, part_name, &xml->part, out_fault);
}

void xlsx_xml_close(struct xlsx_xml *xml)
{
    xlsx_part_close(&xml->part);
    if (xml->parser != NULL) {
        xml->lib.XML_ParserFree(xml->parser);
        xml->parser = NULL;
    }
}

static enum err why_not(struct xlsx_xml *xml, struct fault *out_fault)
{
    if (xml->err == ERR_NOMEM ||
        (xml->err == ERR_NONE && xml->lib.XML_GetErrorCode(xml->parser) == XML_ERROR_NO_MEMORY)) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    if (xml->err != ERR_NONE) {
        *out_fault = xml->fault;
        return xml->err;
    }
    return fault_set(out_fault, ERR_SYNTAX, 0,
                     "%.*s: its part %.80s is broken at line %lu, column %lu: %s",
                     SLICE_ARG(xml->config->file_name), xml->part_name,
                     (unsigned long)xml->lib.XML_GetCurrentLineNumber(xml->parser),
                     (unsigned long)xml->lib.XML_GetCurrentColumnNumber(xml->parser) + 1,
                     xml->lib.XML_ErrorString(xml->lib.XML_GetErrorCode(xml->parser)));
}

static enum err parse_piece(struct xlsx_xml *xml, enum XML_Status *out, struct fault *out_fault)
{
    void *room = xml->lib.XML_GetBuffer(xml->parser, PIECE_BYTES);
    if (room == NULL) {
        return fault_set(out_fault, ERR_NOMEM, 0, "out of memory");
    }
    size_t len = 0;
    enum err e = xlsx_part_read(&xml->part, room, PIECE_BYTES, &len, out_fault);
    if (e == ERR_NONE) {
        xml->is_at_end = len == 0;
        *out = xml->lib.XML_ParseBuffer(xml->parser, (int)len, len == 0 ? XML_TRUE : XML_FALSE);
    }
    return e;
}

enum err xlsx_xml_step(struct xlsx_xml *xml, struct fault *out_fault)
{
    enum XML_Status status = XML_STATUS_OK;
    if (xml->is_suspended) {
        xml->is_suspended = false;
        status = xml->lib.XML_ResumeParser(xml->parser);
    } else if (xml->is_at_end) {
        return ERR_CLOSED;
    } else {
        enum err e = parse_piece(xml, &status, out_fault);
        if (e != ERR_NONE) {
            return e;
        }
    }
    if (xml->err != ERR_NONE || status == XML_STATUS_ERROR) {
        return why_not(xml, out_fault);
    }
    xml->is_suspended = status == XML_STATUS_SUSPENDED;
    return ERR_NONE;
}

enum err xlsx_xml_read(struct xlsx_zip *zip, const char *part_name,
                       const struct xlsx_xml_events *events, void *context, struct fault *out_fault)
{
    struct xlsx_xml xml = {.events = events, .context = context};
    enum err e = xlsx_xml_open(&xml, zip, part_name, out_fault);
    while (e == ERR_NONE) {
        e = xlsx_xml_step(&xml, out_fault);
    }
    xlsx_xml_close(&xml);
    return e == ERR_CLOSED ? ERR_NONE : e;
}
