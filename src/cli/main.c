/* cli/main: picks the command. Everything else is the commands' own.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "cli/classify.h"
#include "cli/command.h"
#include "cli/exit.h"

struct command {
    const char *name;
    const char *full_name; /* argv[0] of the command, for its messages */
    int (*run)(int argc, char **argv);
    const char *summary;
};

static const struct command commands[] = {
    {"verify", "heloise verify", cli_verify,
     "say whether addresses take mail, how sure that is, and why"},
    {"bulk", "heloise bulk", cli_bulk,
     "the same for a list: CSV, text, JSON or XLSX in, CSV, NDJSON or XLSX out"},
    {"jobs", "heloise jobs", cli_jobs,
     "list the runs of bulk; pause, resume, cancel or forget one"},
    {"key", "heloise key", cli_key, "add, list and revoke the API keys of the service"},
    {"store", "heloise store", cli_store,
     "back up, restore or check what is remembered; erase an address"},
    {"classify", "heloise classify", cli_classify, "say what SMTP replies on standard input mean"},
    {"config", "heloise config", cli_config,
     "check the configuration file, or show what holds and why"},
    {"dns", "heloise dns", cli_dns,
     "grade what the DNS of a domain does to its mail; say which records to publish"},
    {"doctor", "heloise doctor", cli_doctor,
     "say whether this machine is fit to ask, what to mend and how"},
    {"extract", "heloise extract", cli_extract, "find the mail addresses in any text; asks nobody"},
    {"forecast", "heloise forecast", cli_forecast,
     "say how long a list will take and which limits bind; asks no mail server"},
    {"lists", "heloise lists", cli_lists,
     "show the lists, say which entry decided, add and remove your own, update one"},
    {"policy", "heloise policy", cli_policy,
     "answer Postfix, Exim or Sendmail: whether to take a recipient or a sender"},
    {"probe", "heloise probe", cli_probe,
     "test a mail server: its conversation, TLS, logins, relaying; send it a message"},
    {"providers", "heloise providers", cli_providers,
     "check a file of providers, show which limits hold for a domain"},
    {"score", "heloise score", cli_score,
     "say how likely a mailbox exists and why, or learn what became of some; asks nobody"},
    {"serve", "heloise serve", cli_serve,
     "the same for others: an HTTP API and a page in the browser"},
    {"village", "heloise village", cli_village,
     "start a small world of mail servers on loopback, to try things"},
};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static void show_help(FILE *to)
{
    (void)fputs(
        "Usage: heloise COMMAND [OPTION...] [ARGUMENT...]\n\n"
        "Knocks on mail servers: finds the servers of an address, asks as far as RCPT TO, leaves\n"
        "without sending anything, and says what the answer means.\n\nCommands:\n",
        to);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        (void)fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].summary);
    }
    (void)fputs(
        "\n'heloise COMMAND --help' lists a command's options, 'man heloise' tells the rest.\n",
        to);
}

/* What was said on standard output is out. */
static int end_well(void)
{
    if (fflush(stdout) == 0 && ferror(stdout) == 0) {
        return 0;
    }
    (void)fputs("heloise: cannot write to standard output\n", stderr);
    return EXIT_CANNOT_WRITE;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        show_help(stderr);
        return EXIT_BAD_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
        show_help(stdout);
        return end_well();
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        (void)puts("heloise " HELOISE_VERSION);
        return end_well();
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(name, commands[i].name) == 0) {
            char full_name[32];
            (void)snprintf(full_name, sizeof full_name, "%s", commands[i].full_name);
            argv[1] = full_name;
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    (void)fprintf(stderr, "heloise: there is no command '%.40s'; 'heloise --help' lists them\n",
                  name);
    return EXIT_BAD_USAGE;
}
