/* engine/table: what a file is taken for, every row of it, and what is written back; all of it the same
 * however the file is cut into reads.
 * SPDX-License-Identifier: Apache-2.0 */
#include "engine/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/slice.h"

static const size_t read_sizes[] = {0, 1, 2, 3, 7, 4096};

enum { READ_SIZE_COUNT = sizeof read_sizes / sizeof read_sizes[0], DUMP_BYTES_MAX = 64 << 20 };

struct read_case {
    const char *name;
    struct slice input;
    const char *file_name; /* NULL: list.csv */
    const char *column;    /* NULL: found out */
    const char *expected;
};

/* Nothing here is a format: the arguments are the test's own. */
static void add(struct buf *out, struct slice text)
{
    must(buf_append(out, text) == ERR_NONE);
}

static void add_number(struct buf *out, uint64_t number)
{
    must(buf_printf(out, "%llu", (unsigned long long)number) == ERR_NONE);
}

static FILE *open_bytes(struct slice input)
{
    FILE *file = tmpfile();
    must(file != NULL && fwrite(input.at, 1, input.len, file) == input.len);
    rewind(file);
    return file;
}

static void dump_shape(const struct table_reader *reader, struct buf *out)
{
    static const char *const names[] = {"csv", "text", "ndjson"};
    add(out, slice_of(names[table_reader_format(reader)]));
    char separator = table_reader_separator(reader);
    must(buf_printf(out, " %s %s",
                    separator == '\0'   ? "none"
                    : separator == '\t' ? "tab"
                                        : (char[]){separator, '\0'},
                    table_reader_has_header(reader) ? "header" : "bare") == ERR_NONE);
    for (size_t i = 0; i < table_reader_column_count(reader); i++) {
        add(out, i == table_reader_address_column(reader) ? SLICE(" *") : SLICE(" "));
        add(out, table_reader_column_name(reader, i));
    }
    add(out, SLICE("\n"));
}

static void dump_row(const struct table_row *row, struct buf *out)
{
    add_number(out, row->number);
    add(out, SLICE("@"));
    add_number(out, row->line);
    if (row->is_bad) {
        add(out, SLICE(" !"));
        add(out, slice_of(row->why));
        add(out, SLICE(" <"));
        add(out, slice_sub(row->raw, 0, 60));
        add(out, SLICE(">\n"));
        return;
    }
    for (size_t i = 0; i < row->cell_count; i++) {
        add(out, i == 0 ? SLICE(" ") : SLICE("|"));
        add(out, row->cells[i]);
    }
    assert_true(slice_equal(row->address, row->cells[row->address_column]));
    add(out, SLICE("\n"));
}

static void dump(const struct read_case *c, size_t read_bytes, struct buf *out)
{
    FILE *file = open_bytes(c->input);
    struct table_reader_config config = {
        .file_name = slice_of(c->file_name == NULL ? "list.csv" : c->file_name),
        .column = slice_of(c->column),
        .read_bytes = read_bytes,
    };
    struct table_reader *reader = NULL;
    struct fault fault;
    enum err e = table_reader_open(&config, file, &reader, &fault);
    if (e != ERR_NONE) {
        add(out, slice_of(fault.text));
        assert_int_equal(fault.err, e);
        (void)fclose(file);
        return;
    }
    dump_shape(reader, out);
    struct table_row row;
    while ((e = table_reader_next(reader, &row, &fault)) == ERR_NONE) {
        dump_row(&row, out);
    }
    assert_int_equal(e, ERR_CLOSED);
    if (table_reader_blank_lines(reader) > 0) {
        add_number(out, table_reader_blank_lines(reader));
        add(out, SLICE(" blank\n"));
    }
    table_reader_close(reader);
    (void)fclose(file);
}

