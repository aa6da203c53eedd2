/* net/http_loop: libcurl says which sockets it waits for and until when; the door's loop tells it what happened.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/must.h"
#include "net/http_private.h"

/* libcurl closes the descriptor itself, after it said CURL_POLL_REMOVE. */
struct http_socket {
    uv_poll_t poll; /* first */
    struct http_client *client;
    curl_socket_t descriptor;
};

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void act(struct http_client *client, curl_socket_t descriptor, int events)
{
    int running = 0;
    (void)client->curl.curl_multi_socket_action(client->multi, descriptor, events, &running);
    http_client_settle(client);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    const struct http_socket *socket = poll->data;
    int flags = status < 0 ? CURL_CSELECT_ERR : 0;
    flags |= (events & UV_READABLE) != 0 ? CURL_CSELECT_IN : 0;
    flags |= (events & UV_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0;
    act(socket->client, socket->descriptor, flags);
}

static struct http_socket *add_socket(struct http_client *client, curl_socket_t descriptor)
{
    struct http_socket *socket = calloc(1, sizeof *socket);
    if (socket == NULL) {
        return NULL;
    }
    if (uv_poll_init_socket(&client->door->loop, &socket->poll, descriptor) != 0) {
        free(socket);
        return NULL;
    }
    socket->poll.data = socket;
    socket->client = client;
    socket->descriptor = descriptor;
    (void)client->curl.curl_multi_assign(client->multi, descriptor, socket);
    return socket;
}

static int on_socket(CURL *easy, curl_socket_t descriptor, int what, void *context, void *known)
{
    (void)easy;
    struct http_socket *socket = known;
    if (what == CURL_POLL_REMOVE) {
        if (socket != NULL) {
            uv_close((uv_handle_t *)&socket->poll, on_closed);
        }
        return 0;
    }
    socket = socket != NULL ? socket : add_socket(context, descriptor);
    if (socket == NULL) {
        return -1;
    }
    int events = what == CURL_POLL_IN    ? UV_READABLE
                 : what == CURL_POLL_OUT ? UV_WRITABLE
                                         : UV_READABLE | UV_WRITABLE;
    return uv_poll_start(&socket->poll, events, on_poll) == 0 ? 0 : -1;
}

static void on_alarm(void *context)
{
    act(context, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi, long wait_ms, void *context)
{
    (void)multi;
    struct http_client *client = context;
    struct door *door = &client->door->door;
    if (wait_ms < 0) {
        door_timer_stop(door, &client->alarm);
    } else {
        door_timer_start(door, &client->alarm, door_now_ms(door) + (uint64_t)wait_ms);
    }
    return 0;
}

void http_loop_join(struct http_client *client)
{
    const struct curl *curl = &client->curl;
    client->alarm = (struct timer){.fired = on_alarm, .context = client};
    must(curl->curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK);
    must(curl->curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client) == CURLM_OK);
    must(curl->curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK);
    must(curl->curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client) == CURLM_OK);
}

void http_loop_leave(struct http_client *client)
{
    door_timer_stop(&client->door->door, &client->alarm);
}
