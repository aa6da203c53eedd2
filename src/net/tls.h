/* net/tls: TLS as a filter of bytes (OpenSSL 3 over memory BIOs), without sockets. TLS 1.2 or newer
 * (RFC 8996, 9325); certificates are recorded, not demanded: opportunistic security (RFC 7435).
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include "base/buf.h"
#include "base/err.h"
#include "net/door.h"

struct tls_client; /* settings and roots, shared by all sessions */
struct tls_server; /* a certificate to show, for the village and tests */
struct tls_session;

/* Loads OpenSSL where it is not there yet, and reads where the system keeps its roots: some milliseconds. ERR_NOMEM,
 * ERR_SYSTEM: it is not installed. */
enum err tls_client_new(struct tls_client **out, struct fault *out_fault) MUST_USE;
void tls_client_free(struct tls_client *client);

enum { TLS_OLDEST = 0x0301 }; /* TLS 1.0; the next ones count on */

/* For who examines a server and wants other than the usual. Zeroed: as tls_client_new. Texts are borrowed during the
 * call. */
struct tls_settings {
    unsigned version_min, version_max; /* from TLS_OLDEST to 0x0304; 0: 1.2 and the newest */
    bool allows_weak;    /* also ciphers, keys and signatures that are not used any more */
    const char *ciphers; /* OpenSSL's list, for TLS 1.2 and older; NULL: its own choice */
    const char *ca_path; /* PEM file of roots instead of the system's; NULL: those */
    struct slice certificate, key; /* PEM: to show who we are; empty: nothing is shown */
    bool asks_ocsp;                /* a stapled answer (RFC 6066 8) */
};
/* ERR_SYNTAX: a setting that cannot be used, which the fault names; else as tls_client_new. */
enum err tls_client_new_with(const struct tls_settings *settings, struct tls_client **out,
                             struct fault *out_fault) MUST_USE;

/* PEM texts; empty ones: a self-signed certificate for name is made, good for days_left days (negative:
 * expired already). */
enum err tls_server_new(struct slice certificate, struct slice key, const char *name, int days_left,
                        struct tls_server **out, struct fault *out_fault) MUST_USE;
void tls_server_free(struct tls_server *server);

/* server_name: for SNI and the name check; an address literal is used for neither. */
enum err tls_session_client(struct tls_client *client, const char *server_name,
                            struct tls_session **out) MUST_USE;
enum err tls_session_server(struct tls_server *server, struct tls_session **out) MUST_USE;
void tls_session_free(struct tls_session *session);

enum tls_status {
    TLS_SHAKING, /* more bytes are needed */
    TLS_UP,
    TLS_CLOSED, /* the peer said close_notify */
    TLS_FAILED,
};

/* Bytes from the network. After each call take what is to be written with tls_session_outgoing. */
void tls_session_received(struct tls_session *session, struct slice bytes);
/* Goes on with the handshake. */
enum tls_status tls_session_shake(struct tls_session *session);
/* Up to room bytes of plaintext; *out_len 0: none yet. */
enum tls_status tls_session_read(struct tls_session *session, char *at, size_t room,
                                 size_t *out_len);
/* Plaintext to be sent. ERR_CLOSED, ERR_NOMEM. */
enum err tls_session_write(struct tls_session *session, struct slice bytes) MUST_USE;
void tls_session_close(struct tls_session *session); /* close_notify */
/* Moves ciphertext to be written into at; 0: none. */
size_t tls_session_outgoing(struct tls_session *session, char *at, size_t room);

void tls_session_info(struct tls_session *session, struct tls_info *out);
const char *tls_session_error(struct tls_session *session); /* OpenSSL's words for what failed */

#endif
