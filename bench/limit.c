/* bench/limit: addresses, options and clock of the limit programs; see limit.h.
 * SPDX-License-Identifier: Apache-2.0 */
#include "limit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

_Noreturn void limit_die(const char *what)
{
    perror(what);
    exit(1);
}

struct sockaddr_in limit_host(unsigned number, unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(0x7f010000u | (number / LIMIT_HOSTS_PER_NET) << 8 |
                                    (number % LIMIT_HOSTS_PER_NET + 1));
    return address;
}

static const struct limit_option *option_find(const struct limit_option *options, const char *name)
{
    while (options->name != NULL && strcmp(options->name, name) != 0) {
        options++;
    }
    return options->name == NULL ? NULL : options;
}

void limit_options(int argc, char **argv, const struct limit_option *options)
{
    for (int i = 1; i < argc; i += 2) {
        const struct limit_option *option = option_find(options, argv[i]);
        char *end = NULL;
        unsigned long value = i + 1 < argc ? strtoul(argv[i + 1], &end, 10) : 0;
        if (option == NULL || end == NULL || *end != '\0' || value > option->max) {
            fprintf(stderr, "%s: wrong option or value: %s\n", argv[0], argv[i]);
            exit(64);
        }
        *option->value = (unsigned)value;
    }
}

unsigned limit_share(unsigned total, unsigned of, unsigned n)
{
    return (unsigned)((uint64_t)total * (n + 1) / of - (uint64_t)total * n / of);
}

uint64_t limit_now_us(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

void limit_raise_files(void)
{
    struct rlimit files = {0};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)!setrlimit(RLIMIT_NOFILE, &files);
    }
}
