#define _GNU_SOURCE
#include "speech.h"

#include <stdio.h>
#include <string.h>

static int has(const char *text, size_t length, size_t within, const char *word)
{
    return memmem(text, length < within ? length : within, word, strlen(word)) != NULL;
}

/* ---- plain ---- */

static enum heard plain_hear(const char *text, size_t length)
{
    (void)text;
    (void)length;
    return HEARD_MESSAGE;
}

static size_t plain_say(char *out, size_t room, unsigned id, const char *conversation, const char *content)
{
    return (size_t)snprintf(out, room,
                            "{\"_id\":\"%024x\",\"conversationId\":\"%s\",\"sender_id\":1,\"content\":\"%s\","
                            "\"created_at\":\"2026-01-01T00:00:00.000Z\"}",
                            id, conversation, content);
}

/* ---- JSON-RPC: a push names its method early, an answer its id ---- */

static enum heard jsonrpc_hear(const char *text, size_t length)
{
    if (has(text, length, 64, "\"message:created\""))
        return HEARD_MESSAGE;
    if (has(text, length, 48, "\"method\""))
        return HEARD_OTHER;
    if (has(text, length, 96, "\"error\""))
        return HEARD_REFUSAL;
    return has(text, length, 96, "\"result\"") ? HEARD_ACK : HEARD_OTHER;
}

static size_t jsonrpc_join(char *out, size_t room, unsigned id, const char *conversation)
{
    return (size_t)snprintf(out, room,
                            "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"conversation:join\","
                            "\"params\":{\"conversationId\":\"%s\"}}",
                            id, conversation);
}

static size_t jsonrpc_say(char *out, size_t room, unsigned id, const char *conversation, const char *content)
{
    return (size_t)snprintf(out, room,
                            "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"message:send\","
                            "\"params\":{\"conversationId\":\"%s\",\"content\":\"%s\"}}",
                            id, conversation, content);
}

/* ---- Engine.IO 4 + Socket.IO 5, text packets ---- */

static enum heard socketio_hear(const char *text, size_t length)
{
    if (length == 0)
        return HEARD_OTHER;
    if (text[0] == '0')
        return HEARD_HELLO;
    if (text[0] == '2')
        return HEARD_PING;
    if (text[0] != '4' || length < 2)
        return HEARD_OTHER;
    if (text[1] == '0')
        return HEARD_WELCOME;
    if (text[1] == '2')
        return has(text, length, 40, "\"message:created\"") ? HEARD_MESSAGE : HEARD_OTHER;
    if (text[1] == '3')
        return has(text, length, 64, "\"ok\":false") ? HEARD_REFUSAL : HEARD_ACK;
    return HEARD_REFUSAL; /* CONNECT_ERROR, DISCONNECT */
}

static size_t socketio_hello(char *out, size_t room, const char *token)
{
    if (!token)
        return (size_t)snprintf(out, room, "40/chat,");
    return (size_t)snprintf(out, room, "40/chat,{\"token\":\"%s\"}", token);
}

static size_t socketio_join(char *out, size_t room, unsigned id, const char *conversation)
{
    return (size_t)snprintf(out, room, "42/chat,%u[\"conversation:join\",{\"conversationId\":\"%s\"}]", id,
                            conversation);
}

static size_t socketio_say(char *out, size_t room, unsigned id, const char *conversation, const char *content)
{
    return (size_t)snprintf(out, room,
                            "42/chat,%u[\"message:send\",{\"conversationId\":\"%s\",\"content\":\"%s\"}]", id,
                            conversation, content);
}

const struct speech SPEECHES[] = {
    {.name = "plain", .path = "/", .hear = plain_hear, .say = plain_say},
    {.name = "jsonrpc", .path = "/chat", .joins = 1, .acks = 1,
     .hear = jsonrpc_hear, .join = jsonrpc_join, .say = jsonrpc_say},
    {.name = "socketio", .path = "/socket.io/?EIO=4&transport=websocket", .waits_for_hello = 1, .joins = 1,
     .acks = 1, .hear = socketio_hear, .hello = socketio_hello, .join = socketio_join, .say = socketio_say},
};
const unsigned SPEECH_COUNT = sizeof SPEECHES / sizeof *SPEECHES;

/* ---- the stamp in a message's content ---- */

void stamp_write(char *out, size_t size, struct stamp stamp)
{
    static const char FILLER[] = " the quick brown fox jumps over the lazy dog";
    int used = snprintf(out, size + 1, "@T%016llxS%08x", (unsigned long long)stamp.departed, stamp.sender);
    for (size_t i = (size_t)used, at = 0; i < size; i++, at++)
        out[i] = FILLER[at % (sizeof FILLER - 1)];
    out[size] = 0;
}

static int hex(const char *text, int digits, uint64_t *value)
{
    *value = 0;
    for (int i = 0; i < digits; i++) {
        int c = text[i];
        int digit = c <= '9' ? c - '0' : c - 'a' + 10;
        if (digit < 0 || digit > 15)
            return 0;
        *value = *value << 4 | (uint64_t)digit;
    }
    return 1;
}

int stamp_read(const char *text, size_t length, struct stamp *stamp)
{
    const char *at = memmem(text, length, "@T", 2);
    uint64_t sender;
    if (!at || length - (size_t)(at - text) < 27 || at[18] != 'S')
        return 0;
    if (!hex(at + 2, 16, &stamp->departed) || !hex(at + 19, 8, &sender))
        return 0;
    stamp->sender = (uint32_t)sender;
    return 1;
}
