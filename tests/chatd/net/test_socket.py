"""One WebSocket over a memory stream: ends of every kind, pings, deadlines, and what a slow client costs."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked
from websockets.frames import Frame, Opcode

from chatd.net.epoll_reader import DataHandler
from chatd.net.framer import frame_close
from chatd.net.memory import MemoryStream, memory_pair
from chatd.net.outbox import Outbox
from chatd.net.socket import LINGER_BYTES, Gone, SocketRules, WebSocket, frame_text, socket_rules
from chatd.net.stream import receive_all
from protocol.frames import Packet
from tests.chatd.listening import receive

RULES = socket_rules(message_bytes=1_000, outbox_bytes=10_000, farewell_seconds=5.0)


def text(payload: bytes) -> bytes:
    return Frame(Opcode.TEXT, payload).serialize(mask=True)


def ping(payload: bytes = b"") -> bytes:
    return Frame(Opcode.PING, payload).serialize(mask=True)


def close(code: int, reason: bytes = b"") -> bytes:
    return Frame(Opcode.CLOSE, code.to_bytes(2, "big") + reason).serialize(mask=True)


class Pair:
    """A WebSocket and its client's stream."""

    def __init__(self, nursery: trio.Nursery, rules: SocketRules = RULES, capacity: int = 65_536) -> None:
        self.nursery = nursery
        self.stream, self.client = memory_pair(capacity)
        self.socket = WebSocket(self.stream, nursery, rules)
        self.received: list[Packet] = []
        self.gone: Gone | None = None

    async def run(self) -> None:
        """A handler that keeps its messages, and the settling after it."""
        try:
            while True:
                await self.socket.listen(self.keep)
        except Gone as gone:
            self.gone = gone
        await self.socket.settle()
        self.stream.close()

    def keep(self, messages: list[Packet]) -> bool:
        """Sometimes it wants no more, and then listens again."""
        self.received += messages
        return len(self.received) % 3 > 0

    def start(self) -> None:
        self.nursery.start_soon(self.run)


@pytest.fixture
async def pair(nursery: trio.Nursery) -> AsyncIterator[Pair]:
    made = Pair(nursery)
    yield made
    await wait_all_tasks_blocked()
    assert not nursery.child_tasks, "a task is left behind"


async def read_end(client: MemoryStream) -> bytes:
    got = b""
    while piece := await client.receive_some():
        got += piece
    client.close()
    return got


def ended(pair: Pair) -> tuple[int, str]:
    assert pair.gone is not None
    return pair.gone.code, pair.gone.reason


async def test_messages_of_one_read_come_together(pair: Pair) -> None:
    await pair.client.send_all(text(b"one") + Frame(Opcode.BINARY, b"two").serialize(mask=True))
    assert await receive(pair.socket) == [(b"one", False), (b"two", True)]


async def test_what_followed_the_head_is_read_first(pair: Pair) -> None:
    whole = text(b"early")
    pair.socket.prepend(whole[:4])
    await pair.client.send_all(whole[4:])
    assert await receive(pair.socket) == [(b"early", False)]


async def test_listening_begins_with_what_followed_the_head(pair: Pair) -> None:
    divided = text(b"and")
    pair.socket.prepend(text(b"early") + divided[:3])
    await pair.client.send_all(divided[3:] + text(b"late") + close(1000))
    pair.start()
    await read_end(pair.client)
    await wait_all_tasks_blocked()
    assert pair.received == [(b"early", False), (b"and", False), (b"late", False)]


async def test_a_handler_that_wants_no_more_can_listen_again(pair: Pair) -> None:
    received: list[Packet] = []

    def enough(messages: list[Packet]) -> bool:
        received.extend(messages)
        return False

    await pair.client.send_all(text(b"one"))
    await pair.socket.listen(enough)
    await pair.client.send_all(text(b"two") + close(1000))
    assert await receive(pair.socket) == [(b"two", False)]
    assert received == [(b"one", False)]
    with pytest.raises(Gone):
        await pair.socket.listen(enough)
    await pair.socket.settle()


async def test_the_client_closes(pair: Pair) -> None:
    pair.start()
    await pair.client.send_all(text(b"last") + close(4321, b"bye") + text(b"never"))
    assert await read_end(pair.client) == frame_close(4321)
    await wait_all_tasks_blocked()
    assert pair.received == [(b"last", False)]
    assert ended(pair) == (4321, "bye")


