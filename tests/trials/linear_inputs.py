"""The hostile inputs of the trial `linear`: families of texts and of JSON values that grow to any size."""

from __future__ import annotations

import json
from collections.abc import Callable


def repeated(unit: str, before: str = "", after: str = "") -> Callable[[int], bytes]:
    """`unit` repeated up to n bytes, between two ends."""
    size = len(unit.encode())
    return lambda n: (before + unit * (n // size) + after).encode()


FAMILIES: dict[str, Callable[[int], bytes]] = {
    "blanks": repeated(" "),
    "a word in blanks": repeated(" ", "x", "x"),
    "bearer, then blanks": repeated(" ", "Bearer", "x"),
    "bearers": repeated("bearer "),
    "tabs": repeated("\t"),
    "line feeds": repeated("\n"),
    "line ends": repeated("\r\n"),
    "letters": repeated("a"),
    "letters, then no letter": repeated("a", after="!"),
    "digits": repeated("9"),
    "minus signs": repeated("-"),
    "zeros behind a point": repeated("0", "1."),
    "exponents": repeated("1e9"),
    "quotes": repeated('"'),
    "quotes, then a backslash": repeated('"', after="\\"),
    "backslashes": repeated("\\"),
    "escaped quotes": repeated('\\"'),
    "escaped quotes in brackets": repeated('\\"', "[" * 40 + '"'),
    "quotes and backslashes in brackets": repeated('"\\', "[" * 40),
    "opening brackets": repeated("["),
    "opening braces": repeated('{"a":'),
    "empty lists": repeated("[],"),
    "lists in a list": repeated("[],", "[" * 20, "1]"),
    "closing brackets": repeated("]"),
    "dots": repeated("."),
    "labels": repeated("a."),
    "commas": repeated(","),
    "commas and blanks": repeated(" , "),
    "colons": repeated(":"),
    "semicolons": repeated(";"),
    "slashes": repeated("/"),
    "at signs": repeated("a@"),
    "an address and labels": repeated(".a", "a@a"),
    "hyphens in a label": repeated("-a", "a@"),
    "percent signs": repeated("%"),
    "escaped percents": repeated("%25"),
    "escaped bad UTF-8": repeated("%ff"),
    "fields": repeated("a=b&"),
    "fields of one name": repeated("&", "a=1"),
    "cookies": repeated("a=b; "),
    "quoted pairs": repeated('for="a";'),
    "addresses": repeated("10.0.0.1, "),
    "hexadecimal": repeated("f:"),
    "base64": repeated("AAAA"),
    "base64 in parts": repeated("AAAA."),
    "record separators": repeated("\x1e"),
    "packets": repeated("4a\x1e"),
    "packets of base64": repeated("bAAAA\x1e"),
    "headers": repeated("a: b\r\n"),
    "header blanks": repeated(" ", "a:", "\r\n"),
    "multipart": repeated("--x\r\n\r\n"),
    "schemes": repeated("://"),
    "tokens": repeated("eyJ"),
    "parameters": repeated("token="),
    "combining marks": repeated("\u0316\u0301", "a"),
    "a mark that becomes many letters": repeated("\ufdfa"),
    "Hangul letters": repeated("\u1100\u1161"),
    "NUL": repeated("\0"),
    "escaped letters": repeated("\\u0061", '"', '"'),
    "lone surrogates": repeated("\\ud800", '"', '"'),
}


def keyed(n: int) -> bytes:
    return json.dumps({f"{number:x}": 1 for number in range(n // 10)}).encode()


VALUES: dict[str, Callable[[int], bytes]] = {
    "a string": repeated("a", '"', '"'),
    "a string of blanks": repeated(" ", '"', '"'),
    "a string of marks": repeated("\u0316\u0301", '"a', '"'),
    "a string of escapes": repeated("\\u0061", '"', '"'),
    "a string of line feeds": repeated("\\n", '"', '"'),
    "an integer": repeated("9", "1"),
    "a fraction": repeated("9", "0."),
    "integers": repeated("1,", "[", "1]"),
    "strings": repeated('"a",', "[", '"a"]'),
    "nulls": repeated("null,", "[", "null]"),
    "lists": repeated("[],", "[", "[]]"),
    "objects": repeated("{},", "[", "{}]"),
    "attachments": repeated('{"url":"a","type":"PDF"},', "[", "{}]"),
    "lists in lists": repeated("[[[[]]]],", "[", "[]]"),
    "keys": keyed,
    "one key": repeated('"a":1,', "{", '"a":1}'),
    "one key, escaped": repeated('"\\u0061":1,', "{", '"a":1}'),
    "objects with one key": repeated('{"a":{"a":1}},', "[", "1]"),
    "placeholders": repeated('{"_placeholder":true,"num":0},', "[", "1]"),
    "many lists that are never closed": repeated("["),
    "blanks": repeated(" ", "", "1"),
}
