"""tus: uploads that go on after a break and after a restart, by hand. tests/outside/test_tus.py has its clients."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha1, sha256
from pathlib import Path
from typing import Any

from chatd.store.compiled.uploads import SET_CHECKED
from tests.scenes.chat_server import RegisteredUser, chat_server
from tests.scenes.test_files import contents, group, send, status

CONTENT = b"text " * 2000
TUS = {"Tus-Resumable": "1.0.0"}
OFFSET = "application/offset+octet-stream"


async def ask(user: RegisteredUser, method: str, path: str, body: bytes | None = None, **headers: str) -> Any:
    """The status and the headers of an answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    given, said, found = await user.rest.ask(method, path, body, token=user.token, headers={**TUS, **named})
    return given, found, said


async def begin(user: RegisteredUser, size: int = len(CONTENT), name: str = "a.txt") -> str:
    metadata = f"filename {b64encode(name.encode()).decode()},filetype dGV4dC9odG1s"
    given, headers, said = await ask(user, "POST", "/files/tus/", Upload_Length=str(size), Upload_Metadata=metadata)
    assert given == 201, said
    assert headers["Upload-Expires"].endswith("GMT")
    location: str = headers["Location"]
    return location


async def patch(user: RegisteredUser, where: str, offset: int, body: bytes, **headers: str) -> Any:
    return await ask(user, "PATCH", where, body, Content_Type=OFFSET, Upload_Offset=str(offset), **headers)


async def test_pieces_with_a_restart_between_them(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = [await server.register(name) for name in ("romeo", "juliet")]
        where = await begin(romeo)
        given, headers, _ = await patch(romeo, where, 0, CONTENT[:3000])
        assert (given, headers["Upload-Offset"], headers["Content-Location"]) == (204, "3000", None)
        assert (await ask(juliet, "HEAD", where))[0] == 404
        assert (await patch(juliet, where, 3000, b"x"))[0] == 404
    async with chat_server(tmp_path) as server:
        romeo.rest = juliet.rest = server.rest
        given, headers, _ = await ask(romeo, "HEAD", where)
        assert (given, headers["Upload-Offset"], headers["Upload-Length"]) == (200, "3000", str(len(CONTENT)))
        assert (await patch(romeo, where, 2999, b"x"))[0] == 409
        given, headers, _ = await patch(romeo, where, 3000, CONTENT[3000:])
        assert (given, headers["Upload-Offset"]) == (204, str(len(CONTENT)))
        assert headers["Content-Location"] == "/files/1"
        assert contents(tmp_path) == [sha256(CONTENT).hexdigest()]
        _, body, found = await server.rest.ask("GET", "/files/1", token=romeo.token)
        assert (body, found["Content-Type"]) == (CONTENT, "text/plain; charset=utf-8")
        assert (await romeo.asks("GET", "/v1/files/1"))["name"] == "a.txt"
        given, headers, _ = await ask(romeo, "HEAD", where)
        assert (headers["Upload-Offset"], headers["Content-Location"]) == (str(len(CONTENT)), "/files/1")
        assert (await patch(romeo, where, len(CONTENT), b""))[0] == 204
        assert (await ask(romeo, "DELETE", where))[0] == 204
        assert await status(romeo, "/files/1") == 200, "the upload has ended, and its file stays"
        await send(romeo, await group(romeo, juliet), "/files/1")
        assert await status(juliet, "/files/1") == 200


async def test_checksums(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo = await server.register("romeo")
        where = await begin(romeo)
        right = "sha1 " + b64encode(sha1(CONTENT[:10], usedforsecurity=False).digest()).decode()
        for wrong, code in (("sha1 AAAA", 460), ("crc32 AAAA", 400), ("sha1 ?", 400)):
            assert (await patch(romeo, where, 0, CONTENT[:10], Upload_Checksum=wrong))[0] == code, wrong
            assert (await ask(romeo, "HEAD", where))[1]["Upload-Offset"] == "0"
        assert (await patch(romeo, where, 0, CONTENT[:10], Upload_Checksum=right))[0] == 204
        assert (await ask(romeo, "HEAD", where))[1]["Upload-Offset"] == "10"
        id = where.rpartition("/")[2]
        await server.running.app.database.write(lambda tx: tx.run(SET_CHECKED, upload=id, checked=4))
        assert (await ask(romeo, "HEAD", where))[1]["Upload-Offset"] == "4", "a kill left a piece that was not checked"
        given, headers, _ = await patch(romeo, where, 4, CONTENT[4:])
        assert (given, headers["Content-Location"]) == (204, "/files/1")
        assert contents(tmp_path) == [sha256(CONTENT).hexdigest()]


async def test_what_is_no_upload(tmp_path: Path) -> None:
    async with chat_server(tmp_path, files__max_bytes="20000", files__user_bytes="30000") as server:
        romeo = await server.register("romeo")
        given, headers, _ = await ask(romeo, "OPTIONS", "/files/tus/")
        assert (given, headers["Tus-Version"], headers["Tus-Max-Size"]) == (204, "1.0.0", "20000")
        assert headers["Tus-Extension"] == "creation,checksum,termination,expiration"
        for length, code in (("20001", 413), ("0", 400), ("-1", 400), ("x", 400), ("9" * 20, 400)):
            assert (await ask(romeo, "POST", "/files/tus", Upload_Length=length))[0] == code, length
        for metadata in ("filename ?", "filename /w==", "filename " + "x" * 9000):
            assert (await ask(romeo, "POST", "/files/tus", Upload_Length="5", Upload_Metadata=metadata))[0] == 400
        assert (await ask(romeo, "POST", "/files/tus"))[0] == 400
        given, headers, _ = await ask(romeo, "POST", "/files/tus", Upload_Length="5", Tus_Resumable="0.2.2")
        assert (given, headers["Tus-Version"]) == (412, "1.0.0")
        where = await begin(romeo, 20000)
        assert (await ask(romeo, "POST", "/files/tus", Upload_Length="10001"))[0] == 413, "the quota counts it"
        assert (await ask(romeo, "PATCH", where, b"x", Upload_Offset="0", Content_Type="text/plain"))[0] == 415
        assert (await ask(romeo, "PATCH", where, b"x", Content_Type=OFFSET))[0] == 400
        assert (await patch(romeo, where, 0, b"x" * 20001))[0] in (400, 413)
        assert (await ask(romeo, "HEAD", where))[1]["Upload-Offset"] == "0"
        for path in ("/files/tus/" + "0" * 32, "/files/tus/%2e%2e%2fchatd.db", "/files/tus/x"):
            assert (await ask(romeo, "HEAD", path))[0] == 404
        assert (await ask(romeo, "DELETE", where))[0] == 204
        assert (await ask(romeo, "HEAD", where))[0] == 404
        html = await begin(romeo, 10)
        assert (await patch(romeo, html, 0, b"<html>text"))[0] == 415
        assert (await ask(romeo, "HEAD", html))[0] == 404
        assert contents(tmp_path) == []


async def test_uploads_that_are_not_completed_in_time_are_removed(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo = await server.register("romeo")
        where = await begin(romeo)
        await patch(romeo, where, 0, CONTENT[:10])
        clock = server.running.app.database.clock
        server.running.app.database.clock = lambda: clock() + 25 * 3_600_000
        await server.running.collector.end_expired_uploads()
        server.running.app.database.clock = clock
        assert (await ask(romeo, "HEAD", where))[0] == 404
        server.running.uploads.staging.resumable("left").write_bytes(b"by a kill")
        await server.running.collector.check_contents()
        assert contents(tmp_path) == []
