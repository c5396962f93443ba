"""The probes of the live settings of [files]."""

from __future__ import annotations

from urllib.parse import parse_qsl

from tests.scenes.live_server import LiveServer
from tests.scenes.live_setting_probes import Probe


def upload(*contents: bytes) -> Probe:
    """The status of the last of some uploads."""

    async def probe(server: LiveServer) -> int:
        ann, status = await server.register("ann"), 0
        for content in contents:
            status, _, _ = await server.rest.ask("POST", "/files", content, token=ann.token)
        return status

    return probe


async def old_draft(server: LiveServer) -> int:
    """The status of a draft that is two hours old."""
    ann = await server.register("ann")
    _, file, _ = await server.rest.ask("POST", "/files", b"draft", token=ann.token)
    clock = server.running.app.database.clock
    server.running.app.database.clock = lambda: clock() + 2 * 3_600_000
    try:
        await server.running.collector.delete_unused_files()
    finally:
        server.running.app.database.clock = clock
    return (await server.rest.ask("HEAD", file["url"], token=ann.token))[0]


async def link_seconds(server: LiveServer) -> int:
    """How long a signed link is valid."""
    ann = await server.register("ann")
    _, file, _ = await server.rest.ask("POST", "/files", b"text", token=ann.token)
    _, link, _ = await server.rest.ask("POST", f"{file['url']}/link", token=ann.token)
    times = dict(parse_qsl(link["url"].partition("?")[2]))
    return int(times["until"]) - int(times["issued"])


async def second_upload(server: LiveServer) -> int:
    """The status of a second upload beside one that is not complete."""
    ann, status = await server.register("ann"), 0
    headers = {"Tus-Resumable": "1.0.0", "Upload-Length": "5"}
    for _ in range(2):
        status, _, _ = await server.rest.ask("POST", "/files/tus/", token=ann.token, headers=headers)
    return status
