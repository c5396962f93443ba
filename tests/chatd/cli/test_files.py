"""`chatd files` and `chatd check`, beside a running server and on its data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from chatd.cli import main
from tests.scenes.chat_server import chat_server
from tests.scenes.test_files import PNG, collected, contents, group, send, status, upload

Run = Callable[..., Any]
LOST = (b"to be damaged", b"to be cut", b"to be lost")


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the program on the data of this test; its exit code and what it printed."""

    async def on_thread(*words: str) -> tuple[int, str]:
        code = await trio.to_thread.run_sync(partial(main, [*words, "--data", str(tmp_path / "data")]))
        return code, capsys.readouterr().out

    return on_thread


async def ids(run: Run, *filters: str) -> list[int]:
    code, text = await run("files", "list", "--json", *filters)
    assert code == 0
    return [json.loads(line)["id"] for line in text.splitlines()]


async def test_list_and_clean(tmp_path: Path, run: Run) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = [await server.register(name) for name in ("romeo", "juliet")]
        talk = await group(romeo, juliet)
        sent, draft, other = [
            await upload(user, content) for user, content in ((romeo, PNG), (romeo, b"draft"), (juliet, b"other"))
        ]
        message = await send(romeo, talk, sent["url"])
        assert await ids(run) == [1, 2, 3]
        assert await ids(run, "--user", "juliet") == [3]
        assert await ids(run, "--larger", "1KiB") == [1]
        assert await ids(run, "--drafts") == [2, 3]
        assert await ids(run, "--older", "90d") == []
        _, table = await run("files", "list")
        row = table.splitlines()[1].split()
        assert (row[:4], row[-2:]) == (["1", "romeo", f"{len(PNG):,}", "image/png"], ["yes", "a.png"])
        assert (await run("files", "clean"))[0] == 2, "nothing selects all files by accident"
        assert (await run("files", "clean", "--drafts"))[0] == 2, "there is no terminal to ask on"
        assert (await run("files", "list", "--user", "nurse"))[0] == 1
        assert (await run("files", "clean", "--drafts", "--user", "romeo", "--yes"))[0] == 0
        assert await ids(run) == [1, 3]
        assert (await run("files", "clean", "--larger", "1KiB", "--yes"))[0] == 0
        await collected(server)
        assert contents(tmp_path) == [hashlib.sha256(b"other").hexdigest()]
        assert [await status(juliet, file["url"]) for file in (sent, draft, other)] == [404, 404, 200]
        kept = await juliet.asks("GET", f"/v1/messages/{message['id']}")
        assert [one["url"] for one in kept["attachments"]] == [sent["url"]]
    assert await ids(run) == [3]
    assert (await run("files", "clean", "--user", "juliet", "--yes"))[0] == 0
    assert await ids(run) == []


async def test_check_finds_what_is_missing_and_what_is_too_much(tmp_path: Path, run: Run) -> None:
    async with chat_server(tmp_path) as server:
        romeo = await server.register("romeo")
        for content in (PNG, *LOST):
            await upload(romeo, content)
        assert await run("check", "--deep") == (0, "database: sound\nfiles: sound\nsearch index: sound\n")
        root = tmp_path / "data/files"
        paths = {content: root / name[:2] / name for content in LOST if (name := hashlib.sha256(content).hexdigest())}
        paths[b"to be damaged"].write_bytes(b"to be DAMAGED")
        paths[b"to be cut"].write_bytes(b"to be")
        paths[b"to be lost"].unlink()
        unknown = hashlib.sha256(b"unknown").hexdigest()
        (root / unknown[:2]).mkdir(exist_ok=True)
        (root / unknown[:2] / unknown).write_bytes(b"unknown")
        found = [
            "file 3: its content has 5 bytes, not 9",
            "file 4: its content is missing",
            f"content {unknown}: no file has it",
        ]
        code, text = await run("check", "--json")
        assert code == 1
        assert json.loads(text) == {"sound": False, "problems": {"database": [], "files": found, "search index": []}}
    code, text = await run("check", "--deep", "--quiet")
    assert (code, text.splitlines()) == (1, [f"files: {one}" for one in ["file 2: its content is damaged", *found]])


async def test_check_without_data(tmp_path: Path, run: Run) -> None:
    assert (await run("check"))[0] == 1
