"""`chatd chat` on terminals and in pipes, beside a real server."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.outside.server import Chatd

ECHO = 3  # the index of the local flags in termios' answer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Chatd]:
    chatd = Chatd(tmp_path).start()
    yield chatd
    chatd.end()


def piped(server: Chatd, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        server.command("chat", *words), input=text, capture_output=True, text=True, timeout=60, check=False
    )


class OnTerminal:
    """A `chatd chat` on a pseudo-terminal."""

    def __init__(self, server: Chatd, *words: str) -> None:
        self.screen, terminal = pty.openpty()
        self.terminal = terminal
        self.process = subprocess.Popen(
            server.command("chat", *words), stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True
        )
        self.seen = ""

    def shows(self, text: str) -> str:
        """Wait until the screen shows a text; everything up to its end."""
        while text not in self.seen:
            data = os.read(self.screen, 65536)
            assert data, self.seen
            self.seen += data.decode()
        before, _, self.seen = self.seen.partition(text)
        return before + text

    def types(self, text: str) -> None:
        os.write(self.screen, text.encode())

    def ends(self) -> int:
        code = self.process.wait(30)
        os.close(self.screen)
        os.close(self.terminal)
        return code


def test_two_people_chat_in_two_terminals(server: Chatd) -> None:
    ann, bob = OnTerminal(server, "--as", "ann"), OnTerminal(server, "--as", "bob")
    ann.shows("-- lobby.")
    bob.shows("-- lobby.")
    ann.types("half a line")
    ann.shows("> half a line")
    bob.types("Hello, Ann\n")
    bob.shows("bob: Hello, Ann")
    ann.shows("bob: Hello, Ann")
    ann.shows("> half a line")  # it is drawn again
    ann.types(" and its end\n")
    bob.shows("ann: half a line and its end")
    ann.types("/quit\n")
    assert ann.ends() == 0
    bob.types("\x04")
    assert bob.ends() == 0


def test_the_terminal_has_its_echo_again_when_the_server_ends_the_chat(server: Chatd) -> None:
    ann = OnTerminal(server, "--as", "ann")
    found = termios.tcgetattr(ann.terminal)[ECHO]
    ann.shows("-- lobby.")
    assert server.run("user", "disable", "ann").returncode == 0
    ann.shows("chatd: ")
    assert ann.process.wait(30) == 1
    assert termios.tcgetattr(ann.terminal)[ECHO] == found
    ann.ends()


def test_lines_of_a_pipe_are_sent(server: Chatd) -> None:
    assert piped(server, "one\n\ntwo", "--as", "cron").returncode == 0
    shown = piped(server, "", "--as", "ann", "--last", "5")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert re.sub(r"(?m)^\d\d:\d\d ", "", shown.stdout) == "cron: one\ncron: two\n"


def test_a_title_is_one_group_and_a_user_one_private_conversation(server: Chatd) -> None:
    for name in ("ann", "bob"):
        assert piped(server, f"I am {name}\n", "tea", "--as", name).returncode == 0
    assert piped(server, "psst\n", "@bob", "--as", "ann").returncode == 0
    assert "ann: psst" in piped(server, "", "@ann", "--as", "bob", "--last", "1").stdout
    assert piped(server, "", "tea", "--as", "ann", "--last", "9").stdout.count("I am") == 2
    unknown = piped(server, "", "@zoe", "--as", "ann")
    assert (unknown.returncode, unknown.stderr) == (1, "chatd: There is no user 'zoe'\n")


def test_no_user_moves_the_cursor_of_another(server: Chatd) -> None:
    piped(server, "\x1b[2Jred\x07 \u202e\n", "--as", "ann")
    shown = piped(server, "", "--as", "bob", "--last", "1").stdout
    assert shown.endswith("ann: \ufffd[2Jred\ufffd \ufffd\n")


def test_a_refused_line_is_told_and_fails(server: Chatd) -> None:
    refused = piped(server, "x" * 20_000 + "\nshort\n", "--as", "ann")
    assert refused.returncode == 1
    assert "-- not sent: content must have at most 10000 characters" in refused.stdout
    assert "short" in piped(server, "", "--as", "ann", "--last", "1").stdout


def test_another_server_by_its_address_and_a_token(server: Chatd) -> None:
    piped(server, "hello\n", "--as", "ann")
    url, token = f"http://{server.address}", server.run("token", "ann").stdout.strip()
    found = subprocess.run(
        ["curl", "-s", f"{url}/conversations", "-H", f"Authorization: Bearer {token}"],
        capture_output=True,
        text=True,
        check=True,
    )
    matched = re.search(r"[0-9a-f]{24}", found.stdout)
    assert matched, found.stdout
    shown = piped(server, "from afar\n", matched[0], "--url", url, "--token", token, "--last", "5")
    assert (shown.returncode, "ann: hello" in shown.stdout) == (0, True)
    nowhere = piped(server, "", "x", "--url", "ftp://nowhere", "--token", "x")
    assert nowhere.returncode == 1
    assert "is not the address of a server" in nowhere.stderr
    assert piped(server, "", "x", "--url", url).returncode == 2


def test_without_a_server_it_says_where_it_looked(tmp_path: Path) -> None:
    alone = piped(Chatd(tmp_path), "", "--as", "ann")
    assert alone.returncode == 1
    assert f"no server uses {tmp_path / 'data'}" in alone.stderr
    assert not (tmp_path / "data").exists()
