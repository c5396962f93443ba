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

/* Each of `members` connections asks, waits for the whole answer, asks again, on one kept-alive connection.
 * A body may hold %s once: the stamped content of a message goes there. */

enum { ANSWER_MOST = 1 << 20 };

struct asker {
    int fd, waiting;
    uint64_t departed;
    char *answer;
    size_t length;
};

struct desk {
    const struct plan *plan;
    int epoll, running;
    unsigned pending;
    struct asker *askers;
    struct tally tally;
};

static void ask(struct desk *desk, struct asker *asker)
{
    const struct plan *plan = desk->plan;
    unsigned index = (unsigned)(asker - desk->askers);
    char content[CONTENT_MOST + 1], body[SPOKEN_MOST], request[REQUEST_MOST];
    const char *token = plan->token_count ? plan->tokens[index % plan->token_count] : NULL;
    size_t length = 0;

    asker->departed = now_ns();
    stamp_write(content, plan->size, (struct stamp){asker->departed, index});
    if (plan->body)
        length = (size_t)snprintf(body, sizeof body, plan->body, content);
    int size = snprintf(request, sizeof request,
                        "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept: */*\r\nUser-Agent: load/1\r\n%s%s%s",
                        plan->method, plan->path, ntohs(plan->target.sin_port),
                        token ? "Authorization: Bearer " : "", token ? token : "", token ? "\r\n" : "");
    if (plan->body)
        size += snprintf(request + size, sizeof request - (size_t)size,
                         "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s", length, body);
    else
        size += snprintf(request + size, sizeof request - (size_t)size, "\r\n");
    if (send(asker->fd, request, (size_t)size, MSG_NOSIGNAL) != size)
        die("a request that did not fit: %s", strerror(errno));
    asker->waiting = 1;
    desk->pending++;
    desk->tally.sent++;
}

/* The size of the whole answer, 0 as long as it is not known to be all here. */
static size_t answer_size(const char *bytes, size_t length)
{
    const char *end = memmem(bytes, length, "\r\n\r\n", 4);
    if (!end)
        return 0;
    size_t head = (size_t)(end - bytes) + 4;
    for (const char *line = bytes; line < end; line = (const char *)memchr(line, '\n', head) + 1) {
        if (strncasecmp(line, "content-length:", 15) == 0) {
            size_t size = head + strtoul(line + 15, NULL, 10);
            return size <= length ? size : 0;
        }
        if (strncasecmp(line, "transfer-encoding:", 18) == 0) {
            const char *last = memmem(end + 2, length - head + 2, "\r\n0\r\n\r\n", 7);
            return last ? (size_t)(last - bytes) + 7 : 0;
        }
    }
    return head;
}

static void answered(struct desk *desk, struct asker *asker, size_t size)
{
    if (memcmp(asker->answer, "HTTP/1.1 2", 10) == 0)
        desk->tally.acked++;
    else if (!desk->tally.refused++)
        fprintf(stderr, "load: refused: %.*s\n", (int)size, asker->answer);
    if (desk->tally.refused > 100)
        die("more than 100 requests were refused");
    latency_add(&desk->tally.ack, now_ns() - asker->departed);
    memmove(asker->answer, asker->answer + size, asker->length - size);
    asker->length -= size;
    asker->waiting = 0;
    desk->pending--;
    if (desk->running)
        ask(desk, asker);
}

static void asker_read(struct desk *desk, struct asker *asker)
{
    ssize_t got = recv(asker->fd, asker->answer + asker->length, ANSWER_MOST - asker->length, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0)
        die("the server closed a kept-alive connection");
    desk->tally.reads++;
    desk->tally.bytes += (uint64_t)got;
    asker->length += (size_t)got;
    size_t size = answer_size(asker->answer, asker->length);
    if (size && asker->waiting)
        answered(desk, asker, size);
}

static void desk_open(struct desk *desk)
{
    const struct plan *plan = desk->plan;
    struct epoll_event event = {.events = EPOLLIN};

    desk->epoll = epoll_create1(EPOLL_CLOEXEC);
    desk->askers = calloc(plan->members, sizeof *desk->askers);
    control_listen(desk->epoll, 1);
    for (unsigned i = 0; i < plan->members; i++) {
        desk->askers[i].fd = socket_open(plan, i);
        desk->askers[i].answer = malloc(ANSWER_MOST);
        event.data.u32 = i;
        epoll_ctl(desk->epoll, EPOLL_CTL_ADD, desk->askers[i].fd, &event);
    }
    usleep(200000);
    printf("{\"phase\":\"up\",\"connections\":%u}\n", plan->members);
    fflush(stdout);
}

static void desk_begin(struct desk *desk)
{
    control_listen(desk->epoll, 0);
    memset(&desk->tally, 0, sizeof desk->tally);
    desk->running = 1;
    for (unsigned i = 0; i < desk->plan->members; i++)
        ask(desk, &desk->askers[i]);
}

int rest_main(const struct plan *plan)
{
    struct desk desk = {.plan = plan};
    struct epoll_event events[256];
    double seconds = 0, cpu = 0;
    uint64_t begun = 0;

    desk_open(&desk);
    for (;;) {
        int count = epoll_wait(desk.epoll, events, 256, begun ? 20 : -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.u32 != CONTROL) {
                asker_read(&desk, &desk.askers[events[i].data.u32]);
                continue;
            }
            if (control_read(&seconds) == ORDER_QUIT)
                return 0;
            cpu = own_cpu_seconds();
            begun = now_ns();
            desk_begin(&desk);
        }
        if (!begun)
            continue;
        double elapsed = (double)(now_ns() - begun) / 1e9;
        desk.running = elapsed < seconds;
        if (elapsed > seconds + 10)
            die("%u requests were never answered", desk.pending);
        if (!desk.running && !desk.pending) {
            tally_print(&desk.tally, elapsed, own_cpu_seconds() - cpu, 0);
            begun = 0;
            control_listen(desk.epoll, 1);
        }
    }
}