static const struct read_case read_cases[] = {
    {"empty", SLICE_LITERAL(""), NULL, NULL, "text none bare *email\n"},
    {"only blank", SLICE_LITERAL("\n \r\n\r"), NULL, NULL, "text none bare *email\n3 blank\n"},
    {"one address", SLICE_LITERAL("a@b.c"), NULL, NULL, "text none bare *email\n1@1 a@b.c\n"},
    {"text", SLICE_LITERAL("a@b.c\nd@e.f\n"), NULL, NULL,
     "text none bare *email\n1@1 a@b.c\n2@2 d@e.f\n"},
    {"text with names", SLICE_LITERAL("Ann <a@b.c>\n\"Doe, J\" <d@e.f>\n\"g h\"@i.j\n\"k@l.m\"\n"),
     NULL, NULL,
     "text none bare *email\n1@1 Ann <a@b.c>\n2@2 \"Doe, J\" <d@e.f>\n3@3 \"g h\"@i.j\n4@4 "
     "k@l.m\n"},
    {"text, stray quote", SLICE_LITERAL("a@b.c\n\"d@e.f\ng@h.i\"\n"), NULL, NULL,
     "text none bare *email\n1@1 a@b.c\n2@2 \"d@e.f\n3@3 g@h.i\"\n"},
    {"text, few commas", SLICE_LITERAL("a@b.c\nDoe, J <d@e.f>\ng@h.i\n"), NULL, NULL,
     "text none bare *email\n1@1 a@b.c\n2@2 Doe, J <d@e.f>\n3@3 g@h.i\n"},
    {"one column, header", SLICE_LITERAL("E-Mail\na@b.c\n"), NULL, NULL,
     "text none header *E-Mail\n1@2 a@b.c\n"},
    {"one column, odd header", SLICE_LITERAL("Kontakt\na@b.c\n"), NULL, NULL,
     "text none header *Kontakt\n1@2 a@b.c\n"},
    {"header alone", SLICE_LITERAL("name,email\n"), NULL, NULL, "csv , header name *email\n"},
    {"comma", SLICE_LITERAL("name,email\nAnn,a@b.c\nBob,d@e.f"), NULL, NULL,
     "csv , header name *email\n1@2 Ann|a@b.c\n2@3 Bob|d@e.f\n"},
    {"semicolon, commas inside",
     SLICE_LITERAL("Name;Mail;Betrag\nDoe, J;a@b.c;1,50\nRoe, K;d@e.f;2,75\n"), NULL, NULL,
     "csv ; header Name *Mail Betrag\n1@2 Doe, J|a@b.c|1,50\n2@3 Roe, K|d@e.f|2,75\n"},
    {"tab", SLICE_LITERAL("x\ta@b.c\ny\td@e.f\n"), NULL, NULL,
     "csv tab bare column_1 *email\n1@1 x|a@b.c\n2@2 y|d@e.f\n"},
    {"bar", SLICE_LITERAL("x|a@b.c\ny|d@e.f\n"), NULL, NULL,
     "csv | bare column_1 *email\n1@1 x|a@b.c\n2@2 y|d@e.f\n"},
    {"sep line", SLICE_LITERAL("sep=;\r\nid;email\r\n1;a@b.c\r\n"), NULL, NULL,
     "csv ; header id *email\n1@3 1|a@b.c\n"},
    {"line ends", SLICE_LITERAL("n,email\r\nx,a@b.c\ry,d@e.f\nz,g@h.i\r"), NULL, NULL,
     "csv , header n *email\n1@2 x|a@b.c\n2@3 y|d@e.f\n3@4 z|g@h.i\n"},
    {"blank lines", SLICE_LITERAL("\nn,email\n\nx,a@b.c\r\n  \r\ny,d@e.f\n\n"), NULL, NULL,
     "csv , header n *email\n1@4 x|a@b.c\n2@6 y|d@e.f\n4 blank\n"},
    {"quotes",
     SLICE_LITERAL("n,email\n\"a \"\"b\"\" c\",\"a@b.c\"\n \"x, y\" , d@e.f\n\"\",\"\"\"\"\n"),
     NULL, NULL, "csv , header n *email\n1@2 a \"b\" c|a@b.c\n2@3 x, y| d@e.f\n3@4 |\"\n"},
    {"quoted newlines", SLICE_LITERAL("n,email\n\"a\r\nb\",a@b.c\n\"\n\n\",d@e.f\n"), NULL, NULL,
     "csv , header n *email\n1@2 a\r\nb|a@b.c\n2@4 \n\n|d@e.f\n"},
    {"quote inside", SLICE_LITERAL("n,email\n5\" disk,a@b.c\n\"a\" b,d@e.f\n"), NULL, NULL,
     "csv , header n *email\n1@2 5\" disk|a@b.c\n2@3 \"a\" b|d@e.f\n"},
    {"never closed", SLICE_LITERAL("n,email\n\"x,a@b.c\ny,d@e.f\nz,g@h.i\n"), NULL, NULL,
     "csv , header n *email\n1@2 !a quote is opened and not closed <\"x,a@b.c>\n"
     "2@3 y|d@e.f\n3@4 z|g@h.i\n"},
    {"closed by the next that opens", SLICE_LITERAL("n,email\n\"x,a@b.c\n\"y\",d@e.f\nz,g@h.i\n"),
     NULL, NULL,
     "csv , header n *email\n1@2 !a quote is opened and not closed <\"x,a@b.c>\n"
     "2@3 y|d@e.f\n3@4 z|g@h.i\n"},
    {"never closed, last line", SLICE_LITERAL("n,email\ny,d@e.f\n\"x,a@b.c"), NULL, NULL,
     "csv , header n *email\n1@2 y|d@e.f\n2@3 !a quote is opened and not closed <\"x,a@b.c>\n"},
    {"short and long rows", SLICE_LITERAL("email,n\na@b.c\nd@e.f,x,,\ng@h.i,y,z\n,\n"), NULL, NULL,
     "csv , header *email n column_3 column_4\n1@2 a@b.c|||\n2@3 d@e.f|x||\n3@4 g@h.i|y|z|\n4@5 "
     "|||\n"},
    {"no header", SLICE_LITERAL("1,a@b.c\n2,d@e.f\n"), NULL, NULL,
     "csv , bare column_1 *email\n1@1 1|a@b.c\n2@2 2|d@e.f\n"},
    {"no header, first empty", SLICE_LITERAL("Bob,\nAnn,a@b.c\n"), NULL, NULL,
     "csv , bare column_1 *email\n1@1 Bob|\n2@2 Ann|a@b.c\n"},
    {"unknown header", SLICE_LITERAL("id,login\n1,a@b.c\n2,d@e.f\n"), NULL, NULL,
     "csv , header id *login\n1@2 1|a@b.c\n2@3 2|d@e.f\n"},
    {"most @ signs", SLICE_LITERAL("id,twitter,who\n1,@x,a@b.c\n2,,d@e.f\n"), NULL, NULL,
     "csv , header id twitter *who\n1@2 1|@x|a@b.c\n2@3 2||d@e.f\n"},
    {"the address that is a street", SLICE_LITERAL("address,who\nMain St,a@b.c\nElm St,d@e.f\n"),
     NULL, NULL, "csv , header address *who\n1@2 Main St|a@b.c\n2@3 Elm St|d@e.f\n"},
    {"name goes before number of @", SLICE_LITERAL("cc,email\nx@y.z,a@b.c\nx@y.z,\n"), NULL, NULL,
     "csv , header cc *email\n1@2 x@y.z|a@b.c\n2@3 x@y.z|\n"},
    {"French", SLICE_LITERAL("nom;Adresse \xc3\xa9lectronique\nX;\n"), NULL, NULL,
     "csv ; header nom *Adresse \xc3\xa9lectronique\n1@2 X|\n"},
    {"column by name", SLICE_LITERAL("email,other\na@b.c,d@e.f\n"), NULL, "OTHER",
     "csv , header email *other\n1@2 a@b.c|d@e.f\n"},
    {"column by number", SLICE_LITERAL("email,other\na@b.c,d@e.f\n"), NULL, "2",
     "csv , header email *other\n1@2 a@b.c|d@e.f\n"},
    {"column by number, bare", SLICE_LITERAL("q@r.s,d@e.f\na@b.c,x@y.z\n"), NULL, "2",
     "csv , bare column_1 *email\n1@1 q@r.s|d@e.f\n2@2 a@b.c|x@y.z\n"},
    {"no such name", SLICE_LITERAL("email,other\na@b.c,d@e.f\n"), NULL, "mail",
     "list.csv has no column 'mail'; its columns: email, other"},
    {"no such number", SLICE_LITERAL("a@b.c,d@e.f\n"), NULL, "3",
     "list.csv has no column '3'; its columns: 2 without names"},
    {"number zero", SLICE_LITERAL("a@b.c,d@e.f\n"), NULL, "0",
     "list.csv has no column '0'; its columns: 2 without names"},
    {"no addresses", SLICE_LITERAL("id,login\n1,x\n2,y\n"), NULL, NULL,
     "list.csv: no column has addresses in it; --column names one. Its columns: id, login"},
    {"UTF-8 mark",
     SLICE_LITERAL("\xef\xbb\xbf"
                   "email,n\na@b.c,\xc3\xbc\n"),
     NULL, NULL, "csv , header *email n\n1@2 a@b.c|\xc3\xbc\n"},
    {"UTF-16LE",
     SLICE_LITERAL("\xff\xfe"
                   "a\0@\0\xfc\0.\0c\0,\0\x3d\xd8\x00\xde\r\0\n\0d\0@\0e\0,\0x\0"),
     NULL, NULL, "csv , bare *email column_2\n1@1 a@\xc3\xbc.c|\xf0\x9f\x98\x80\n2@2 d@e|x\n"},
    {"UTF-16BE", SLICE_LITERAL("\xfe\xff\0a\0@\0\xfc\0.\0c\0\n\0d\0@\0e\0\n"), NULL, NULL,
     "text none bare *email\n1@1 a@\xc3\xbc.c\n2@2 d@e\n"},
    {"UTF-16LE, no mark", SLICE_LITERAL("a\0@\0b\0\n\0d\0@\0e\0"), NULL, NULL,
     "text none bare *email\n1@1 a@b\n2@2 d@e\n"},
    {"UTF-16LE, half a pair",
     SLICE_LITERAL("\xff\xfe"
                   "a\0@\0b\0\x00\xd8\n\0d\0@\0e\0\x3d\xd8"),
     NULL, NULL, "text none bare *email\n1@1 a@b\xef\xbf\xbd\n2@2 d@e\xef\xbf\xbd\n"},
    {"Windows-1252", SLICE_LITERAL("email,n\na@b.c,M\xfcller \x80 5\nd@e.f,\x84x\x93\n"), NULL,
     NULL,
     "csv , header *email n\n1@2 a@b.c|M\xc3\xbcller \xe2\x82\xac 5\n"
     "2@3 d@e.f|\xe2\x80\x9ex\xe2\x80\x9c\n"},
    {"both in one file", SLICE_LITERAL("email,n\na@b.c,M\xc3\xbcller\nd@e.f,M\xfcller\n"), NULL,
     NULL, "csv , header *email n\n1@2 a@b.c|M\xc3\xbcller\n2@3 d@e.f|M\xc3\xbcller\n"},
    {"NDJSON",
     SLICE_LITERAL("{\"id\":1,\"email\":\"a@b.c\"}\n\n{\"email\":\"d@e.f\",\"x\":[1,{\"y\":null}],"
                   "\"z\":null}\n"),
     NULL, NULL,
     "ndjson none header id *email x z\n1@1 1|a@b.c||\n2@3 |d@e.f|[1,{\"y\":null}]|\n1 blank\n"},
    {"NDJSON strings", SLICE_LITERAL("\"a@b.c\"\n\"d\\u0040e.f\"\n"), "x.NDJSON", NULL,
     "ndjson none bare *email\n1@1 a@b.c\n2@2 d@e.f\n"},
    {"NDJSON, bad rows",
     SLICE_LITERAL("{\"who\":\"a@b.c\"}\n{\"who\":\n[1]\n{\"x\":1}\n{\"who\":5}\n{\"who\":\"d@e."
                   "f\"}\n\"g@h.i\"\n"),
     "x.jsonl", NULL,
     "ndjson none header *who x\n1@1 a@b.c|\n2@2 !this is not valid JSON <{\"who\":>\n"
     "3@3 !this is neither a JSON object nor a JSON string <[1]>\n"
     "4@4 !the object has no field with the address <{\"x\":1}>\n"
     "5@5 !the field with the address is not a string <{\"who\":5}>\n6@6 d@e.f|\n7@7 g@h.i|\n"},
    {"NDJSON, column", SLICE_LITERAL("{\"a\":\"x@y.z\",\"To\":\"d@e.f\"}\n"), NULL, "to",
     "ndjson none header a *To\n1@1 x@y.z|d@e.f\n"},
    {"NDJSON, large number", SLICE_LITERAL("{\"email\":\"a@b.c\",\"id\":123456789012345678901}\n"),
     NULL, NULL, "ndjson none header *email id\n1@1 a@b.c|1.2345678901234568e20\n"},
    {"NDJSON, no such column", SLICE_LITERAL("{\"a\":\"x@y.z\"}\n"), NULL, "b",
     "list.csv has no column 'b'; its columns: a"},
    {"JSON array", SLICE_LITERAL("[{\"email\":\"a@b.c\"}]"), "x.json", NULL,
     "ndjson none header *email\n1@1 a@b.c\n"},
    {"JSON array of texts", SLICE_LITERAL(" [ \"a@b.c\",\r\n\"d\\\"@e.f\"\n, \"g@h.i\" ] \n"), NULL,
     NULL, "ndjson none bare *email\n1@1 a@b.c\n2@2 d\"@e.f\n3@3 g@h.i\n"},
    {"JSON array, pretty",
     SLICE_LITERAL("\n\n[\n  {\n    \"email\": \"a@b.c\",\n    \"more\": {\"x\": [1,\n 2, "
                   "\"]}\"]}\n  },\n  {\n    \"email\": \"d@e.f\"\n  }\n]\n"),
     NULL, NULL, "ndjson none header *email more\n1@4 a@b.c|{\"x\":[1,2,\"]}\"]}\n2@9 d@e.f|\n"},
    {"JSON array, bad elements",
     SLICE_LITERAL(
         "[{\"email\":\"a@b.c\"}, 12,null ,[{}], {\"email\" 1},\n{\"x\":\"d@e.f\"}, \"g@h.i\"]"),
     NULL, NULL,
     "ndjson none header *email x\n1@1 a@b.c|\n"
     "2@1 !this is neither a JSON object nor a JSON string <12>\n"
     "3@1 !this is neither a JSON object nor a JSON string <null>\n"
     "4@1 !this is neither a JSON object nor a JSON string <[{}]>\n"
     "5@1 !this is not valid JSON <{\"email\" 1}>\n"
     "6@2 !the object has no field with the address <{\"x\":\"d@e.f\"}>\n7@2 g@h.i|\n"},
    {"JSON array, empty", SLICE_LITERAL("[ ]\n"), NULL, NULL, "ndjson none bare *email\n"},
    {"JSON array in UTF-16", SLICE_LITERAL("\xff\xfe[\0\"\0a\0@\0b\0.\0c\0\"\0]\0"), NULL, NULL,
     "ndjson none bare *email\n1@1 a@b.c\n"},
    {"JSON array, no comma", SLICE_LITERAL("[\"a@b.c\"\n  \"d@e.f\"]"), "x.json", NULL,
     "x.json:2:3: this is no JSON array: ',' or ']' is missing before this"},
    {"JSON array, two commas", SLICE_LITERAL("[\"a@b.c\",,\"d@e.f\"]"), "x.json", NULL,
     "x.json:1:10: this is no JSON array: a value is missing here"},
    {"JSON array, last comma", SLICE_LITERAL("[\"a@b.c\",\r\n]"), "x.json", NULL,
     "x.json:2:1: this is no JSON array: a value is missing here"},
    {"JSON array, cut", SLICE_LITERAL("[\"a@b.c\""), "x.json", NULL,
     "x.json:1:9: this is no JSON array: the file ends before its ']'"},
    {"JSON array, cut inside", SLICE_LITERAL("[{\"email\":\"a@b"), "x.json", NULL,
     "x.json:1:15: this is no JSON array: the file ends before its ']'"},
    {"JSON array, open text", SLICE_LITERAL("[\"a@b.c\n\"]"), "x.json", NULL,
     "x.json:1:8: this is no JSON array: a text is not closed on its line"},
    {"JSON array, more behind", SLICE_LITERAL("[\"a@b.c\"]\n[]"), "x.json", NULL,
     "x.json:2:1: this is no JSON array: the array has ended before this"},
    {"no JSON array", SLICE_LITERAL("[x] name,email\ny,a@b.c\n"), NULL, NULL,
     "csv , header [x] name *email\n1@2 y|a@b.c\n"},
    {"archive", SLICE_LITERAL("PK\x03\x04rest"), "x.xlsx", NULL,
     "x.xlsx begins like a spreadsheet, but its archive is damaged (Not a zip archive); save it "
     "again "
     "or as CSV"},
    {"old spreadsheet", SLICE_LITERAL("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "x.xls", NULL,
     "x.xls is an old spreadsheet (XLS) or one with a password; save it as XLSX without one, or as "
     "CSV"},
};

static void test_reading(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof read_cases / sizeof read_cases[0]; i++) {
        for (size_t j = 0; j < READ_SIZE_COUNT; j++) {
            struct buf out;
            buf_init(&out, DUMP_BYTES_MAX);
            dump(&read_cases[i], read_sizes[j], &out);
            if (!slice_equal(buf_view(&out), slice_of(read_cases[i].expected))) {
                print_message("%s, %zu bytes a read:\n%.*s", read_cases[i].name, read_sizes[j],
                              SLICE_ARG(buf_view(&out)));
                wrong++;
            }
            buf_done(&out);
        }
    }
    assert_int_equal(wrong, 0);
}

