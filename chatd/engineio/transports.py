"""What the requests of the two transports do to a session: the GET and the POST of polling, and the upgrade.

the upgrade, on the new WebSocket     meanwhile a GET
"2probe" → "3probe"                   that waits is answered at once: with a noop when nothing else waits
"5"                                   that comes later waits PROBE_SECONDS for the "5", so that the two may
                                      arrive in any order: after the "5" polling has ended, and the GET is refused
anything else, or silence             goes on: the session keeps its transport
"""

from __future__ import annotations

import math
from functools import partial

import trio

from chatd.engineio.polling import Polling
from chatd.engineio.rules import MALFORMED, OVERLAPPING, POLL_ABANDONED, OutOfTurn
from chatd.engineio.session import EngineSession
from chatd.net.framer import frame_text
from chatd.net.socket import Gone, WebSocket
from protocol.frames import Packet
from protocol.framings.engineio import NOOP, PING_PROBE, PONG_PROBE, UPGRADE, read_payload, write_payload

PROBE_SECONDS = 0.1


async def poll(session: EngineSession) -> bytes:
    """The body of the answer to a GET, as soon as packets wait or the session ends."""
    polling = _polling(session)
    if polling.getting:
        session.finish(OVERLAPPING)
        raise OutOfTurn
    polling.getting = True
    session.mark_received()
    try:
        if not polling.outbox.waiting and session.end is None:
            await polling.outbox.wait(math.inf if session.probe is None else PROBE_SECONDS)
    except trio.Cancelled:
        session.finish(POLL_ABANDONED)
        raise
    finally:
        polling.getting = False
    _polling(session)
    packets = polling.outbox.take_packets()
    if session.end is not None and not packets:
        session.keeper.forget(session)
        packets.append(Packet(session.last_packet))
    return write_payload(packets or [Packet(NOOP)])


def begin_post(session: EngineSession) -> None:
    """The head of a POST has arrived. The POST counts from now on: its body may take long, and may never come."""
    polling = _polling(session)
    if polling.posting:
        session.finish(OVERLAPPING)
        raise OutOfTurn
    polling.posting = True


async def post(session: EngineSession, body: bytes) -> None:
    """The body of a POST has arrived. It returns when the reader has the packets. MalformedPacket: one is no packet."""
    polling = _polling(session)
    session.mark_received()
    packets, wrong = read_payload(body, session.rules.payload_packets)
    for kind, data, binary in packets:
        session.receive_packet(kind, data, binary)
    session.wake_reader()
    if wrong is not None:
        session.finish(MALFORMED)
        raise wrong
    if session.has_inbound and session.end is None:
        await polling.wait_taken()
    polling.posting = False


def spoil_post(session: EngineSession) -> None:
    """The body of a POST is longer than declared, or ends too soon: its packets are lost."""
    session.finish(MALFORMED)


async def upgrade(session: EngineSession, socket: WebSocket) -> bool:
    """Probe a WebSocket; return whether it is the session's transport now. Afterwards the session's reader reads it."""
    if session.probe is not None or session.polling is None or session.end is not None:
        return False
    session.probe = socket
    try:
        with trio.move_on_after(session.rules.upgrade_seconds) as session.probe_time:
            await socket.listen(partial(_receive_probe, session, socket))
    except Gone:
        pass
    finally:
        session.probe = session.probe_time = None
    return session.socket is socket


def _receive_probe(session: EngineSession, socket: WebSocket, messages: list[Packet]) -> bool:
    """Take the messages on the probed WebSocket; return whether the probe continues."""
    polling = session.polling
    for index, (data, binary) in enumerate(messages):
        if not binary and data == PING_PROBE:
            socket.write(frame_text(PONG_PROBE))
            if polling is not None:
                polling.outbox.wake()
        elif not binary and data == UPGRADE and session.end is None:
            session.move_to(socket)
            session.receive_messages(messages[index + 1 :])
            session.wake_reader()
            return False
        else:
            if not binary and data == UPGRADE and polling is not None:  # the session has ended meanwhile
                socket.write(polling.outbox.take())
            if session.end is not None:
                socket.close(*session.end)
            return False
    return True


def _polling(session: EngineSession) -> Polling:
    """The polling side of a session; OutOfTurn after an upgrade."""
    if session.polling is None:
        raise OutOfTurn
    return session.polling
