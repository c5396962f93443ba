"""The language rules that a machine can hold: no class name twice, no pronoun in place of a noun, no metaphor."""

from __future__ import annotations

import ast
import io
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from chatd.cli import main

ROOT = Path(__file__).parent.parent
PACKAGES = ("chatd", "protocol")
WRITTEN = {".md", ".js", ".mjs", ".py", ".sh", ".spec", ".toml", ".mk"}
VENDOR = "/vendor/"

# In two halves, so that this file needs no exception for itself.
BANNED_WORDS = ("who" + "ever", "some" + "body", "no" + "body")
BANNED = re.compile(rf"\b({'|'.join(BANNED_WORDS)})\b", re.IGNORECASE)

# Metaphors that a newcomer would have to learn; in halves, too. They are banned as words and as parts of names.
METAPHORS = frozenset(
    {"do" + "or", "do" + "orman", "gue" + "st", "hou" + "se", "ha" + "ll", "cha" + "ir", "se" + "at", "stew" + "ard"}
    | {"her" + "ald", "come" + "back", "sta" + "ge", "trou" + "pe", "play" + "er", "play" + "ers", "screen" + "play"}
    | {"he" + "ar", "he" + "ars", "he" + "ard", "he" + "aring", "sa" + "ying", "lod" + "ger", "cur" + "tain"}
)
WORD_OR_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
LATER = ("tests/bench/",)  # folders whose words are still to be changed

EXCEPTIONS: dict[str, str] = {
    # path: the reason for which this file must contain such a word as data
}


def tracked() -> list[str]:
    """The names of the tracked files, from git; the test is skipped outside a checkout."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a git checkout")
    return [name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


def written(name: str) -> bool:
    """Whether people write and read this file."""
    return VENDOR not in f"/{name}" and (
        Path(name).suffix in WRITTEN or Path(name).name in ("Makefile", "Containerfile")
    )


def classes(package: str) -> Iterator[tuple[str, str]]:
    """Each class of a package, nested ones included: its name, and file:line."""
    for path in sorted((ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                yield node.name, f"{path.relative_to(ROOT)}:{node.lineno}"


def verbs() -> list[str]:
    """The verbs of the shell, as its own help lists them."""
    return re.findall(r"(?m)^    (\w+) ", help_text([]))


def help_text(arguments: list[str]) -> str:
    printed = io.StringIO()
    with redirect_stdout(printed), pytest.raises(SystemExit):
        main([*arguments, "--help"])
    return printed.getvalue()


def test_no_class_name_stands_twice() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for package in PACKAGES:
        for name, place in classes(package):
            places[name].append(place)
    twice = [f"{name}: {', '.join(found)}" for name, found in sorted(places.items()) if len(found) > 1]
    assert not twice, "a class name stands twice:\n" + "\n".join(twice)


def test_the_nouns_of_the_domain_stand_in_place_of_pronouns() -> None:
    found = [
        f"{name}:{number}: {line.strip()}"
        for name in tracked()
        if written(name) and name not in EXCEPTIONS
        for number, line in enumerate((ROOT / name).read_text(encoding="utf-8").splitlines(), 1)
        if BANNED.search(line)
    ]
    assert not found, f"write client, user, connection, caller … ({len(found)} lines):\n" + "\n".join(found)


def test_no_metaphor_stands_for_a_noun_or_a_verb() -> None:
    found = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name in tracked()
        if written(name) and not name.startswith(LATER)
        for number, line in enumerate([name, *(ROOT / name).read_text(encoding="utf-8").splitlines()])
        if not METAPHORS.isdisjoint(word.lower() for word in WORD_OR_PART.findall(line))
    ]
    assert not found, f"say what it is or does ({len(found)} lines; line 0 is the file's name):\n" + "\n".join(found)


def test_each_exception_is_still_needed() -> None:
    for name, reason in EXCEPTIONS.items():
        assert reason
        assert BANNED.search((ROOT / name).read_text(encoding="utf-8")), f"{name} needs no exception"


def test_the_help_has_none_of_the_banned_words() -> None:
    known = verbs()
    assert "serve" in known
    for arguments in ([], *([verb] for verb in known)):
        assert not BANNED.search(help_text(arguments)), arguments
