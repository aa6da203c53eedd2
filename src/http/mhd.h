/* http/mhd: the functions of GNU libmicrohttpd that the server calls, loaded when one is opened (net/library.h): it
 * brings GnuTLS with it, a good part of the start of every run that serves nothing.
 *
 * The headers are those of the build; what is loaded is the library of their major version.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_MHD_H
#define HTTP_MHD_H

#include <microhttpd.h>

#include "net/library.h"

/* clang-format off */
#define MHD_LIBRARY_FUNCTIONS(each) \
    each(MHD_add_response_header) \
    each(MHD_create_post_processor) \
    each(MHD_create_response_from_buffer) \
    each(MHD_create_response_from_callback) \
    each(MHD_destroy_post_processor) \
    each(MHD_destroy_response) \
    each(MHD_get_connection_info) \
    each(MHD_get_connection_values_n) \
    each(MHD_lookup_connection_value) \
    each(MHD_post_process) \
    each(MHD_queue_response) \
    each(MHD_quiesce_daemon) \
    each(MHD_resume_connection) \
    each(MHD_start_daemon) \
    each(MHD_stop_daemon) \
    each(MHD_suspend_connection)
/* clang-format on */

struct mhd {
    MHD_LIBRARY_FUNCTIONS(LIBRARY_MEMBER)
};

/* As library_load. */
enum err mhd_load(struct mhd *out, struct fault *out_fault) MUST_USE;

#endif
