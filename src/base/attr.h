/* base/attr: the compiler extensions that the project uses, behind words. No other file spells them.
 * DEFER(x_done) on a local calls x_done(&local) when the scope ends; TAKE(p) hands a pointer on and
 * leaves NULL behind, so that the deferred call finds nothing to free. UNFILLED is for a large local whose bytes are
 * written before they are read: release builds clear locals, and this one would cost more than what is done with it.
 * LOWEST_BIT is the number of the lowest bit that is set in 64, of which one is.
 * UINT128 declares a local of 128 bits, on machines that have such numbers.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#include "heloise/types.h"

#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))
#define DEFER(done)              __attribute__((cleanup(done)))
#define TYPE_OF(thing)           __typeof__(thing)
#define UNUSED                   __attribute__((unused))
#define UNFILLED                 __attribute__((uninitialized))
#define LOWEST_BIT(word)         ((unsigned)__builtin_ctzll(word))
#ifdef __SIZEOF_INT128__
#    define UINT128 __extension__ unsigned __int128
#endif
#define TAKE(pointer)                                \
    __extension__({                                  \
        __typeof__(pointer) *take_from = &(pointer); \
        __typeof__(pointer) taken = *take_from;      \
        *take_from = NULL;                           \
        taken;                                       \
    })

#endif
