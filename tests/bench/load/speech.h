/* What the crowd says and hears: the same chat over three syntaxes.
 *
 *   jsonrpc   chatd, ws, Starlette: JSON-RPC 2.0, the colon dialect's words
 *   socketio  chatd, socket.io, python-socketio: Engine.IO 4 over WebSocket, the same words on /chat
 *   plain     the C floors: whatever text comes in goes out to the room; no join, no ack
 *
 * A message's content carries its own moment of departure and its sender: "@T" 16 hex digits "S" 8 hex digits.
 */
#ifndef SPEECH_H
#define SPEECH_H

#include <stddef.h>
#include <stdint.h>

enum heard {
    HEARD_OTHER,   /* pushes that are not counted: presence, unread counts, ready */
    HEARD_HELLO,   /* the transport is open: ask for the namespace */
    HEARD_WELCOME, /* the namespace is open */
    HEARD_MESSAGE,
    HEARD_ACK,
    HEARD_REFUSAL,
    HEARD_PING,
};

struct speech {
    const char *name;
    const char *path;
    int waits_for_hello, joins, acks;
    enum heard (*hear)(const char *text, size_t length);
    size_t (*hello)(char *out, size_t room, const char *token);
    size_t (*join)(char *out, size_t room, unsigned id, const char *conversation);
    size_t (*say)(char *out, size_t room, unsigned id, const char *conversation, const char *content);
};

extern const struct speech SPEECHES[];
extern const unsigned SPEECH_COUNT;

struct stamp {
    uint64_t departed;
    uint32_t sender;
};

/* Writes a content of exactly `size` bytes and a NUL. */
void stamp_write(char *out, size_t size, struct stamp stamp);
int stamp_read(const char *text, size_t length, struct stamp *stamp);

#endif