static void test_zero_bytes(void **state)
{
    (void)state;
    const struct read_case c = {"zero bytes", SLICE_LITERAL("n,email\nx\0y,a@b.c\nz,d@\0.f\n"),
                                NULL, NULL, NULL};
    struct buf out;
    buf_init(&out, DUMP_BYTES_MAX);
    dump(&c, 0, &out);
    assert_true(slice_equal(buf_view(&out),
                            SLICE("csv , header n *email\n1@2 x\0y|a@b.c\n2@3 z|d@\0.f\n")));
    buf_done(&out);
}

static void add_times(struct buf *out, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        add(out, slice_of(text));
    }
}

static void expect_large(const struct buf *input, const char *expected)
{
    const struct read_case c = {"large", buf_view(input), NULL, NULL, NULL};
    struct buf out;
    buf_init(&out, DUMP_BYTES_MAX);
    dump(&c, 0, &out);
    if (!slice_equal(buf_view(&out), slice_of(expected))) {
        print_message("%.*s", SLICE_ARG(slice_sub(buf_view(&out), 0, 600)));
        fail();
    }
    buf_done(&out);
}

static void test_long_row(void **state)
{
    (void)state;
    struct buf input;
    buf_init(&input, DUMP_BYTES_MAX);
    add(&input, SLICE("n,email\nx,a@b.c\n"));
    add_times(&input, "0123456789abcdef", 200000);
    add(&input, SLICE("\r\ny,d@e.f\n"));
    expect_large(&input, "csv , header n *email\n1@2 x|a@b.c\n2@3 !the row is longer than 1 MiB "
                         "<0123456789abcdef0123456789abcdef0123456789abcdef0123456789ab>\n"
                         "3@4 y|d@e.f\n");
    buf_done(&input);
}

