/* fuzz/verify_likeness: any text as the file of a model, as it is and with the hash that it would have; one that is taken
 * weighs pieces of the text as local parts, and gives likelihoods.
 * SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/must.h"
#include "base/slice.h"
#include "verify/likeness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PIECE = 40, STEP = 61, ROOM = LIKENESS_MODEL_BYTES_MAX * 2 };

static void try_model(struct slice text)
{
    struct likeness_model *model = NULL;
    struct fault fault;
    if (likeness_model_parse(text, &model, &fault) != ERR_NONE) {
        must(model == NULL && fault.text[0] >= '1' && fault.text[0] <= '9');
        return;
    }
    must(model != NULL);
    for (size_t from = 0; from < text.len; from += STEP) {
        const struct likeness_known known = {.patterns = {[LIKENESS_IS_DOTTED] = (uint32_t)from}};
        struct likeness likeness;
        likeness_weigh(model, slice_sub(text, from, from + PIECE), from % 2 == 0, &known,
                       &likeness);
        double likelihood = likeness_of_odds(likeness.log_odds);
        must(likelihood >= 0.0 && likelihood <= 1.0);
    }
    likeness_model_free(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_make((const char *)data, size);
    struct buf hashed;
    try_model(text);
    buf_init(&hashed, ROOM);
    if (buf_append(&hashed, text) == ERR_NONE &&
        buf_printf(&hashed, "hash %016" PRIx64 "\n", slice_hash(text, 0)) == ERR_NONE) {
        try_model(buf_view(&hashed));
    }
    buf_done(&hashed);
    return 0;
}
