/* Counts and latencies of one phase, and how they are told. */
#ifndef TALLY_H
#define TALLY_H

#include <stdint.h>

/* Latencies fall into buckets of 1/32 octave, so a percentile is right to about 2 %. */
enum { SUB = 32, OCTAVES = 36, BUCKETS = SUB * OCTAVES };

struct latencies {
    uint64_t count, highest;
    uint32_t bucket[BUCKETS];
};

struct tally {
    uint64_t sent, expected, delivered, acked, refused, other, bytes, reads, inexact;
    struct latencies delivery, ack;
};

uint64_t now_ns(void);
void latency_add(struct latencies *latencies, uint64_t nanoseconds);

/* One line of JSON on standard output. `gone` are connections that the server closed. */
void tally_print(const struct tally *tally, double seconds, double cpu_seconds, unsigned gone);

double own_cpu_seconds(void);
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
