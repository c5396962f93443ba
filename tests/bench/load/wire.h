/* The client's half of RFC 6455: the upgrade, masked text frames out, unmasked frames in. */
#ifndef WIRE_H
#define WIRE_H

#include <stddef.h>
#include <stdint.h>

enum { OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

/* A frame inside a connection's read buffer; nothing is copied. */
struct frame {
    int opcode;
    int final;
    const char *payload;
    size_t length;
};

/* Bytes used by the frame that starts at `bytes`; 0: not all here yet; -1: a server must not send this. */
long frame_parse(const char *bytes, size_t available, struct frame *frame);

/* Writes a masked frame into `out` (length + 14 bytes must fit) and returns its size. */
size_t frame_write(char *out, int opcode, const char *payload, size_t length);

/* Writes the upgrade request. `extra` is either empty or whole header lines, each ended by CRLF. */
size_t upgrade_write(char *out, size_t room, const char *host, const char *path, const char *extra);

/* Bytes used by the answer; 0: not all here yet; -1: it is no 101, or not the answer to our key. */
long upgrade_parse(const char *bytes, size_t available);

#endif
