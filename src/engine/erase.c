/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/erase.h"

#include "address/normal.h"
#include "base/slice.h"
#include "heloise/address.h"

enum err erase_address(struct store *store, struct slice text, struct store_erased *out,
                       struct fault *out_fault)
{
    struct hel_address address;
    struct hel_address_error error;
    char key[HEL_WIRE_BYTES];
    enum err e = hel_address_parse(text, HEL_ADDRESS_PRACTICAL, &address, &error);
    if (e == ERR_SYNTAX) {
        return fault_set(out_fault, e, 0, "this is no address: column %u: %s", error.column,
                         error.text);
    }
    if (e != ERR_NONE) {
        return fault_set(out_fault, e, 0, "out of memory");
    }
    address_key(&address, key);
    return store_erase(store, slice_of(key), out, out_fault);
}
