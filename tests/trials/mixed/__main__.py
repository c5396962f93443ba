"""The command line of the trial."""

from __future__ import annotations

import argparse
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from itertools import cycle
from pathlib import Path

import trio

import tests.trials.mixed as package
from tests.needs import NODE_FOLDER
from tests.outside.raw import Raw, request
from tests.outside.server import UNLIMITED, Chatd, token, until
from tests.relay import Relay, relay
from tests.scenes.node_clients import NodeProcess, node_clients
from tests.trials import silent_readers
from tests.trials.attacks.crowd import new_group
from tests.trials.attacks.target import Target
from tests.trials.mixed import ledger, stock
from tests.trials.mixed.chat_dialects import COLON, INBOX, KEBAB, PAIRS, ROOMS, ChatDialect
from tests.trials.mixed.listeners import Listener, OwnListener, PollListener, RpcListener, StreamListener
from tests.trials.mixed.senders import HURRIED, PAUSE, RestSender, RpcSender, Sender, settle

OUTBOX = "256KiB"  # so little that a client that stops reading is soon too slow
SETTINGS = UNLIMITED | {"limits.outbox_bytes": OUTBOX}
OWNER, FIRST_SENDER, FIRST_LISTENER, FIRST_DEAF = 1, 2, 100, 900
SENDERS = 8
BACK_SECONDS = 30.0  # until every listener is back
STOP_SECONDS, HUNG_SECONDS = 10.0, 14.0
STALL_SECONDS = 3.5
LISTENER_FAULTS = ("missed", "doubled", "disordered", "unknown", "gaps", "unasked")
SENDER_FAULTS = ("lost", "never acked", "silent")

# (wire, dialects, whether it may be removed and added again, whether it stops reading at times)
WIRES: tuple[tuple[type[Listener], tuple[ChatDialect, ...], bool, bool], ...] = (
    (RpcListener, (COLON, KEBAB, ROOMS), False, False),
    (RpcListener, (INBOX,), True, False),
    (RpcListener, (COLON, ROOMS), False, True),
    (OwnListener, (COLON, KEBAB, ROOMS, PAIRS, INBOX), False, False),
    (StreamListener, (COLON, PAIRS, INBOX, KEBAB), False, False),
    (StreamListener, (COLON, ROOMS), False, True),
    (StreamListener, (COLON, PAIRS), True, False),
    (PollListener, (COLON, PAIRS, KEBAB), False, False),
    (PollListener, (COLON,), True, False),
)
STOCK_TONGUES = (COLON, KEBAB, INBOX)


