/* Writes of a courier: unseen until they are carried, then as if the store had been told directly, in order.
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/courier.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/slice.h"
#include "scratch.h"

enum { NOW_MS = 1000, LATER_MS = 100000 };

struct desk {
    struct store *store, *courier;
    struct buf outbox, notes;
    char path[SCRATCH_PATH_BYTES];
};

static void open_desk(struct desk *desk, void **state)
{
    struct fault fault = {0};
    scratch_path(state, "store.db", desk->path);
    desk->store = scratch_open(desk->path);
    buf_init(&desk->outbox, STORE_OUTBOX_BYTES_MAX);
    buf_init(&desk->notes, 1000);
    assert_int_equal(store_courier_open(desk->path, &desk->outbox, &desk->courier, &fault),
                     ERR_NONE);
}

static void close_desk(struct desk *desk)
{
    store_close(desk->courier);
    store_close(desk->store);
    buf_done(&desk->outbox);
    buf_done(&desk->notes);
}

static void on_note(void *context, struct slice bytes)
{
    struct desk *desk = context;
    assert_int_equal(buf_append(&desk->notes, bytes), ERR_NONE);
    assert_int_equal(buf_append_byte(&desk->notes, ';'), ERR_NONE);
}

static void carry(struct desk *desk)
{
    assert_int_equal(store_carry(desk->store, buf_view(&desk->outbox), on_note, desk), ERR_NONE);
    assert_int_equal(store_flush(desk->store, NULL), ERR_NONE);
    buf_clear(&desk->outbox);
}

static bool has_domain(struct store *store, const char *value)
{
    struct buf text;
    buf_init(&text, 1000);
    bool has = store_domain_find(store, SLICE("d.example"), SLICE("memory"), NOW_MS, &text) &&
               slice_equal(buf_view(&text), slice_of(value));
    buf_done(&text);
    return has;
}

static void keep_fact(void *context, const struct store_fact *fact)
{
    struct store_fact *kept = context;
    assert_true(slice_equal(fact->detail, SLICE("accepted")));
    assert_true(slice_equal(fact->source, SLICE("default")));
    kept->at_ms = fact->at_ms;
}

static void unseen_until_carried(void **state)
{
    struct desk desk;
    struct store_fact seen = {.at_ms = 0};
    const struct store_fact fact = {.key = SLICE("a@d.example"),
                                    .domain = SLICE("d.example"),
                                    .kind = SLICE("probe"),
                                    .source = SLICE("default"),
                                    .detail = SLICE("accepted"),
                                    .at_ms = -5};
    open_desk(&desk, state);
    assert_int_equal(scratch_put(desk.courier, "a@d.example", "{\"a\":\"\xc3\xa9\"}"), ERR_NONE);
    assert_int_equal(store_domain_put(desk.courier, SLICE("d.example"), SLICE("memory"),
                                      SLICE("greylist=5"), NOW_MS, LATER_MS),
                     ERR_NONE);
    assert_int_equal(store_fact_put(desk.courier, &fact), ERR_NONE);
    assert_false(scratch_has(desk.store, "a@d.example", "{\"a\":\"\xc3\xa9\"}"));
    assert_false(has_domain(desk.store, "greylist=5"));
    carry(&desk);
    assert_true(scratch_has(desk.store, "a@d.example", "{\"a\":\"\xc3\xa9\"}"));
    assert_true(scratch_has(desk.courier, "a@d.example", "{\"a\":\"\xc3\xa9\"}"));
    assert_true(has_domain(desk.courier, "greylist=5"));
    assert_int_equal(store_fact_each(desk.courier, SLICE("a@d.example"), 9, keep_fact, &seen),
                     ERR_NONE);
    assert_int_equal(seen.at_ms, -5);
    close_desk(&desk);
}

static void in_the_order_of_their_making(void **state)
{
    struct desk desk;
    open_desk(&desk, state);
    assert_int_equal(store_courier_note(&desk.outbox, SLICE("first")), ERR_NONE);
    assert_int_equal(scratch_put(desk.courier, "k", "{\"n\":1}"), ERR_NONE);
    assert_int_equal(store_courier_note(&desk.outbox, SLICE_NONE), ERR_NONE);
    assert_int_equal(scratch_put(desk.courier, "k", "{\"n\":2}"), ERR_NONE);
    assert_int_equal(store_courier_note(&desk.outbox, SLICE("last")), ERR_NONE);
    carry(&desk);
    assert_true(slice_equal(buf_view(&desk.notes), SLICE("first;;last;")));
    assert_true(scratch_has(desk.courier, "k", "{\"n\":2}"));
    close_desk(&desk);
}

static void a_claim_is_released_at_the_store(void **state)
{
    struct desk desk;
    bool is_mine = false;
    open_desk(&desk, state);
    assert_int_equal(store_claim_try(desk.store, SLICE("k"), NOW_MS, &is_mine), ERR_NONE);
    assert_true(is_mine);
    assert_int_equal(store_flush(desk.store, NULL), ERR_NONE);
    assert_int_equal(scratch_sql(desk.path, "SELECT count(*) FROM claim"), 1);
    assert_int_equal(store_claim_release(desk.courier, SLICE("k")), ERR_NONE);
    carry(&desk);
    assert_int_equal(scratch_sql(desk.path, "SELECT count(*) FROM claim"), 0);
    close_desk(&desk);
}

/* What does not fit is not there by half. */
static void whole_or_not_at_all(void **state)
{
    struct desk desk;
    open_desk(&desk, state);
    for (size_t max = 1; max < 60; max++) {
        buf_done(&desk.outbox);
        buf_init(&desk.outbox, max);
        enum err e = store_courier_note(&desk.outbox, SLICE("a note of some length, as it is"));
        assert_true(e == ERR_NONE ? desk.outbox.len > 30 : desk.outbox.len == 0);
        assert_int_equal(store_carry(desk.store, buf_view(&desk.outbox), on_note, &desk), ERR_NONE);
        buf_clear(&desk.notes);
    }
    close_desk(&desk);
}

static void no_file_is_told(void **state)
{
    struct desk desk;
    struct fault fault = {0};
    struct store *courier = NULL;
    scratch_path(state, "nothing.db", desk.path);
    buf_init(&desk.outbox, 100);
    assert_int_equal(store_courier_open(desk.path, &desk.outbox, &courier, &fault), ERR_STORE);
    assert_null(courier);
    assert_non_null(strstr(fault.text, "nothing.db"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(unseen_until_carried, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(in_the_order_of_their_making, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(a_claim_is_released_at_the_store, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(whole_or_not_at_all, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(no_file_is_told, scratch_make, scratch_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
