/* SPDX-License-Identifier: Apache-2.0 */
#include "net/uv_sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/slice.h"

enum {
    MUCH = 300000,
    TURNS_MAX = 1000,
    SOME_TURNS = 50,
    FLOODS = 16,
    FLOOD_BLOCK = 65536,
    HEARD_BYTES = 8192,
    CROWD = 2 * UV_AHEAD_SOCKETS + 3,
    MANY = 2000,
};

/* One end is watched, the other one is the test's. */
struct end {
    struct uv_socket socket; /* first */
    struct uv_sockets *sockets;
    int there;
    struct end *next;
    unsigned told, discarded;
    bool discards; /* itself, when it is told */
    char heard[HEARD_BYTES];
    size_t heard_len;
    int ended; /* what reading said at last */
};

struct world {
    uv_loop_t loop;
    uv_idle_t idle; /* a loop that has nothing to wait for takes no turn */
    struct uv_sockets sockets;
};

static void on_idle(uv_idle_t *idle)
{
    (void)idle;
}

static void on_ready(struct uv_socket *socket, uint32_t events)
{
    struct end *end = (struct end *)(void *)socket;
    (void)events;
    end->told++;
    if (end->discards) {
        uv_socket_discard(end->sockets, socket);
        assert_int_equal(end->discarded, 0); /* not from inside */
    }
}

static void on_door_closes(struct uv_socket *socket)
{
    uv_socket_discard(((struct end *)(void *)socket)->sockets, socket);
}

static void on_discarded(struct uv_socket *socket)
{
    ((struct end *)(void *)socket)->discarded++;
}

static const struct uv_socket_owner owner = {
    .ready = on_ready, .door_closes = on_door_closes, .discarded = on_discarded};

/* Takes all, as a link does. */
static void on_ready_reads(struct uv_socket *socket, uint32_t events)
{
    struct end *end = (struct end *)(void *)socket;
    on_ready(socket, events);
    for (ssize_t n = 1; n > 0 && socket->fd >= 0;) {
        assert_true(sizeof end->heard - end->heard_len > UV_AHEAD_BYTES);
        n = uv_socket_receive(socket, end->heard + end->heard_len,
                              sizeof end->heard - end->heard_len);
        end->heard_len += n > 0 ? (size_t)n : 0;
        end->ended = n < 0 ? (int)n : end->ended;
    }
}

static const struct uv_socket_owner reader = {.reads_when_ready = true,
                                              .ready = on_ready_reads,
                                              .door_closes = on_door_closes,
                                              .discarded = on_discarded};

/* Of whom only is counted what comes. */
struct flood {
    struct end end; /* first */
    size_t taken;
};

static void on_ready_takes(struct uv_socket *socket, uint32_t events)
{
    struct flood *flood = (struct flood *)(void *)socket;
    char block[FLOOD_BLOCK];
    on_ready(socket, events);
    for (ssize_t n = 1; n > 0;) {
        n = uv_socket_receive(socket, block, sizeof block);
        for (ssize_t i = 0; i < n; i++) {
            assert_int_equal(block[i], 'x');
        }
        flood->taken += n > 0 ? (size_t)n : 0;
    }
}

static const struct uv_socket_owner taker = {.reads_when_ready = true,
                                             .ready = on_ready_takes,
                                             .door_closes = on_door_closes,
                                             .discarded = on_discarded};

/* Of those that read: they may be on a ring, which is for TCP. */
static void tcp_pair(int pair[2])
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof here;
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listening, (struct sockaddr *)&here, len), 0);
    assert_int_equal(listen(listening, 1), 0);
    assert_int_equal(getsockname(listening, (struct sockaddr *)&here, &len), 0);
    pair[0] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(pair[0], (struct sockaddr *)&here, len), 0);
    pair[1] = accept4(listening, NULL, NULL, SOCK_NONBLOCK);
    assert_true(pair[1] >= 0);
    assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
    (void)close(listening);
}

