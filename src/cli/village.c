/* cli/village: `heloise village`: the demo village, until Ctrl-C; with --demo a list is verified against it
 * by `heloise bulk` as anybody would run it, and shown as a table.
 * SPDX-License-Identifier: Apache-2.0 */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/slice.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/exit.h"
#include "cli/way_out.h"
#include "cli/workbench.h"
#include "engine/report.h"
#include "engine/table.h"
#include "engine/writer.h"
#include "net/uv_door.h"
#include "sim/village.h"

enum {
    VILLAGE_PORT = 2525,
    VILLAGE_DNS_PORT = 5300,
    WORD_BYTES = 64,
    DEMO_WORDS_MAX = 24,
    SHOWN_COLUMNS = 5,
    SHOWN_BYTES_MAX = 4096,
};

struct village_options {
    struct village_config village;
    const char *demo; /* NULL: run until interrupted */
};

enum { KEY_PORT = 0x300, KEY_DNS_PORT, KEY_DEMO };

static const struct argp_option option_table[] = {
    {"port", KEY_PORT, "PORT", 0, "of the mail servers (2525; 0: any free one)", 0},
    {"dns-port", KEY_DNS_PORT, "PORT", 0, "of the name server (5300; 0: any free one)", 0},
    {"demo", KEY_DEMO, "LIST", 0, "verify this list against the village, show a table, and end", 0},
    {0},
};

