/* SipHash-2-4 against the vectors that its authors publish: the key 00 01 .. 0f, the texts 00 01 02 .. of growing
 * length.
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/sip_hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"

#define KEY0 UINT64_C(0x0706050403020100)
#define KEY1 UINT64_C(0x0f0e0d0c0b0a0908)

static const uint64_t vectors[] = {
    UINT64_C(0x726fdb47dd0e0e31), UINT64_C(0x74f839c593dc67fd), UINT64_C(0x0d6c8009d9a94f5a),
    UINT64_C(0x85676696d7fb7e2d), UINT64_C(0xcf2794e0277187b7), UINT64_C(0x18765564cd99a68d),
    UINT64_C(0xcbc9466e58fee3ce), UINT64_C(0xab0200f58b01d137), UINT64_C(0x93f5f5799a932462),
    UINT64_C(0x9e0082df0ba9e4b0), UINT64_C(0x7a5dbbc594ddb9f3), UINT64_C(0xf4b32f46226bada7),
    UINT64_C(0x751e8fbc860ee5fb), UINT64_C(0x14ea5627c0843d90), UINT64_C(0xf723ca908e7af2ee),
    UINT64_C(0xa129ca6149be45e5),
};

static void it_is_the_published_function(void **state)
{
    (void)state;
    char text[sizeof vectors / sizeof vectors[0]];
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (char)i;
        if (sip_hash(slice_make(text, i), KEY0, KEY1) != vectors[i]) {
            fail_msg("%zu bytes: %llx", i,
                     (unsigned long long)sip_hash(slice_make(text, i), KEY0, KEY1));
        }
    }
    assert_true(sip_hash(SLICE_NONE, KEY0, KEY1) == vectors[0]);
}

static void high_bytes_are_bytes(void **state)
{
    (void)state;
    assert_true(sip_hash(SLICE("\xff"), 0, 0) != sip_hash(SLICE("\x7f"), 0, 0));
    assert_true(sip_hash(SLICE("\xff\xff"), 0, 0) != sip_hash(SLICE("\xff"), 0, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_published_function),
        cmocka_unit_test(high_bytes_are_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