static void end_open_for(struct world *world, struct end *end, const struct uv_socket_owner *whose)
{
    int pair[2];
    *end = (struct end){.sockets = &world->sockets};
    if (whose->reads_when_ready) {
        tcp_pair(pair);
    } else {
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    }
    end->there = pair[1];
    uv_socket_init(&world->sockets, &end->socket, whose);
    assert_int_equal(uv_socket_take(&world->sockets, &end->socket, pair[0]), 0);
}

static void end_open(struct world *world, struct end *end)
{
    end_open_for(world, end, &owner);
}

static void end_send(struct end *end, struct slice bytes)
{
    assert_int_equal(uv_socket_send(end->sockets, &end->socket, bytes), ERR_NONE);
}

static void turn(struct world *world)
{
    const bool is_stopped = false;
    uv_sockets_run(&world->sockets, false, &is_stopped);
}

/* A ring's news may come in parts. */
static void some_turns(struct world *world)
{
    for (int i = 0; i < SOME_TURNS; i++) {
        turn(world);
    }
}

static void end_close(struct world *world, struct end *end)
{
    if (end->there >= 0) {
        (void)close(end->there);
    }
    uv_socket_discard(&world->sockets, &end->socket);
    turn(world);
    assert_int_equal(end->discarded, 1);
}

/* tests/net/meson.build runs this twice. */
static bool wants_ring(void)
{
    const char *way = getenv("HELOISE_TEST_SOCKETS");
    return way == NULL || strcmp(way, "epoll") != 0;
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    assert_int_equal(uv_loop_init(&world->loop), 0);
    assert_int_equal(uv_idle_init(&world->loop, &world->idle), 0);
    assert_int_equal(uv_idle_start(&world->idle, on_idle), 0);
    assert_int_equal(uv_sockets_open(&world->sockets, &world->loop, wants_ring()), 0);
    if (wants_ring() && !uv_sockets_offers_ring(&world->sockets)) {
        print_message("this kernel offers no io_uring: epoll is looked at\n");
    }
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    uv_close((uv_handle_t *)&world->idle, NULL);
    uv_sockets_close(&world->sockets);
    assert_int_equal(uv_run(&world->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&world->loop), 0);
    free(world);
    return 0;
}

static void what_a_turn_says_goes_out_at_its_end(void **state)
{
    struct world *world = *state;
    struct end one, other;
    char bytes[16];
    end_open_for(world, &one, &reader);
    end_open_for(world, &other, &reader);
    end_send(&one, SLICE("RSET\r\n"));
    end_send(&one, SLICE("MAIL\r\n"));
    end_send(&other, SLICE("QUIT\r\n"));
    assert_int_equal(uv_socket_unsent(&one.socket), 12);
    assert_int_equal(recv(one.there, bytes, sizeof bytes, 0), -1);
    assert_int_equal(errno, EAGAIN);
    turn(world);
    assert_int_equal(uv_socket_unsent(&one.socket), 0);
    assert_int_equal(recv(one.there, bytes, sizeof bytes, 0), 12);
    assert_memory_equal(bytes, "RSET\r\nMAIL\r\n", 12);
    assert_int_equal(recv(other.there, bytes, sizeof bytes, 0), 6);
    end_send(&one, SLICE("late"));
    uv_socket_flush(&world->sockets, &one.socket); /* or when its owner cannot wait */
    assert_int_equal(recv(one.there, bytes, sizeof bytes, 0), 4);
    end_close(world, &one);
    end_close(world, &other);
}

static size_t take(int fd, char *at, size_t room)
{
    size_t len = 0;
    for (ssize_t n = recv(fd, at, room, 0); n > 0; n = recv(fd, at + len, room - len, 0)) {
        len += (size_t)n;
    }
    return len;
}

