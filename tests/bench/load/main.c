/* The load generator: one thread, one epoll, no dependency, loopback only.
 *
 * It opens its connections, says {"phase":"up"}, and waits for orders on standard input. "go SECONDS" runs one
 * phase: speak, stop, wait until everything said has arrived, and tell the counts in one line of JSON. */
#define _GNU_SOURCE
#include "crowd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { CLOCK = UINT32_MAX - 1, EVENTS = 512 };
static const uint64_t SECOND = 1000000000, SETTLE = 300000000, OPENING = 60000000000;

static void read_lines(const char *path, char ***lines, unsigned *count)
{
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;
    ssize_t length;

    if (!file)
        die("%s: %s", path, strerror(errno));
    while ((length = getline(&line, &room, file)) > 0) {
        line[strcspn(line, "\r\n")] = 0;
        *lines = realloc(*lines, (*count + 1) * sizeof **lines);
        (*lines)[(*count)++] = strdup(line);
    }
    free(line);
    fclose(file);
}

static const struct speech *find_speech(const char *name)
{
    for (unsigned i = 0; i < SPEECH_COUNT; i++)
        if (strcmp(SPEECHES[i].name, name) == 0)
            return &SPEECHES[i];
    die("no speech called %s", name);
}

static void parse_target(struct plan *plan, const char *text)
{
    char address[32];
    unsigned port;

    plan->target.sin_family = AF_INET;
    if (sscanf(text, "%31[0-9.]:%u", address, &port) != 2 || port > 65535 ||
        inet_pton(AF_INET, address, &plan->target.sin_addr) != 1)
        die("--target is ADDRESS:PORT");
    if (ntohl(plan->target.sin_addr.s_addr) >> 24 != 127)
        die("only loopback: this tool must never load another host");
    plan->target.sin_port = htons((uint16_t)port);
}

static enum presents find_presents(const char *name)
{
    static const char *const NAMES[] = {"header", "query", "subprotocol"};
    for (unsigned i = 0; i < 3; i++)
        if (strcmp(NAMES[i], name) == 0)
            return (enum presents)i;
    die("--present is header, query or subprotocol");
}

static const struct option OPTIONS[] = {
    {"target", 1, 0, 't'}, {"speech", 1, 0, 's'}, {"path", 1, 0, 'p'}, {"rooms", 1, 0, 'r'},
    {"members", 1, 0, 'm'}, {"senders", 1, 0, 'n'}, {"window", 1, 0, 'w'}, {"rate", 1, 0, 'R'},
    {"size", 1, 0, 'z'}, {"sources", 1, 0, 'a'}, {"tokens", 1, 0, 'T'}, {"conversations", 1, 0, 'C'},
    {"present", 1, 0, 'P'}, {"release-on-ack", 0, 0, 'k'}, {"idle", 0, 0, 'i'}, {"method", 1, 0, 'M'},
    {"body", 1, 0, 'B'}, {"patience", 1, 0, 'x'}, {0}};

static void parse_arguments(int count, char **arguments, struct plan *plan)
{
    for (int option; (option = getopt_long(count, arguments, "", OPTIONS, NULL)) != -1;) {
        switch (option) {
        case 't': parse_target(plan, optarg); break;
        case 's': plan->speech = find_speech(optarg); break;
        case 'p': plan->path = optarg; break;
        case 'r': plan->rooms = (unsigned)atoi(optarg); break;
        case 'm': plan->members = (unsigned)atoi(optarg); break;
        case 'n': plan->senders = (unsigned)atoi(optarg); break;
        case 'w': plan->window = (unsigned)atoi(optarg); break;
        case 'R': plan->rate = atof(optarg); break;
        case 'z': plan->size = (unsigned)atoi(optarg); break;
        case 'a': plan->sources = (unsigned)atoi(optarg); break;
        case 'T': read_lines(optarg, &plan->tokens, &plan->token_count); break;
        case 'C': read_lines(optarg, &plan->conversations, &plan->conversation_count); break;
        case 'P': plan->presents = find_presents(optarg); break;
        case 'k': plan->release_on_ack = 1; break;
        case 'i': plan->idle = 1; break;
        case 'M': plan->method = optarg; break;
        case 'B': plan->body = optarg; break;
        case 'x': plan->patience = atof(optarg); break;
        default: exit(2);
        }
    }
    if (!plan->target.sin_port || (!plan->speech && !plan->method))
        die("--target, and --speech or --method, must be given");
    if (!plan->rooms || !plan->members || plan->senders > plan->members)
        die("--rooms, --members and --senders do not fit together");
    if (plan->size < 32 || plan->size > CONTENT_MOST)
        die("--size is 32 to %d", CONTENT_MOST);
}

