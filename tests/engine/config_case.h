/* tests/engine/config_case: a configuration read from a text, with what was complained of.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_ENGINE_CONFIG_CASE_H
#define TESTS_ENGINE_CONFIG_CASE_H

#include "engine/config.h"

struct config_case {
    struct config config;
    struct config_complaints complaints;
    enum err err;
};

/* As the file "t.conf" in the folder /conf. config_case_done is owed. */
void config_case_read(struct config_case *out, struct slice text);
/* The same, and it must be right. */
void config_case_read_right(struct config_case *out, const char *text);
void config_case_done(struct config_case *c);

/* The whole file, freed by the caller. */
char *config_case_load(const char *path);

#endif
