/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/sheet_library.h"

#define ZIP_ROW(name)    LIBRARY_ROW(sheet_zip, name)
#define XML_ROW(name)    LIBRARY_ROW(sheet_xml, name)
#define WRITER_ROW(name) LIBRARY_ROW(sheet_writer, name)
static const struct library_function zip_functions[] = {ZIP_FUNCTIONS(ZIP_ROW)};
static const struct library_function xml_functions[] = {XML_FUNCTIONS(XML_ROW)};
static const struct library_function writer_functions[] = {WRITER_FUNCTIONS(WRITER_ROW)};

enum err sheet_zip_load(struct sheet_zip *out, struct fault *out_fault)
{
    static const char *const names[] = {"libzip.so.4", "libzip.so.5", NULL};
    const struct library library = {names, "libzip4, which spreadsheets need", zip_functions,
                                    sizeof zip_functions / sizeof zip_functions[0]};
    return library_load(&library, out, out_fault);
}

enum err sheet_xml_load(struct sheet_xml *out, struct fault *out_fault)
{
    static const char *const names[] = {"libexpat.so.1", NULL};
    const struct library library = {names, "libexpat1, which spreadsheets need", xml_functions,
                                    sizeof xml_functions / sizeof xml_functions[0]};
    return library_load(&library, out, out_fault);
}

enum err sheet_writer_load(struct sheet_writer *out, struct fault *out_fault)
{
    static const char *const names[] = {"libxlsxwriter.so." LXW_SOVERSION, NULL};
    const struct library library = {names, "libxlsxwriter, which spreadsheets need",
                                    writer_functions,
                                    sizeof writer_functions / sizeof writer_functions[0]};
    return library_load(&library, out, out_fault);
}
