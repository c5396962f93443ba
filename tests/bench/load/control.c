#define _GNU_SOURCE
#include "crowd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PER_SOURCE = 10000 };

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

/* One order; a byte at a time, so that the next order stays in the pipe. */
enum order control_read(double *seconds)
{
    char line[64];
    size_t length = 0;

    while (length < sizeof line - 1 && read(0, line + length, 1) == 1 && line[length] != '\n')
        length++;
    line[length] = 0;
    return sscanf(line, "go %lf", seconds) == 1 ? ORDER_GO : ORDER_QUIT; /* or the runner is gone */
}

/* Orders wait in their pipe while a phase runs. */
void control_listen(int epoll, int listening)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = CONTROL};
    epoll_ctl(epoll, listening ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, 0, &event);
}

/* A non-blocking socket that is connecting. Source addresses change every 10,000 connections, or, when the
 * plan names a number of them, take turns: a pair of addresses has only 28,000 ports. */
int socket_open(const struct plan *plan, unsigned index)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    unsigned source = plan->sources > 1 ? index % plan->sources : index / PER_SOURCE;
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK + (source / 200 << 8) + source % 200)};

    if (fd < 0)
        die("socket: %s (ulimit -n?)", strerror(errno));
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (source && bind(fd, (struct sockaddr *)&from, sizeof from) < 0)
        die("bind: %s", strerror(errno));
    setsockopt(fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on);
    if (connect(fd, (const struct sockaddr *)&plan->target, sizeof plan->target) < 0 && errno != EINPROGRESS)
        die("connect: %s", strerror(errno));
    return fd;
}
