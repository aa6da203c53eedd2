/* SPDX-License-Identifier: Apache-2.0 */
#include "ready.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"

struct slice ready_sent(struct hel_smtp_client *client)
{
    static char copy[65536];
    struct slice unsent = hel_smtp_client_unsent(client);
    assert_true(unsent.len <= sizeof copy);
    memcpy(copy, unsent.at, unsent.len);
    hel_smtp_client_sent(client, unsent.len, 0);
    return slice_make(copy, unsent.len);
}

struct hel_smtp_event ready_event(struct hel_smtp_client *client, const char *bytes)
{
    struct hel_smtp_event event;
    hel_smtp_client_received(client, slice_of(bytes), 0);
    assert_true(hel_smtp_client_next(client, &event));
    return event;
}

struct hel_smtp_client *ready_client(const char *ehlo_lines)
{
    const struct hel_smtp_client_config config = {.helo_name = SLICE("us.example")};
    struct hel_smtp_client *client = NULL;
    struct hel_smtp_event event;
    assert_int_equal(hel_smtp_client_new(&config, 0, &client), ERR_NONE);
    hel_smtp_client_received(client, SLICE("220 mx.example\r\n"), 0);
    assert_false(hel_smtp_client_next(client, &event));
    (void)ready_sent(client);
    const char *first = ehlo_lines[0] == '\0' ? "250 mx.example\r\n" : "250-mx.example\r\n";
    hel_smtp_client_received(client, slice_of(first), 0);
    hel_smtp_client_received(client, slice_of(ehlo_lines), 0);
    assert_true(hel_smtp_client_next(client, &event));
    assert_int_equal(event.kind, HEL_SMTP_EVENT_HELLO);
    return client;
}
