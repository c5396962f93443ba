"""Shared by the tests of the engine: what a session received, and what an answer contains."""

from __future__ import annotations

from chatd.engineio.engine import Serve, SessionRules
from chatd.engineio.session import EngineSession
from chatd.net.request import Request, Response
from tests.chatd.listening import receive

SLOW_HEART = SessionRules()


def status_and_body(answer: Response) -> tuple[int, str]:
    return answer.status, answer.body.decode()


def appending_to(received: list[bytes]) -> Serve:
    """A handler that appends the data of all packets of a session to a list."""

    async def serve(session: EngineSession, request: Request) -> None:
        while True:
            received.extend(packet.data for packet in await receive(session))

    return serve