/* More than the outbox holds, in turns with another, and more than the kernel takes: in order, and nothing lost. */
static void keeps_the_order_of_much(void **state)
{
    struct world *world = *state;
    const size_t pieces[] = {1, 700, 40000, 65536, 65537};
    for (size_t p = 0; p < sizeof pieces / sizeof *pieces; p++) {
        struct end one, other;
        end_open_for(world, &one, &reader);
        end_open_for(world, &other, &reader);
        char *said = malloc(MUCH), *heard = malloc(MUCH);
        assert_true(said != NULL && heard != NULL);
        size_t count = pieces[p] == 1 ? 5000 : MUCH;
        for (size_t i = 0; i < count; i++) {
            said[i] = (char)('a' + i % 23);
        }
        size_t len = 0;
        for (size_t at = 0; at < count; at += pieces[p]) {
            end_send(&one, slice_sub(slice_make(said, count), at, at + pieces[p]));
            end_send(&other, SLICE("NOOP\r\n"));
        }
        for (int turns = 0; len < count && turns < TURNS_MAX; turns++) {
            turn(world);
            len += take(one.there, heard + len, MUCH - len);
        }
        assert_int_equal(len, count);
        assert_memory_equal(said, heard, count);
        assert_int_equal(uv_socket_unsent(&one.socket), 0);
        free(said);
        free(heard);
        end_close(world, &one);
        end_close(world, &other);
    }
}

/* What had come before is read first; then the error of sending. */
static void a_broken_line_shows_in_reading(void **state)
{
    struct world *world = *state;
    struct end end;
    char bytes[16];
    end_open(world, &end);
    assert_int_equal(send(end.there, "421 bye\r\n", 9, 0), 9);
    (void)close(end.there);
    end.there = -1;
    end_send(&end, SLICE("NOOP\r\n"));
    turn(world);
    assert_true(end.told > 0);
    assert_int_equal(uv_socket_send(&world->sockets, &end.socket, SLICE("QUIT\r\n")), ERR_CLOSED);
    assert_int_equal(uv_socket_receive(&end.socket, bytes, sizeof bytes), 9);
    assert_int_equal(uv_socket_receive(&end.socket, bytes, sizeof bytes), UV_EPIPE);
    uv_socket_close(&world->sockets, &end.socket);
    assert_int_equal(uv_socket_send(&world->sockets, &end.socket, SLICE("x")), ERR_CLOSED);
    end_close(world, &end);
}

/* Less than is read ahead, as much, and more; with and without the end of the line behind it. */
static void all_is_read_at_any_length(void **state)
{
    struct world *world = *state;
    const size_t lengths[] = {1, UV_AHEAD_BYTES - 1, UV_AHEAD_BYTES, UV_AHEAD_BYTES + 1, 5000};
    for (size_t i = 0; i < 2 * sizeof lengths / sizeof *lengths; i++) {
        struct end end;
        char said[5000];
        size_t len = lengths[i / 2];
        for (size_t at = 0; at < len; at++) {
            said[at] = (char)('a' + at % 23);
        }
        end_open_for(world, &end, &reader);
        assert_int_equal(send(end.there, said, len, 0), len);
        if (i % 2 == 1) {
            (void)close(end.there);
            end.there = -1;
        }
        bool is_closed = i % 2 == 1;
        for (int t = 0; t < TURNS_MAX && (end.heard_len < len || (is_closed && end.ended == 0));
             t++) {
            turn(world);
        }
        some_turns(world);
        assert_int_equal(end.heard_len, len);
        assert_memory_equal(end.heard, said, len);
        assert_int_equal(end.ended, i % 2 == 1 ? UV_EOF : 0);
        end_close(world, &end);
    }
}

static void on_ready_sweeps(struct uv_socket *socket, uint32_t events)
{
    struct end *end = (struct end *)(void *)socket;
    on_ready_reads(socket, events);
    struct end *next = end->next;
    if (next != NULL && next->heard_len == 0) {
        uv_socket_close(next->sockets, &next->socket);
    }
}