static void test_many_cells(void **state)
{
    (void)state;
    struct buf input;
    buf_init(&input, DUMP_BYTES_MAX);
    add(&input, SLICE("n,email\nx,a@b.c\n"));
    add_times(&input, ",", TABLE_CELLS_MAX);
    add(&input, SLICE("\ny,d@e.f\n"));
    expect_large(&input, "csv , header n *email\n1@2 x|a@b.c\n"
                         "2@3 !the row has more than 4096 cells "
                         "<,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,>\n"
                         "3@4 y|d@e.f\n");
    buf_done(&input);
}

/* An open quote with megabytes behind it costs its own line only. */
static void test_open_quote_before_much(void **state)
{
    (void)state;
    struct buf input;
    buf_init(&input, DUMP_BYTES_MAX);
    add(&input, SLICE("n,email\n\"x,a@b.c\n"));
    add_times(&input, "y,d@e.f\n", 400000);
    FILE *file = open_bytes(buf_view(&input));
    const struct table_reader_config config = {.file_name = SLICE_LITERAL("f"),
                                               .column = SLICE_LITERAL("")};
    struct table_reader *reader;
    struct fault fault;
    struct table_row row;
    uint64_t good = 0;
    uint64_t bad = 0;
    assert_int_equal(table_reader_open(&config, file, &reader, &fault), ERR_NONE);
    while (table_reader_next(reader, &row, &fault) == ERR_NONE) {
        good += row.is_bad ? 0 : 1;
        bad += row.is_bad ? 1 : 0;
    }
    assert_int_equal(good, 400000);
    assert_int_equal(bad, 1);
    assert_int_equal(row.line, 400002);
    table_reader_close(reader);
    (void)fclose(file);
    buf_done(&input);
}

