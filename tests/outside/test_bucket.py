"""Files in a bucket: of s3rver, an S3 store of npm. What the disk does, the bucket does."""

from __future__ import annotations

import hashlib
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import AF_INET, SOCK_STREAM, socket

import pytest

from chatd.config.load import ConfigError
from tests import needs
from tests.scenes.chat_server import chat_server
from tests.scenes.test_files import PNG, collected, group, send, status, upload

BUCKET = "chat-files"
KEY = "S3RVER"
LARGE = random.Random(15).randbytes(17 << 20)
"""More than two parts of an upload to the bucket."""


class Store:
    """A store with one bucket, in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with socket(AF_INET, SOCK_STREAM) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    @contextmanager
    def running(self) -> Iterator[None]:
        script = needs.NODE_FOLDER / "node_modules/s3rver/bin/s3rver.js"
        options = ["--silent", "-d", str(self.folder), "-p", str(self.port), "--configure-bucket", BUCKET]
        process = subprocess.Popen(
            [needs.node(), "--no-deprecation", str(script), *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        output = process.stdout
        assert output is not None
        try:
            while (line := output.readline()) and b"listening" not in line:
                pass
            assert line, "the store does not run"
            yield
        finally:
            process.kill()
            process.wait()
            output.close()

    @property
    def settings(self) -> dict[str, str]:
        where = {"s3__endpoint": f"http://127.0.0.1:{self.port}", "s3__bucket": BUCKET, "s3__prefix": "team/one"}
        return {"files__store": "s3", **where, "s3__access_key": KEY, "s3__secret_key": KEY, "files__types": "*/*"}

    @property
    def names(self) -> list[str]:
        """The names of all objects."""
        found = (self.folder / BUCKET / "team/one").glob("??/*")
        return sorted({path.name.partition("._S3rver")[0] for path in found})


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def test_files_come_from_the_bucket_and_go_with_their_message(tmp_path: Path) -> None:
    store = Store(tmp_path / "bucket")
    with store.running():
        async with chat_server(tmp_path, **store.settings) as server:
            romeo, juliet = [await server.register(name) for name in ("romeo", "juliet")]
            talk = await group(romeo, juliet)
            picture, large = await upload(romeo), await upload(romeo, LARGE, "large.bin")
            again = await upload(juliet, LARGE, "same.bin")
            both = [digest(PNG), f"{digest(PNG)}.webp", digest(LARGE)]
            assert store.names == sorted(both), "each content once"
            messages = [await send(romeo, talk, file["url"]) for file in (picture, large)]
            _, given, _ = await juliet.rest.ask("GET", large["url"], token=juliet.token)
            assert given == LARGE
            part = {"Range": "bytes=5000000-14999999"}
            code, given, _ = await juliet.rest.ask("GET", large["url"], token=juliet.token, headers=part)
            assert (code, given) == (206, LARGE[5_000_000:15_000_000])
            assert await status(juliet, f"{picture['url']}/thumbnail") == 200
            for message in messages:
                await romeo.asks("DELETE", f"/v1/messages/{message['id']}")
            await collected(server)
            assert store.names == [digest(LARGE)], "another file has it"
            await juliet.asks("DELETE", again["url"])
            await collected(server)
            assert store.names == []
            assert list((tmp_path / "data/files").glob("*/*")) == []


async def test_a_bucket_that_is_down_stops_files_and_nothing_else(tmp_path: Path) -> None:
    store = Store(tmp_path / "bucket")
    async with chat_server(tmp_path, **store.settings) as server:
        romeo, juliet = [await server.register(name) for name in ("romeo", "juliet")]
        talk = await group(romeo, juliet)
        await romeo.asks("POST", "/files?name=a.png", PNG, status=503)
        await romeo.asks("POST", f"/v1/conversations/{talk}/messages", {"content": "no files today"})
        with store.running():
            file = await upload(romeo)
            assert await status(romeo, file["url"]) == 200
        assert await status(romeo, file["url"]) == 503
        with store.running():
            assert await status(romeo, file["url"]) == 200
            await romeo.asks("DELETE", file["url"])
            await collected(server)
            assert store.names == []


async def test_a_bucket_that_is_not_there_is_found_at_the_start(tmp_path: Path) -> None:
    store = Store(tmp_path / "bucket")
    with store.running(), pytest.raises(ConfigError, match=r"s3\.bucket: another can't be used: "):
        async with chat_server(tmp_path, **{**store.settings, "s3__bucket": "another"}):
            raise AssertionError
