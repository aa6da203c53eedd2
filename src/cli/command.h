/* cli/command: one entry per command; each takes its own argv (argv[0] is "heloise verify" and the like)
 * and returns an exit code of cli/exit.h.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "base/slice.h"

int cli_verify(int argc, char **argv);
int cli_bulk(int argc, char **argv);
int cli_config(int argc, char **argv);
int cli_dns(int argc, char **argv);
int cli_doctor(int argc, char **argv);
int cli_extract(int argc, char **argv);
int cli_forecast(int argc, char **argv);
int cli_jobs(int argc, char **argv);
int cli_lists(int argc, char **argv);
int cli_policy(int argc, char **argv);
int cli_score(int argc, char **argv);
int cli_probe(int argc, char **argv);
int cli_serve(int argc, char **argv);
int cli_key(int argc, char **argv);
int cli_store(int argc, char **argv);
int cli_village(int argc, char **argv);
int cli_providers(int argc, char **argv);

/* cli_bulk, for a job that has begun: where the same words make another one by now, it is refused. */
int cli_bulk_job(int argc, char **argv, const struct slice *fingerprint);

#endif