/* Writing. The result's columns are checked by themselves; in the rows they are cut. */

struct write_case {
    const char *name;
    struct slice input;
    enum table_format format;
    const char *expected;
};

#define RESULT_HEADER                                                                     \
    "sub_status,score,confidence,reason,did_you_mean,normalized,domain,mx_host,provider," \
    "catch_all,smtp_code,smtp_enhanced,smtp_text,is_role,is_free,is_disposable,is_tag,"   \
    "retry_after,checked_at,expires_at\r\n"
#define NO_RESULT ",,,,,,,,,,,,,,,,,,,,,\r\n"

static const struct write_case write_cases[] = {
    {"text", SLICE_LITERAL("a@b.c\n"), TABLE_CSV, "email,status," RESULT_HEADER "a@b.c" NO_RESULT},
    {"format text writes CSV", SLICE_LITERAL("a@b.c\n"), TABLE_TEXT,
     "email,status," RESULT_HEADER "a@b.c" NO_RESULT},
    {"header kept", SLICE_LITERAL("Name;E-Mail\nX;a@b.c\n"), TABLE_CSV,
     "Name,E-Mail,status," RESULT_HEADER "X,a@b.c" NO_RESULT},
    {"clash", SLICE_LITERAL("email,Status\na@b.c,x\n"), TABLE_CSV,
     "email,Status,heloise_status," RESULT_HEADER "a@b.c,x" NO_RESULT},
    {"clash twice", SLICE_LITERAL("email,status,heloise_status\na@b.c,x,y\n"), TABLE_CSV,
     "email,status,heloise_status,heloise_heloise_status," RESULT_HEADER "a@b.c,x,y" NO_RESULT},
    {"quoting", SLICE_LITERAL("n;email\n\"a\"\"b\";a@b.c\nx,y;d@e.f\n z ;\"g\nh\"\n"), TABLE_CSV,
     "n,email,status," RESULT_HEADER "\"a\"\"b\",a@b.c" NO_RESULT "\"x,y\",d@e.f" NO_RESULT
     "\" z \",\"g\nh\"" NO_RESULT},
    {"formulas",
     SLICE_LITERAL("n;email\n=1+1;a@b.c\n+49 30 1;a@b.c\n-x;a@b.c\n@y;a@b.c\n\"\tz\";a@b.c\n"
                   "\"\rq\";a@b.c\n=\"a,b\";a@b.c\n"),
     TABLE_CSV,
     "n,email,status," RESULT_HEADER "'=1+1,a@b.c" NO_RESULT "'+49 30 1,a@b.c" NO_RESULT
     "'-x,a@b.c" NO_RESULT "'@y,a@b.c" NO_RESULT "'\tz,a@b.c" NO_RESULT "\"'\rq\",a@b.c" NO_RESULT
     "\"'=\"\"a,b\"\"\",a@b.c" NO_RESULT},
    {"numbers",
     SLICE_LITERAL("n;email\n-12.5;a@b.c\n+3;a@b.c\n-1,5;a@b.c\n-1.;a@b.c\n-1-1;a@b.c\n-;a@b.c\n"),
     TABLE_CSV,
     "n,email,status," RESULT_HEADER "-12.5,a@b.c" NO_RESULT "+3,a@b.c" NO_RESULT
     "\"-1,5\",a@b.c" NO_RESULT "'-1.,a@b.c" NO_RESULT "'-1-1,a@b.c" NO_RESULT
     "'-,a@b.c" NO_RESULT},
    {"surplus cells", SLICE_LITERAL("a@b.c,x,,\n"), TABLE_CSV,
     "email,column_2,column_3,column_4,status," RESULT_HEADER "a@b.c,x,," NO_RESULT},
    {"bad row", SLICE_LITERAL("n,email\nx,a@b.c\n\"y,d@e.f\n"), TABLE_CSV,
     "n,email,status," RESULT_HEADER "x,a@b.c" NO_RESULT "\"\"\"y,d@e.f\"," NO_RESULT},
    {"CSV to NDJSON", SLICE_LITERAL("n,email,n\n\"a\"\"\",a@b.c,z\n"), TABLE_NDJSON,
     "{\"n\":\"a\\\"\",\"email\":\"a@b.c\",\"n_2\":\"z\",\"heloise\":null}\n"},
    {"CSV to NDJSON, clash", SLICE_LITERAL("heloise,email\nx,a@b.c\n"), TABLE_NDJSON,
     "{\"heloise\":\"x\",\"email\":\"a@b.c\",\"heloise_result\":null}\n"},
    {"CSV to NDJSON, bad row", SLICE_LITERAL("n,email\nx,a@b.c\n\"y,d@e.f\n"), TABLE_NDJSON,
     "{\"n\":\"x\",\"email\":\"a@b.c\",\"heloise\":null}\n"
     "{\"line\":3,\"text\":\"\\\"y,d@e.f\",\"heloise\":null}\n"},
    {"NDJSON as it came",
     SLICE_LITERAL(
         "{ \"email\" : \"a@b.c\", \"id\":12345678901234567890123 }\n{\"email\":\"d@e.f\","
         "\"heloise\":1}\n{}\n{oops\n\"g@h.i\"\n"),
     TABLE_NDJSON,
     "{ \"email\" : \"a@b.c\", \"id\":12345678901234567890123,\"heloise\":null}\n"
     "{\"email\":\"d@e.f\",\"heloise\":1,\"heloise_result\":null}\n{\"heloise\":null}\n"
     "{\"line\":4,\"text\":\"{oops\",\"heloise\":null}\n"
     "{\"email\":\"g@h.i\",\"heloise_result\":null}\n"},
    {"NDJSON to CSV", SLICE_LITERAL("{\"id\":-7,\"email\":\"a@b.c\",\"t\":true}\n"), TABLE_CSV,
     "id,email,t,status," RESULT_HEADER "-7,a@b.c,true" NO_RESULT},
};