static uint16_t parse_port(struct argp_state *state, const char *option, const char *text)
{
    char *end;
    errno = 0;
    unsigned long port = strtoul(text, &end, 10);
    if (errno != 0 || *end != '\0' || !ascii_is_digit(text[0]) || port > 65535) {
        argp_error(state, "--%s: '%.20s' is not a port between 0 and 65535", option, text);
    }
    return (uint16_t)port;
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct village_options *options = state->input;
    switch (key) {
    case KEY_PORT: options->village.port = parse_port(state, "port", arg); return 0;
    case KEY_DNS_PORT: options->village.dns_port = parse_port(state, "dns-port", arg); return 0;
    case KEY_DEMO:
        options->demo = arg;
        options->village = (struct village_config){0};
        return 0;
    case ARGP_KEY_ARG: argp_error(state, "village takes no argument like '%.60s'", arg); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* The village itself. */

static void on_signal(void *context)
{
    door_stop(context);
}

static void print_village(const struct village *village)
{
    size_t count;
    const struct house *houses = village_houses(&count);
    (void)puts("The village is up. Its houses:\n");
    for (size_t i = 0; i < count; i++) {
        (void)printf("  %-18s %s\n", houses[i].domain, houses[i].about);
    }
    (void)printf(
        "\nAsk from another terminal:\n\n"
        "  heloise verify --resolver %s:%u --port %u --allow-net 127.0.0.0/8 jane@plain.example\n\n"
        "Ctrl-C ends it.\n",
        village_dns_ip, (unsigned)village_dns_port(village), (unsigned)village_port(village));
    (void)fflush(stdout);
}

/* Opens the village, tells its ports through announce (or people, where that is -1), runs until a signal. */
static int serve(const struct village_config *config, int announce)
{
    struct uv_door_config door_config = {0};
    struct door *door;
    struct village *village;
    struct fault fault;
    (void)signal(SIGPIPE, SIG_IGN); /* a closed line is an ordinary event */
    if (uv_door_open(&door_config, &door, &fault) != ERR_NONE) {
        complain("%s", fault.text);
        return EXIT_INTERNAL;
    }
    if (village_open(door, config, &village, &fault) != ERR_NONE) {
        complain("%s; --port and --dns-port choose others", fault.text);
        uv_door_close(door);
        return EXIT_CANNOT_WRITE;
    }
    int code = EXIT_SUCCESS;
    if (uv_door_on_signal(door, SIGINT, on_signal, door) != ERR_NONE ||
        uv_door_on_signal(door, SIGTERM, on_signal, door) != ERR_NONE) {
        code = EXIT_INTERNAL;
    }
    if (announce >= 0) {
        uint16_t ports[2] = {village_port(village), village_dns_port(village)};
        code = write(announce, ports, sizeof ports) == (ssize_t)sizeof ports ? code : EXIT_INTERNAL;
        (void)close(announce);
    } else {
        print_village(village);
    }
    if (code == EXIT_SUCCESS) {
        door_run(door);
    }
    village_close(village);
    uv_door_close(door);
    return code;
}

/* A village in a process of its own that goes when this one does. */
static pid_t start_village(uint16_t out_ports[2])
{
    int ends[2];
    if (pipe(ends) != 0) {
        return -1;
    }
    pid_t parent = getpid();
    pid_t child = fork();
    if (child == 0) {
        (void)close(ends[0]);
        (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
        struct village_config any = {0};
        _exit(getppid() == parent ? serve(&any, ends[1]) : EXIT_INTERNAL);
    }
    (void)close(ends[1]);
    size_t wanted = 2 * sizeof out_ports[0];
    bool is_up = child > 0 && read(ends[0], out_ports, wanted) == (ssize_t)wanted;
    (void)close(ends[0]);
    if (!is_up && child > 0) {
        (void)waitpid(child, NULL, 0);
    }
    return is_up ? child : -1;
}

/* The demo. */

static void free_words(char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(words[i]);
    }
}

static int run_bulk(const char *list, const uint16_t ports[2], const char *output)
{
    char resolver[WORD_BYTES], port[WORD_BYTES];
    (void)snprintf(resolver, sizeof resolver, "--resolver=%s:%u", village_dns_ip,
                   (unsigned)ports[1]);
    (void)snprintf(port, sizeof port, "--port=%u", (unsigned)ports[0]);
    const char *const words[] = {"heloise bulk",
                                 list,
                                 "-o",
                                 output,
                                 resolver,
                                 port,
                                 "--allow-net=127.0.0.0/8",
                                 "--no-config",
                                 "--no-store",
                                 "--helo=demo.example",
                                 "--output-format=csv"};
    enum { WORD_COUNT = sizeof words / sizeof words[0] };
    char *argv[DEMO_WORDS_MAX] = {0};
    for (size_t i = 0; i < WORD_COUNT; i++) {
        argv[i] = strdup(words[i]);
        if (argv[i] == NULL) {
            free_words(argv, i);
            return EXIT_INTERNAL;
        }
    }
    (void)fputs("Running: heloise bulk", stdout);
    for (size_t i = 1; i < WORD_COUNT; i++) {
        (void)printf(" %s", words[i]);
    }
    (void)puts("\n");
    (void)fflush(stdout);
    int code = cli_bulk(WORD_COUNT, argv);
    free_words(argv, WORD_COUNT);
    return code;
}

static void print_cell(struct slice cell, int width, bool is_last)
{
    struct buf out;
    buf_init(&out, SHOWN_BYTES_MAX);
    if (text_append_printable(&out, slice_sub(cell, 0, 200)) == ERR_NONE) {
        struct slice text = slice_sub(buf_view(&out), 0, is_last ? 100 : (size_t)width);
        (void)printf("%-*.*s%s", is_last ? 0 : width, SLICE_ARG(text), is_last ? "\n" : "  ");
    }
    buf_done(&out);
}

static enum verdict_status status_of(struct slice word)
{
    for (int i = VERDICT_DELIVERABLE; i <= VERDICT_UNKNOWN; i++) {
        if (slice_equal(word, slice_of(verdict_status_name((enum verdict_status)i)))) {
            return (enum verdict_status)i;
        }
    }
    return VERDICT_UNKNOWN;
}

/* The result file as a table of five columns. */
static int print_table(const char *path)
{
    static const char *const names[SHOWN_COLUMNS] = {"email", "status", "sub_status", "score",
                                                     "reason"};
    static const int widths[SHOWN_COLUMNS] = {30, 13, 20, 5, 0};
    struct table_reader_config config = {.file_name = slice_of(path), .column = SLICE("email")};
    struct table_reader *reader;
    struct fault fault;
    FILE *file = fopen(path, "r");
    if (file == NULL || table_reader_open(&config, file, &reader, &fault) != ERR_NONE) {
        complain("cannot read the result %s", path);
        return EXIT_INTERNAL;
    }
    size_t columns[SHOWN_COLUMNS] = {0};
    for (size_t c = 0; c < table_reader_column_count(reader); c++) {
        for (size_t n = 0; n < SHOWN_COLUMNS; n++) {
            if (slice_equal(table_reader_column_name(reader, c), slice_of(names[n]))) {
                columns[n] = c;
            }
        }
    }
    bool has_colour = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == NULL;
    for (size_t n = 0; n < SHOWN_COLUMNS; n++) {
        print_cell(slice_of(names[n]), widths[n], n + 1 == SHOWN_COLUMNS);
    }
    struct table_row row;
    while (table_reader_next(reader, &row, &fault) == ERR_NONE) {
        if (row.is_bad) {
            continue;
        }
        if (has_colour) {
            (void)fputs(report_colour(status_of(row.cells[columns[1]])), stdout);
        }
        for (size_t n = 0; n < SHOWN_COLUMNS; n++) {
            print_cell(row.cells[columns[n]], widths[n], n + 1 == SHOWN_COLUMNS);
        }
        if (has_colour) {
            (void)fputs(WRITER_COLOUR_END, stdout);
        }
    }
    table_reader_close(reader);
    (void)fclose(file);
    return EXIT_SUCCESS;
}

static int show_demo(const char *list, const uint16_t ports[2])
{
    char folder[] = "/tmp/heloise-demo-XXXXXX";
    if (mkdtemp(folder) == NULL) {
        complain("cannot make a folder for the result in /tmp");
        return EXIT_CANNOT_WRITE;
    }
    char output[sizeof folder + 16];
    (void)snprintf(output, sizeof output, "%s/result.csv", folder);
    int code = run_bulk(list, ports, output);
    if (code == EXIT_SUCCESS) {
        (void)puts("");
        code = print_table(output);
    }
    if (code == EXIT_SUCCESS) {
        (void)printf(
            "\nAll columns and every reason: %s\n\nWith real addresses:\n\n"
            "  ./run verify you@your.domain            one address, with the reasons\n"
            "  ./run verify --transcript you@...       and the conversation as it happens\n"
            "  ./run bulk contacts.csv -o checked.csv  a list; Ctrl-C stops it, the same command "
            "goes on\n\n"
            "Set --helo to a name that resolves to this machine and --from to an address of "
            "yours:\n"
            "servers answer strangers with bad names worse.\n\n",
            output);
        (void)fflush(stdout);
        way_out_report();
    }
    return code;
}

static int run_demo(const char *list)
{
    uint16_t ports[2];
    if (access(list, R_OK) != 0) {
        complain("cannot read the list %s", list);
        return EXIT_NO_INPUT;
    }
    pid_t village = start_village(ports);
    if (village < 0) {
        complain("cannot start the village");
        return EXIT_INTERNAL;
    }
    int code = show_demo(list, ports);
    (void)kill(village, SIGTERM);
    (void)waitpid(village, NULL, 0);
    return code;
}

int cli_village(int argc, char **argv)
{
    static const struct argp argp = {option_table,
                                     parse_option,
                                     NULL,
                                     "Starts a small world of scripted mail servers and a name "
                                     "server on loopback, to try things on.\v"
                                     "Exit status: 0 ended by a signal, or the demo completed; 64 "
                                     "usage, 66 no list, 73 a port is taken.",
                                     NULL,
                                     NULL,
                                     NULL};
    struct village_options options = {.village = {VILLAGE_PORT, VILLAGE_DNS_PORT}};
    (void)argp_parse(&argp, argc, argv, 0, NULL, &options);
    return options.demo != NULL ? run_demo(options.demo) : serve(&options.village, -1);
}
