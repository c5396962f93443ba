"""A sender for trials that end the server: each message is sent again until it is acked."""

from __future__ import annotations

from collections.abc import Callable

import trio

from tests.outside.raw import HungUp, Raw
from tests.outside.server import Chatd, token

LOST = (OSError, HungUp, trio.BrokenResourceError, trio.ClosedResourceError)
WAIT_SECONDS = 0.02


class SentMessages:
    """The ids of the acked messages by their clientId, and the number of retries. `over` ends all senders."""

    def __init__(self) -> None:
        self.acked: dict[str, str] = {}
        self.retried = 0
        self.over = False


async def send_until_acked(
    server: Chatd, number: int, where: str, sent: SentMessages, pause: Callable[[], float] | None = None
) -> None:
    """One sender: message after message, each until it is acked. `pause` gives the seconds between two messages."""
    count, pending = 0, ""
    while not sent.over:
        try:
            async with await Raw.open(server.address, token(number)) as raw:
                sent.retried += bool(pending)
                while not sent.over:
                    pending = pending or f"{number}-{count}"
                    params = {"conversationId": where, "content": pending, "clientId": pending}
                    answer = await raw.call("message:send", params)
                    assert "result" in answer, f"{pending} was refused: {answer}"
                    assert answer["result"]["data"]["content"] == pending
                    sent.acked[pending] = answer["result"]["data"]["_id"]
                    count, pending = count + 1, ""
                    if pause is not None:
                        await trio.sleep(pause())
        except LOST:
            await trio.sleep(WAIT_SECONDS)