async def test_answers_go_out_before_the_echo_of_a_close(pair: Pair) -> None:
    await pair.client.send_all(text(b"last") + close(1000))
    assert await receive(pair.socket) == [(b"last", False)]
    pair.socket.write(frame_text(b"answer"))
    pair.start()
    assert await read_end(pair.client) == frame_text(b"answer") + frame_close(1000)


async def test_a_close_without_a_code(pair: Pair) -> None:
    pair.start()
    await pair.client.send_all(Frame(Opcode.CLOSE, b"").serialize(mask=True))
    assert await read_end(pair.client) == frame_close(1005)
    await wait_all_tasks_blocked()
    assert ended(pair) == (1005, "")


async def test_the_client_vanishes(pair: Pair) -> None:
    pair.start()
    pair.client.close()
    await wait_all_tasks_blocked()
    assert ended(pair) == (1006, "")
    pair.socket.write(b"dropped")
    pair.socket.ping()
    pair.socket.close()


async def test_we_close_and_the_client_answers(pair: Pair) -> None:
    pair.start()
    await wait_all_tasks_blocked()
    pair.socket.write(frame_text(b"before"))
    pair.socket.close(1012, "restarting")
    pair.socket.close(1000, "too late")
    pair.socket.write(frame_text(b"after"))
    assert pair.socket.closing
    assert await pair.client.receive_some() == frame_text(b"before") + frame_close(1012, "restarting")
    await pair.client.send_all(text(b"not read any more") + close(1012))
    await wait_all_tasks_blocked()
    assert pair.stream.closed, "both sides have closed: nothing is left to wait for"
    assert await read_end(pair.client) == b""
    assert ended(pair) == (1012, "restarting")
    assert not pair.received


async def test_a_client_that_does_not_answer_a_close_is_cut_off(pair: Pair, autojump_clock: MockClock) -> None:
    pair.start()
    pair.socket.close(1012, "restarting")
    began = trio.current_time()
    assert await read_end(pair.client) == frame_close(1012, "restarting")
    await wait_all_tasks_blocked()
    assert 4.9 < trio.current_time() - began < 5.1
    assert ended(pair) == (1012, "restarting")
    assert pair.stream.aborted


async def test_a_client_that_talks_on_after_our_close_is_cut_off(nursery: trio.Nursery) -> None:
    pair = Pair(nursery)
    pair.socket.close(4029, "too many calls")

    async def talk() -> None:
        with trio.move_on_after(60):
            for _ in range(1_000):
                await pair.client.send_all(text(b"on and on"))
                await pair.client.wait_writable()

    nursery.start_soon(talk)
    pair.start()
    await wait_all_tasks_blocked()
    assert not pair.received
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"\x81\x01x", 1002), (text(b"\xff"), 1007), (text(b"x" * 1_001), 1009), (close(999), 1002)],
)
async def test_violations_get_the_code_that_the_rfc_names(pair: Pair, data: bytes, code: int) -> None:
    pair.start()
    await pair.client.send_all(text(b"fine") + data)
    got = await read_end(pair.client)
    await wait_all_tasks_blocked()
    assert pair.received == [(b"fine", False)]
    assert ended(pair)[0] == code
    assert got[:1] == b"\x88"
    assert int.from_bytes(got[2:4], "big") == code


async def test_pings_are_answered(pair: Pair) -> None:
    pair.start()
    await pair.client.send_all(ping(b"there?"))
    assert await pair.client.receive_some() == Frame(Opcode.PONG, b"there?").serialize(mask=False)
    pair.socket.ping()
    assert await pair.client.receive_some() == b"\x89\x00"
    await pair.client.send_all(Frame(Opcode.PONG, b"").serialize(mask=True))
    pair.client.close()


