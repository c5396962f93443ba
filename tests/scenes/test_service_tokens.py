"""Notifications by programs with curl, and from the shell: `chatd token --service`, `chatd notify`."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from chatd.cli import EXIT_FAILED, EXIT_OK, EXIT_WRONG_USE, main
from tests.scenes.chat_server import ChatServer, chat_server
from tests.scenes.clients import open_client


async def shell(folder: Path, *words: str) -> int:
    """Run `chatd` on the server's data; its exit code."""
    return await trio.to_thread.run_sync(main, [*words, "--data", str(folder / "data")])


async def service(server: ChatServer, folder: Path, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert await shell(folder, "token", "--service", *words) == EXIT_OK
    return capsys.readouterr().out.strip()


async def test_a_service_publishes_until_its_token_is_revoked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with chat_server(tmp_path) as server:
        juliet = await server.register("juliet")
        j = await open_client(server, "jsonrpc", "colon", juliet, "/notifications")
        await j.receives("notification:count")
        billing = await service(server, tmp_path, capsys, "billing")
        assert billing.startswith("chatd_")
        paid = {"user_id": juliet.id, "title": "Paid"}
        status, made, _ = await server.rest.ask("POST", "/notifications", paid, token=billing)
        assert status == 201
        assert await j.receives("notification:created") == made
        assert await j.receives("notification:count") == {"count": 1}
        for method, path, body in (
            ("POST", "/notifications/broadcast", {"title": "All"}),
            ("GET", "/notifications", None),
            ("GET", "/users/me", None),
            ("GET", "/users", None),
            ("POST", "/conversations", {"type": "private", "participants": [juliet.id]}),
        ):
            status, said, _ = await server.rest.ask(method, path, body, token=billing)
            assert (status, said["code"]) == (403, "FORBIDDEN"), path
        assert (await server.rest.ask("GET", "/events?epoch=x&pos=0", token=billing))[0] == 401

        news = await service(server, tmp_path, capsys, "news", "--scope", "notify,broadcast")
        assert (await server.rest.ask("POST", "/notifications/broadcast", {"title": "All"}, token=news))[0] == 202
        assert (await j.receives("notification:created"))["title"] == "All"

        assert await shell(tmp_path, "token", "--list") == EXIT_OK
        listed = [line.split("\t")[:2] for line in capsys.readouterr().out.splitlines()]
        assert listed == [["billing", "notify"], ["news", "broadcast,notify"]]
        assert await shell(tmp_path, "token", "--revoke", "billing") == EXIT_OK
        assert (await server.rest.ask("POST", "/notifications", paid, token=billing))[0] == 401
        assert (await server.rest.ask("POST", "/notifications", paid, token=news))[0] == 201


async def test_a_service_has_no_socket(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with chat_server(tmp_path) as server:
        token = await service(server, tmp_path, capsys, "billing")
        socket = await server.socket("/notifications", headers={"Authorization": f"Bearer {token}"})
        assert "for REST only" in await socket.get_message()


async def test_the_token_itself_is_nowhere_in_the_data(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with chat_server(tmp_path) as server:
        token = await service(server, tmp_path, capsys, "billing")
    for file in (path for path in (tmp_path / "data").rglob("*") if path.is_file()):
        assert token.encode() not in file.read_bytes()


async def test_notify_from_the_shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with chat_server(tmp_path) as server:
        juliet = await server.register("juliet")
        j = await open_client(server, "jsonrpc", "colon", juliet, "/notifications", ignoring=("notification:count",))
        assert await shell(tmp_path, "notify", "juliet", "Backup done", "All 12 files") == EXIT_OK
        told = await j.receives("notification:created")
        assert (told["title"], told["content"], told["type"]) == ("Backup done", "All 12 files", "system")
        assert await shell(tmp_path, "notify", "--all", "Restart at noon") == EXIT_OK
        assert (await j.receives("notification:created"))["title"] == "Restart at noon"
        capsys.readouterr()
        assert await shell(tmp_path, "notify", "unknown", "Hello") == EXIT_FAILED
        assert capsys.readouterr().err == "chatd: There is no user unknown\n"


def test_beside_no_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def shell(*words: str) -> int:
        return main([*words, "--data", str(tmp_path / "data")])

    assert shell("init") == EXIT_OK
    assert shell("user", "add", "ada", "--no-password") == EXIT_OK
    assert shell("notify", "ada", "Hello") == EXIT_OK
    assert shell("notify", "--all", "Hello", "everybody") == EXIT_OK
    assert shell("token", "--service", "cron", "--scope", "broadcast") == EXIT_OK
    assert shell("token", "--service", "cron") == EXIT_FAILED
    assert shell("token", "--service", "x", "--scope", "everything") == EXIT_FAILED
    assert shell("token", "--revoke", "other") == EXIT_FAILED
    assert shell("token", "--list", "ada") == EXIT_WRONG_USE
    assert shell("notify", "ada") == EXIT_WRONG_USE
