"""Four kinds of clients in one room, each on a network that breaks ten times: each receives all, once, in order.

The stock client of Socket.IO with recovery, chatd.client, a script that reads Server-Sent Events, and a page in a real
browser with /client.js.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from subprocess import PIPE
from typing import Any
from urllib.request import urlopen

import trio
from trio_websocket import WebSocketConnection, connect_websocket_url

from chatd.client import connect
from tests.needs import chromium
from tests.relay import Relay, relay
from tests.scenes.chat_server import RegisteredUser, RpcClient, chat_server
from tests.scenes.node_clients import node_clients
from tests.scenes.test_colon_chat import group
from tests.scenes.test_events import Stream

CUTS = 10
LAST = "the rest is silence"
PAGE = """
import("/client.js").then(({ connect }) => new Promise((resolve) => {
  const received = [];
  const chat = connect(location.origin, { token: TOKEN, random: () => 0.02 });
  chat.on("gap", (event) => received.push("gap"));
  chat.on("message:created", (event) => {
    received.push(event.data.content);
    if (event.data.content === LAST) resolve(received);
  });
  chat.call("conversation:join", { conversationId: TALK }).then(() => { window.joined = true; });
}))
"""


async def breaks(line: Relay, dice: Random) -> None:
    """Break the network ten times, for all clients behind this relay."""
    for _ in range(CUTS):
        await trio.sleep(dice.uniform(0.05, 0.4))
        await until(lambda: line.open > 0)
        line.cut()


async def until(true: Callable[[], bool]) -> None:
    with trio.fail_after(30):
        while not true():  # noqa: ASYNC110 - another process
            await trio.sleep(0.02)


class Browser:
    """A page of headless Chromium, controlled by its debugging protocol."""

    def __init__(self, socket: WebSocketConnection) -> None:
        self._socket = socket
        self._number = 0

    async def performs(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        await self._socket.send_message(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            said = json.loads(await self._socket.get_message())
            if said.get("id") == self._number:
                result: dict[str, Any] = said["result"]
                return result

    async def evaluates(self, script: str) -> Any:
        said = await self.performs("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in said, said
        return said["result"].get("value")

    async def comes_to(self, script: str) -> None:
        with trio.fail_after(20):
            while not await self.evaluates(script):  # noqa: ASYNC110
                await trio.sleep(0.05)


@asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Callable[[], Awaitable[Browser]]]:
    """Chromium, and a function that opens a connection to its page (twice: two connections to one page)."""
    flags = "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    flags += " --disable-component-update --disable-sync --remote-debugging-port=0 about:blank"
    command = [chromium(), f"--user-data-dir={folder}", *flags.split()]
    async with trio.open_nursery() as nursery:
        process = await trio.lowlevel.open_process(command, stderr=PIPE)
        assert process.stderr is not None
        said = b""
        with trio.fail_after(30):
            while b"ws://" not in said or not said.endswith(b"\n"):
                said += await process.stderr.receive_some(4096)
        address = said.partition(b"ws://")[2].partition(b"/")[0].decode()

        def pages() -> list[dict[str, str]]:
            with urlopen(f"http://{address}/json/list", timeout=20) as answer:
                found: list[dict[str, str]] = json.loads(answer.read())
                return found

        sockets: list[WebSocketConnection] = []

        async def opened() -> Browser:
            url = next(page for page in await trio.to_thread.run_sync(pages) if page["type"] == "page")
            socket = await connect_websocket_url(nursery, url["webSocketDebuggerUrl"], max_message_size=1 << 24)
            sockets.append(socket)
            return Browser(socket)

        try:
            yield opened
        finally:
            with trio.CancelScope(shield=True):
                for socket in sockets:
                    await trio.aclose_forcefully(socket._stream)
            process.kill()
            with trio.CancelScope(shield=True):
                await process.wait()
                await process.stderr.aclose()
            nursery.cancel_scope.cancel()


async def events_of_script(port: int, who: RegisteredUser, joined: trio.Event) -> list[str]:
    """The events of curl in a loop: each time it resumes after the last id."""
    received: list[str] = []
    last = ""
    while LAST not in received:
        try:
            stream = await Stream.at(f"127.0.0.1:{port}", who, last=last)
        except (OSError, trio.BrokenResourceError, AssertionError):
            await trio.sleep(0.02)
            continue
        joined.set()
        try:
            while LAST not in received:
                id, name, params = await stream.receives()
                last = id or last
                if name == "message:created":
                    received.append(params["content"])
        except (OSError, trio.BrokenResourceError, AssertionError):
            pass
        finally:
            await stream.leaves()
    return received


async def events_of_program(port: int, who: RegisteredUser, talk: str, joined: trio.Event) -> list[str]:
    """The events of a program with chatd.client."""
    received: list[str] = []
    async with connect(f"http://127.0.0.1:{port}", who.token, random=lambda: 0.02) as chat:
        await chat.call("conversation:join", {"conversationId": talk})
        joined.set()
        async for event in chat.events():
            if event.name == "message:created":
                received.append(event.data["content"])
                if received[-1] == LAST:
                    break
    return received


async def load(page: Browser, watch: Browser, port: int) -> None:
    """Open a page of the server, and wait until it is complete."""
    await page.performs("Page.setBypassCSP", enabled=True)
    await page.performs("Page.navigate", url=f"http://127.0.0.1:{port}/healthz")
    await watch.comes_to("location.pathname === '/healthz' && document.readyState === 'complete'")


def page_script(who: RegisteredUser, talk: str) -> str:
    code = PAGE
    for word, value in {"TOKEN": who.token, "TALK": talk, "LAST": LAST}.items():
        code = code.replace(word, json.dumps(value))
    return code


class Sender:
    """Sends a message every 20 ms until it is asked to finish, and LAST in the end."""

    def __init__(self, client: RpcClient, talk: str) -> None:
        self._client = client
        self._talk = talk
        self._finishing = False
        self._finished = trio.Event()
        self.sent: list[str] = []

    async def run(self) -> None:
        while not self._finishing:
            await self._send(str(len(self.sent)))
            await trio.sleep(0.02)
        await self._send(LAST)
        self._finished.set()

    async def finish(self) -> None:
        """Have LAST sent, by the one task that reads this client's answers."""
        self._finishing = True
        await self._finished.wait()

    async def _send(self, content: str) -> None:
        self.sent.append(content)
        await self._client.asks("message:send", {"conversationId": self._talk, "content": content})


