"""The files of the page: compressed, kept by version, with a policy that runs nothing else."""

from __future__ import annotations

import gzip
import json
import re

import pytest

from chatd.net.request import Request
from chatd.server.site import CONTENT_SECURITY_POLICY, ENTRY, Site

SITE = Site()
MAX_FIRST_LOAD_BYTES = 150_000
LANGUAGES = ("de", "es", "zh", "ar")


async def get(path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    lines = [
        (b"host", b"here"),
        *((name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()),
    ]
    answer = await SITE.answer(Request(method, path.encode(), lines), b"")
    return answer.status, {name.decode(): value.decode() for name, value in answer.headers}, answer.body


def base() -> str:
    return f"/web/{SITE.version}"


async def test_the_page_names_every_module_of_the_first_screen() -> None:
    status, headers, body = await get("/")
    assert (status, headers["content-type"], headers["cache-control"]) == (200, "text/html; charset=utf-8", "no-cache")
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    text = body.decode()
    assert "{{" not in text
    preloaded = re.findall(r'modulepreload" href="([^"]+)"', text)
    assert preloaded == [f"{base()}/{path}" for path in SITE.modules]
    assert f"{base()}/page/app.js" in preloaded
    assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|\sstyle=", text), "nothing inline"


async def test_a_file_is_kept_for_ever_under_its_version() -> None:
    status, headers, body = await get(f"{base()}/client.js", accept_encoding="br, gzip;q=0.8")
    assert (status, headers["content-encoding"], headers["vary"]) == (200, "gzip", "accept-encoding")
    assert headers["cache-control"] == "public, max-age=31536000, immutable"
    assert gzip.decompress(body) == SITE.contents["client.js"]
    status, other, body = await get("/web/an-older-version/client.js")
    assert (status, other["cache-control"], body) == (200, "no-cache", SITE.contents["client.js"])
    assert (await get(f"{base()}/client.js", if_none_match=headers["etag"]))[0] == 304


@pytest.mark.parametrize(
    "path",
    ["/web/", "/web/x", "/web/x/", "/web/x/nothing.js", "/web/x/../site.py", "/web/x/vendor/README.md", "/web/x/page"],
)
async def test_what_is_not_a_file_of_the_page(path: str) -> None:
    assert (await get(path))[0] == 404


async def test_only_reading() -> None:
    assert (await get("/", "POST"))[0] == 405
    assert (await get("/", "HEAD"))[0] == 200


async def test_the_service_worker_keeps_every_file_that_the_page_may_load() -> None:
    text = (await get("/sw.js"))[2].decode()
    found = re.search(r"KEPT = (\[.*?\]);", text)
    assert found
    kept = json.loads(found[1])
    assert "/" in kept
    assert f"{base()}/page/texts/ar.js" in kept
    for path in kept:
        assert (await get(path))[0] == 200
    assert json.loads((await get("/manifest.webmanifest"))[2])["icons"][0]["src"] == f"{base()}/page/icons/icon.svg"


async def test_the_first_load_is_small() -> None:
    modules = SITE.modules_of(ENTRY, "page/state/app.js", "page/views/main.js")
    assert len(SITE.modules) < len(modules) // 2, "the sign-in needs a part of it"
    size = 0
    for path in ("/", *(f"{base()}/{one}" for one in ("page/style.css", "page/icons/icon.svg", *modules))):
        size += len((await get(path, accept_encoding="gzip"))[2])
    assert size < MAX_FIRST_LOAD_BYTES


def texts(language: str) -> dict[str, set[str]]:
    """The keys of a table of texts, each with the names of the values that it contains."""
    text = SITE.contents[f"page/texts/{language}.js"].decode()
    rows = re.findall(r'(?:^|[\s{,])(\w+): ("(?:[^"\\]|\\.)*"|\{ (?:\w+: "(?:[^"\\]|\\.)*"(?:, )?)+ \})', text)
    return {key: set(re.findall(r"\{(\w+)\}", value)) for key, value in rows}


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_has_every_text(language: str) -> None:
    english, other = texts("en"), texts(language)
    assert set(english) == set(other)
    for key, names in english.items():
        assert other[key] | {"count"} == names | {"count"}, key


def test_every_text_is_used_and_every_used_text_is_there() -> None:
    modules = [path for path in SITE.contents if re.fullmatch(r"page/(?!texts/).*\.js", path)]
    code = "".join(SITE.contents[path].decode() for path in modules)
    used = set(re.findall(r'\bt\("(\w+)"', code)) | set(re.findall(r'"(key_\w+|wrongPassword|tooManyTries)"', code))
    families = set(re.findall(r"t\(`(\w+_)\$", code))
    known = set(texts("en"))
    assert used <= known, used - known
    unused = {key for key in known - used if not any(key.startswith(family) for family in families)}
    assert not unused, unused