async def test_the_pongs_of_one_read_go_out_in_one_send(nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Pair(nursery)
    sent = list[bytes]()
    monkeypatch.setattr(Outbox, "push", lambda self, data, droppable=False: sent.append(data))
    pair.start()
    await pair.client.send_all(ping(b"one") + ping(b"two"))
    await wait_all_tasks_blocked()
    assert sent == [b"\x8a\x03one\x8a\x03two"]
    pair.client.close()


CONTROLLED = socket_rules(control_frames=10, control_burst=20, farewell_seconds=5.0)
KINDS = {
    "pings": ping(),
    "pongs": Frame(Opcode.PONG, b"").serialize(mask=True),
    "empty fragments": Frame(Opcode.CONT, b"", fin=False).serialize(mask=True),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_control_frames_have_a_limit(
    nursery: trio.Nursery, kind: str, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty at once and ten a second; one more closes with 4029, and what comes behind it is not looked at."""
    pair = Pair(nursery, CONTROLLED)
    pair.start()
    await pair.client.send_all(Frame(Opcode.TEXT, b"begun", fin=False).serialize(mask=True))
    await pair.client.send_all(KINDS[kind] * 20)
    for _ in range(30):
        await trio.sleep(0.101)
        await pair.client.send_all(KINDS[kind])
    await wait_all_tasks_blocked()
    assert pair.gone is None
    fed = list[int]()
    control = WebSocket._control

    def count(self: WebSocket, opcode: int, payload: bytes) -> None:
        fed.append(opcode)
        control(self, opcode, payload)

    monkeypatch.setattr(WebSocket, "_control", count)
    await pair.client.send_all(KINDS[kind] * 5_000)
    await read_end(pair.client)
    await wait_all_tasks_blocked()
    assert ended(pair) == (4029, "too many control frames")
    assert len(fed) < 30


async def test_a_client_that_floods_after_the_close_is_read_no_further(nursery: trio.Nursery) -> None:
    pair = Pair(nursery, CONTROLLED)
    pair.start()
    await wait_all_tasks_blocked()
    pair.socket.close(4029, "too many calls")
    with contextlib.suppress(OSError):
        for _ in range(2 * LINGER_BYTES // 65_536):
            await pair.client.send_all(text(b"x") * (65_536 // 7))
    await wait_all_tasks_blocked()
    assert pair.stream.aborted
    assert not pair.received
    assert not nursery.child_tasks


async def test_each_read_sets_last_received(pair: Pair, autojump_clock: MockClock) -> None:
    pair.start()
    before = pair.socket.last_received
    await trio.sleep(20)
    await pair.client.send_all(Frame(Opcode.PONG, b"").serialize(mask=True))
    await wait_all_tasks_blocked()
    assert pair.socket.last_received == pytest.approx(before + 20, abs=0.01)
    pair.client.close()


async def test_a_flood_of_pings_does_not_grow_memory(nursery: trio.Nursery) -> None:
    pair = Pair(nursery, socket_rules(outbox_bytes=0), capacity=1_000)
    pair.start()
    for _ in range(3_000):
        await pair.client.send_all(ping(b"x" * 125))
    await wait_all_tasks_blocked()
    assert 60_000 < pair.socket.outbox.waiting < 66_000
    assert pair.gone is None
    nursery.cancel_scope.cancel()


async def test_a_slow_client_is_told_so(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    pair = Pair(nursery, capacity=100)
    pair.start()
    for _ in range(11):
        pair.socket.write(b"x" * 1_000)
    assert pair.socket.closing
    got = await pair.client.receive_some()
    while not got.endswith(frame_close(4008, "slow")):
        got += await pair.client.receive_some()
    assert len(got) < 1_100
    pair.client.close()
    await wait_all_tasks_blocked()
    assert ended(pair) == (4008, "slow")


async def test_a_slow_client_that_never_reads_is_cut_off(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    pair = Pair(nursery, capacity=100)
    for _ in range(11):
        pair.socket.write(b"x" * 1_000)
    with trio.fail_after(5.1):
        await pair.run()
    assert ended(pair) == (4008, "slow")
    assert pair.socket.outbox.waiting == 0
    await wait_all_tasks_blocked()
    assert not nursery.child_tasks


async def test_an_endless_sender_leaves_others_their_turn(pair: Pair) -> None:
    """Every read is a checkpoint, even when there is always something to read."""
    turns = 0

    async def others() -> None:
        nonlocal turns
        while pair.gone is None:
            turns += 1
            await trio.lowlevel.checkpoint()

    await pair.client.send_all(text(b"x" * 100) * 500)
    pair.nursery.start_soon(others)
    read = pair.stream.receive_some
    pair.socket._stream = Sipping(read)  # type: ignore[assignment]
    for _ in range(50):
        await receive(pair.socket)
    assert turns > 40
    pair.gone = Gone(1000)
    pair.client.close()


class Sipping:
    def __init__(self, read: object) -> None:
        self.read = read

    async def receive_some(self) -> bytes:
        data: bytes = await self.read(200)  # type: ignore[operator]
        return data

    async def listen(self, on_data: DataHandler) -> None:
        await receive_all(self, on_data)  # type: ignore[arg-type]