static void write_all(struct slice input, enum table_format format, const struct record *record,
                      char **out_text, size_t *out_len)
{
    FILE *from = open_bytes(input);
    FILE *to = open_memstream(out_text, out_len);
    must(to != NULL);
    const struct table_reader_config config = {.file_name = SLICE_LITERAL("f"),
                                               .column = SLICE_LITERAL("")};
    struct table_reader *reader;
    struct table_writer *writer;
    struct fault fault;
    assert_int_equal(table_reader_open(&config, from, &reader, &fault), ERR_NONE);
    assert_int_equal(table_writer_open(format, reader, to, &writer, &fault), ERR_NONE);
    struct table_row row;
    while (table_reader_next(reader, &row, &fault) == ERR_NONE) {
        assert_int_equal(table_writer_row(writer, &row, record, &fault), ERR_NONE);
    }
    table_writer_close(writer);
    table_reader_close(reader);
    (void)fclose(from);
    assert_int_equal(fclose(to), 0);
}

static void test_writing(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < sizeof write_cases / sizeof write_cases[0]; i++) {
        const struct write_case *c = &write_cases[i];
        char *text;
        size_t len;
        write_all(c->input, c->format, NULL, &text, &len);
        if (!slice_equal(slice_make(text, len), slice_of(c->expected))) {
            print_message("%s:\n%.*s", c->name, (int)len, text);
            wrong++;
        }
        free(text);
    }
    assert_int_equal(wrong, 0);
}