/* A crowd is ready at once: each hears its own, but for those that one before them closes in the same turn. */
static void a_crowd_is_read_in_parts(void **state)
{
    static const struct uv_socket_owner sweeper = {.reads_when_ready = true,
                                                   .ready = on_ready_sweeps,
                                                   .door_closes = on_door_closes,
                                                   .discarded = on_discarded};
    struct world *world = *state;
    struct end *crowd = calloc(CROWD, sizeof *crowd);
    assert_non_null(crowd);
    for (size_t i = 0; i < CROWD; i++) {
        char said[16];
        int len = snprintf(said, sizeof said, "250 %zu\r\n", i);
        end_open_for(world, &crowd[i], i % 5 == 1 ? &sweeper : &reader);
        crowd[i].next = i + 1 < CROWD ? &crowd[i + 1] : NULL;
        assert_int_equal(send(crowd[i].there, said, (size_t)len, 0), len);
    }
    some_turns(world);
    for (size_t i = 0; i < CROWD; i++) {
        char said[16];
        int len = snprintf(said, sizeof said, "250 %zu\r\n", i);
        bool is_swept = i % 5 == 2 && crowd[i].heard_len == 0;
        assert_true(is_swept || crowd[i].heard_len == (size_t)len);
        assert_memory_equal(crowd[i].heard, said, crowd[i].heard_len);
        assert_int_equal(crowd[i].told, is_swept ? 0 : 1);
        assert_int_equal(crowd[i].socket.fd < 0, is_swept);
    }
    for (size_t i = 0; i < CROWD; i++) {
        end_close(world, &crowd[i]);
    }
    free(crowd);
}

/* More lines have something at once than there are buffers and room for requests together. */
static void many_lines_speak_at_once(void **state)
{
    struct world *world = *state;
    struct rlimit files;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = files.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    struct end *many = calloc(MANY, sizeof *many);
    assert_non_null(many);
    for (size_t i = 0; i < MANY; i++) {
        end_open_for(world, &many[i], &reader);
    }
    some_turns(world);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(send(many[i].there, "250 ok\r\n", 8, 0), 8);
    }
    size_t heard = 0;
    for (int turns = 0; heard < MANY && turns < TURNS_MAX; turns++) {
        turn(world);
        for (heard = 0; heard < MANY && many[heard].heard_len == 8; heard++) {
        }
    }
    assert_int_equal(heard, MANY);
    for (size_t i = 0; i < MANY; i++) {
        end_close(world, &many[i]);
    }
    free(many);
}

static bool have_all_got_some(const struct flood *floods)
{
    for (size_t i = 0; i < FLOODS; i++) {
        if (floods[i].taken == 0) {
            return false;
        }
    }
    return true;
}

/* More than the buffers that all share, from some at once; one line of another comes through, and nothing is lost. Who is
 * first is the kernel's choice: Linux 6.1 begins with who asked last. */
static void who_floods_does_not_drown_others(void **state)
{
    struct world *world = *state;
    struct flood *floods = calloc(FLOODS, sizeof *floods);
    struct end quiet;
    char said[FLOOD_BLOCK];
    memset(said, 'x', sizeof said);
    assert_non_null(floods);
    for (size_t i = 0; i < FLOODS; i++) {
        end_open_for(world, &floods[i].end, &taker);
        assert_int_equal(send(floods[i].end.there, said, sizeof said, 0), sizeof said);
    }
    end_open_for(world, &quiet, &reader);
    assert_int_equal(send(quiet.there, "250 ok\r\n", 8, 0), 8);
    for (int i = 0; i < TURNS_MAX; i++) {
        turn(world);
        for (size_t k = 0; k < FLOODS; k++) {
            (void)send(floods[k].end.there, said, sizeof said, 0);
        }
        if (quiet.heard_len > 0 && have_all_got_some(floods)) {
            break;
        }
    }
    assert_int_equal(quiet.heard_len, 8);
    end_close(world, &quiet);
    assert_true(have_all_got_some(floods));
    for (size_t i = 0; i < FLOODS; i++) {
        end_close(world, &floods[i].end);
    }
    free(floods);
}

