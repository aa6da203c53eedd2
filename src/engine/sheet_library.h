/* engine/sheet_library: the functions of libzip, expat and libxlsxwriter that this program calls, loaded when the first
 * spreadsheet is met. The two that read and write archives bring OpenSSL's cryptography with them, which costs half of a
 * short run's start; most runs meet no spreadsheet.
 *
 * The headers are those of the build; what is loaded is the library of their major version.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_SHEET_LIBRARY_H
#define ENGINE_SHEET_LIBRARY_H

#include <expat.h>
#include <xlsxwriter.h>
#include <zip.h>

#include "net/library.h"

/* clang-format off */
#define ZIP_FUNCTIONS(each) \
    each(zip_discard) \
    each(zip_error_fini) \
    each(zip_error_init) \
    each(zip_error_set) \
    each(zip_error_strerror) \
    each(zip_error_to_data) \
    each(zip_fclose) \
    each(zip_file_get_error) \
    each(zip_fopen_index) \
    each(zip_fread) \
    each(zip_get_error) \
    each(zip_name_locate) \
    each(zip_open_from_source) \
    each(zip_source_free) \
    each(zip_source_function_create) \
    each(zip_source_make_command_bitmap) \
    each(zip_source_seek_compute_offset) \
    each(zip_stat_index) \
    each(zip_stat_init)

#define XML_FUNCTIONS(each) \
    each(XML_ErrorString) \
    each(XML_GetBuffer) \
    each(XML_GetCurrentColumnNumber) \
    each(XML_GetCurrentLineNumber) \
    each(XML_GetErrorCode) \
    each(XML_ParseBuffer) \
    each(XML_ParserCreate) \
    each(XML_ParserFree) \
    each(XML_ResumeParser) \
    each(XML_SetCharacterDataHandler) \
    each(XML_SetElementHandler) \
    each(XML_SetStartDoctypeDeclHandler) \
    each(XML_SetUserData) \
    each(XML_StopParser)

#define WRITER_FUNCTIONS(each) \
    each(format_set_bold) \
    each(lxw_strerror) \
    each(workbook_add_format) \
    each(workbook_add_worksheet) \
    each(workbook_close) \
    each(workbook_new_opt) \
    each(worksheet_freeze_panes) \
    each(worksheet_ignore_errors) \
    each(worksheet_set_column) \
    each(worksheet_write_number) \
    each(worksheet_write_string)
/* clang-format on */

/* Each function under its own name, with the type that its header gives it. */
struct sheet_zip {
    ZIP_FUNCTIONS(LIBRARY_MEMBER)
};
struct sheet_xml {
    XML_FUNCTIONS(LIBRARY_MEMBER)
};
struct sheet_writer {
    WRITER_FUNCTIONS(LIBRARY_MEMBER)
};

/* Each fills its table; the library stays until the process ends. Again costs little. ERR_SYSTEM: it is not installed,
 * or lacks a function; *out_fault says which. */
enum err sheet_zip_load(struct sheet_zip *out, struct fault *out_fault) MUST_USE;
enum err sheet_xml_load(struct sheet_xml *out, struct fault *out_fault) MUST_USE;
enum err sheet_writer_load(struct sheet_writer *out, struct fault *out_fault) MUST_USE;

#endif