static int pace_clock(int epoll)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = CLOCK};
    int clock = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    epoll_ctl(epoll, EPOLL_CTL_ADD, clock, &event);
    return clock;
}

static uint64_t pace_step(double rate)
{
    return rate > 0 ? (uint64_t)(1e9 / rate) : 0;
}

static void pace(int clock, uint64_t step)
{
    struct timespec every = {(time_t)(step / SECOND), (long)(step % SECOND)};
    timerfd_settime(clock, 0, &(struct itimerspec){.it_interval = every, .it_value = every}, NULL);
}

/* Opens the whole crowd; returns when all are in and what greets them has arrived. */
static void open_all(struct crowd *crowd)
{
    struct epoll_event events[EVENTS];
    uint64_t begun = now_ns(), complete = 0;

    while (!complete || now_ns() - complete < SETTLE) {
        crowd_open_more(crowd);
        int count = epoll_wait(crowd->epoll, events, EVENTS, 50);
        for (int i = 0; i < count; i++)
            crowd_event(crowd, events[i].data.u32, events[i].events);
        if (!complete && crowd->up == crowd->count)
            complete = now_ns();
        if (now_ns() - begun > OPENING)
            die("only %u of %u connections came up", crowd->up, crowd->count);
    }
    printf("{\"phase\":\"up\",\"connections\":%u,\"seconds\":%.3f}\n", crowd->up,
           (double)(complete - begun) / 1e9);
    fflush(stdout);
}

struct phase {
    double seconds, cpu;
    uint64_t begun;
};

static void phase_begin(struct phase *phase, struct crowd *crowd, int clock)
{
    control_listen(crowd->epoll, 0);
    phase->cpu = own_cpu_seconds();
    phase->begun = crowd->progress = now_ns();
    crowd->step = pace_step(crowd->plan->rate);
    crowd->due = phase->begun + crowd->step;
    pace(clock, crowd->step);
    talk_begin(crowd);
}

/* Ends the phase when its time is over and all has arrived, or nothing has come for a while. */
static void phase_look(struct phase *phase, struct crowd *crowd, int clock)
{
    uint64_t now = now_ns();
    double elapsed = (double)(now - phase->begun) / 1e9;

    if (elapsed < phase->seconds && crowd->gone < crowd->count)
        return;
    crowd->running = 0;
    if (!talk_settled(crowd) && (double)(now - crowd->progress) < crowd->plan->patience * (double)SECOND)
        return;
    pace(clock, 0);
    talk_check(crowd);
    tally_print(&crowd->tally, elapsed, own_cpu_seconds() - phase->cpu, crowd->gone);
    phase->begun = 0;
    control_listen(crowd->epoll, 1);
}

static int crowd_main(const struct plan *plan)
{
    struct crowd crowd = {0};
    struct phase phase = {0};
    struct epoll_event events[EVENTS];
    int epoll = epoll_create1(EPOLL_CLOEXEC), clock = pace_clock(epoll);
    uint64_t due;

    crowd_start(&crowd, plan, epoll);
    open_all(&crowd);
    control_listen(epoll, 1);
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, phase.begun ? 20 : -1);
        for (int i = 0; i < count; i++) {
            uint32_t who = events[i].data.u32;
            if (who == CLOCK && read(clock, &due, sizeof due) == sizeof due) {
                talk_paced(&crowd, due);
            } else if (who == CONTROL) {
                if (control_read(&phase.seconds) == ORDER_QUIT)
                    return 0;
                phase_begin(&phase, &crowd, clock);
            } else if (who != CLOCK) {
                crowd_event(&crowd, who, events[i].events);
            }
        }
        if (phase.begun)
            phase_look(&phase, &crowd, clock);
    }
}

int main(int count, char **arguments)
{
    struct plan plan = {.rooms = 1, .members = 1, .senders = 1, .window = 1, .size = 64, .sources = 1,
                        .patience = 5};

    parse_arguments(count, arguments, &plan);
    return plan.method ? rest_main(&plan) : crowd_main(&plan);
}