static void may_be_discarded_while_it_is_told(void **state)
{
    struct world *world = *state;
    struct end ends[3];
    for (int i = 0; i < 3; i++) {
        end_open(world, &ends[i]);
        ends[i].discards = true;
        end_send(&ends[i], SLICE("lost"));
    }
    turn(world);
    turn(world);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ends[i].told, 1);
        assert_int_equal(ends[i].discarded, 1);
        (void)close(ends[i].there);
    }
    assert_int_equal(uv_idle_stop(&world->idle), 0);
    assert_int_equal(uv_run(&world->loop, UV_RUN_DEFAULT), 0); /* nothing keeps the loop */
}

static void *close_sockets(void *sockets)
{
    uv_sockets_close(sockets);
    return NULL;
}

/* Also for another thread than the one that took the turns: far ends hear of it. */
static void the_door_sweeps_up(void **state)
{
    struct world *world = *state;
    struct end watched, reading, unwatched = {.sockets = &world->sockets};
    char bytes[8];
    pthread_t thread;
    end_open(world, &watched);
    end_open_for(world, &reading, &reader);
    uv_socket_init(&world->sockets, &unwatched.socket, &owner);
    some_turns(world);
    assert_int_equal(recv(reading.there, bytes, sizeof bytes, 0), -1);
    assert_int_equal(pthread_create(&thread, NULL, close_sockets, &world->sockets), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(recv(reading.there, bytes, sizeof bytes, 0), 0);
    assert_int_equal(watched.discarded, 1);
    assert_int_equal(reading.discarded, 1);
    assert_int_equal(unwatched.discarded, 1);
    (void)close(watched.there);
    (void)close(reading.there);
}

/* One that is closed is closed when its turn ends, though the kernel was still to tell what comes. */
static void a_far_end_hears_of_a_close(void **state)
{
    struct world *world = *state;
    struct end end;
    char bytes[8];
    end_open_for(world, &end, &reader);
    some_turns(world);
    uv_socket_discard(&world->sockets, &end.socket);
    turn(world);
    assert_int_equal(end.discarded, 1);
    assert_int_equal(recv(end.there, bytes, sizeof bytes, 0), 0);
    (void)close(end.there);
}

static void nothing_there_is_no_end(void **state)
{
    struct world *world = *state;
    struct end end;
    char bytes[4];
    end_open(world, &end);
    assert_int_equal(uv_socket_receive(&end.socket, bytes, sizeof bytes), 0);
    assert_int_equal(uv_socket_error(&end.socket), 0);
    turn(world);
    unsigned told = end.told;
    turn(world);
    assert_int_equal(end.told, told); /* a change is told once, */
    uv_socket_rearm(&world->sockets, &end.socket);
    turn(world);
    assert_int_equal(end.told, told + 1); /* or when it is asked for again */
    (void)close(end.there);
    end.there = -1;
    assert_int_equal(uv_socket_receive(&end.socket, bytes, sizeof bytes), UV_EOF);
    end_close(world, &end);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_a_turn_says_goes_out_at_its_end, setup, teardown),
        cmocka_unit_test_setup_teardown(keeps_the_order_of_much, setup, teardown),
        cmocka_unit_test_setup_teardown(a_broken_line_shows_in_reading, setup, teardown),
        cmocka_unit_test_setup_teardown(all_is_read_at_any_length, setup, teardown),
        cmocka_unit_test_setup_teardown(a_crowd_is_read_in_parts, setup, teardown),
        cmocka_unit_test_setup_teardown(many_lines_speak_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(who_floods_does_not_drown_others, setup, teardown),
        cmocka_unit_test_setup_teardown(may_be_discarded_while_it_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(the_door_sweeps_up, setup, teardown),
        cmocka_unit_test_setup_teardown(a_far_end_hears_of_a_close, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_there_is_no_end, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
