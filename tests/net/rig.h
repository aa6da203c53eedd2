/* tests/net/rig: a real door with a guard against waiting for ever, owners of links that write down what they
 * are told, a host that accepts links, and plain sockets for the other side. Loopback only; ports are the
 * system's choice. While rig->is_asking no callback may come.
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_NET_RIG_H
#define TESTS_NET_RIG_H

#include "base/buf.h"
#include "net/listener.h"
#include "net/tls.h"
#include "net/uv_door.h"

struct rig {
    struct door *door;
    struct timer guard;
    bool is_late, is_asking;
};

/* Of one test: *state is the rig. Everything opened must be closed before rig_close. */
int rig_open(void **state);
int rig_close(void **state);

/* A callback may come now; the test is to look whether what it waits for is there. */
void rig_step(struct rig *rig);
#define RIG_UNTIL(rig, claim) \
    while (!(claim)) {        \
        rig_step(rig);        \
    }
/* Lets the door go on for a while, for what must not happen. */
void rig_rest(struct rig *rig, uint32_t for_ms);
/* Runs without the guard until the door has nothing left to wait for. */
void rig_run_dry(struct rig *rig);

struct ip rig_ip(const char *text);

/* Who owns a link in a test. */
struct owner {
    struct rig *rig;
    struct link *link;
    unsigned connected, secured, ended;
    enum link_end why;
    char detail[200];
    struct tls_info info;
    struct buf bytes;                     /* received so far */
    void (*heard)(struct owner *owner);   /* after bytes came; may close. NULL: nothing is done */
    void (*changed)(struct owner *owner); /* after connected or secured */
    void (*over)(struct owner *owner);    /* after ended */
};

void owner_init(struct owner *owner, struct rig *rig);
void owner_connect(struct owner *owner, const char *ip, uint16_t port, const char *source);
void owner_request(struct owner *owner, const struct link_request *request);
enum err owner_send(struct owner *owner, struct slice bytes);
void owner_start_tls(struct owner *owner, const char *name);
void owner_close(struct owner *owner); /* the link */
void owner_done(struct owner *owner);  /* the link too */
extern const struct link_handler owner_handler;

enum { HOST_SIDES_MAX = 8 };

/* A listener whose links have owners. */
struct host {
    struct rig *rig;
    struct listener *listener;
    struct owner sides[HOST_SIDES_MAX];
    unsigned count;
    void (*met)(struct owner *side); /* at the start of each; may set heard and the others */
};

void host_open(struct host *host, struct rig *rig, const char *ip, void (*met)(struct owner *side));
void host_close(struct host *host);
uint16_t host_port(const struct host *host);

/* Sockets without a door: blocking ones that the kernel answers for. -1: the address is not ours. */
int raw_listen(const char *ip, uint16_t *out_port);
int raw_bind(const char *ip, uint16_t *out_port); /* TCP, taken but not listening: refuses */
int raw_accept(struct rig *rig, int listening, struct ip *out_peer);
void raw_reset(int fd); /* closes so that the other side sees a reset */
/* What has come so far is added; true: the other side closed. */
bool raw_take(int fd, struct buf *out);

#endif
