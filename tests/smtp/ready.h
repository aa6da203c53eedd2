/* tests/smtp/ready: a client that has been greeted and offered what a test wants.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_SMTP_READY_H
#define TESTS_SMTP_READY_H

#include "heloise/smtp_client.h"

/* The answer to EHLO follows its first line, "250-mx.example"; "" for an EHLO that offers nothing. */
struct hel_smtp_client *ready_client(const char *ehlo_lines);

/* The bytes to send, taken; valid until the next call on the client. */
struct slice ready_sent(struct hel_smtp_client *client);

/* The peer says this, and the one event it gives. */
struct hel_smtp_event ready_event(struct hel_smtp_client *client, const char *bytes);

#endif
