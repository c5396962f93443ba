"""chatd.client: a chat client that delivers each event once, and reports a gap where it cannot.

    from chatd.client import StreamGap, connect

    async with connect("http://127.0.0.1:3000", token) as chat:
        await chat.call("conversation:join", {"conversationId": conversation})
        ack = await chat.send("message:send", {"conversationId": conversation, "content": "hello"})
        async for event in chat.events():
            if isinstance(event, StreamGap):
                ...  # load again what you show: GET /conversations, GET /conversations/{id}/messages
            else:
                print(event.name, event.data)

**Connections.** The client connects again when a connection ends. The waits grow from half a second to thirty seconds,
with full jitter. A server can ask for a longer wait. After each reconnect the client requests the events that it
missed. It detects a broken connection by the server's heartbeat. Each event arrives once, in the server's order.
`connect(dialect=..., namespace=...)` selects the dialect.

**Calls.** `call` returns the ack in the format of the dialect, or raises Refused. Refused has `code`, `message`,
`retry_after`, `again` (the same call can succeed later) and `body` (the error in the format of the dialect). Without a
connection, `call` waits for one; `trio.fail_after` limits the wait. When the connection ends before the answer arrives,
`call` raises AnswerLost: the server may have done the call or not. `call(..., repeat=True)` repeats a call that is safe
to repeat. `send` makes each message safe to repeat: it adds a `clientId`, and the server stores one message for each
clientId. Only the `colon` dialect has that field. In the other dialects, send a message with `call`.

**Files.** `file = await chat.upload("plan.pdf")` uploads a file in pieces. After a break it goes on where it stopped. A
message then names `file["url"]`.

**Gaps.** After a reconnect the server sends the missed events, as long as it keeps them. When it cannot, the stream
contains a StreamGap. Its `reason` is one of:

    epoch        the database is another one, or was restored from a backup
    trimmed      the client was away for longer than the server keeps events
    too_far      the position is ahead of the server's
    connection   the earlier connection belongs to another user
    none         the server gives no reason

The client joins its rooms again before it delivers the gap. What the application loads after the gap is therefore
complete. The events that follow may repeat some of it, and miss nothing.

**Slow readers.** At most `buffer` events wait for the reader. Then the client stops reading from the network, and the
server may close the connection (4008). No event is lost. The code that reads events may make calls.

**Resuming after a restart of the program.** Store `chat.mark` (a msgspec struct) and pass it to `connect(resume=...)`.

**The end.** `connect` raises one of these errors; later `call` and `events` raise it:

    SignedOut     the token is not valid any more, and there is no function that supplies another
    Closed        the server does not accept this client again, or the block of `connect` has ended
    Unreachable   there was no connection for longer than `patience`
"""

from __future__ import annotations

from chatd.client.chat import Chat
from chatd.client.connecting import connect
from chatd.client.events import Mark, StreamEvent, StreamGap
from chatd.client.problems import AnswerLost, ChatError, Closed, Refused, SignedOut, Unreachable

__all__ = [
    "AnswerLost",
    "Chat",
    "ChatError",
    "Closed",
    "Mark",
    "Refused",
    "SignedOut",
    "StreamEvent",
    "StreamGap",
    "Unreachable",
    "connect",
]
