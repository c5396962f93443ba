"""Pictures: their size, their thumbnail, what is left of their metadata, and pictures that are none."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image

from tests.scenes.chat_server import RegisteredUser, chat_server
from tests.scenes.test_files import contents, group, png, send, status, upload


def saved(picture: Image.Image, form: str, **options: Any) -> bytes:
    made = io.BytesIO()
    picture.save(made, form, **options)
    return made.getvalue()


def photograph(form: str = "JPEG") -> bytes:
    """A picture of 40 × 20 that was taken on its side, with the place and the camera in its metadata."""
    picture = Image.new("RGB", (40, 20), "red")
    exif = picture.getexif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "canary camera"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (52.0, 31.0, 0.0)
    return saved(picture, form, exif=exif)


async def read(user: RegisteredUser, path: str) -> Image.Image:
    given, body, _ = await user.rest.ask("GET", path, token=user.token)
    assert given == 200
    return Image.open(io.BytesIO(body))


async def test_a_photograph_is_turned_and_loses_its_metadata(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo = await server.register("romeo")
        for form in ("JPEG", "WEBP", "PNG"):
            taken = photograph(form)
            assert b"canary" in taken
            file = await upload(romeo, taken)
            assert (file["width"], file["height"], file["type"]) == (20, 40, f"image/{form.lower()}")
            kept = await read(romeo, file["url"])
            assert (kept.size, kept.format, dict(kept.getexif())) == ((20, 40), form, {})
            _, body, headers = await romeo.rest.ask("GET", file["url"], token=romeo.token)
            assert (b"canary" in body, int(headers["Content-Length"])) == (False, file["size"])
        for path in (tmp_path / "data/files").rglob("*"):
            assert path.is_dir() or b"canary" not in path.read_bytes()


async def test_a_picture_of_a_telephone_is_its_first_picture(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo = await server.register("romeo")
        both = [Image.new("RGB", (40, 20), colour) for colour in ("red", "blue")]
        exif = both[0].getexif()
        exif[ExifTags.Base.Orientation], exif[ExifTags.Base.Make] = 6, "canary camera"
        file = await upload(romeo, saved(both[0], "MPO", save_all=True, append_images=both[1:], exif=exif))
        assert (file["width"], file["height"], file["type"]) == (20, 40, "image/jpeg")
        kept = await read(romeo, file["url"])
        assert (kept.format, getattr(kept, "n_frames", 1), dict(kept.getexif())) == ("JPEG", 1, {})


async def test_a_thumbnail_fits_and_is_for_the_members(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo, juliet = [await server.register(name) for name in ("romeo", "juliet")]
        file = await upload(romeo, saved(Image.new("RGB", (3000, 1000), "blue"), "JPEG"))
        assert (file["width"], file["height"]) == (3000, 1000)
        small = await read(romeo, file["thumbnailUrl"])
        assert (small.size, small.format) == ((1200, 400), "WEBP")
        assert await status(juliet, file["thumbnailUrl"]) == 404
        sent = await send(romeo, await group(romeo, juliet), file["url"])
        assert await status(juliet, file["thumbnailUrl"]) == 200
        assert sent["attachments"][0]["file"]["thumbnailUrl"] == file["thumbnailUrl"]
        text = await upload(romeo, b"text")
        assert (text["thumbnailUrl"], await status(romeo, f"{text['url']}/thumbnail")) == (None, 404)


async def test_a_moving_picture_goes_on_moving(tmp_path: Path) -> None:
    async with chat_server(tmp_path) as server:
        romeo = await server.register("romeo")
        frames = [Image.new("RGB", (10, 10), colour) for colour in ("red", "green", "blue")]
        moving = saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=100)
        file = await upload(romeo, moving)
        assert (await romeo.rest.ask("GET", file["url"], token=romeo.token))[1] == moving


def bomb(width: int, height: int) -> bytes:
    """A small PNG that says that it has very many pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


async def test_pictures_that_are_none(tmp_path: Path) -> None:
    jpeg = saved(Image.frombytes("RGB", (100, 100), bytes(range(250)) * 120), "JPEG")
    wrong = {
        "a bomb": bomb(100_000, 100_000),
        "rows are missing": bomb(2000, 2000),
        "cut off": jpeg[: len(jpeg) // 2],
        "a head alone": b"\x89PNG\r\n\x1a\n",
        "noise": b"\xff\xd8\xff" + bytes(range(256)) * 10,
        "too many pixels": png(80, 80),
    }
    async with chat_server(tmp_path, files__max_pixels="6000") as server:
        romeo = await server.register("romeo")
        for case, content in wrong.items():
            given, said, _ = await romeo.rest.ask("POST", "/files", content, token=romeo.token)
            assert (given, said["code"], said["field"]) == (400, "BAD_REQUEST", "file"), (case, said)
            assert str(tmp_path) not in said["message"]
            assert contents(tmp_path) == [], case
        assert (await upload(romeo, png(70, 80)))["width"] == 70
