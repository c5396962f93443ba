"""chatd.client: a client that misses nothing, doubles nothing, and says so where it can't help it.

    from chatd.client import Gap, connect

    async with connect("http://127.0.0.1:3000", token) as chat:
        await chat.call("conversation:join", {"conversationId": talk})
        ack = await chat.send("message:send", {"conversationId": talk, "content": "hello"})
        async for event in chat.events():
            if isinstance(event, Gap):
                ...  # load anew what you show: GET /conversations, …/messages
            else:
                print(event.name, event.data)

**Connections** come and go under it. It comes back by itself after waits that grow (half a second to thirty, with full
jitter), or after what the server asked for; asks for what it missed; finds a dead connection by the server's heartbeat.
Each event comes once, in the order of the server. `connect(dialect=…, namespace=…)` speaks any dialect.

**Calls.** `call` gives the ack as the dialect documents it, or raises Refused: `code`, `message`, `retry_after`,
`again` (the same call can succeed later), `body` (the dialect's own words). Without a connection it waits for one
(`trio.fail_after` bounds that). When the connection ends before the answer it raises Lost: perhaps it was done, perhaps
not. What does no harm twice, `call(…, repeat=True)` repeats. `send` makes any message so by giving it a clientId, under
which a server keeps it once for ever; only the `colon` dialect has that word, in the others a send is a `call`.

**Gaps.** What happened while it was away is told when it is back, for as long as the server keeps it. Where that can't
be, an event of the kind Gap says so (`reason`: epoch, the database is another or was restored; trimmed, away for too
long; too_far; connection, it was another's; none). Rooms are joined again before it comes, so whatever is loaded then
is complete, and the events that follow may repeat some of what was loaded, but leave nothing out.

**Reading slowly.** At most `buffer` events wait. Then the network is held up, and the server ends the connection sooner
or later (4008); nothing is lost by that. The reader of the events may make calls itself.

**Going on** after the program has ended: keep `chat.mark` (a msgspec struct) and give it to `connect(resume=…)`.

**The end.** SignedOut: the token is no good any more, and there is no function to ask for another. Closed: the server
won't have us back. Unreachable: `patience` is over. They are raised by `connect`, and later by `call` and `events`.
"""

from __future__ import annotations

from chatd.client.chat import Chat
from chatd.client.connecting import connect
from chatd.client.events import Mark, StreamEvent, StreamGap
from chatd.client.problems import ChatError, Closed, MessagesLost, Refused, SignedOut, Unreachable

__all__ = [
    "Chat",
    "ChatError",
    "Closed",
    "Mark",
    "MessagesLost",
    "Refused",
    "SignedOut",
    "StreamEvent",
    "StreamGap",
    "Unreachable",
    "connect",
]
