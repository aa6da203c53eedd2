/* tools/policy_server: mail servers ask whether to take a recipient or believe a sender: by Postfix's policy delegation
 * protocol (SMTPD_POLICY_README), or by socketmap (socketmap_table(5)). Each question waits for its answer within the time
 * that the settings give; what is not known then goes on being found out, and answers the next question.
 *
 * Maps of the socketmap: "recipient ADDRESS" and "sender ADDRESS" give an action as in access(5), nothing for DUNNO;
 * "verdict ADDRESS" gives status and sub-status.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TOOLS_POLICY_SERVER_H
#define TOOLS_POLICY_SERVER_H

#include "engine/service.h"
#include "tools/policy.h"
#include "tools/policy_except.h"

struct policy_server;

/* All of it is borrowed until the end. */
struct policy_server_config {
    struct service *service;
    const struct config_policy *settings;
    const struct knocker_config *knocker; /* whose EHLO names are our own */
    const struct policy_except *except;   /* NULL: nobody */
    const int *sockets;                   /* that listen */
    size_t policy_count, socketmap_count; /* the former come first */
    int log_fd;                           /* gets a JSON line for each answer */
};

/* ERR_SYSTEM, ERR_NOMEM, ERR_LIMIT. */
enum err policy_server_open(const struct policy_server_config *config, struct policy_server **out,
                            struct fault *out_fault) MUST_USE;
/* Questions that wait are answered with what is known. Before service_close. NULL is fine. */
void policy_server_close(struct policy_server *server);

#endif
