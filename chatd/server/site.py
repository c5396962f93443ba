"""The page and what it loads: the files of chatd/web, as they are in the package.

    /                        page/index.html, with a preload line for each module that the first screen needs
    /web/VERSION/PATH        a file of chatd/web. VERSION is the digest of all of them, so a browser keeps each for ever
    /sw.js                   the service worker, with the list of the files that it keeps for use without a network
    /manifest.webmanifest    what makes the page installable

The browser loads nothing from elsewhere, and runs no script that is not one of these files: CONTENT_SECURITY_POLICY.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

from chatd.net.request import Request, Response, refusal
from protocol.errors import NO_METHOD, NOT_FOUND

PREFIX = "/web/"
VERSION_CHARS = 12
SMALL_BYTES = 200
TYPES = {
    "js": b"text/javascript; charset=utf-8",
    "css": b"text/css; charset=utf-8",
    "html": b"text/html; charset=utf-8",
    "svg": b"image/svg+xml",
    "png": b"image/png",
    "webmanifest": b"application/manifest+json",
}
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
SECURITY = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
)
FOR_EVER = b"public, max-age=31536000, immutable"
CHECKED = b"no-cache"
IMPORT = re.compile(r"""^(?:import|export)\s[^;]*?["'](\.{1,2}/[^"']+)["']""", re.MULTILINE)
PAGE, ENTRY, WORKER, MANIFEST = "page/index.html", "page/app.js", "page/sw.js", "page/manifest.webmanifest"

PATHS = {"/": PAGE, "/sw.js": WORKER, "/manifest.webmanifest": MANIFEST}


class SiteFile(NamedTuple):
    """A file as it is sent: plain, and compressed if that is shorter."""

    type: bytes
    plain: bytes
    compressed: bytes | None
    tag: bytes


class Site:
    """The files of a folder. They are read at the first request."""

    def __init__(self, folder: Traversable | None = None) -> None:
        self._folder = folder or files("chatd").joinpath("web")
        self._made: dict[str, SiteFile] = {}

    @cached_property
    def contents(self) -> dict[str, bytes]:
        """All files by their paths below the folder."""
        return dict(sorted(_read(self._folder, "")))

    @cached_property
    def version(self) -> str:
        found = hashlib.sha256()
        for path, content in self.contents.items():
            found.update(f"{path} {len(content)}\n".encode() + content)
        return found.hexdigest()[:VERSION_CHARS]

    @cached_property
    def modules(self) -> list[str]:
        """The modules that the first screen needs."""
        return self.modules_of(ENTRY)

    def modules_of(self, *entries: str) -> list[str]:
        """The modules that these import, each before those that import it."""
        found: list[str] = []
        for path in entries:
            _add_imports(self.contents, path, found)
        return found

    @cached_property
    def kept(self) -> list[str]:
        """The paths that the service worker keeps."""
        shown = [path for path in self.contents if path.endswith((".js", ".css", ".svg", ".png"))]
        own = [path for path in shown if not path.startswith("vendor/socket.io") and path != WORKER]
        return ["/", *(f"{PREFIX}{self.version}/{path}" for path in own)]

    async def answer(self, request: Request, body: bytes) -> Response:
        """The answer to a request below one of the paths above."""
        if request.method not in ("GET", "HEAD"):
            return refusal(NO_METHOD)
        path = PATHS.get(request.path)
        keep = CHECKED
        if path is None:
            version, _, path = request.path.removeprefix(PREFIX).partition("/")
            keep = FOR_EVER if version == self.version else CHECKED
        if path not in self.contents or path.rpartition(".")[2] not in TYPES:
            return refusal(NOT_FOUND, "There is nothing at this path")
        return self._send(request, self._file(path), keep)

    def _file(self, path: str) -> SiteFile:
        made = self._made.get(path)
        if made is None:
            content = self.contents[path]
            if path in (PAGE, WORKER, MANIFEST):
                content = self._fill(content.decode()).encode()
            compressed = gzip.compress(content, 9, mtime=0) if len(content) > SMALL_BYTES else None
            tag = b'"%s"' % hashlib.sha256(content).hexdigest()[:24].encode()
            type = TYPES[path.rpartition(".")[2]]
            made = SiteFile(type, content, compressed if compressed and len(compressed) < len(content) else None, tag)
            self._made[path] = made
        return made

    def _fill(self, text: str) -> str:
        """Put the version and the lists in the place of their names."""
        base = f"{PREFIX}{self.version}"
        preloads = "\n".join(f'  <link rel="modulepreload" href="{base}/{path}">' for path in self.modules)
        return (
            text.replace("{{base}}", base)
            .replace("{{version}}", self.version)
            .replace("{{preloads}}", preloads.strip())
            .replace("{{kept}}", json.dumps(self.kept))
        )

    def _send(self, request: Request, file: SiteFile, keep: bytes) -> Response:
        headers = (
            (b"etag", file.tag),
            (b"content-type", file.type),
            (b"cache-control", keep),
            (b"vary", b"accept-encoding"),
            *SECURITY,
        )
        if file.tag.decode() in request.tokens(b"if-none-match", lower=False):
            return Response(304, headers=headers)
        if file.compressed is not None and "gzip" in (one.split(";")[0] for one in request.tokens(b"accept-encoding")):
            return Response(200, file.compressed, (*headers, (b"content-encoding", b"gzip")))
        return Response(200, file.plain, headers)


def _read(folder: Traversable, before: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _read(entry, f"{before}{entry.name}/")
        else:
            found.append((before + entry.name, entry.read_bytes()))
    return found


def _add_imports(contents: dict[str, bytes], path: str, found: list[str]) -> None:
    """Add a module after the modules that it imports."""
    if path in found or path not in contents:
        return
    for name in IMPORT.findall(contents[path].decode()):
        _add_imports(contents, _join(path, name), found)
    if path not in found:
        found.append(path)


def _join(path: str, relative: str) -> str:
    parts = path.split("/")[:-1]
    for part in relative.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
