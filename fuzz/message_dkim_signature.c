/* fuzz/message_dkim_signature: any bytes as the value of a DKIM-Signature field. What is without fault has all that a
 * verifier goes by.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/must.h"
#include "base/slice.h"
#include "message/dkim_key.h"
#include "message/dkim_signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice value = slice_make((const char *)data, size);
    struct dkim_signature signature;
    const char *bad;
    enum dkim_fault fault = dkim_signature_read(value, &signature, &bad);
    must((fault == DKIM_FAULT_NONE) == (dkim_fault_text(fault)[0] == '\0'));
    must((fault == DKIM_FAULT_NONE) == (dkim_fault_result(fault) == DKIM_PASS));
    must(strlen(signature.domain) < DNS_NAME_BYTES && strlen(signature.selector) < DNS_NAME_BYTES);
    if (fault == DKIM_FAULT_NONE) {
        must(bad[0] == '\0' && signature.domain[0] != '\0' && signature.selector[0] != '\0');
        must(signature.signature_bytes > 0 && signature.headers.len > 0);
        must(signature.signature_bytes <= CRYPTO_SIGNATURE_BYTES_MAX);
        must(signature.headers.at >= value.at &&
             signature.headers.at + signature.headers.len <= value.at + value.len);
    }
    return 0;
}
