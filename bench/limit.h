/* bench/limit: what the two limit programs share: addresses of the simulated hosts, options, the clock.
 * They are the bare kernel's speed in SMTP conversations: epoll, no library, no care for anything that
 * a real peer does. Heloise is measured against the same responder.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_LIMIT_H
#define BENCH_LIMIT_H

#include <netinet/in.h>
#include <stdint.h>

enum { LIMIT_HOSTS_MAX = 62500, LIMIT_HOSTS_PER_NET = 250 };

struct limit_option {
    const char *name; /* with its dashes */
    unsigned *value;
    unsigned max;
};

/* Host number n listens on 127.1.(n / 250).(n % 250 + 1). */
struct sockaddr_in limit_host(unsigned number, unsigned port);
/* "--name value" pairs; options ends with a NULL name. Ends the program at a mistake. */
void limit_options(int argc, char **argv, const struct limit_option *options);
/* What the n-th of so many gets of a total. */
unsigned limit_share(unsigned total, unsigned of, unsigned n);
uint64_t limit_now_us(void);
/* As many descriptors as the system lets us have. */
void limit_raise_files(void);
_Noreturn void limit_die(const char *what);

#endif
