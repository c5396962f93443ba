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

/* More handshakes at once would only overflow the server's accept queue. */
enum { SHAKING_MOST = 64, READ_MOST = 1 << 18 };

static char read_buffer[READ_MOST];

static void watch(struct crowd *crowd, struct client *client, int how, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u32 = (uint32_t)(client - crowd->clients)};
    if (epoll_ctl(crowd->epoll, how, client->fd, &event) < 0)
        die("epoll_ctl: %s", strerror(errno));
}

void crowd_start(struct crowd *crowd, const struct plan *plan, int epoll)
{
    crowd->plan = plan;
    crowd->epoll = epoll;
    crowd->count = plan->rooms * plan->members;
    crowd->clients = calloc(crowd->count, sizeof *crowd->clients);
    crowd->room_checksums = calloc(plan->rooms, sizeof *crowd->room_checksums);
    if (!crowd->clients || !crowd->room_checksums)
        die("out of memory");
}

void crowd_open_more(struct crowd *crowd)
{
    for (; crowd->shaking < SHAKING_MOST && crowd->opened < crowd->count; crowd->opened++) {
        struct client *client = &crowd->clients[crowd->opened];
        client->room = crowd->opened / crowd->plan->members;
        client->fd = socket_open(crowd->plan, crowd->opened);
        client->state = STATE_CONNECTING;
        watch(crowd, client, EPOLL_CTL_ADD, EPOLLOUT);
        crowd->shaking++;
    }
}

static void client_gone(struct crowd *crowd, struct client *client, const char *why)
{
    if (client->state != STATE_UP)
        die("connection %u was refused: %s", (unsigned)(client - crowd->clients), why);
    close(client->fd);
    client->state = STATE_GONE;
    crowd->up--;
    crowd->gone++;
}

const char *client_conversation(const struct crowd *crowd, const struct client *client, char room[32])
{
    if (crowd->plan->conversation_count)
        return crowd->plan->conversations[client->room % crowd->plan->conversation_count];
    snprintf(room, 32, "%024x", client->room + 1);
    return room;
}

static void client_upgrade(struct crowd *crowd, struct client *client)
{
    const struct plan *plan = crowd->plan;
    unsigned index = (unsigned)(client - crowd->clients);
    const char *token = plan->token_count ? plan->tokens[index % plan->token_count] : NULL;
    char request[REQUEST_MOST], path[REQUEST_MOST / 2], extra[REQUEST_MOST / 2] = "", host[64];
    const char *base = plan->path ? plan->path : plan->speech->path;

    snprintf(host, sizeof host, "127.0.0.1:%u", ntohs(plan->target.sin_port));
    if (!plan->speech->joins) /* the plain speech names its room in the path */
        snprintf(path, sizeof path, "%s%u", base, client->room);
    else if (token && plan->presents == PRESENT_QUERY)
        snprintf(path, sizeof path, "%s%ctoken=%s", base, strchr(base, '?') ? '&' : '?', token);
    else
        snprintf(path, sizeof path, "%s", base);
    if (token && !plan->speech->waits_for_hello && plan->presents == PRESENT_HEADER)
        snprintf(extra, sizeof extra, "Authorization: Bearer %s\r\n", token);
    if (token && plan->presents == PRESENT_SUBPROTOCOL)
        snprintf(extra, sizeof extra, "Sec-WebSocket-Protocol: chatd.jsonrpc, bearer.%s\r\n", token);
    size_t length = upgrade_write(request, sizeof request, host, path, extra);
    if (send(client->fd, request, length, MSG_NOSIGNAL) != (ssize_t)length)
        client_gone(crowd, client, strerror(errno));
    client->state = STATE_UPGRADING;
    watch(crowd, client, EPOLL_CTL_MOD, EPOLLIN);
}

void client_send(struct crowd *crowd, struct client *client, int opcode, const char *payload, size_t length)
{
    char framed[SPOKEN_MOST + 16];
    size_t size = frame_write(framed, opcode, payload, length), done = 0;

    if (!client->unsent_length) {
        ssize_t sent = send(client->fd, framed, size, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN)
            return; /* the reading side will tell that it is gone */
        done = sent > 0 ? (size_t)sent : 0;
        if (done == size)
            return;
    }
    client->unsent = realloc(client->unsent, client->unsent_length + size - done);
    memcpy(client->unsent + client->unsent_length, framed + done, size - done);
    client->unsent_length += size - done;
    watch(crowd, client, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
}

static void client_flush(struct crowd *crowd, struct client *client)
{
    ssize_t sent = send(client->fd, client->unsent, client->unsent_length, MSG_NOSIGNAL);
    if (sent <= 0)
        return;
    client->unsent_length -= (size_t)sent;
    memmove(client->unsent, client->unsent + sent, client->unsent_length);
    if (!client->unsent_length)
        watch(crowd, client, EPOLL_CTL_MOD, EPOLLIN);
}

/* Takes every whole frame out of `bytes`; returns how many bytes that were. */
static size_t client_parse(struct crowd *crowd, struct client *client, const char *bytes, size_t length)
{
    size_t used = 0;
    struct frame frame;

    if (client->state == STATE_UPGRADING) {
        long head = upgrade_parse(bytes, length);
        if (head < 0)
            die("connection %u was refused: %.*s", (unsigned)(client - crowd->clients),
                (int)(length < 300 ? length : 300), bytes);
        if (!head)
            return 0;
        used = (size_t)head;
        talk_open(crowd, client);
    }
    while (used < length && client->state != STATE_GONE) {
        long size = frame_parse(bytes + used, length - used, &frame);
        if (size < 0)
            die("a frame that no server may send");
        if (!size)
            break;
        used += (size_t)size;
        if (frame.opcode == OP_CLOSE)
            client_gone(crowd, client, "closed by the server");
        else if (frame.opcode == OP_PING)
            client_send(crowd, client, OP_PONG, frame.payload, frame.length);
        else if (frame.opcode != OP_PONG)
            talk_hear(crowd, client, &frame);
    }
    return used;
}

static void client_read(struct crowd *crowd, struct client *client)
{
    size_t before = client->left_length;
    if (before)
        memcpy(read_buffer, client->left, before);
    ssize_t got = recv(client->fd, read_buffer + before, READ_MOST - before, 0);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        client_gone(crowd, client, got ? strerror(errno) : "end of stream");
        return;
    }
    crowd->progress = now_ns();
    crowd->tally.reads++;
    crowd->tally.bytes += (uint64_t)got;
    size_t length = before + (size_t)got, used = client_parse(crowd, client, read_buffer, length);
    client->left_length = length - used;
    if (client->left_length > READ_MOST / 2)
        die("a frame of more than %d bytes", READ_MOST / 2);
    if (client->left_length) {
        client->left = realloc(client->left, client->left_length);
        memcpy(client->left, read_buffer + used, client->left_length);
    }
}

void crowd_event(struct crowd *crowd, unsigned index, uint32_t events)
{
    struct client *client = &crowd->clients[index];
    if (client->state == STATE_GONE)
        return;
    if (client->state == STATE_CONNECTING) {
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size);
        if (error)
            client_gone(crowd, client, strerror(error));
        client_upgrade(crowd, client);
        return;
    }
    if (events & EPOLLOUT && client->unsent_length)
        client_flush(crowd, client);
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
        client_read(crowd, client);
}
