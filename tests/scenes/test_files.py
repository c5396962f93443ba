"""Files: upload, download with ranges, who may have them, quotas, and how they go."""

from __future__ import annotations

import hashlib
import io
import random
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image

from tests.scenes.chat_server import ChatServer, RegisteredUser, chat_server
from tests.scenes.clients import Framing, both_framings, open_client


def png(width: int = 30, height: int = 20) -> bytes:
    """A picture without metadata, of pixels that don't compress."""
    made = io.BytesIO()
    Image.frombytes("RGB", (width, height), random.Random(15).randbytes(width * height * 3)).save(made, "PNG")
    return made.getvalue()


PNG = png()
BOUNDARY = "limit-of-parts"
FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}


def form(*parts: tuple[str, str | None, bytes]) -> bytes:
    """A body of multipart/form-data: name, file name, content."""
    text = b""
    for name, filename, content in parts:
        place = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename is not None else "")
        text += f"--{BOUNDARY}\r\nContent-Disposition: {place}\r\n\r\n".encode() + content + b"\r\n"
    return text + f"--{BOUNDARY}--\r\n".encode()


async def upload(user: RegisteredUser, content: bytes = PNG, name: str = "a.png") -> Any:
    return await user.asks("POST", f"/files?name={name}", content)


async def status(user: RegisteredUser, path: str, method: str = "GET", **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    given, _, _ = await user.rest.ask(method, path, token=user.token, headers=named)
    return given


async def group(owner: RegisteredUser, *members: RegisteredUser) -> int:
    body = {"type": "group", "memberIds": [user.id for user in members]}
    made: int = (await owner.asks("POST", "/v1/conversations", body))["id"]
    return made


async def send(user: RegisteredUser, talk: int, url: str) -> Any:
    return await user.asks("POST", f"/v1/conversations/{talk}/messages", {"attachments": [{"url": url}]})


def contents(folder: Path) -> list[str]:
    """The digests of the contents on the disk; nothing may be left of an upload."""
    root = folder / "data/files"
    assert list((root / "incoming").iterdir()) == []
    return sorted(path.name for path in root.glob("??/*"))


async def collected(server: ChatServer) -> None:
    """Wait until nothing is left to remove."""
    await server.running.collector.remove_contents()


async def test_an_upload_is_a_draft_until_a_message_has_it(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet, tybalt = [await server.register(name) for name in ("romeo", "juliet", "tybalt")]
        talk = await group(romeo, juliet)
        file = await upload(romeo)
        assert (file["name"], file["type"], file["size"], file["url"]) == ("a.png", "image/png", len(PNG), "/files/1")
        assert (file["width"], file["height"], file["thumbnailUrl"]) == (30, 20, "/files/1/thumbnail")
        users = (romeo, juliet, tybalt)
        assert [await status(user, file["url"]) for user in users] == [200, 404, 404]
        sent = await send(romeo, talk, file["url"])
        assert sent["attachments"] == [{"url": file["url"], "type": None, "file": file}]
        assert [await status(user, file["url"]) for user in users] == [200, 200, 404]
        assert await juliet.asks("GET", f"/v1/files/{file['id']}") == file
        await romeo.asks("DELETE", file["url"], status=409)
        await romeo.asks("DELETE", f"/v1/conversations/{talk}/members/{juliet.id}")
        assert [await status(user, file["url"]) for user in users] == [200, 404, 404]
        assert (await romeo.asks("GET", "/v1/files"))["items"] == [file]
        assert await juliet.asks("GET", "/v1/files") == {"items": [], "next": None}
        for id in ("2", "0", "-1", "x", "1" * 30, "%2e%2e", "0" * 24):
            assert await status(romeo, f"/files/{id}") == 404, id
        assert (await server.rest.ask("GET", file["url"]))[0] == 401
        assert (await server.rest.ask("POST", "/files", PNG))[0] == 401


async def test_the_same_content_is_stored_once_and_goes_with_its_last_message(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = [await server.register(name) for name in ("romeo", "juliet")]
        talk = await group(romeo, juliet)
        first, second = await upload(romeo), await upload(juliet, name="b.png")
        digest = hashlib.sha256(PNG).hexdigest()
        assert contents(tmp_path) == [digest, f"{digest}.webp"]
        one, other = await send(romeo, talk, first["url"]), await send(juliet, talk, second["url"])
        copy = await juliet.asks("POST", f"/v1/messages/{one['id']}/forward", {"conversationId": talk})
        assert copy["attachments"] == one["attachments"]
        for message, owner in ((one, romeo), (other, juliet), (copy, juliet)):
            assert contents(tmp_path) == [digest, f"{digest}.webp"]
            await owner.asks("DELETE", f"/v1/messages/{message['id']}")
            await collected(server)
        assert contents(tmp_path) == []
        assert [await status(romeo, file["url"]) for file in (first, second)] == [404, 404]


async def test_a_message_of_type_image_may_have_a_file_as_its_content(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = [await server.register(name) for name in ("romeo", "juliet")]
        talk, file = await group(romeo, juliet), await upload(romeo)
        path = f"/v1/conversations/{talk}/messages"
        sent = await romeo.asks("POST", path, {"type": "image", "content": file["url"]})
        assert sent["attachments"][0]["file"] == file
        copy = await romeo.asks("POST", f"/v1/messages/{sent['id']}/forward", {"conversationId": talk})
        assert copy["attachments"] == sent["attachments"]
        assert await status(juliet, file["url"]) == 200
        for body in ({"type": "file", "content": "/files/99"}, {"attachments": [{"url": "/files/99"}]}):
            refused = await juliet.asks("POST", path, body, status=400)
            assert refused["field"] in ("content", "attachments")
        foreign = await juliet.asks("POST", path, {"attachments": [{"url": "https://a.example/files/1"}]})
        assert foreign["attachments"][0]["file"] is None


RANGES = {
    "bytes=0-3": (206, PNG[:4], f"bytes 0-3/{len(PNG)}"),
    "bytes=10-": (206, PNG[10:], f"bytes 10-{len(PNG) - 1}/{len(PNG)}"),
    "bytes=-5": (206, PNG[-5:], f"bytes {len(PNG) - 5}-{len(PNG) - 1}/{len(PNG)}"),
    "bytes=5-99999999999": (206, PNG[5:], f"bytes 5-{len(PNG) - 1}/{len(PNG)}"),
    "bytes=99999-": (416, None, f"bytes */{len(PNG)}"),
    "bytes=-0": (416, None, f"bytes */{len(PNG)}"),
    "bytes=5-4": (200, PNG, None),
    "bytes=-": (200, PNG, None),
    "bytes=0-1,3-4": (200, PNG, None),
    "lines=0-1": (200, PNG, None),
    "bytes=0-" + "9" * 5000: (200, PNG, None),
}


async def test_ranges_tags_and_headers(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo = await server.register("romeo")
        file = await upload(romeo, name="%E2%98%83.png")
        for header, (code, content, place) in RANGES.items():
            given, body, headers = await romeo.rest.ask(
                "GET", file["url"], token=romeo.token, headers={"Range": header}
            )
            assert (given, headers.get("Content-Range")) == (code, place), header
            assert content is None or body == content, header
        _, body, headers = await romeo.rest.ask("HEAD", file["url"], token=romeo.token)
        assert (body, headers["Content-Length"], headers["Accept-Ranges"]) == (None, str(len(PNG)), "bytes")
        assert headers["Content-Disposition"] == "inline; filename=\"_.png\"; filename*=UTF-8''%E2%98%83.png"
        assert "sandbox" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "private" in headers["Cache-Control"]
        tag = headers["ETag"]
        assert await status(romeo, file["url"], If_None_Match=f'"x", {tag}') == 304
        assert await status(romeo, file["url"], Range="bytes=0-1", If_Range=tag) == 206
        assert await status(romeo, file["url"], Range="bytes=0-1", If_Range='"old"') == 200
        text = await upload(romeo, b"plain", "x.png")
        assert text["type"] == "text/plain"
        _, _, headers = await romeo.rest.ask("HEAD", text["url"], token=romeo.token)
        assert headers["Content-Disposition"].startswith("attachment")


WRONG_BODIES: dict[str, tuple[dict[str, str], bytes, int, str]] = {
    "nothing": ({}, b"", 400, "BAD_REQUEST"),
    "svg": ({}, b"<svg xmlns='x'><script/></svg>", 415, "UNSUPPORTED_TYPE"),
    "svg with a prologue": ({}, b"<?xml version='1.0'?>\n<svg/>", 415, "UNSUPPORTED_TYPE"),
    "html": ({}, b"\xef\xbb\xbf \n<!DOCTYPE html><html>", 415, "UNSUPPORTED_TYPE"),
    "a program": ({}, b"\x7fELF\x02", 415, "UNSUPPORTED_TYPE"),
    "bytes": ({}, bytes(range(256)), 415, "UNSUPPORTED_TYPE"),
    "too large": ({}, b"x" * 4001, 413, "TOO_LARGE"),
    "no file": (FORM, form(("note", None, b"x")), 400, "BAD_REQUEST"),
    "two files": (FORM, form(("file", "a", b"x"), ("file", "b", b"y")), 400, "BAD_REQUEST"),
    "an empty file": (FORM, form(("file", "a", b"")), 400, "BAD_REQUEST"),
    "a form that is cut off": (FORM, form(("file", "a", PNG))[:-20], 400, "BAD_REQUEST"),
    "no form": (FORM, b"hello", 400, "BAD_REQUEST"),
    "no boundary": ({"Content-Type": "multipart/form-data"}, b"x", 400, "BAD_REQUEST"),
    "a long field": (FORM, form(("price", None, b"x" * 5000), ("file", "a", PNG)), 400, "BAD_REQUEST"),
}


async def test_what_is_no_upload_leaves_nothing(tmp_path: Path) -> None:
    async with chat_server(tmp_path, files__max_bytes="4000") as server:
        romeo = await server.register("romeo")
        for case, (headers, body, code, error) in WRONG_BODIES.items():
            given, said, _ = await romeo.rest.ask("POST", "/files?name=a.png", body, token=romeo.token, headers=headers)
            assert (given, said["code"]) == (code, error), (case, said)
            assert contents(tmp_path) == [], case
        largest = await upload(romeo, b"x" * 4000)
        assert largest["size"] == 4000


NAMES = {
    "../../etc/passwd": "passwd",
    "C:\\\\x\\\\y.txt": "y.txt",
    "a\u202egnp.exe": "agnp.exe",
    "..": "file",
    "x" * 300 + ".txt": "x" * 251 + ".txt",
}


async def test_names_lose_folders_and_controls(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo = await server.register("romeo")
        for name, expected in NAMES.items():
            body = form(("note", None, b"first"), ("file", name, b"text"))
            _, file, _ = await romeo.rest.ask("POST", "/files", body, token=romeo.token, headers=FORM)
            assert file["name"] == expected


async def test_quotas(tmp_path: Path) -> None:
    async with chat_server(tmp_path, files__user_bytes="100", files__total_bytes="150") as server:
        romeo, juliet = [await server.register(name) for name in ("romeo", "juliet")]
        first = await upload(romeo, b"x" * 60)
        refused = await romeo.asks("POST", "/files", b"y" * 41, status=413)
        assert refused["code"] == "QUOTA_EXCEEDED"
        await upload(romeo, b"y" * 40)
        assert (await juliet.asks("POST", "/files", b"z" * 51, status=413))["code"] == "QUOTA_EXCEEDED"
        await romeo.asks("DELETE", first["url"])
        await upload(juliet, b"z" * 51)
        await collected(server)
        assert len(contents(tmp_path)) == 2


async def test_a_deleted_file_counts_for_the_limit_of_its_day(tmp_path: Path) -> None:
    async with chat_server(tmp_path, files__day_bytes="100") as server:
        romeo, juliet = [await server.register(name) for name in ("romeo", "juliet")]
        first = await upload(romeo, b"x" * 60)
        await romeo.asks("DELETE", first["url"])
        assert (await romeo.asks("POST", "/files", b"y" * 41, status=413))["code"] == "QUOTA_EXCEEDED"
        await upload(romeo, b"y" * 40)
        await upload(juliet, b"y" * 41)
        clock = server.running.app.database.clock
        server.running.app.database.clock = lambda: clock() + 24 * 3_600_000
        await upload(romeo, b"z" * 90)
        await romeo.asks("POST", "/files", b"y" * 11, status=413)


async def test_old_drafts_and_what_a_kill_leaves_are_removed(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = [await server.register(name) for name in ("romeo", "juliet")]
        talk = await group(romeo, juliet)
        draft, sent = await upload(romeo, b"draft"), await upload(romeo, b"sent")
        await send(romeo, talk, sent["url"])
        uploads = server.running.uploads
        left = uploads.staging.begin()
        left.write(b"left by a kill")
        uploads.contents.keep(left.path, left.finish())
        collector = server.running.collector
        assert await collector.check_contents() == 1
        await collector.delete_unused_files()
        assert len(contents(tmp_path)) == 2
        collector._draft_milliseconds = -1
        await collector.delete_unused_files()
        await collected(server)
        assert contents(tmp_path) == [hashlib.sha256(b"sent").hexdigest()]
        assert await status(romeo, draft["url"]) == 404
        (tmp_path / "data/files/incoming/half").write_bytes(b"half")
    async with chat_server(tmp_path):
        assert contents(tmp_path) == [hashlib.sha256(b"sent").hexdigest()]


@both_framings
async def test_a_locked_file_of_a_room(tmp_path: Path, framing: Framing) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet, nurse, tybalt = [await server.register(name) for name in ("romeo", "juliet", "nurse", "tybalt")]
        body = {"participants": [juliet.object_id, nurse.object_id]}
        room = (await romeo.asks("POST", "/chat/rooms", body))["_id"]
        clients = [await open_client(server, framing, "rooms", user, "/chat") for user in (romeo, juliet)]
        for client in clients:
            await client.performs("join_room", {"roomId": room})
        text = form(("file", "plan.png", PNG), ("locked", None, b"true"), ("price", None, b"5 ducats"))
        path = f"/chat/rooms/{room}/files"
        given, file, _ = await romeo.rest.ask("POST", path, text, token=romeo.token, headers=FORM)
        assert given == 201, file
        shown = {"name": "plan.png", "type": "image/png", "size": len(PNG), "locked": True, "price": "5 ducats"}
        assert file == {"id": file["id"], "url": "/files/1", **shown}
        for client in clients:
            message = await client.receives("message")
            assert (message["roomId"], message["content"]) == (room, "")
            uploaded = await client.receives("file_uploaded")
            assert (uploaded["roomId"], uploaded["file"]) == (room, file)
            assert (uploaded["sender"]["_id"], uploaded["createdAt"]) == (romeo.object_id, message["createdAt"])
        users = (romeo, juliet, nurse, tybalt)
        assert [await status(user, "/files/1") for user in users] == [200, 402, 402, 404]
        unlock = f"{path}/{file['id']}/unlock"
        assert [await status(user, unlock, "POST") for user in (juliet, tybalt)] == [403, 404]
        for _ in range(2):
            await romeo.asks("POST", unlock, {"userId": juliet.object_id})
        for client in clients:
            unlocked = await client.receives("file_unlocked")
            assert (unlocked["roomId"], unlocked["fileId"], unlocked["userId"]) == (room, file["id"], juliet.object_id)
            assert isinstance(unlocked["unlockedAt"], str)
        assert [await status(user, "/files/1") for user in users] == [200, 200, 402, 404]
        await romeo.asks("POST", unlock, {"userId": tybalt.object_id}, status=400)
        service = await server.running.app.database.write(make_service)
        assert service is not None
        given, _, _ = await server.rest.ask("POST", unlock, {}, token=PAYMENTS)
        assert given == 200
        for client in clients:
            assert (await client.receives("file_unlocked"))["userId"] is None
            await client.receives_nothing()
        assert [await status(user, "/files/1") for user in users] == [200, 200, 200, 404]


async def test_a_signed_link_needs_no_token_and_ends(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = [await server.register(name) for name in ("romeo", "juliet")]
        talk, file = await group(romeo, juliet), await upload(romeo)
        await juliet.asks("POST", f"{file['url']}/link", status=404)
        message = await send(romeo, talk, file["url"])
        url = (await juliet.asks("POST", f"{file['url']}/link"))["url"]

        async def given(path: str) -> int:
            return (await server.rest.ask("GET", path))[0]

        assert [await given(path) for path in (url, url.replace("?", "/thumbnail?"))] == [200, 200]
        other = await upload(romeo, b"other")
        spoilt = (
            url.replace(file["url"], other["url"]),
            url.replace(f"user={juliet.id}", f"user={romeo.id}"),
            url.replace("until=", "until=9"),
            url[:-1],
            url.partition("&signature")[0] + "&signature=",
            f"{file['url']}?signature=é",
        )
        for path in spoilt:
            assert await given(quote(path, safe="/?&=")) == 401, path
        clock = server.running.app.clock
        server.running.app.clock = lambda: clock() + 3600
        assert await given(url) == 401
        server.running.app.clock = clock
        assert await given(url) == 200
        await romeo.asks("DELETE", f"/v1/messages/{message['id']}")
        assert await given(url) == 404, "the link gives no more than the user has"


PAYMENTS = "chatd_" + "p" * 40


def make_service(tx: Any) -> Any:
    from chatd.services import service_tokens
    from chatd.services.context import SHELL, ServiceContext, ServiceRules

    return service_tokens.make(ServiceContext(tx, SHELL, ServiceRules()), "payments", PAYMENTS, ["unlock"])


@pytest.mark.parametrize("dialect", ["colon", "inbox"])
async def test_other_dialects_receive_attachments_as_urls(tmp_path: Path, dialect: str) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = [await server.register(name) for name in ("romeo", "juliet")]
        body = {"type": "private", "memberIds": [juliet.id]}
        talk = (await romeo.asks("POST", "/v1/conversations", body))["id"]
        if dialect == "inbox":
            client = await open_client(server, "jsonrpc", "inbox", juliet, "/", ignoring=("unread_count",))
        else:
            client = await open_client(
                server, "jsonrpc", "colon", juliet, "/chat", ignoring=("unread:count", "presence:update")
            )
            listed = await juliet.asks("GET", "/conversations")
            await client.asks("conversation:join", {"conversationId": listed[0]["_id"]})
        file = await upload(romeo)
        await send(romeo, talk, file["url"])
        if dialect == "inbox":
            assert (await client.receives("new_message"))["attachments"] == [{"url": file["url"], "type": "IMAGE"}]
        else:
            assert (await client.receives("message:created"))["attachments"] == [file["url"]]
