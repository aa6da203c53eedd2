/* Every route stands in the OpenAPI document, with its method; the reverse is held by the tests over sockets.
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "http/api.h"

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static void every_route_is_documented(void **state)
{
    (void)state;
    json_t *document = json_load_file(DATA_DIR "/api/openapi.json", JSON_REJECT_DUPLICATES, NULL);
    json_t *paths = json_object_get(document, "paths");
    assert_non_null(paths);
    size_t routes = 0;
    for (size_t i = 0; i < http_all_routes_count; i++) {
        for (size_t k = 0; k < http_all_routes[i]->count; k++, routes++) {
            const struct http_route *route = &http_all_routes[i]->at[k];
            char method[16] = "";
            for (size_t n = 0; n + 1 < sizeof method && route->method[n] != '\0'; n++) {
                method[n] = lower(route->method[n]);
                method[n + 1] = '\0';
            }
            if (json_object_get(json_object_get(paths, route->pattern), method) == NULL) {
                fail_msg("%s %s is not in data/api/openapi.json", route->method, route->pattern);
            }
        }
    }
    assert_true(routes > 30);
    json_decref(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_route_is_documented)};
    return cmocka_run_group_tests_name("http/openapi", tests, NULL, NULL);
}
