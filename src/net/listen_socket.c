/* SPDX-License-Identifier: Apache-2.0 */
#include "net/listen_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 4096 };

union place {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static socklen_t place_of(const struct ip *ip, uint16_t port, union place *out)
{
    memset(out, 0, sizeof *out);
    if (ip->family == IP_V4) {
        out->v4.sin_family = AF_INET;
        out->v4.sin_port = htons(port);
        memcpy(&out->v4.sin_addr, ip->bytes, 4);
        return sizeof out->v4;
    }
    out->v6.sin6_family = AF_INET6;
    out->v6.sin6_port = htons(port);
    memcpy(&out->v6.sin6_addr, ip->bytes, 16);
    return sizeof out->v6;
}

static bool listen_at(int fd, const struct ip *ip, uint16_t port, uint16_t *out_port)
{
    union place place;
    int on = 1;
    socklen_t len = place_of(ip, port, &place);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        (ip->family == IP_V6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) ||
        bind(fd, &place.any, len) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, &place.any, &len) != 0) {
        return false;
    }
    *out_port = ntohs(ip->family == IP_V4 ? place.v4.sin_port : place.v6.sin6_port);
    return true;
}

enum err listen_socket_open(const struct ip *ip, uint16_t port, int *out_fd, uint16_t *out_port,
                            struct fault *out_fault)
{
    char text[IP_TEXT_BYTES];
    int family = ip->family == IP_V4 ? AF_INET : AF_INET6;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && listen_at(fd, ip, port, out_port)) {
        *out_fd = fd;
        return ERR_NONE;
    }
    int os_errno = errno;
    if (fd >= 0) {
        (void)close(fd);
    }
    return fault_set(out_fault, ERR_SYSTEM, os_errno, "cannot listen at %s port %u: %s",
                     ip_format(ip, text), (unsigned)port,
                     os_errno == EADDRINUSE      ? "another process does; choose another port"
                     : os_errno == EADDRNOTAVAIL ? "this machine does not have that address"
                     : os_errno == EACCES        ? "ports below 1024 are for root"
                                                 : strerrordesc_np(os_errno));
}

static bool is_left_behind(const struct sockaddr_un *place)
{
    struct stat about;
    if (lstat(place->sun_path, &about) != 0 || !S_ISSOCK(about.st_mode)) {
        return false;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool is_refused = fd >= 0 && connect(fd, (const struct sockaddr *)place, sizeof *place) != 0 &&
                      errno == ECONNREFUSED;
    if (fd >= 0) {
        (void)close(fd);
    }
    return is_refused;
}

enum err listen_socket_open_unix(const char *path, int *out_fd, struct fault *out_fault)
{
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    if (len >= sizeof place.sun_path) {
        return fault_set(out_fault, ERR_SYSTEM, 0,
                         "%.200s: the path of a socket has at most %zu "
                         "bytes",
                         path, sizeof place.sun_path - 1);
    }
    memcpy(place.sun_path, path, len);
    if (is_left_behind(&place)) {
        (void)unlink(path); /* what is wrong shows when it is bound */
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && bind(fd, (const struct sockaddr *)&place, sizeof place) == 0 &&
        chmod(path, 0666) == 0 && listen(fd, BACKLOG) == 0) {
        *out_fd = fd;
        return ERR_NONE;
    }
    int os_errno = errno;
    if (fd >= 0) {
        (void)close(fd);
    }
    return fault_set(out_fault, ERR_SYSTEM, os_errno, "cannot listen at %.200s: %s", path,
                     os_errno == EADDRINUSE ? "another process does, or a file stands there"
                                            : strerrordesc_np(os_errno));
}
