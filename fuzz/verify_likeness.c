/* fuzz/verify_likeness: any text as the file of a model; one that is taken weighs the text itself as a local part, and
 * gives a likelihood.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>

#include "base/must.h"
#include "base/slice.h"
#include "verify/likeness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_make((const char *)data, size);
    struct likeness_model *model = NULL;
    struct fault fault;
    if (likeness_model_parse(text, &model, &fault) != ERR_NONE) {
        must(model == NULL && fault.text[0] >= '1' && fault.text[0] <= '9');
        return 0;
    }
    must(model != NULL);
    for (size_t from = 0; from < text.len; from += 61) {
        struct likeness likeness;
        likeness_weigh(model, slice_sub(text, from, from + 40), false, NULL, &likeness);
        double likelihood = likeness_of_odds(likeness.log_odds);
        must(likelihood >= 0.0 && likelihood <= 1.0);
    }
    likeness_model_free(model);
    return 0;
}
