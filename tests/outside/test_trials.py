"""The quick trials (tests/trials), so that every test run checks the promises."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests import needs
from tests.trials import files, follower, full, kill, large, repeated_stops, restarts, slow, stop, sync, uploads


async def test_no_acked_message_is_lost_or_doubled_when_the_server_is_killed(tmp_path: Path) -> None:
    figures = await kill.trial(tmp_path, quick=True)
    assert figures["retried after a kill"] > 0
    assert figures["acked"] > 100


async def test_the_search_index_has_every_message_once_when_the_server_is_killed(tmp_path: Path) -> None:
    figures = await follower.trial(tmp_path, quick=True)
    assert figures["killed while behind"] > 0
    assert figures["messages"] > 100


async def test_files_under_kills_are_not_lost_and_leave_nothing(tmp_path: Path) -> None:
    figures = await uploads.trial(tmp_path, quick=True)
    assert figures["files of acked messages"] > 0


async def test_a_stop_answers_what_it_commits_and_sends_1012_to_all(tmp_path: Path) -> None:
    figures = await stop.trial(tmp_path, quick=True)
    assert figures["saw 1012"] == figures["clients"]


async def test_clients_that_ignore_the_goodbye_hold_no_stop_up(tmp_path: Path) -> None:
    figures = await repeated_stops.trial(tmp_path, quick=True)
    assert figures["exit 0"] == figures["stops"]


async def test_clients_that_never_read_cost_the_others_nothing(tmp_path: Path) -> None:
    figures = await slow.trial(tmp_path, quick=True)
    assert figures["closed with 4008"] + figures["cut off, last words unread"] == figures["clients that never read"]


async def test_every_ack_comes_after_its_sync(tmp_path: Path) -> None:
    if shutil.which("strace") is None:
        needs.missing("strace is not installed")
    figures = await sync.trial(tmp_path, quick=True)
    assert figures["acks"] == 20


async def test_accepts_resume_when_descriptors_are_there_again(tmp_path: Path) -> None:
    if shutil.which("prlimit") is None:
        needs.missing("prlimit is not installed")
    figures = await files.trial(tmp_path, quick=True)
    assert figures["lines in the log"] > 0


async def test_writes_return_by_themselves_when_there_is_room_again(tmp_path: Path) -> None:
    figures = await full.trial(tmp_path, quick=True)
    assert figures["file size: acked and stored"] > 100


async def test_restarts_under_clients_of_every_framing_cost_no_message(tmp_path: Path) -> None:
    figures = await restarts.trial(tmp_path, quick=True)
    assert figures["resumed"] > 0


async def test_very_many_unread_messages_cost_the_others_little_and_can_be_deleted(tmp_path: Path) -> None:
    figures = await large.trial(tmp_path, quick=True)
    assert figures["its content gone after, s"] > 0
