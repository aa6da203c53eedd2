/* Posts of several threads: each comes once, those of one sender in their order.
 * SPDX-License-Identifier: Apache-2.0 */
#include "net/uv_mailbox.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/must.h"
#include "rig.h"

enum { SENDERS = 4, POSTS = 5000 };

struct letter {
    struct uv_post post; /* first */
    unsigned sender, number;
};

struct receiver {
    struct rig *rig;
    struct uv_mailbox *mailbox;
    unsigned next[SENDERS], wrong, count;
};

struct sender {
    pthread_t thread;
    unsigned index;
    struct uv_mailbox *to;
};

static void take(struct receiver *receiver, struct uv_post *first)
{
    while (first != NULL) {
        struct letter *letter = (struct letter *)(void *)first;
        first = first->next;
        receiver->wrong += letter->number == receiver->next[letter->sender]++ ? 0 : 1;
        receiver->count++;
        free(letter);
    }
}

static void on_posts(void *context, struct uv_post *first)
{
    struct receiver *receiver = context;
    take(receiver, first);
    door_stop(receiver->rig->door);
}

static void *post_all(void *context)
{
    const struct sender *sender = context;
    for (unsigned i = 0; i < POSTS; i++) {
        struct letter *letter = malloc(sizeof *letter);
        must(letter != NULL);
        letter->sender = sender->index;
        letter->number = i;
        uv_mailbox_post(sender->to, &letter->post);
    }
    return NULL;
}

static void all_come_in_order(void **state)
{
    struct receiver receiver = {.rig = *state};
    struct sender senders[SENDERS];
    assert_int_equal(uv_mailbox_open(receiver.rig->door, on_posts, &receiver, &receiver.mailbox),
                     ERR_NONE);
    for (unsigned i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.index = i, .to = receiver.mailbox};
        assert_int_equal(pthread_create(&senders[i].thread, NULL, post_all, &senders[i]), 0);
    }
    RIG_UNTIL(receiver.rig, receiver.count == SENDERS * POSTS);
    for (unsigned i = 0; i < SENDERS; i++) {
        assert_int_equal(pthread_join(senders[i].thread, NULL), 0);
    }
    assert_int_equal(receiver.wrong, 0);
    uv_mailbox_close(receiver.mailbox);
}

static void what_was_not_given_can_be_taken(void **state)
{
    struct receiver receiver = {.rig = *state};
    struct sender sender = {.index = 0};
    assert_int_equal(uv_mailbox_open(receiver.rig->door, on_posts, &receiver, &receiver.mailbox),
                     ERR_NONE);
    assert_null(uv_mailbox_take(receiver.mailbox));
    sender.to = receiver.mailbox;
    (void)post_all(&sender);
    take(&receiver, uv_mailbox_take(receiver.mailbox));
    assert_int_equal(receiver.count, POSTS);
    assert_int_equal(receiver.wrong, 0);
    assert_null(uv_mailbox_take(receiver.mailbox));
    rig_rest(receiver.rig, 20); /* the bell rings for nothing */
    assert_int_equal(receiver.count, POSTS);
    uv_mailbox_close(receiver.mailbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_come_in_order, rig_open, rig_close),
        cmocka_unit_test_setup_teardown(what_was_not_given_can_be_taken, rig_open, rig_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
