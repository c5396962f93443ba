#include "tally.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t read_clock(clockid_t clock)
{
    struct timespec moment;
    clock_gettime(clock, &moment);
    return (uint64_t)moment.tv_sec * 1000000000u + (uint64_t)moment.tv_nsec;
}

uint64_t now_ns(void) { return read_clock(CLOCK_MONOTONIC); }

double own_cpu_seconds(void) { return (double)read_clock(CLOCK_PROCESS_CPUTIME_ID) / 1e9; }

void latency_add(struct latencies *latencies, uint64_t nanoseconds)
{
    unsigned index = (unsigned)nanoseconds;
    if (nanoseconds >= SUB) {
        int octave = 63 - __builtin_clzll(nanoseconds) - 5; /* 2^5 = SUB */
        index = (unsigned)octave * SUB + (unsigned)(nanoseconds >> octave);
    }
    latencies->bucket[index < BUCKETS ? index : BUCKETS - 1]++;
    latencies->count++;
    if (nanoseconds > latencies->highest)
        latencies->highest = nanoseconds;
}

static double bucket_microseconds(unsigned index)
{
    if (index < 2 * SUB)
        return index / 1e3;
    unsigned octave = index / SUB - 1;
    return ((double)(index - octave * SUB) + 0.5) * (double)(1ull << octave) / 1e3;
}

static double percentile(const struct latencies *latencies, double share)
{
    uint64_t wanted = (uint64_t)((double)latencies->count * share), seen = 0;
    for (unsigned i = 0; i < BUCKETS; i++) {
        seen += latencies->bucket[i];
        if (seen > wanted) {
            double middle = bucket_microseconds(i), highest = (double)latencies->highest / 1e3;
            return middle < highest ? middle : highest;
        }
    }
    return 0;
}

void tally_print(const struct tally *t, double seconds, double cpu_seconds, unsigned gone)
{
    printf("{\"phase\":\"done\",\"seconds\":%.6f,\"cpu_seconds\":%.6f,\"sent\":%llu,\"expected\":%llu,"
           "\"delivered\":%llu,\"acked\":%llu,\"refused\":%llu,\"other\":%llu,\"bytes\":%llu,\"reads\":%llu,"
           "\"inexact\":%llu,\"gone\":%u,"
           "\"p50_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f,"
           "\"ack_p50_us\":%.1f,\"ack_p99_us\":%.1f,\"ack_max_us\":%.1f}\n",
           seconds, cpu_seconds, (unsigned long long)t->sent, (unsigned long long)t->expected,
           (unsigned long long)t->delivered, (unsigned long long)t->acked, (unsigned long long)t->refused,
           (unsigned long long)t->other, (unsigned long long)t->bytes, (unsigned long long)t->reads,
           (unsigned long long)t->inexact, gone, percentile(&t->delivery, 0.5), percentile(&t->delivery, 0.99),
           (double)t->delivery.highest / 1e3, percentile(&t->ack, 0.5), percentile(&t->ack, 0.99),
           (double)t->ack.highest / 1e3);
    fflush(stdout);
}

void die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}
