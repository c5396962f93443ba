"""SIGHUP and /metrics: an operator and a running server."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import trio
import trio.testing

from chatd.admin.accounts import handlers
from chatd.config.load import load
from chatd.net.request import Request
from chatd.server.main import running
from chatd.server.router import MetricsRouter
from tests.scenes.chat_server import Rest, chat_server


async def test_a_hangup_takes_up_what_may_change_and_keeps_the_rest(tmp_path: Path) -> None:
    file = tmp_path / "chatd.toml"
    settings = f'[server]\nport = 0\n[data]\ndirectory = "{tmp_path}/data"\n'
    opened = '[auth]\nregistration = "open"\n'
    file.write_text(settings + opened)
    config = load(str(file), environ={})
    async with running(config) as server:
        rest = Rest(f"http://{server.front.addresses[0]}")
        person = {"username": "ann", "password": "correct horse"}
        token = (await rest.ask("POST", "/auth/register", person))[1]["accessToken"]
        file.write_text(settings + opened + "[limits]\ntext_characters = 5\n[server.nonsense]\n")
        os.kill(os.getpid(), signal.SIGHUP)
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert server.app.config.limits.text_characters == 10_000

        more = '[limits]\ntext_characters = 5\n[auth]\nregistration = "closed"\n[socketio]\nmax_payload = 5\n'
        file.write_text(settings + more)
        os.kill(os.getpid(), signal.SIGHUP)
        with trio.fail_after(10):
            while server.app.config is config:
                await trio.testing.wait_all_tasks_blocked(0.01)
        assert server.app.config.socketio.max_payload == 1_000_000
        assert (await rest.ask("POST", "/auth/register", person | {"username": "bob"}))[0] == 403
        talk = (await rest.ask("POST", "/conversations", {"type": "group", "participants": []}, token=token))[1]["_id"]
        path = f"/conversations/{talk}/messages"
        assert (await rest.ask("POST", path, {"content": "12345"}, token=token))[0] == 201
        assert (await rest.ask("POST", path, {"content": "123456"}, token=token))[0] == 400


async def test_the_figures_are_those_of_what_happened(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        ann = await server.register("ann")
        operator = server.running.accounts.identity.issuer.access(1, ttl=60, admin=True)
        before = await figures(server.rest, operator)
        client = await server.rpc(ann)
        talk = (await ann.asks("POST", "/conversations", {"type": "group", "participants": []}))["_id"]
        await client.asks("conversation:join", {"conversationId": talk})
        await client.asks("message:send", {"conversationId": talk, "content": "counted"})
        await client.skips_to("message:created")
        after = await figures(server.rest, operator)
        risen = {name: after[name] - before.get(name, 0) for name in after}
        assert after["chatd_connections"] == 1
        assert risen['chatd_events_total{event="MessageCreated"}'] == 1
        assert risen['chatd_calls_total{command="SendMessage",outcome="ok"}'] == 1
        assert risen['chatd_http_requests_total{status="201"}'] == 1
        assert risen["chatd_commits_total"] >= 3
        assert risen["chatd_deliveries_total"] >= 3
        assert after["chatd_position"] == 2


async def test_what_waits_for_slow_clients_is_measured(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        ann = await server.register("ann")
        ruler = server.running.accounts.identity.issuer.access(1, ttl=60, admin=True)
        path = "/socket.io/?EIO=4&transport=polling"
        opened = (await server.rest.ask("GET", path))[1].decode()
        polling = f"{path}&sid={json.loads(opened[1:])['sid']}"
        said = await server.rest.ask("POST", polling, f'40/chat,{{"token":"{ann.token}"}}'.encode())
        assert said[1] == b"ok"
        with trio.fail_after(10):
            while not (await figures(server.rest, ruler))["chatd_outbox_bytes"]:
                await trio.testing.wait_all_tasks_blocked(0.01)
        assert (await server.rest.ask("GET", polling))[1].startswith(b"40/chat,")
        assert (await figures(server.rest, ruler))["chatd_outbox_bytes"] == 0


async def test_the_figures_are_for_administrators_and_services_that_may_have_them(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        ann = await server.register("ann")
        calls = handlers(server.running.app, server.running.accounts)
        watches = (await calls["service.make"]({"name": "prometheus", "scopes": ["metrics"]}))["token"]
        notifies = (await calls["service.make"]({"name": "cron", "scopes": ["notify"]}))["token"]
        ruler = server.running.accounts.identity.issuer.access(1, ttl=60, admin=True)
        for token, expected in (("", 401), ("nonsense", 401), (ann.token, 403), (notifies, 403)):
            status, said, headers = await server.rest.ask("GET", "/metrics", token=token)
            assert status == expected
            assert b"chatd_connections" not in (said if isinstance(said, bytes) else b"")
            assert (headers["WWW-Authenticate"] == "Bearer") is (expected == 401)
        for token in (ruler, watches):
            await figures(server.rest, token)
        assert (await server.rest.ask("GET", "/conversations", token=watches))[0] == 403
        await calls["user.set"]({"user": "ann", "disabled": True})
        assert (await server.rest.ask("GET", "/metrics", token=ruler))[0] == 401


async def figures(rest: Rest, token: str) -> dict[str, float]:
    status, text, headers = await rest.ask("GET", "/metrics", token=token)
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = [line for line in text.decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_the_metrics_own_port_has_nothing_else() -> None:
    site = MetricsRouter()
    upgrade = [(b"connection", b"upgrade"), (b"upgrade", b"websocket")]
    for request, status in (
        (Request("GET", b"/metrics", []), None),
        (Request("GET", b"/chat", upgrade), 404),
        (Request("GET", b"/metrics", upgrade), 404),
        (Request("GET", b"/", []), 404),
    ):
        answer = site.refuse(request)
        assert (answer.status if answer else None) == status
