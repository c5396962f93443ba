"""Texts as the search index keeps them: case and accents folded, and where each character came from.

`fold` is applied to messages and to queries alike. `space_ideographs` puts blanks around Chinese and Japanese
characters, which are written without: each becomes a word, and a run of them a phrase.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

_IDEOGRAPH = re.compile("([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])")


def fold(text: str) -> str:
    """The text in lower case, without accents."""
    return text.lower() if text.isascii() else "".join(map(fold_character, text))


def fold_character(character: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", character) if not unicodedata.combining(c))
    return unicodedata.normalize("NFC", plain).casefold()


def space_ideographs(folded: str) -> str:
    return folded if folded.isascii() else _IDEOGRAPH.sub(r" \1 ", folded)


def find_marks(text: str, terms: list[str]) -> list[tuple[int, int]]:
    """The places of folded terms in a text, as start and end in characters of the text, in order, without overlap."""
    folded, origins = _fold_with_origins(text)
    places = sorted(place for term in terms if term for place in _places(folded, term))
    marks: list[tuple[int, int]] = []
    for start, end in places:
        begin, finish = origins[start], origins[end - 1] + 1
        if marks and begin < marks[-1][1]:
            marks[-1] = (marks[-1][0], max(finish, marks[-1][1]))
        else:
            marks.append((begin, finish))
    return marks


def _fold_with_origins(text: str) -> tuple[str, list[int]]:
    """The folded text, and for each of its characters the character of the text that it came from."""
    if text.isascii():
        return text.lower(), list(range(len(text)))
    pieces = [fold_character(character) for character in text]
    return "".join(pieces), [index for index, piece in enumerate(pieces) for _ in piece]


def _places(folded: str, term: str) -> Iterator[tuple[int, int]]:
    start = folded.find(term)
    while start >= 0:
        yield start, start + len(term)
        start = folded.find(term, start + len(term))