static void test_result(void **state)
{
    (void)state;
    struct record record = {
        .email = SLICE_LITERAL("a@b.c"),
        .normalized = SLICE_LITERAL("a@b.c"),
        .domain = SLICE_LITERAL("b.c"),
        .status = VERDICT_UNDELIVERABLE,
        .sub = SUB_MAILBOX_NOT_FOUND,
        .score = 3,
        .confidence = 0.987,
        .is_catch_all = TRI_NO,
        .flags = {.is_role = true},
        .provider_name = SLICE_LITERAL("google"),
        .smtp = {.was_tried = true,
                 .host = SLICE_LITERAL("mx.b.c"),
                 .code = 550,
                 .enhanced = {5, 1, 1},
                 .text = SLICE_LITERAL("=no, \x1b such")},
        .retry_after_s = 60,
        .checked_at_ms = 1000,
    };
    char *text;
    size_t len;
    write_all(SLICE("a@b.c\n"), TABLE_CSV, &record, &text, &len);
    assert_string_equal(
        text, "email,status," RESULT_HEADER
              "a@b.c,undeliverable,mailbox_not_found,3,0.99,the server says that there is "
              "no such mailbox,,a@b.c,b.c,mx.b.c,google,false,550,5.1.1,\"'=no, \\x1b "
              "such\",true,false,false,false,60,1970-01-01T00:00:01.000Z,\r\n");
    free(text);
    write_all(SLICE("{\"email\":\"a@b.c\"}\n"), TABLE_NDJSON, &record, &text, &len);
    assert_true(slice_starts(slice_make(text, len),
                             SLICE("{\"email\":\"a@b.c\",\"heloise\":{\"email\":\"a@b.c\"")));
    assert_true(slice_ends(slice_make(text, len), SLICE("}}\n")));
    free(text);
}