async def test_four_clients_on_a_bad_network(tmp_path: Path) -> None:
    dice = Random(10)
    async with chat_server(tmp_path) as server, trio.open_nursery() as nursery:
        port = int(server.address.rpartition(":")[2])
        romeo, juliet = await server.register("romeo"), await server.register("juliet")
        verona = await group(romeo, juliet)
        received: dict[str, list[str]] = {}

        async def keep(name: str, receiving: Awaitable[list[str]]) -> None:
            received[name] = await receiving

        async with (
            relay(port) as one,
            relay(port) as two,
            relay(port) as three,
            relay(port) as four,
            node_clients(f"127.0.0.1:{one.port}") as clients,
            browser(tmp_path / "browser") as opened,
        ):
            auth = {"token": juliet.token, "recovery": True}
            waits: dict[str, Any] = {"reconnectionDelay": 5, "reconnectionDelayMax": 20}
            stock = await clients.opens("stock", auth=auth, transports=["websocket"], **waits)
            await stock.connects()
            assert (await stock.asks("conversation:join", {"conversationId": verona}))["ok"] is True
            program, script = trio.Event(), trio.Event()
            nursery.start_soon(keep, "program", events_of_program(two.port, juliet, verona, program))
            nursery.start_soon(keep, "script", events_of_script(three.port, juliet, script))
            await program.wait()
            await script.wait()
            page, watch = await opened(), await opened()
            await load(page, watch, four.port)
            nursery.start_soon(keep, "page", page.evaluates(page_script(juliet, verona)))
            await watch.comes_to("window.joined === true")

            sender = Sender(await server.rpc(romeo), verona)
            nursery.start_soon(sender.run)
            async with trio.open_nursery() as breaking:
                for line in (one, two, three, four):
                    breaking.start_soon(breaks, line, dice)
            await sender.finish()
            sent = sender.sent
            received["stock"] = [
                args[0]["content"] for args in await stock.receives_named("message:created", len(sent))
            ]
            await until(lambda: len(received) == 4)
            assert min(line.cuts for line in (one, two, three, four)) >= CUTS
        assert received == dict.fromkeys(("stock", "program", "script", "page"), sent)
