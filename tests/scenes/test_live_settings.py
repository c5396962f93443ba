"""Every setting that is marked live changes the behaviour of a running server after SIGHUP.

One row for each setting: the new value, a probe of the behaviour, and the results of the probe before and after. WAITS
stands where the probe waits for something that the old value would cause much later.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest
import trio

from chatd.config.load import load
from chatd.config.settings import ROWS
from chatd.server.main import running
from chatd.telemetry.log import log
from protocol.strict import MAX_DEPTH, MAX_VALUES, allow_depth, allow_values
from tests.scenes.chat_server import TIMEOUT
from tests.scenes.live_file_probes import link_seconds, old_draft, second_upload, upload
from tests.scenes.live_server import LiveServer
from tests.scenes.live_setting_probes import (
    MANY,
    WAITS,
    Probe,
    access_seconds,
    additions,
    announced_timeout,
    anonymous,
    big_body,
    big_head,
    big_message,
    call_rate,
    calls_too_often,
    cleaned,
    client_behind_a_proxy,
    connections_in_all,
    control_frames,
    deep_json,
    first_ping,
    group_of_three,
    groups,
    half_a_head,
    handshake_seconds,
    idle_connection,
    log_line,
    logins,
    long_text,
    many_values,
    page,
    page_files,
    pieces_of_a_replay,
    refresh_milliseconds,
    registers,
    registrations,
    renewals,
    requests,
    rows,
    second_connection,
    second_room,
    sends,
    silent_socket,
    slow_client,
    too_many_fragments,
    two_attachments,
    two_reactions,
    typing_ends_by_itself,
    typing_rate,
    unread_answers,
    user_without_sockets,
)
from tests.scenes.test_files import png

BASE = '[server]\nport = 0\n[auth]\nregistration = "open"\n'


class Case(NamedTuple):
    value: str
    probe: Probe
    before: object
    after: object
    base: str = ""
    more: str = ""


LIVE: dict[str, Case] = {
    "server.public_url": Case('"https://x.example"', page("https://x.example"), False, True),
    "server.hosts": Case('["x.lan"]', page("http://x.lan", "x.lan"), False, True),
    "server.allowed_origins": Case('["https://x.example"]', page("https://x.example"), False, True),
    "server.trusted_proxies": Case('["127.0.0.1"]', client_behind_a_proxy, "127.0.0.1", "192.0.2.9"),
    "auth.registration": Case('"closed"', registers, 201, 403),
    "auth.access_ttl": Case("100", access_seconds, 900, 100),
    "auth.refresh_ttl": Case("100", refresh_milliseconds, 30 * 86_400_000, 100_000),
    "limits.message_bytes": Case("300", big_message, "answered", 1009),
    "limits.message_fragments": Case("2", too_many_fragments, [False, False], [True, True]),
    "limits.json_depth": Case("4", deep_json, True, False),
    "limits.outbox_bytes": Case("1000", slow_client, (1 << 20, False), (1000, True)),
    "limits.body_bytes": Case("100", big_body, 401, 413),
    "limits.first_body_bytes": Case("100", big_body, 401, 413),
    "limits.json_values": Case("3", many_values, True, False),
    "limits.page_bytes": Case("1", rows(""), 3, 1),
    "limits.unsent_per_user": Case("10", unread_answers, 16 << 20, 10),
    "limits.control_frames_per_connection": Case(
        "0.001", control_frames, "answered", 4029, more="control_frames_per_connection_burst = 1\n"
    ),
    "limits.control_frames_per_connection_burst": Case("1", control_frames, "answered", 4029),
    "limits.groups_per_user": Case("10", groups, (30, 120.0), (30, 0.1)),
    "limits.groups_per_user_burst": Case("7", groups, (30, 120.0), (7, 120.0)),
    "limits.additions_per_user": Case("10", additions, (1000, 3.6), (1000, 0.1)),
    "limits.additions_per_user_burst": Case("7", additions, (1000, 3.6), (7, 3.6)),
    "limits.registrations_per_address": Case("10", registrations, (5, 720.0), (5, 0.1)),
    "limits.registrations_per_address_burst": Case("7", registrations, (5, 720.0), (7, 720.0)),
    "limits.renewals_per_address": Case("10", renewals, (100, 0.2), (100, 0.1)),
    "limits.renewals_per_address_burst": Case("7", renewals, (100, 0.2), (7, 0.2)),
    "limits.anonymous_per_address": Case("10", anonymous, (100, 0.02), (100, 0.1)),
    "limits.page_files_per_address": Case("50", page_files, (500, 0.005), (500, 0.02)),
    "limits.page_files_per_address_burst": Case("7", page_files, (500, 0.005), (7, 0.005)),
    "limits.anonymous_per_address_burst": Case("7", anonymous, (100, 0.02), (7, 0.02)),
    "limits.head_bytes": Case("500", big_head, 200, 431),
    "limits.head_timeout": Case("0.05", half_a_head, WAITS, "hung up"),
    "limits.tls_timeout": Case("3", handshake_seconds, 10.0, 3.0),
    "limits.auth_timeout": Case("0.05", silent_socket, WAITS, 4401),
    "limits.idle_timeout": Case("0.05", idle_connection, WAITS, "hung up"),
    "limits.ping_interval": Case("0.05", first_ping, WAITS, "ping"),
    "limits.ping_timeout": Case("7", announced_timeout, 20.0, 7.0),
    "limits.calls_per_connection": Case("10", call_rate, (100, 0.02), (100, 0.1)),
    "limits.calls_per_connection_burst": Case("7", call_rate, (100, 0.02), (7, 0.02)),
    "limits.typing_per_connection": Case("10", typing_rate, (5, 0.2), (5, 0.1)),
    "limits.typing_per_connection_burst": Case("7", typing_rate, (5, 0.2), (7, 0.2)),
    "limits.sends_per_user": Case("10", sends, (60, 0.05), (60, 0.1)),
    "limits.sends_per_user_burst": Case("7", sends, (60, 0.05), (7, 0.05)),
    "limits.rest_per_user": Case("10", requests, (100, 0.02), (100, 0.1)),
    "limits.rest_per_user_burst": Case("7", requests, (100, 0.02), (7, 0.02)),
    "limits.logins_per_account": Case('"5/10m"', logins(1), (5, 360), (5, 120)),
    "limits.logins_per_account_burst": Case("3", logins(1), (5, 360), (3, 360)),
    "limits.logins_per_address": Case('"30/10m"', logins(MANY), (30, 60), (30, 20)),
    "limits.logins_per_address_burst": Case("7", logins(MANY), (30, 60), (7, 60)),
    "limits.refusals": Case(
        "1", calls_too_often, "answered", 4029,
        "[limits]\ncalls_per_connection = 0.001\ncalls_per_connection_burst = 1\n",
    ),
    "limits.connections_per_address": Case("1", second_connection, (200, 200), (503, 1)),
    "limits.connections_share": Case("0", connections_in_all, False, True),
    "limits.text_characters": Case("5", long_text, 201, 400),
    "limits.attachments": Case("1", two_attachments, 201, 400),
    "limits.reactions": Case("1", two_reactions, 200, 400),
    "limits.members": Case("2", group_of_three, 201, 400),
    "limits.rooms_per_socket": Case("1", second_room, True, False),
    "limits.page_default": Case("2", rows(""), 3, 2),
    "limits.page": Case("2", rows("?limit=3"), 3, 2, more="page_default = 1\n"),
    "limits.replay_batch": Case("1", pieces_of_a_replay, False, True),
    "typing.expire": Case("1", typing_ends_by_itself, 0, 1),
    "presence.grace": Case("0", user_without_sockets, True, False),
    "events.keep_days": Case("1", cleaned(2), False, True),
    "events.keep_count": Case("1", cleaned(0), False, True),
    "files.max_bytes": Case("5", upload(b"123456"), 201, 413),
    "files.user_bytes": Case("10", upload(b"123456", b"1234567"), 201, 413),
    "files.day_bytes": Case("10", upload(b"123456", b"1234567"), 201, 413),
    "files.total_bytes": Case("10", upload(b"123456", b"1234567"), 201, 413),
    "files.types": Case('["text/*"]', upload(b"%PDF-1.7"), 201, 415),
    "files.uploads": Case("1", second_upload, 201, 413),
    "files.link_ttl": Case("100", link_seconds, 3600, 100),
    "files.max_pixels": Case("599", upload(png()), 201, 400),
    "files.draft_hours": Case("1", old_draft, 200, 404),
    "log.format": Case('"json"', log_line, "text", "{"),
    "log.level": Case('"error"', log_line, "text", ""),
}  # fmt: skip


def test_every_live_setting_has_its_row() -> None:
    live = {f"{section}.{key}" for section, keys in ROWS.items() for key, row in keys.items() if row.live}
    assert set(LIVE) == live


@pytest.mark.parametrize("name", LIVE)
async def test_a_hangup_changes_what_the_server_does(tmp_path: Path, name: str) -> None:
    case, (section, _, key) = LIVE[name], name.partition(".")
    file = tmp_path / "chatd.toml"
    base = tables(f'[data]\ndirectory = "{tmp_path}/data"\n{BASE}{case.base}')
    file.write_text(written(base))
    try:
        async with running(load(str(file), environ={})) as started:
            with trio.fail_after(TIMEOUT):
                while started.site._engine is None:
                    await trio.lowlevel.checkpoint()
            server = LiveServer(started)
            await server.register("ann")
            if case.before is not WAITS:
                assert await case.probe(server) == case.before
            base.setdefault(section, {})[key] = case.value
            base[section] |= tables(f"[{section}]\n{case.more}")[section]
            file.write_text(written(base))
            started.reread()
            assert await case.probe(server) == case.after
    finally:
        log.configure("text", "info")
        allow_depth(MAX_DEPTH)
        allow_values(MAX_VALUES)


def tables(text: str) -> dict[str, dict[str, str]]:
    """`[section]` and `key = value` lines; a section may come twice."""
    found: dict[str, dict[str, str]] = {}
    section: dict[str, str] = {}
    for line in text.splitlines():
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), {})
        elif line:
            key, _, value = line.partition(" = ")
            section[key] = value
    return found


def written(found: dict[str, dict[str, str]]) -> str:
    return "".join(
        f"[{section}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())
        for section, keys in found.items()
    )