/* What was written is read as the same cells. */
static void test_round_trip(void **state)
{
    (void)state;
    const struct slice input =
        SLICE("n;email;x\n\"a\r\n\"\"b\";a@b.c;, ;\n\" \";\"g\n\"\"h@i.j\";z,|\n");
    char *text;
    size_t len;
    write_all(input, TABLE_CSV, NULL, &text, &len);
    struct read_case c = {"again", slice_make(text, len), NULL, NULL, NULL};
    struct buf again;
    buf_init(&again, DUMP_BYTES_MAX);
    dump(&c, 0, &again);
    assert_true(slice_find_nocase(buf_view(&again), SLICE("1@2 a\r\n\"b|a@b.c|, |")) < again.len);
    assert_true(slice_find_nocase(buf_view(&again), SLICE("|g\n\"h@i.j|z,|")) < again.len);
    buf_done(&again);
    free(text);
}

static void test_full_disk(void **state)
{
    (void)state;
    FILE *from = open_bytes(SLICE("a@b.c\n"));
    FILE *to = fopen("/dev/full", "w");
    if (to == NULL) {
        (void)fclose(from);
        skip();
    }
    must(setvbuf(to, NULL, _IONBF, 0) == 0);
    const struct table_reader_config config = {.file_name = SLICE_LITERAL("f"),
                                               .column = SLICE_LITERAL("")};
    struct table_reader *reader;
    struct table_writer *writer = NULL;
    struct fault fault;
    assert_int_equal(table_reader_open(&config, from, &reader, &fault), ERR_NONE);
    assert_int_equal(table_writer_open(TABLE_CSV, reader, to, &writer, &fault), ERR_SYSTEM);
    assert_null(writer);
    table_reader_close(reader);
    (void)fclose(from);
    (void)fclose(to);
}

static bool goes_on_while_above_zero(void *context)
{
    unsigned *left = context;
    return (*left)-- > 0;
}

/* A file of one row that never ends is left when its reader is told to, wherever it is. */
static void test_endless_row(void **state)
{
    (void)state;
    static const unsigned blocks[] = {
        0, 1, 15, 16, 17, 40}; /* of 64 KB: before the sample is full, then in a row */
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        FILE *from = fopen("/dev/zero", "rb");
        assert_non_null(from);
        unsigned left = blocks[i];
        const struct table_reader_config config = {.file_name = SLICE_LITERAL("f"),
                                                   .column = SLICE_LITERAL(""),
                                                   .may_go_on = goes_on_while_above_zero,
                                                   .context = &left};
        struct table_reader *reader = NULL;
        struct table_row row;
        struct fault fault;
        enum err e = table_reader_open(&config, from, &reader, &fault);
        e = e != ERR_NONE ? e : table_reader_next(reader, &row, &fault);
        assert_int_equal(e, ERR_STATE);
        assert_string_equal(fault.text, "stopped");
        table_reader_close(reader);
        (void)fclose(from);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_endless_row), cmocka_unit_test(test_reading),
        cmocka_unit_test(test_zero_bytes),  cmocka_unit_test(test_long_row),
        cmocka_unit_test(test_many_cells),  cmocka_unit_test(test_open_quote_before_much),
        cmocka_unit_test(test_writing),     cmocka_unit_test(test_result),
        cmocka_unit_test(test_round_trip),  cmocka_unit_test(test_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