class Trial:
    """One run."""

    def __init__(self, server: Chatd, between: Relay, dice: random.Random, options: argparse.Namespace) -> None:
        self.server = server
        self.between = between
        self.dice = dice
        self.options = options
        self.room = ""
        self.listeners: list[Listener] = []
        self.senders: list[Sender] = []
        self.removable: list[Listener] = []
        self.ignoring: list[Raw] = []
        self.absences: list[ledger.Absence] = []
        self.exits: list[tuple[int, float]] = []
        self.silent: Counter[str] = Counter()
        self.late: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.node_clients: NodeProcess | None = None

    # Before

    async def gather(self, stack: AsyncExitStack) -> None:
        """Make the users, the group and the clients."""
        stock_wires = list(stock.TRANSPORTS) if shutil.which("node") and (NODE_FOLDER / "node_modules").is_dir() else []
        if not stock_wires:
            print("Socket.IO: skipped, since Node or tests/node's packages are not installed")
        target = Target(self.server.address)
        count = max(1, self.options.clients - SENDERS)
        senders = range(FIRST_SENDER, FIRST_SENDER + SENDERS)
        users = range(FIRST_LISTENER, FIRST_LISTENER + count)
        for user in [OWNER, *senders, *users]:
            async with await target.websocket(token=token(user)):
                pass
        self.room = await new_group(target, OWNER, [*senders, *users])
        through = f"127.0.0.1:{self.between.port}"
        for place, user in enumerate(senders):
            kind = (RpcSender, RestSender)[place // 2 % 2]
            address, wire = ((self.server.address, "direct"), (through, "relayed"))[place % 2]
            self.senders.append(kind(address, user, self.room, wire))
        if stock_wires:
            self.node_clients = await stack.enter_async_context(node_clients(through))
        await self._make_listeners(users, through, stock_wires)

    async def _make_listeners(self, users: Sequence[int], through: str, stock_wires: list[str]) -> None:
        kinds: list[tuple[object, ChatDialect, bool, bool]] = []
        most = max(len(dialects) for _, dialects, _, _ in WIRES)
        for place in range(most):
            kinds += [(k, dialects[place % len(dialects)], out, lag) for k, dialects, out, lag in WIRES]
            kinds += [(wire, STOCK_TONGUES[place % len(STOCK_TONGUES)], False, False) for wire in stock_wires]
        for user, (kind, spoken, removable, lags) in zip(users, cycle(kinds), strict=False):
            if isinstance(kind, str):
                assert self.node_clients is not None
                listener: Listener = stock.StockListener(through, user, self.room, spoken)
                assert isinstance(listener, stock.StockListener)
                await listener.open(self.node_clients, kind)
            else:
                assert isinstance(kind, type)
                listener = kind(self.server.address if lags else through, user, self.room, spoken)
                listener.lags = lags
            self.listeners.append(listener)
            self.removable += [listener] if removable else []

    async def all_inside(self, what: str) -> None:
        """Wait until every listener is back, or record the missing ones."""
        with trio.move_on_after(BACK_SECONDS):
            while not all(listener.inside for listener in self.listeners):  # noqa: ASYNC110
                await trio.sleep(0.05)
        self.late.update(f"{one.wire}, after {what}" for one in self.listeners if not one.inside)

    async def ignore(self) -> None:
        """Connect the clients that ignore everything."""
        kinds = [silent_readers.moved] * self.options.silent + list(
            silent_readers.KINDS[1:] if self.options.silent else []
        )
        self.ignoring = [await kind(self.server.address, FIRST_DEAF + n) for n, kind in enumerate(kinds)]

    # What happens

    async def kill(self) -> None:
        self.server.kill()
        await self.start()

    async def stop(self) -> None:
        """Send SIGTERM. Then every committed message must be answered, on connections without a disturbance."""
        await self.ignore()
        await self.end_server()
        await self.start()

    async def end_server(self) -> None:
        direct = [sender for sender in self.senders if sender.wire.endswith("direct")]
        began = trio.current_time()
        try:
            code = await trio.to_thread.run_sync(self.server.stop, HUNG_SECONDS)
            self.exits.append((code, trio.current_time() - began))
        except subprocess.TimeoutExpired:
            self.exits.append((-1, trio.current_time() - began))
            await trio.to_thread.run_sync(self.server.kill)
        else:
            await trio.sleep(0.3)  # until the senders have read what they received
            stored = ledger.committed(self.server.data)
            self.silent.update({sender.wire: len(sender.silent & stored) for sender in direct})
        for raw in self.ignoring:
            raw.cut()
        self.ignoring = []

    async def start(self) -> None:
        await trio.to_thread.run_sync(self.server.start)

    async def cut(self) -> None:
        for _ in range(self.dice.randrange(1, 4)):
            self.between.cut()
            await trio.sleep(self.dice.uniform(0, 0.5))

    async def stall(self) -> None:
        """Stall the network for a while; then resume or cut it."""
        self.between.stall = True
        await trio.sleep(STALL_SECONDS)
        if self.dice.random() < 0.5:
            self.between.cut()
        self.between.stall = False

    async def lag(self) -> None:
        """Some clients stop reading while more is sent than may wait for them. They read on later."""
        slow = [listener for listener in self.listeners if listener.lags]
        for listener in slow:
            listener.reading = trio.Event()
        for sender in self.senders:
            sender.pause = HURRIED
        await trio.sleep(STALL_SECONDS)
        for sender in self.senders:
            sender.pause = PAUSE
        for listener in slow:
            listener.reading.set()

    async def remove_and_add(self) -> None:
        """Remove members, and add them again a little later."""
        for listener in self.dice.sample(self.removable, min(3, len(self.removable))):
            before = ledger.position(self.server.data)
            await self._has_all(listener, before)
            await self._member("DELETE", f"?userId={listener.user}", b"")
            removed = ledger.position(self.server.data)
            await trio.sleep(self.dice.uniform(0.1, 0.6))
            adding, until_then = ledger.position(self.server.data), trio.current_time()
            await self._member("POST", "", b'{"userId":%d}' % listener.user)
            after = ledger.position(self.server.data)
            self.absences.append(ledger.Absence(listener.user, before, removed, adding, after, until_then))

    async def _has_all(self, listener: Listener, before: int) -> None:
        """Wait until the listener has received all events from before its removal."""
        known = {name: at for name, at in ledger.truth(self.server.data).items() if at <= before}
        with trio.move_on_after(BACK_SECONDS):
            while self._misses(listener, known):  # noqa: ASYNC110
                await trio.sleep(0.05)

    async def _member(self, method: str, query: str, body: bytes) -> None:
        async with await Raw.connect(self.server.address) as raw:
            text = request(method, f"/conversations/{self.room}/members{query}", body, token=token(OWNER))
            status, answer = await raw.asks(text)
            assert status in (200, 201, 204), answer

    # The whole trial

    async def run(self) -> None:
        faults: dict[str, Callable[[], Awaitable[None]]] = {
            "kill -9": self.kill,
            "SIGTERM": self.stop,
            "cut": self.cut,
            "stall": self.stall,
            "stop reading": self.lag,
            "remove and add": self.remove_and_add,
        }
        async with AsyncExitStack() as stack:
            await self.gather(stack)
            async with trio.open_nursery() as nursery:
                stocks = [one for one in self.listeners if isinstance(one, stock.StockListener)]
                if self.node_clients is not None:
                    nursery.start_soon(stock.listen, self.node_clients, stocks)
                for listener in self.listeners:
                    if not isinstance(listener, stock.StockListener):
                        nursery.start_soon(listener.run)
                await until(lambda: all(listener.inside for listener in self.listeners), BACK_SECONDS)
                for sender in self.senders:
                    nursery.start_soon(sender.run)
                for name in self._plan(list(faults)):
                    await trio.sleep(self.dice.uniform(0.3, 1.0))
                    self.done[name] += 1
                    print(f"round {self.done.total()}: {name}", file=sys.stderr, flush=True)
                    await faults[name]()
                    await self.all_inside(name)
                await settle(self.senders, BACK_SECONDS)
                await self._catch_up()
                await self.ignore()
                await self.end_server()
                nursery.cancel_scope.cancel()

    def _plan(self, names: list[str]) -> list[str]:
        """Every fault about equally often, in random order."""
        plan: list[str] = (names * (self.options.rounds // len(names) + 1))[: self.options.rounds]
        self.dice.shuffle(plan)
        return plan

    async def _catch_up(self) -> None:
        known = ledger.truth(self.server.data)
        with trio.move_on_after(BACK_SECONDS):
            while any(self._misses(listener, known) for listener in self.listeners):  # noqa: ASYNC110
                await trio.sleep(0.2)

    def _misses(self, listener: Listener, known: dict[str, int]) -> bool:
        return bool(ledger.judge_listener(listener, known, self.absences)["missed"])

    def report(self) -> int:
        """Print the figures; the number of broken promises."""
        known = ledger.truth(self.server.data)
        faults = 0
        print("rounds:", ", ".join(f"{count} {name}" for name, count in self.done.items()), f"; {len(known)} messages")
        for wire, found in sorted(ledger.judge_listeners(self.listeners, known, self.absences).items()):
            print(f"{wire:22} {found['clients']:3} clients  {_spell(found, 'due', *LISTENER_FAULTS)}")
            faults += sum(found[name] for name in LISTENER_FAULTS)
        for wire, found in sorted(ledger.judge_senders(self.senders, set(known), self.silent).items()):
            print(f"{wire:22} {found['clients']:3} senders  {_spell(found, 'acked', *SENDER_FAULTS, 'refused')}")
            faults += sum(found[name] for name in SENDER_FAULTS)
        refusals = sum((sender.refused for sender in self.senders), Counter[str]())
        print("refused:", ", ".join(f"{count} {why}" for why, count in refusals.most_common(5)) or "nothing")
        print("SIGTERM:", ", ".join("hung" if c == -1 else f"exit {c} in {took:.1f} s" for c, took in self.exits))
        faults += sum(code != 0 or took > STOP_SECONDS for code, took in self.exits)
        for line in ledger.details(self.listeners, known, self.absences):
            print(line)
        for what, count in self.late.items():
            print(f"not back in {BACK_SECONDS:.0f} s: {count} of {what}")
        for line in dict.fromkeys(line[:160] for line in self.server.faults):
            print("log:", line)
        return faults + sum(self.late.values()) + len(self.server.faults)


def _spell(found: Counter[str], *names: str) -> str:
    return "  ".join(f"{name} {found[name]}" for name in names)


async def trial(folder: Path, options: argparse.Namespace) -> int:
    server = Chatd(folder, SETTINGS).start()
    try:
        async with relay(server.port) as between:
            run = Trial(server, between, random.Random(options.seed), options)
            await run.run()
        return run.report()
    finally:
        server.end()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.trials.mixed",
        description=package.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rounds", type=int, default=20, help="how many things happen (20)")
    parser.add_argument("--clients", type=int, default=60, help="senders and listeners together (60)")
    parser.add_argument("--seed", type=int, help="for the same order of things again")
    parser.add_argument(
        "--silent", type=int, default=4, help="clients that ignore a SIGTERM after moving to WebSocket (4)"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chatd-trial-") as folder:
        faults = trio.run(trial, Path(folder), options)
    print(f"{faults} faults" if faults else "no fault")
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main())
