/* A crowd of WebSocket clients in one thread: `rooms` rooms of `members`, the first `senders` of each also speak. */
#ifndef CROWD_H
#define CROWD_H

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>

#include "speech.h"
#include "tally.h"
#include "wire.h"

enum { CONTENT_MOST = 4096, SPOKEN_MOST = CONTENT_MOST + 512, REQUEST_MOST = 16384 };

enum presents { PRESENT_HEADER, PRESENT_QUERY, PRESENT_SUBPROTOCOL };

/* What the command line asked for. */
struct plan {
    const struct speech *speech;
    struct sockaddr_in target;
    const char *path;
    unsigned rooms, members, senders, window, size, sources;
    int idle, release_on_ack;
    double rate; /* messages a second in all; 0: each sender goes as fast as its window lets it */
    double patience; /* seconds without a sound until what is missing counts as lost */
    enum presents presents;
    char **tokens, **conversations;
    unsigned token_count, conversation_count;
    /* REST only */
    const char *method, *body;
};

enum state { STATE_ABSENT, STATE_CONNECTING, STATE_UPGRADING, STATE_GREETING, STATE_JOINING, STATE_UP, STATE_GONE };

struct client {
    int fd;
    enum state state;
    unsigned room;
    unsigned calls;   /* the last id used */
    uint64_t checksum; /* of the departures heard in this phase */
    char *left, *unsent;
    size_t left_length, unsent_length;
};

struct crowd {
    const struct plan *plan;
    int epoll;
    unsigned count, opened, shaking, up, gone;
    struct client *clients;
    uint64_t *room_checksums;
    struct tally tally;
    int running;     /* senders go on */
    unsigned turn;   /* whose turn it is when paced */
    uint64_t due, step; /* when the next message is due when paced, and the time between two */
    uint64_t progress; /* when something last arrived */
};

/* crowd.c: connections */
void crowd_start(struct crowd *crowd, const struct plan *plan, int epoll);
void crowd_open_more(struct crowd *crowd);
void crowd_event(struct crowd *crowd, unsigned index, uint32_t events);
void client_send(struct crowd *crowd, struct client *client, int opcode, const char *payload, size_t length);
const char *client_conversation(const struct crowd *crowd, const struct client *client, char room[32]);

/* talk.c: what is said and heard */
void talk_open(struct crowd *crowd, struct client *client);
void talk_hear(struct crowd *crowd, struct client *client, const struct frame *frame);
void talk_begin(struct crowd *crowd);
void talk_paced(struct crowd *crowd, uint64_t due);
int talk_settled(const struct crowd *crowd);
void talk_check(struct crowd *crowd);

/* rest.c: keep-alive requests instead of sockets */
int rest_main(const struct plan *plan);

/* control.c: the runner's orders on standard input: "go SECONDS" and "quit" */
enum order { ORDER_GO, ORDER_QUIT };
enum { CONTROL = UINT32_MAX }; /* what epoll calls standard input */
enum order control_read(double *seconds);
void control_listen(int epoll, int listening);
int socket_open(const struct plan *plan, unsigned index);

#endif
