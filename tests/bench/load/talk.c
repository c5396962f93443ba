#include "crowd.h"

#include <stdio.h>
#include <string.h>

static void client_up(struct crowd *crowd, struct client *client)
{
    client->state = STATE_UP;
    crowd->up++;
    crowd->shaking--;
}

static void client_join(struct crowd *crowd, struct client *client)
{
    const struct speech *speech = crowd->plan->speech;
    char text[SPOKEN_MOST], room[32];

    if (!speech->joins || crowd->plan->idle) {
        client_up(crowd, client);
        return;
    }
    client->state = STATE_JOINING;
    size_t length = speech->join(text, sizeof text, ++client->calls, client_conversation(crowd, client, room));
    client_send(crowd, client, OP_TEXT, text, length);
}

void talk_open(struct crowd *crowd, struct client *client)
{
    client->state = STATE_GREETING;
    if (!crowd->plan->speech->waits_for_hello)
        client_join(crowd, client);
}

static void talk_hello(struct crowd *crowd, struct client *client)
{
    const struct plan *plan = crowd->plan;
    unsigned index = (unsigned)(client - crowd->clients);
    char text[SPOKEN_MOST];
    size_t length = plan->speech->hello(text, sizeof text,
                                        plan->token_count ? plan->tokens[index % plan->token_count] : NULL);
    client_send(crowd, client, OP_TEXT, text, length);
}

static void talk_say(struct crowd *crowd, struct client *client, uint64_t departed)
{
    const struct plan *plan = crowd->plan;
    char content[CONTENT_MOST + 1], text[SPOKEN_MOST], room[32];
    struct stamp stamp = {departed, (uint32_t)(client - crowd->clients)};

    stamp_write(content, plan->size, stamp);
    size_t length = plan->speech->say(text, sizeof text, ++client->calls, client_conversation(crowd, client, room),
                                      content);
    crowd->tally.sent++;
    crowd->tally.expected += plan->members;
    crowd->room_checksums[client->room] += stamp.departed ^ stamp.sender;
    client_send(crowd, client, OP_TEXT, text, length);
}

static void talk_release(struct crowd *crowd, struct client *client)
{
    if (crowd->running && crowd->plan->rate == 0)
        talk_say(crowd, client, now_ns());
}

static void heard_message(struct crowd *crowd, struct client *client, const struct frame *frame)
{
    struct stamp stamp;
    int by_copy = !crowd->plan->release_on_ack || !crowd->plan->speech->acks;

    if (!stamp_read(frame->payload, frame->length, &stamp))
        die("a message without its stamp: %.*s", (int)frame->length, frame->payload);
    crowd->tally.delivered++;
    client->checksum += stamp.departed ^ stamp.sender;
    latency_add(&crowd->tally.delivery, crowd->progress - stamp.departed);
    if (by_copy && stamp.sender == (uint32_t)(client - crowd->clients))
        talk_release(crowd, client);
}

static void heard_ack(struct crowd *crowd, struct client *client, const struct frame *frame)
{
    struct stamp stamp;

    if (client->state == STATE_JOINING) {
        client_up(crowd, client);
        return;
    }
    crowd->tally.acked++;
    if (stamp_read(frame->payload, frame->length, &stamp))
        latency_add(&crowd->tally.ack, crowd->progress - stamp.departed);
    if (crowd->plan->release_on_ack)
        talk_release(crowd, client);
}

static void heard_refusal(struct crowd *crowd, struct client *client, const struct frame *frame)
{
    if (client->state != STATE_UP || crowd->tally.refused > 100)
        die("refused: %.*s", (int)frame->length, frame->payload);
    if (!crowd->tally.refused++)
        fprintf(stderr, "load: refused: %.*s\n", (int)frame->length, frame->payload);
    crowd->tally.expected -= crowd->plan->members;
    talk_release(crowd, client);
}

void talk_hear(struct crowd *crowd, struct client *client, const struct frame *frame)
{
    if (!frame->final || frame->opcode != OP_TEXT)
        die("a fragment or a binary frame: not what these servers send");
    switch (crowd->plan->speech->hear(frame->payload, frame->length)) {
    case HEARD_MESSAGE:
        heard_message(crowd, client, frame);
        break;
    case HEARD_ACK:
        heard_ack(crowd, client, frame);
        break;
    case HEARD_REFUSAL:
        heard_refusal(crowd, client, frame);
        break;
    case HEARD_HELLO:
        talk_hello(crowd, client);
        break;
    case HEARD_WELCOME:
        client_join(crowd, client);
        break;
    case HEARD_PING:
        client_send(crowd, client, OP_TEXT, "3", 1);
        break;
    case HEARD_OTHER:
        crowd->tally.other++;
        break;
    }
}

void talk_begin(struct crowd *crowd)
{
    const struct plan *plan = crowd->plan;

    memset(&crowd->tally, 0, sizeof crowd->tally);
    memset(crowd->room_checksums, 0, plan->rooms * sizeof *crowd->room_checksums);
    for (unsigned i = 0; i < crowd->count; i++)
        crowd->clients[i].checksum = 0;
    crowd->running = 1;
    if (plan->rate > 0)
        return;
    for (unsigned i = 0; i < crowd->count; i++)
        if (i % plan->members < plan->senders && crowd->clients[i].state == STATE_UP)
            for (unsigned w = 0; w < plan->window; w++)
                talk_say(crowd, &crowd->clients[i], now_ns());
}

/* A message departs when it is due, however late it is sent: a stall of the server does not shorten its own latency. */
void talk_paced(struct crowd *crowd, uint64_t due)
{
    const struct plan *plan = crowd->plan;
    unsigned speakers = plan->rooms * plan->senders;

    for (; due && crowd->running; due--, crowd->turn++, crowd->due += crowd->step) {
        unsigned speaker = crowd->turn % speakers;
        talk_say(crowd, &crowd->clients[speaker / plan->senders * plan->members + speaker % plan->senders],
                 crowd->due);
    }
}

int talk_settled(const struct crowd *crowd)
{
    const struct tally *tally = &crowd->tally;
    return tally->delivered >= tally->expected &&
           (!crowd->plan->speech->acks || tally->acked + tally->refused >= tally->sent);
}

/* Everybody in a room must have heard exactly what was said there: as many, and the same ones. */
void talk_check(struct crowd *crowd)
{
    if (crowd->tally.refused)
        return;
    for (unsigned i = 0; i < crowd->count; i++)
        if (crowd->clients[i].checksum != crowd->room_checksums[crowd->clients[i].room])
            crowd->tally.inexact++;
}
