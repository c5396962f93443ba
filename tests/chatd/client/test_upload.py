"""Uploads of the two clients, through a network that breaks: the content agrees, and a refusal is an error."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import pytest
import trio

from chatd.client import Refused, SignedOut, connect
from tests import needs
from tests.chatd.client.test_server import connect_through, two_in_a_room
from tests.relay import Relay
from tests.scenes.chat_server import Rest

BYTES = 12_000_000
TEXT = b"".join(b"line %d of the upload\n" % number for number in range(BYTES // 24))
CUTS = 10


async def cut_often(between: Relay) -> None:
    """Cut ten times while something is sent."""
    dice = random.Random(15)
    while between.cuts < CUTS:
        await trio.sleep(dice.uniform(0.01, 0.05))
        between.cut()


async def tag(rest: Rest, url: str, token: str) -> Any:
    """The digest of a file."""
    status, _, headers = await rest.ask("GET", url, token=token)
    assert status == 200
    return headers["ETag"].strip('"')


@pytest.mark.parametrize("from_disk", [True, False], ids=["file", "bytes"])
async def test_an_upload_goes_on_after_each_break(tmp_path: Path, *, from_disk: bool) -> None:
    steps: list[tuple[int, int]] = []
    path = tmp_path / "plän.txt"
    path.write_bytes(TEXT)
    source: Path | bytes = path if from_disk else TEXT
    async with two_in_a_room(tmp_path) as (server, between, romeo, _, _), connect_through(between, romeo) as chat:
        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(cut_often, between)
                file = await chat.upload(source, name="plän.txt", progress=lambda *step: steps.append(step))
                nursery.cancel_scope.cancel()
        assert (file["name"], file["size"], file["type"]) == ("plän.txt", len(TEXT), "text/plain")
        assert await tag(server.rest, file["url"], romeo.token) == hashlib.sha256(TEXT).hexdigest()
    assert steps[-1] == (len(TEXT), len(TEXT))
    assert between.cuts > 1


async def test_a_refusal_and_a_token_that_is_renewed(tmp_path: Path) -> None:
    async with two_in_a_room(tmp_path) as (_, between, romeo, _, _):
        tokens = iter([romeo.token, romeo.token[:-4], romeo.token])

        async def token() -> str:
            return next(tokens)

        async with connect(f"http://127.0.0.1:{between.port}", token, random=lambda: 0.02) as chat:
            chat._token.renew(romeo.token)
            chat._token.accepted()
            assert (await chat.upload(b"text"))["name"] == "file"
            for content, code in ((b"<html>", "UNSUPPORTED_TYPE"), (b"", "BAD_REQUEST")):
                with pytest.raises(Refused) as refused:
                    await chat.upload(content)
                assert refused.value.code == code


async def test_a_file_that_becomes_shorter_ends_the_upload(tmp_path: Path) -> None:
    path = tmp_path / "shrinking.txt"
    path.write_bytes(TEXT)
    async with two_in_a_room(tmp_path) as (_, between, romeo, _, _), connect_through(between, romeo) as chat:
        with pytest.raises(OSError, match="shorter"), trio.fail_after(20):
            await chat.upload(path, progress=lambda sent, size: path.write_bytes(TEXT[:1000]))


async def test_a_token_that_is_not_valid_any_more(tmp_path: Path) -> None:
    async with two_in_a_room(tmp_path) as (_, between, romeo, _, _), connect_through(between, romeo) as chat:
        chat._token._current = romeo.token[:-4]
        with pytest.raises(SignedOut):
            await chat.upload(b"text")


async def test_the_browsers_client(tmp_path: Path) -> None:
    node = needs.node()
    async with two_in_a_room(tmp_path) as (server, between, romeo, _, _):
        arguments = {"url": f"http://127.0.0.1:{between.port}", "token": romeo.token, "bytes": BYTES}
        command = [node, str(needs.NODE_FOLDER / "client_upload.mjs"), json.dumps(arguments)]
        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(cut_often, between)
                done = await trio.run_process(command, capture_stdout=True)
                nursery.cancel_scope.cancel()
        uploaded, refused, ended = map(json.loads, done.stdout.splitlines())
        file = uploaded["file"]
        assert (file["name"], file["size"], uploaded["last"]) == ("plän.txt", BYTES, BYTES)
        assert uploaded["steps"] > 3
        assert await tag(server.rest, file["url"], romeo.token) == uploaded["digest"]
        assert refused == {"refused": "UNSUPPORTED_TYPE", "empty": "BAD_REQUEST"}
        assert ended == {"ended": "AbortError", "status": 404}
    assert between.cuts > 1
