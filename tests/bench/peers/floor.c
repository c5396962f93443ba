/* The floor: what the kernel alone asks for a broadcast. No chat, no JSON, no limit, no safety.
 *
 * floor each      every message is sent to every member of its room at once, one send() a frame
 * floor joined    what one turn of epoll received is joined into one send() a member
 *
 * A client's room is the number in its path. Only for well-behaved clients on loopback. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOMS = 1024, CLIENTS = 65536, READ = 65536, GATHER = 1 << 20, EVENTS = 512 };

/* The client (load/wire.c) always sends the RFC's own key, so the answer is a constant: no SHA-1 here. */
static const char ANSWER[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

struct client {
    unsigned char *left; /* the start of a frame whose end has not come */
    size_t left_length;
    unsigned char *unsent;
    size_t unsent_length;
    unsigned room;
    int open;
};

struct room {
    int *members;
    unsigned count, capacity;
    unsigned char *gathered;
    size_t gathered_length;
    int queued;
};

static struct client clients[CLIENTS];
static struct room rooms[ROOMS];
static unsigned dirty[ROOMS], dirty_count;
static unsigned char incoming[READ + READ];
static int epoll_fd, joining;

static void watch(int fd, int how, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    epoll_ctl(epoll_fd, how, fd, &event);
}

static void leave(int fd)
{
    struct client *client = &clients[fd];
    struct room *room = &rooms[client->room];
    for (unsigned i = 0; client->open && i < room->count; i++)
        if (room->members[i] == fd)
            room->members[i] = room->members[--room->count];
    free(client->left);
    free(client->unsent);
    memset(client, 0, sizeof *client);
    close(fd);
}

static void member_send(int fd, const unsigned char *bytes, size_t length)
{
    struct client *client = &clients[fd];
    ssize_t sent = 0;
    if (!client->unsent_length) {
        sent = send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent == (ssize_t)length || (sent < 0 && errno != EAGAIN))
            return;
        sent = sent < 0 ? 0 : sent;
    }
    client->unsent = realloc(client->unsent, client->unsent_length + length - (size_t)sent);
    memcpy(client->unsent + client->unsent_length, bytes + sent, length - (size_t)sent);
    client->unsent_length += length - (size_t)sent;
    watch(fd, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
}

static void member_flush(int fd)
{
    struct client *client = &clients[fd];
    ssize_t sent = send(fd, client->unsent, client->unsent_length, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0)
        return;
    client->unsent_length -= (size_t)sent;
    memmove(client->unsent, client->unsent + sent, client->unsent_length);
    if (!client->unsent_length)
        watch(fd, EPOLL_CTL_MOD, EPOLLIN);
}

static void room_flush(struct room *room)
{
    for (unsigned i = 0; i < room->count; i++)
        member_send(room->members[i], room->gathered, room->gathered_length);
    room->gathered_length = 0;
    room->queued = 0;
}

static void room_say(unsigned number, const unsigned char *payload, size_t length)
{
    struct room *room = &rooms[number];
    size_t head = length < 126 ? 2 : 4;
    if (!room->gathered)
        room->gathered = malloc(GATHER);
    if (room->gathered_length + head + length > GATHER)
        room_flush(room);
    unsigned char *out = room->gathered + room->gathered_length;
    out[0] = 0x81;
    out[1] = length < 126 ? (unsigned char)length : 126;
    if (head == 4) {
        out[2] = (unsigned char)(length >> 8);
        out[3] = (unsigned char)length;
    }
    memcpy(out + head, payload, length);
    room->gathered_length += head + length;
    if (!joining) {
        room_flush(room);
    } else if (!room->queued) {
        room->queued = 1;
        dirty[dirty_count++] = number;
    }
}

/* Bytes used; a text frame is unmasked in place and said. */
static size_t take_frame(int fd, unsigned char *bytes, size_t available)
{
    if (available < 2)
        return 0;
    size_t length = bytes[1] & 127, offset = 2;
    if (length == 126) {
        if (available < 4)
            return 0;
        length = (size_t)bytes[2] << 8 | bytes[3];
        offset = 4;
    }
    if (available < offset + 4 + length)
        return 0;
    unsigned char *mask = bytes + offset, *payload = mask + 4;
    for (size_t i = 0; i < length; i++)
        payload[i] ^= mask[i & 3];
    if ((bytes[0] & 15) == 1)
        room_say(clients[fd].room, payload, length);
    return offset + 4 + length;
}

static size_t take_upgrade(int fd, const unsigned char *bytes, size_t available)
{
    const char *end = memmem(bytes, available, "\r\n\r\n", 4);
    if (!end)
        return 0;
    struct client *client = &clients[fd];
    struct room *room;
    client->room = (unsigned)atoi((const char *)bytes + 5) % ROOMS; /* after "GET /" */
    client->open = 1;
    room = &rooms[client->room];
    if (room->count == room->capacity) {
        room->capacity = room->capacity ? 2 * room->capacity : 16;
        room->members = realloc(room->members, room->capacity * sizeof *room->members);
    }
    room->members[room->count++] = fd;
    member_send(fd, (const unsigned char *)ANSWER, sizeof ANSWER - 1);
    return (size_t)(end - (const char *)bytes) + 4;
}

static void client_read(int fd)
{
    struct client *client = &clients[fd];
    size_t length = client->left_length, used = 0, step;
    if (length)
        memcpy(incoming, client->left, length);
    ssize_t got = recv(fd, incoming + length, READ, MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN)
        return;
    if (got <= 0) {
        leave(fd);
        return;
    }
    length += (size_t)got;
    if (!client->open)
        used = take_upgrade(fd, incoming, length);
    while (client->open && (step = take_frame(fd, incoming + used, length - used)))
        used += step;
    client->left_length = length - used;
    if (client->left_length) {
        client->left = realloc(client->left, client->left_length);
        memcpy(client->left, incoming + used, client->left_length);
    }
}

static int listen_anywhere(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 4096) ||
        getsockname(fd, (struct sockaddr *)&address, &size)) {
        perror("floor");
        exit(1);
    }
    fprintf(stderr, "floor listening on http://127.0.0.1:%u\n", ntohs(address.sin_port));
    return fd;
}

int main(int count, char **arguments)
{
    struct epoll_event events[EVENTS];
    joining = count > 1 && strcmp(arguments[1], "joined") == 0;
    epoll_fd = epoll_create1(0);
    int listener = listen_anywhere();
    watch(listener, EPOLL_CTL_ADD, EPOLLIN);
    for (;;) {
        int ready = epoll_wait(epoll_fd, events, EVENTS, -1);
        for (int i = 0; i < ready; i++) {
            int fd = events[i].data.fd;
            if (fd == listener) {
                for (int peer; (peer = accept4(listener, 0, 0, SOCK_NONBLOCK)) >= 0;)
                    watch(peer, EPOLL_CTL_ADD, EPOLLIN);
                continue;
            }
            if (events[i].events & EPOLLOUT && clients[fd].unsent_length)
                member_flush(fd);
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                client_read(fd);
        }
        for (unsigned i = 0; i < dirty_count; i++)
            room_flush(&rooms[dirty[i]]);
        dirty_count = 0;
    }
}
