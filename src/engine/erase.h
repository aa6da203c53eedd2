/* engine/erase: an address as somebody writes it, and everything that is stored of it gone (store/erase).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ENGINE_ERASE_H
#define ENGINE_ERASE_H

#include "store/erase.h"

/* All spellings that share answers with it go too: Jane@gmail.com with jane@gmail.com. ERR_SYNTAX: this is no address,
 * and the fault says where. Otherwise as store_erase. */
enum err erase_address(struct store *store, struct slice text, struct store_erased *out,
                       struct fault *out_fault) MUST_USE;

#endif
